//! The text that a newcomer follows: its fenced blocks, in order.

use std::fs;

use crate::compatibility::installed::in_checkout;

/// Where a reader types a block, as the fence says behind `sh`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In the terminal in which everything begins.
    Here,
    /// In a second one, where it goes on running.
    Gateway,
    /// On two machines, where it goes on running.
    Gateways,
    /// In a terminal of the second machine.
    Elsewhere,
}

/// Commands that are typed together.
#[derive(Clone, Debug)]
pub(super) struct Block {
    /// The line of its fence.
    pub(super) line: usize,
    pub(super) place: Place,
    pub(super) commands: String,
}

impl Block {
    /// How many of its commands are of this program.
    pub(super) fn count(&self, program: &str) -> usize {
        let begins = format!("{program} ");
        let lines = self.commands.lines();
        lines.filter(|line| line.starts_with(&begins)).count()
    }
}

/// A fenced part of a text.
#[derive(Clone, Debug)]
pub(super) struct Fence {
    /// The line in which it begins.
    pub(super) line: usize,
    /// What stands behind its backticks.
    pub(super) info: String,
    pub(super) content: String,
}

impl Fence {
    /// As a block, if it is one that somebody types.
    pub(super) fn block(&self) -> Option<Block> {
        Some(Block {
            line: self.line,
            place: place(&self.info)?,
            commands: self.content.clone(),
        })
    }
}

/// The blocks of a file of this checkout. There are no others than those that
/// are run: a fence of anything else is a mistake.
pub(super) fn blocks(path: &str) -> Vec<Block> {
    let fences = fences(path).into_iter();
    let typed = fences.map(|fence| {
        let Fence { line, info, .. } = &fence;
        let block = fence.block();
        block.unwrap_or_else(|| panic!("{path}:{line}: nobody runs {info:?}"))
    });
    typed.collect()
}

/// Every fenced part of a file of this checkout, in order.
pub(super) fn fences(path: &str) -> Vec<Fence> {
    let text = fs::read_to_string(in_checkout(path)).expect("the text is there");
    let mut fences: Vec<Fence> = Vec::new();
    let mut is_inside = false;
    for (number, line) in (1..).zip(text.lines()) {
        match line.strip_prefix("```") {
            Some("") if is_inside => is_inside = false,
            Some(info) if !is_inside => {
                is_inside = true;
                fences.push(Fence {
                    line: number,
                    info: info.to_owned(),
                    content: String::new(),
                });
            }
            Some(info) => panic!("{path}:{number}: {info:?} begins inside a block"),
            None if is_inside => {
                let fence = fences.last_mut().expect("a block has begun");
                fence.content += line;
                fence.content.push('\n');
            }
            None => {}
        }
    }
    assert!(!is_inside, "{path}: the last block has no end");
    fences
}

fn place(info: &str) -> Option<Place> {
    match info {
        "sh" => Some(Place::Here),
        "sh gateway" => Some(Place::Gateway),
        "sh gateways" => Some(Place::Gateways),
        "sh elsewhere" => Some(Place::Elsewhere),
        _ => None,
    }
}
