//! Where a `WatchAll` stream is: what its client was told of every execution.

use std::collections::{BTreeMap, BTreeSet};

use tidegate_core::ExecutionId;

use crate::grpc::watch::cursor::{self, Cursor, Mark};

/// Executions that ended on a stream and are still remembered, so that what
/// was published of them before is not taken for something new.
const ENDED: usize = 4_096;
/// How far the clocks of gateways may be apart, in milliseconds: so much earlier
/// than the newest that was seen an execution may have begun, and be unseen.
const SKEW: u64 = 60_000;
/// Executions that ended within that time and are named by a cursor; of more,
/// the newest.
const RECENT: usize = 1_000;
/// Length of a cursor that is sent with every message.
const SMALL: usize = 4 << 10;
/// A larger one is sent with one of so many messages.
const SPACING: u32 = 64;

/// What the client was told. It changes only when the message that tells it is
/// queued, so that the cursor of the last message never runs ahead.
#[derive(Debug, Default)]
pub(super) struct Place {
    /// The newest execution that was seen, whether or not it matched.
    newest: Option<ExecutionId>,
    followed: BTreeMap<ExecutionId, Mark>,
    ended: BTreeSet<ExecutionId>,
    /// Messages since the last one with a cursor.
    without_cursor: u32,
}

/// What a message says of an execution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) execution: ExecutionId,
    /// How far it was sent; `None` if it is over, and nothing more will come.
    pub(super) to: Option<Mark>,
}

impl Step {
    pub(super) fn new(execution: &ExecutionId, to: Mark, over: bool) -> Self {
        Self {
            execution: execution.clone(),
            to: (!over).then_some(to),
        }
    }
}

impl Place {
    /// A place that follows nothing yet.
    pub(super) fn after(newest: Option<ExecutionId>) -> Self {
        Self {
            newest,
            ..Self::default()
        }
    }

    /// The place that a cursor says, before its executions were looked at.
    pub(super) fn restored(cursor: &Cursor) -> Self {
        Self {
            followed: cursor.followed.clone(),
            ended: cursor.ended.clone(),
            ..Self::after(cursor.newest.clone())
        }
    }

    /// Nothing is to be told of an execution after all.
    pub(super) fn ignore(&mut self, execution: &ExecutionId) {
        self.followed.remove(execution);
    }

    /// How far an execution was sent, if it is followed.
    pub(super) fn mark(&self, execution: &ExecutionId) -> Option<Mark> {
        self.followed.get(execution).copied()
    }

    pub(super) fn followed(&self) -> Vec<ExecutionId> {
        self.followed.keys().cloned().collect()
    }

    /// Whether nothing is to be told of an execution that is not followed.
    pub(super) fn is_over(&self, execution: &ExecutionId) -> bool {
        self.ended.contains(execution)
    }

    /// Whether an execution may have begun after the newest that was seen,
    /// whatever the clock of whoever began it says.
    pub(super) fn is_recent(&self, execution: &ExecutionId) -> bool {
        is_recent(self.newest.as_ref(), execution)
    }

    /// Whether nobody was told of an execution that is recent.
    pub(super) fn is_unseen(&self, execution: &ExecutionId) -> bool {
        !self.followed.contains_key(execution) && !self.is_over(execution)
    }

    /// Nothing is to be told of an execution: it was over before.
    pub(super) fn pass_over(&mut self, execution: &ExecutionId) {
        self.take(Step {
            execution: execution.clone(),
            to: None,
        });
    }

    /// Whether an execution is newer than all that were seen, by its id.
    pub(super) fn is_new(&self, execution: &ExecutionId) -> bool {
        self.newest.as_ref().is_none_or(|newest| execution > newest)
    }

    pub(super) fn saw(&mut self, execution: &ExecutionId) {
        if self.is_new(execution) {
            self.newest = Some(execution.clone());
        }
    }

    pub(super) fn take(&mut self, step: Step) {
        self.saw(&step.execution);
        match step.to {
            Some(mark) => {
                self.followed.insert(step.execution, mark);
            }
            None => {
                self.followed.remove(&step.execution);
                self.ended.insert(step.execution);
                if self.ended.len() > ENDED {
                    self.ended.pop_first();
                }
            }
        }
    }

    /// The cursor to go on from.
    pub(super) fn cursor(&self) -> String {
        self.cursor_after(None)
    }

    /// The cursor of the next message, which takes a step or none. Empty if
    /// it is too large to be sent so often.
    pub(super) fn next_cursor(&mut self, step: Option<&Step>) -> String {
        let ended = self.recently_ended(self.newest.as_ref()).count();
        let small = cursor::longest(self.followed.len() + ended + 1) <= SMALL;
        if !small && self.without_cursor + 1 < SPACING {
            self.without_cursor += 1;
            return String::new();
        }
        self.without_cursor = 0;
        self.cursor_after(step)
    }

