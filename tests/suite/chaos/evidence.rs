//! What the journal and DRS say in the end, held against what clients were
//! told.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use tidegate_emulator::Emulator;
use tidegate_proto::v1::{
    Action, Commit, ExecutionState, ListEventsRequest, PauseReason, change::Kind,
    execution_service_client::ExecutionServiceClient,
};

use super::{
    client::{Answered, Ledger, is_over},
    watchers::{Revisions, Seen},
};

/// The tag by which a job names the launch that it is.
const LAUNCH_TAG: &str = "tidegate:launch";

pub(super) struct Evidence {
    /// Every commit of every execution, from the journal.
    logs: BTreeMap<String, Vec<Commit>>,
    answers: usize,
    resumed: usize,
}

impl Evidence {
    /// Reads the logs of what was started, as one gateway tells them.
    pub(super) async fn gather(address: String, ledgers: &[Ledger]) -> Self {
        let client = ExecutionServiceClient::connect(address).await;
        let mut client = client.expect("the gateway answers");
        let mut logs = BTreeMap::new();
        let started = ledgers.iter().flat_map(|ledger| &ledger.started);
        for id in started.map(|started| &started.execution) {
            let mut commits: Vec<Commit> = Vec::new();
            loop {
                let request = ListEventsRequest {
                    execution: id.clone(),
                    after_revision: commits.last().map_or(0, |commit| commit.revision),
                    page_size: 1_000,
                    page_token: String::new(),
                };
                let page = client.list_events(request).await.expect("it is known");
                let page = page.into_inner().commits;
                if page.is_empty() {
                    break;
                }
                commits.extend(page);
            }
            logs.insert(id.clone(), commits);
        }
        let started: usize = ledgers.iter().map(|ledger| ledger.started.len()).sum();
        let answered: usize = ledgers.iter().map(|ledger| ledger.answered.len()).sum();
        let seen = ledgers.iter().flat_map(|ledger| &ledger.seen);
        Self {
            logs,
            answers: started + answered,
            resumed: seen.map(|seen| seen.streams.saturating_sub(1)).sum(),
        }
    }

    /// Every commit of every execution.
    pub(super) fn logs(&self) -> &BTreeMap<String, Vec<Commit>> {
        &self.logs
    }

    pub(super) fn is_told_by_all(&self, others: &[Self]) {
        for other in others {
            for (id, log) in &self.logs {
                assert!(other.log(id) == log, "{id} is told in two ways");
            }
        }
    }

    pub(super) fn every_log_is_dense(&self) {
        for (id, log) in &self.logs {
            let revisions = log.iter().map(|commit| commit.revision);
            assert!(revisions.eq(1..=log.len() as u64), "{id} has gaps");
        }
    }

    pub(super) fn every_answer_took_effect(&self, ledger: &Ledger) {
        for started in &ledger.started {
            let first = self.log(&started.execution).first();
            let request = &first.expect("a first commit").request_id;
            assert_eq!(*request, started.request_id, "{started:?}");
        }
        let started = ledger.started.iter();
        let ids: BTreeSet<_> = started.map(|started| &started.execution).collect();
        assert_eq!(
            ids.len(),
            ledger.started.len(),
            "one request, one execution"
        );
        for answered in &ledger.answered {
            let log = self.log(&answered.execution);
            let mut of_request = log
                .iter()
                .filter(|commit| commit.request_id == answered.request_id);
            let commit = of_request.next().expect("what was answered is recorded");
            assert!(of_request.next().is_none(), "{answered:?} twice");
            assert_eq!(commit.revision, answered.revision, "{answered:?}");
            assert!(has_effect(commit, answered), "{answered:?}: {commit:?}");
        }
    }

    pub(super) fn every_watcher_saw_everything_once(&self, ledger: &Ledger) {
        assert_eq!(ledger.seen.len(), ledger.started.len());
        for Seen {
            execution, commits, ..
        } in &ledger.seen
        {
            assert!(
                commits == self.log(execution),
                "a watcher of {execution} saw something else than the log"
            );
        }
    }

    pub(super) fn every_execution_ended(&self) {
        for (id, log) in &self.logs {
            let moved = log.iter().flat_map(|commit| &commit.changes).rev();
            let last = moved
                .filter_map(|change| match &change.kind {
                    Some(Kind::Execution(moved)) => Some(moved.state()),
                    _ => None,
                })
                .next();
            assert!(last.is_some_and(is_over), "{id} ended as {last:?}");
        }
    }

    /// A snapshot may stand for the commits before it; none is made up.
    pub(super) fn what_was_seen_of_all_is_in_the_logs(&self, seen: &Revisions) {
        let commits: usize = seen.values().map(Vec::len).sum();
        assert!(commits > 0, "a watcher of everything saw nothing");
        for (id, revisions) in seen {
            let newest = self.log(id).last().map_or(0, |commit| commit.revision);
            assert!(revisions.iter().all(|revision| *revision <= newest), "{id}");
        }
    }

    /// Every job at DRS is one that a log knows, and no launch has two.
    pub(super) fn nothing_was_launched_twice(&self, drs: &Emulator) {
        let mut jobs: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for launch in drs.launches() {
            let key = launch.tags.get(LAUNCH_TAG);
            let key = key.expect("every launch is tagged").clone();
            jobs.entry(key).or_default().insert(launch.job.to_string());
        }
        let adopted = self.adopted();
        for (key, jobs) in &jobs {
            assert_eq!(jobs.len(), 1, "{key} was launched by {jobs:?}");
            assert_eq!(adopted.get(key), jobs.first(), "{key}");
        }
        assert_eq!(jobs.len(), adopted.len());
        assert!(!jobs.is_empty(), "nothing was launched");
    }

    /// The job that each launch ended up with, by its key.
    fn adopted(&self) -> BTreeMap<String, String> {
        let changes = self.logs.values().flatten().flat_map(|c| &c.changes);
        changes
            .filter_map(|change| match &change.kind {
                Some(Kind::Launch(moved)) => moved.launch.as_ref(),
                _ => None,
            })
            .filter(|launch| !launch.job_id.is_empty())
            .map(|launch| (launch.key.clone(), launch.job_id.clone()))
            .collect()
    }

    fn log(&self, id: &str) -> &Vec<Commit> {
        self.logs.get(id).expect("an execution of a client")
    }
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let commits: usize = self.logs.values().map(Vec::len).sum();
        write!(
            f,
            "{} executions, {commits} commits, {} answers kept, {} times resumed by cursor",
            self.logs.len(),
            self.answers,
            self.resumed
        )
    }
}

fn has_effect(commit: &Commit, answered: &Answered) -> bool {
    commit.changes.iter().any(|change| match &change.kind {
        Some(Kind::HoldPlaced(placed)) => {
            let reason = placed.hold.as_ref().map(|hold| hold.reason());
            answered.what == Action::Pause && reason == Some(PauseReason::Operator)
        }
        Some(Kind::HoldLifted(_)) => matches!(
            answered.what,
            Action::Resume | Action::RetryWave | Action::SkipWave
        ),
        Some(Kind::Execution(moved)) => {
            answered.what == Action::Cancel
                && matches!(
                    moved.state(),
                    ExecutionState::Cancelling | ExecutionState::Cancelled
                )
        }
        Some(Kind::Wave(_)) => {
            matches!(answered.what, Action::RetryWave | Action::SkipWave)
        }
        _ => false,
    })
}
