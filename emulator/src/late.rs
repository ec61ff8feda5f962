//! Work whose caller was told otherwise, and that is done all the same: later.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;

use crate::model::Model;

/// What is done to the model then.
type Work = Box<dyn FnOnce(&mut Model) + Send>;

/// The late work of an emulator, by its time. The number keeps the order within one instant.
#[derive(Default)]
pub(crate) struct Late {
    due: BTreeMap<(Timestamp, u64), Work>,
    taken: u64,
}

impl Late {
    /// Takes work that is to be done at that time.
    pub(crate) fn take(&mut self, at: Timestamp, work: Work) {
        self.due.insert((at, self.taken), work);
        self.taken += 1;
    }

    /// The time of the next work.
    pub(crate) fn next(&self) -> Option<Timestamp> {
        self.due.keys().next().map(|(at, _)| *at)
    }

    /// Does what is due by then, each at its time.
    pub(crate) fn play(&mut self, model: &mut Model, now: Timestamp) {
        while let Some(entry) = self.due.first_entry() {
            let at = entry.key().0;
            if at > now {
                break;
            }
            let work = entry.remove();
            model.advance(at);
            work(model);
        }
    }
}

impl fmt::Debug for Late {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.due.keys()).finish()
    }
}
