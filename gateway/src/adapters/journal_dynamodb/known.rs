//! Positions that this process has written or read itself. What is stored at a
//! position never goes, so that what is known here stays true.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use tidegate_core::ExecutionId;

/// Executions that are remembered. Of more, the oldest are forgotten: their
/// next append costs a read.
const LIMIT: usize = 50_000;

/// The highest revision of each execution that surely is there.
#[derive(Debug, Default)]
pub(super) struct Known(Mutex<BTreeMap<ExecutionId, u64>>);

impl Known {
    pub(super) fn note(&self, execution: &ExecutionId, revision: u64) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(highest) = known.get_mut(execution) {
            *highest = revision.max(*highest);
            return;
        }
        if known.len() >= LIMIT {
            // Identifiers sort by creation.
            known.pop_first();
        }
        known.insert(execution.clone(), revision);
    }

    pub(super) fn has(&self, execution: &ExecutionId, revision: u64) -> bool {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known
            .get(execution)
            .is_some_and(|highest| *highest >= revision)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_is_bounded_and_the_oldest_goes_first() {
        let known = Known::default();
        for number in 0..LIMIT + 10 {
            known.note(&format!("{number:010}").as_str().into(), 3);
        }
        assert_eq!(known.0.lock().unwrap().len(), LIMIT);
        assert!(!known.has(&"0000000000".into(), 1));
        let newest = format!("{:010}", LIMIT + 9).as_str().into();
        assert!(known.has(&newest, 3));
        assert!(!known.has(&newest, 4));
    }

    #[test]
    fn a_lower_position_does_not_replace_a_higher_one() {
        let known = Known::default();
        known.note(&"a".into(), 5);
        known.note(&"a".into(), 2);
        assert!(known.has(&"a".into(), 5));
    }
}
