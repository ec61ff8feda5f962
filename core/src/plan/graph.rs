//! The graph of waves: names become positions, cycles are found, and what is
//! upstream of a wave.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    format,
    string::{String, ToString},
    vec,
    vec::Vec,
};

use super::{DraftWave, Mistake, Plan, PlanError, WavePlan};
use crate::WaveIx;

impl Plan {
    /// The waves that a wave depends on, however far up.
    #[must_use]
    pub fn upstream(&self, wave: WaveIx) -> BTreeSet<WaveIx> {
        let mut found = BTreeSet::new();
        let mut open = vec![wave];
        while let Some(next) = open.pop() {
            let above = self.wave(next).after.iter().copied();
            open.extend(above.filter(|&above| found.insert(above)));
        }
        found
    }
}

/// Fills `after` and `before` of all waves; returns what is wrong with them.
pub(super) fn connect(drafts: &[DraftWave], waves: &mut [WavePlan]) -> Vec<PlanError> {
    let mut errors = Vec::new();
    let positions = positions(drafts, &mut errors);
    for (ix, draft) in drafts.iter().enumerate() {
        let mut known = BTreeSet::new();
        for (nth, name) in draft.after.iter().enumerate() {
            let field = format!("spec.waves[{ix}].after[{nth}]");
            match positions.get(name.as_str()) {
                None => errors.push(PlanError {
                    field,
                    mistake: Mistake::UnknownWave {
                        name: name.clone(),
                        nearest: nearest(name, positions.keys().copied()),
                    },
                }),
                Some(&dependency) if known.insert(dependency) => {
                    waves[ix].after.push(dependency);
                    waves[dependency.index()].before.push(position(ix));
                }
                Some(_) => errors.push(PlanError {
                    field,
                    mistake: Mistake::DuplicateDependency(name.clone()),
                }),
            }
        }
    }
    errors.extend(cycle(waves));
    errors
}

fn position(ix: usize) -> WaveIx {
    // A plan with more waves has been refused before anything uses this.
    WaveIx(u16::try_from(ix).unwrap_or(u16::MAX))
}

fn positions<'a>(
    drafts: &'a [DraftWave],
    errors: &mut Vec<PlanError>,
) -> BTreeMap<&'a str, WaveIx> {
    let mut positions = BTreeMap::new();
    for (ix, draft) in drafts.iter().enumerate() {
        if positions.contains_key(draft.name.as_str()) {
            errors.push(PlanError {
                field: format!("spec.waves[{ix}].name"),
                mistake: Mistake::DuplicateWave(draft.name.clone()),
            });
        } else {
            positions.insert(draft.name.as_str(), position(ix));
        }
    }
    positions
}

/// Removes waves that wait for nothing until none is left; what stays is a
/// cycle or waits for one. The cycle is then walked once for its names.
fn cycle(waves: &[WavePlan]) -> Option<PlanError> {
    let mut blocked: Vec<usize> = waves.iter().map(|wave| wave.after.len()).collect();
    let mut ready: Vec<usize> = (0..waves.len()).filter(|&ix| blocked[ix] == 0).collect();
    let mut done = 0;
    while let Some(ix) = ready.pop() {
        done += 1;
        for next in &waves[ix].before {
            blocked[next.index()] -= 1;
            if blocked[next.index()] == 0 {
                ready.push(next.index());
            }
        }
    }
    if done == waves.len() {
        return None;
    }
    let path = walk(waves, &blocked);
    let field = format!("spec.waves[{}].after", path[0]);
    let names: Vec<&str> = path.iter().map(|&ix| waves[ix].name.as_str()).collect();
    Some(PlanError {
        field,
        mistake: Mistake::Cycle(names.join(" -> ")),
    })
}

/// Follows blocked waves until one comes again; the first and the last of the
/// result are the same wave.
fn walk(waves: &[WavePlan], blocked: &[usize]) -> Vec<usize> {
    let start = blocked.iter().position(|&n| n > 0).unwrap_or(0);
    let mut path = vec![start];
    loop {
        let here = path[path.len() - 1];
        let next = waves[here]
            .after
            .iter()
            .map(|ix| ix.index())
            .find(|&ix| blocked[ix] > 0)
            .unwrap_or(here);
        if let Some(first) = path.iter().position(|&ix| ix == next) {
            path.push(next);
            return path.split_off(first);
        }
        path.push(next);
    }
}

/// The candidate within two edits of `name`, if there is one; among equals the
/// one with the same first letter.
pub(super) fn nearest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<String> {
    candidates
        .map(|candidate| {
            let other_start = candidate.chars().next() != name.chars().next();
            (edits(name, candidate), other_start, candidate)
        })
        .filter(|&(distance, ..)| distance <= 2)
        .min()
        .map(|(.., candidate)| candidate.to_string())
}

/// Levenshtein distance.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(ca != *cb);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