    fn cursor_after(&self, step: Option<&Step>) -> String {
        let newest = match step {
            Some(step) if self.is_new(&step.execution) => Some(&step.execution),
            Some(_) | None => self.newest.as_ref(),
        };
        let is_told = |id: &ExecutionId| step.is_some_and(|step| step.execution == *id);
        let told = step.and_then(|step| Some((&step.execution, step.to?)));
        let others = self.followed.iter().filter(|(id, _)| !is_told(id));
        let over = step.filter(|step| step.to.is_none());
        let ended = self.recently_ended(newest).filter(|id| !is_told(id));
        cursor::encode(
            newest,
            others.map(|(id, &mark)| (id, mark)).chain(told),
            ended.chain(over.map(|step| &step.execution)),
        )
    }

    fn recently_ended<'a>(
        &'a self,
        newest: Option<&'a ExecutionId>,
    ) -> impl Iterator<Item = &'a ExecutionId> {
        let ended = self.ended.iter().rev().take(RECENT);
        ended.take_while(move |id| is_recent(newest, id))
    }
}

fn is_recent(newest: Option<&ExecutionId>, execution: &ExecutionId) -> bool {
    let Some(newest) = newest else {
        return true;
    };
    let times = (cursor::begun_at(newest), cursor::begun_at(execution));
    let is_near = matches!(times, (Some(newest), Some(it)) if it + SKEW >= newest);
    is_near || execution > newest
}

#[cfg(test)]
mod tests {
    use ulid::Ulid;

    use super::*;
    use crate::grpc::watch::cursor::decode;

    fn id(n: u64) -> ExecutionId {
        at(n * 1_000)
    }

    /// One that began at this millisecond.
    fn at(millis: u64) -> ExecutionId {
        let id = Ulid::from_parts(millis, 7);
        ExecutionId::new(id.to_string().to_lowercase())
    }

    fn mark(revision: u64) -> Mark {
        Mark {
            revision,
            announced: true,
        }
    }

    fn step(n: u64, revision: u64) -> Step {
        Step::new(&id(n), mark(revision), false)
    }

    fn place(executions: u64) -> Place {
        let mut place = Place::default();
        for n in 1..=executions {
            place.take(step(n, 1));
        }
        place
    }

    #[test]
    fn the_cursor_of_a_message_is_the_one_after_it() {
        for taken in [
            step(2, 7),
            step(4, 1),
            Step::new(&id(2), mark(7), true),
            Step::new(&id(4), mark(1), true),
        ] {
            let mut place = place(3);
            let before = place.cursor();
            let with_message = place.next_cursor(Some(&taken));
            assert_eq!(place.cursor(), before, "the message may not be queued");
            place.take(taken);
            assert_eq!(decode(&with_message), decode(&place.cursor()));
        }
    }

    #[test]
    fn what_is_over_is_not_followed_by_the_cursor() {
        let mut place = place(2);
        place.take(Step::new(&id(1), mark(9), true));
        assert!(place.is_over(&id(1)) && !place.is_over(&id(2)));
        let expected = Cursor {
            newest: Some(id(2)),
            followed: [(id(2), mark(1))].into(),
            ended: [id(1)].into(),
        };
        assert_eq!(decode(&place.cursor()), Some(expected));
    }

    #[test]
    fn what_ended_is_remembered_for_a_while() {
        let mut place = Place::default();
        for n in 1..=5_000 {
            place.take(Step::new(&id(n), mark(1), true));
        }
        assert!(!place.is_over(&id(1)) && place.is_over(&id(5_000)));
        let named = decode(&place.cursor()).unwrap().ended;
        assert_eq!(named.len(), 61, "those of the last minute");
        assert!(named.contains(&id(4_940)));
    }

    #[test]
    fn who_comes_back_is_told_of_what_began_by_a_clock_that_is_behind() {
        let mut place = Place::after(Some(at(100_000)));
        place.take(Step::new(&at(99_000), mark(4), true));
        place.take(Step::new(&at(100_000), mark(1), false));
        let back = Place::restored(&decode(&place.cursor()).unwrap());
        let is_to_be_told = |id: &ExecutionId| back.is_recent(id) && back.is_unseen(id);
        assert!(is_to_be_told(&at(98_000)), "it began two seconds behind");
        assert!(is_to_be_told(&at(101_000)));
        assert!(!is_to_be_told(&at(99_000)), "it was told to its end");
        assert!(!is_to_be_told(&at(100_000)), "it is followed");
        assert!(!is_to_be_told(&at(39_999)), "no clock is so far behind");
    }

    #[test]
    fn a_small_cursor_is_in_every_message_and_a_large_one_in_one_of_64() {
        let mut small = place(100);
        assert!((0..200).all(|n| {
            let cursor = small.next_cursor(Some(&step(7, n)));
            (1..=SMALL).contains(&cursor.len())
        }));

        let mut large = place(1_000);
        let sent: Vec<bool> = (0..200)
            .map(|n| !large.next_cursor(Some(&step(7, n))).is_empty())
            .collect();
        let at: Vec<usize> = (0..200).filter(|&ix| sent[ix]).collect();
        assert_eq!(at, [63, 127, 191]);
    }
}
