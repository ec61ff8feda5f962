//! Fits the live view into the terminal. What a person may type, what it is
//! for and what is going on stay; waves that are over or have yet to begin are
//! counted instead, as many as there is no room for.

use tidegate_proto::v1::WaveState;

use super::{
    next::Foot,
    paint::{FAINT, Line},
};
use crate::names;

/// What there is of the terminal, in characters.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    /// Of a line.
    pub(crate) width: usize,
    /// Lines.
    pub(crate) height: usize,
}

/// A view before it is known what fits.
pub(super) struct Parts {
    /// What it is, and the time.
    pub(super) header: Vec<Line>,
    /// Above the waves.
    pub(super) heading: Line,
    /// A line for each wave, in the plan's order.
    pub(super) waves: Vec<(WaveState, Line)>,
    /// Servers and hooks that deserve a look.
    pub(super) details: Vec<Line>,
    pub(super) foot: Foot,
}

impl Parts {
    /// At most `height` lines, from top to bottom.
    pub(super) fn fit(self, height: usize) -> Vec<Line> {
        let above = self.header.len() + 1 + self.waves.len();
        let all = above + self.details.len() + self.foot.height();
        let waves = folded(self.waves, all.saturating_sub(height));
        let table = std::iter::once(self.heading).chain(waves).collect();

        let mut room = height;
        let commands = cut(self.foot.commands, &mut room);
        let held = cut(self.foot.held, &mut room);
        let header = cut(self.header, &mut room);
        let table = cut(table, &mut room);
        let running = cut(self.foot.running, &mut room);
        let details = cut(self.details, &mut room);
        [header, table, details, running, held, commands].concat()
    }
}

/// As much of these lines as there is room for; it takes that room.
fn cut(mut lines: Vec<Line>, room: &mut usize) -> Vec<Line> {
    if lines.len() > *room {
        let shown = room.saturating_sub(1);
        let more = format!("       and {} more", lines.len() - shown);
        lines.truncate(shown);
        if *room > 0 {
            lines.push(Line::default().with(FAINT, more));
        }
    }
    *room -= lines.len();
    lines
}

/// The waves on so many lines less: first those that are over become one line,
/// from the first on, then those that have yet to begin, from the last on.
fn folded(waves: Vec<(WaveState, Line)>, excess: usize) -> Vec<Line> {
    let states: Vec<WaveState> = waves.iter().map(|(state, _)| *state).collect();
    let over = count_to_fold(&states, is_settled, excess);
    let excess = excess.saturating_sub(over.saturating_sub(1));
    let to_come = count_to_fold(&states, is_to_come, excess);

    let mut over_left = over;
    let mut to_come_kept = states.iter().filter(|it| is_to_come(**it)).count() - to_come;
    let (mut first, mut last) = (Vec::new(), Vec::new());
    let mut shown = Vec::new();
    for (state, line) in waves {
        if over_left > 0 && is_settled(state) {
            over_left -= 1;
            first.push(state);
        } else if is_to_come(state) && to_come_kept == 0 {
            last.push(state);
        } else {
            to_come_kept -= usize::from(is_to_come(state));
            shown.push(line);
        }
    }
    let lines = counted(&first).into_iter().chain(shown);
    lines.chain(counted(&last)).collect()
}

/// How many of these waves must become one line to save `excess` lines, as far
/// as they can.
fn count_to_fold(states: &[WaveState], is_one: impl Fn(WaveState) -> bool, excess: usize) -> usize {
    let there = states.iter().filter(|state| is_one(**state)).count();
    match there.min(excess + 1) {
        0 | 1 => 0,
        count => count,
    }
}

/// A failed wave is over, too, and may wait for a word.
fn is_settled(state: WaveState) -> bool {
    names::is_wave_over(state) && state != WaveState::Failed
}

fn is_to_come(state: WaveState) -> bool {
    state == WaveState::Waiting
}

/// One line for waves that have none: how many are in which state.
fn counted(states: &[WaveState]) -> Option<Line> {
    let mut words: Vec<(WaveState, usize)> = Vec::new();
    for state in states {
        match words.iter_mut().find(|(known, _)| known == state) {
            Some((_, count)) => *count += 1,
            None => words.push((*state, 1)),
        }
    }
    let words: Vec<String> = words
        .iter()
        .map(|(state, count)| format!("{count} {}", names::wave_state(*state)))
        .collect();
    let line = || Line::default().with(FAINT, format!("  ({})", words.join(", ")));
    (!states.is_empty()).then(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fold(states: &[WaveState], excess: usize) -> Vec<String> {
        let waves = states.iter().enumerate();
        let waves = waves.map(|(n, state)| (*state, Line::plain(format!("w{n}"))));
        let shown = super::super::paint::render(&folded(waves.collect(), excess), 80);
        let shown = anstream::adapter::strip_str(&shown).to_string();
        shown.lines().map(str::to_owned).collect()
    }

    #[test]
    fn no_more_waves_are_counted_than_must_be() {
        use WaveState::{Recovering, Skipped, Succeeded, Waiting};
        let states = [
            Succeeded, Skipped, Succeeded, Recovering, Waiting, Waiting, Waiting,
        ];
        let all = ["w0", "w1", "w2", "w3", "w4", "w5", "w6"];
        assert_eq!(fold(&states, 0), all);
        let one_less = ["  (1 SUCCEEDED, 1 SKIPPED)", "w2", "w3", "w4", "w5", "w6"];
        assert_eq!(fold(&states, 1), one_less);
        let three_less = ["  (2 SUCCEEDED, 1 SKIPPED)", "w3", "w4", "  (2 WAITING)"];
        assert_eq!(fold(&states, 3), three_less);
        let all_that_can_be = ["  (2 SUCCEEDED, 1 SKIPPED)", "w3", "  (3 WAITING)"];
        assert_eq!(fold(&states, 99), all_that_can_be);
    }

    #[test]
    fn one_wave_is_shown_rather_than_counted() {
        let states = [WaveState::Succeeded, WaveState::Waiting];
        assert_eq!(fold(&states, 1), ["w0", "w1"]);
    }

    #[test]
    fn what_is_cut_is_counted() {
        let lines = || vec![Line::plain("a"), Line::plain("b"), Line::plain("c")];
        for (room, expected) in [(3, 3), (2, 2), (1, 1), (0, 0)] {
            let mut left = room;
            assert_eq!(cut(lines(), &mut left).len(), expected);
            assert_eq!(left, 0);
        }
    }
}
