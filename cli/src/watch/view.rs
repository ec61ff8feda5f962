//! What a watcher knows of an execution: the last snapshot with every change
//! since folded in, and what is not journaled but worth seeing.

use std::time::Duration;

use jiff::Timestamp;
use tidegate_proto::v1::{
    AllowedAction, Bookmark, Commit, Execution, ExecutionState, Server, ServerState, WatchHeader,
    Wave,
};

use super::fold;
use crate::{names, time};

/// A watcher's knowledge of one execution.
#[derive(Clone, Debug, Default)]
pub(crate) struct ExecutionView {
    execution: Execution,
    bookmark: Option<Bookmark>,
    /// How far the gateway's clock is ahead of ours, in milliseconds.
    clock_ahead: i64,
}

impl ExecutionView {
    /// Takes a snapshot, or a part of it; the first part replaces what was known.
    pub(crate) fn snapshot(&mut self, header: WatchHeader, first: bool) {
        let snapshot = header.snapshot.unwrap_or_default();
        if first {
            self.execution = snapshot;
            self.bookmark = None;
        } else {
            self.execution.waves.extend(snapshot.waves);
        }
    }

    /// Folds a commit in.
    pub(crate) fn commit(&mut self, commit: &Commit) {
        for change in &commit.changes {
            if let Some(kind) = &change.kind {
                fold::apply(&mut self.execution, kind, commit.time);
            }
        }
        self.execution.revision = commit.revision;
        self.execution.update_time = commit.time;
    }

    /// Takes a bookmark that arrived at `now` of our clock.
    pub(crate) fn bookmark(&mut self, bookmark: Bookmark, now: Timestamp) {
        if let Some(theirs) = bookmark.time.and_then(time::timestamp) {
            self.clock_ahead = theirs.as_millisecond() - now.as_millisecond();
        }
        self.bookmark = Some(bookmark);
    }

    /// The execution as far as it is known.
    pub(crate) fn execution(&self) -> &Execution {
        &self.execution
    }

    /// The gateway's time at `now` of our clock.
    pub(crate) fn gateway_time(&self, now: Timestamp) -> Timestamp {
        Timestamp::from_millisecond(now.as_millisecond().saturating_add(self.clock_ahead))
            .unwrap_or(now)
    }

    /// Whether it is over.
    pub(crate) fn is_over(&self) -> bool {
        names::is_over(self.execution.state())
    }

    /// Whether nothing happens until a person acts.
    pub(crate) fn is_paused(&self) -> bool {
        self.execution.state() == ExecutionState::Paused
    }

    /// Time since it was accepted, until `now` (the gateway's) or its end.
    pub(crate) fn elapsed(&self, now: Timestamp) -> Duration {
        let from = self.execution.create_time.and_then(time::timestamp);
        let to = self.execution.end_time.and_then(time::timestamp);
        from.map_or(Duration::ZERO, |from| {
            time::between(from, to.unwrap_or(now))
        })
    }

    /// What happens by itself next, and when.
    pub(crate) fn next_deadline(&self) -> Option<(Timestamp, &str)> {
        let (at, reason) = match &self.bookmark {
            Some(bookmark) => (bookmark.next_deadline, &bookmark.next_deadline_reason),
            None => (
                self.execution.next_deadline,
                &self.execution.next_deadline_reason,
            ),
        };
        Some((time::timestamp(at?)?, reason))
    }

    /// What the gateway allows now; `None` while it has not said so, and after
    /// a commit that is newer than the bookmark that did.
    pub(crate) fn allowed_actions(&self) -> Option<&[AllowedAction]> {
        self.bookmark
            .as_ref()
            .filter(|bookmark| bookmark.revision >= self.execution.revision)
            .map(|bookmark| bookmark.allowed_actions.as_slice())
            .filter(|allowed| !allowed.is_empty())
    }

    /// What is outstanding, one line each; nothing after a commit that is newer
    /// than the bookmark that said so.
    pub(crate) fn outstanding(&self) -> &[String] {
        match &self.bookmark {
            Some(bookmark) if bookmark.revision >= self.execution.revision && !self.is_over() => {
                &bookmark.outstanding
            }
            Some(_) | None => &[],
        }
    }
}

/// How many servers of a wave are in each state, in the order of their way.
pub(crate) fn server_counts(wave: &Wave) -> Vec<(ServerState, usize)> {
    const WAY: [ServerState; 9] = [
        ServerState::Launched,
        ServerState::Terminated,
        ServerState::Launch,
        ServerState::Conversion,
        ServerState::Snapshot,
        ServerState::Requested,
        ServerState::Pending,
        ServerState::Failed,
        ServerState::Skipped,
    ];
    WAY.iter()
        .map(|state| {
            let count = wave
                .servers
                .iter()
                .filter(|server| server.state() == *state)
                .count();
            (*state, count)
        })
        .filter(|(_, count)| *count > 0)
        .collect()
}

/// Servers with something to worry about, and their wave.
pub(crate) fn troubled(execution: &Execution) -> impl Iterator<Item = (&Wave, &Server)> {
    execution.waves.iter().flat_map(|wave| {
        wave.servers
            .iter()
            .filter(|server| server.state() == ServerState::Failed || !server.warnings.is_empty())
            .map(move |server| (wave, server))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_in_parts_is_one_execution() {
        let mut view = ExecutionView::default();
        for (name, first) in [("a", true), ("b", false)] {
            let snapshot = Some(Execution {
                waves: vec![Wave {
                    name: name.to_owned(),
                    ..Wave::default()
                }],
                ..Execution::default()
            });
            let header = WatchHeader {
                snapshot,
                ..WatchHeader::default()
            };
            view.snapshot(header, first);
        }
        assert_eq!(view.execution().waves.len(), 2);
    }

    #[test]
    fn what_is_outstanding_is_not_known_after_a_newer_commit() {
        let mut view = ExecutionView::default();
        let job = "database: job drsjob-1 runs";
        let says = |revision| Bookmark {
            revision,
            outstanding: vec![job.to_owned()],
            ..Bookmark::default()
        };
        let commit = |revision| Commit {
            revision,
            ..Commit::default()
        };
        view.commit(&commit(7));
        view.bookmark(says(7), Timestamp::UNIX_EPOCH);
        assert_eq!(view.outstanding(), [job]);
        view.commit(&commit(8));
        assert!(view.outstanding().is_empty());
        view.bookmark(says(8), Timestamp::UNIX_EPOCH);
        assert_eq!(view.outstanding(), [job]);
    }

    #[test]
    fn a_clock_that_is_off_does_not_bend_the_elapsed_time() {
        let mut view = ExecutionView::default();
        let theirs = prost_types::Timestamp {
            seconds: 1_000,
            nanos: 0,
        };
        let ours = Timestamp::from_second(400).unwrap();
        view.bookmark(
            Bookmark {
                time: Some(theirs),
                ..Bookmark::default()
            },
            ours,
        );
        let later = Timestamp::from_second(405).unwrap();
        assert_eq!(view.gateway_time(later).as_second(), 1_005);
    }
}
