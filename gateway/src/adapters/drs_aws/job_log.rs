//! Logs of jobs: where each server is, which `DescribeJobs` does not say.
//!
//! Reading is incremental: of a job that runs, only the page that was last is
//! read again. Taking in a page twice changes nothing, so no position within
//! it has to be kept.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use aws_sdk_drs::types;
use tidegate_core::{InstanceId, JobId, SourceServerId, engine::ServerState};

use super::clients::Place;
use crate::ports::drs::DrsError;

/// Jobs whose logs are remembered. Above it all are forgotten, which costs
/// reading them once from the beginning.
const REMEMBERED: usize = 10_000;

const OLDER_SNAPSHOT: &str =
    "launched from an older snapshot: DRS could not take a new one (USING_PREVIOUS_SNAPSHOT)";

/// What was read of the jobs that are followed.
#[derive(Debug, Default)]
pub(super) struct JobLogs(Mutex<HashMap<JobId, JobLog>>);

/// What was read of a job's log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct JobLog {
    /// Token of the page that was last; `None` for the first.
    last_page: Option<String>,
    servers: BTreeMap<SourceServerId, ServerLog>,
    /// What went wrong for the job as a whole.
    failure: Option<String>,
    /// How often in a row something that the job's report needs could not be
    /// read.
    pub(super) misses: u32,
    /// What the job's status was when the log was read.
    pub(super) read_at: Option<Vec<String>>,
}

/// What a job's log says of a server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ServerLog {
    /// How far it is.
    pub(super) phase: Option<ServerState>,
    /// Its instance.
    pub(super) instance: Option<InstanceId>,
    /// The last thing that went wrong.
    pub(super) failure: Option<String>,
    /// What is worth a warning.
    pub(super) warnings: Vec<Arc<str>>,
}

impl JobLogs {
    /// What is known of a job.
    pub(super) fn get(&self, job: &JobId) -> JobLog {
        let logs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        logs.get(job).cloned().unwrap_or_default()
    }

    pub(super) fn keep(&self, job: JobId, log: JobLog) {
        let mut logs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if logs.len() >= REMEMBERED && !logs.contains_key(&job) {
            logs.clear();
        }
        logs.insert(job, log);
    }

    pub(super) fn forget(&self, job: &JobId) {
        let mut logs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        logs.remove(job);
    }
}

impl JobLog {
    /// Reads what is new. What was read before an error is kept.
    pub(super) async fn read_on(&mut self, place: &Place, job: &JobId) -> Result<(), DrsError> {
        match self.walk(place, job).await {
            // A token that DRS does not know any more.
            Err(DrsError::Refused { .. }) if self.last_page.is_some() => {
                self.last_page = None;
                self.walk(place, job).await
            }
            done => done,
        }
    }

    async fn walk(&mut self, place: &Place, job: &JobId) -> Result<(), DrsError> {
        loop {
            let page = place
                .client
                .describe_job_log_items()
                .job_id(job.as_str())
                .set_next_token(self.last_page.clone())
                .send()
                .await
                .map_err(|error| place.failed("DescribeJobLogItems", &error))?;
            for item in page.items() {
                self.take_in(item);
            }
            match page.next_token.filter(|token| !token.is_empty()) {
                Some(next) if self.last_page.as_ref() != Some(&next) => self.last_page = Some(next),
                Some(_) | None => return Ok(()),
            }
        }
    }

    fn take_in(&mut self, item: &types::JobLog) {
        let Some(event) = item.event() else {
            return;
        };
        let data = item.event_data();
        let error = data.and_then(types::JobLogEventData::raw_error);
        // An event that the SDK does not know keeps its name.
        match data.and_then(types::JobLogEventData::source_server_id) {
            Some(server) => {
                let instance = data.and_then(types::JobLogEventData::target_instance_id);
                let log = self.servers.entry(SourceServerId::from(server));
                log.or_default().take_in(event.as_str(), instance, error);
            }
            None if is_failure(event.as_str()) => {
                self.failure = Some(failure(event.as_str(), error));
            }
            None => {}
        }
    }

    /// What it says of a server.
    pub(super) fn server(&self, server: &str) -> Option<&ServerLog> {
        self.servers.get(server)
    }

    /// What went wrong for the job as a whole.
    pub(super) fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }

    /// A log with these events of a server: name, target instance, raw error.
    #[cfg(test)]
    pub(super) fn with(server: &str, events: &[(&str, Option<&str>, Option<&str>)]) -> Self {
        let mut log = Self::default();
        let of_server = log.servers.entry(SourceServerId::from(server)).or_default();
        for (event, instance, error) in events {
            of_server.take_in(event, *instance, *error);
        }
        log
    }
}

impl ServerLog {
    fn take_in(&mut self, event: &str, instance: Option<&str>, error: Option<&str>) {
        // The end of a phase is not the beginning of the next: a minute may
        // pass between them.
        let phase = match event {
            "SNAPSHOT_START" | "SNAPSHOT_END" | "USING_PREVIOUS_SNAPSHOT" => ServerState::Snapshot,
            "CONVERSION_START" | "CONVERSION_END" => ServerState::Conversion,
            "LAUNCH_START" | "LAUNCH_END" => ServerState::Launch,
            // CLEANUP_START and CLEANUP_END are about an older instance, or
            // about one that is terminated.
            _ => ServerState::Requested,
        };
        self.phase = self.phase.max(Some(phase));
        if event == "LAUNCH_END" {
            self.instance = instance.map(InstanceId::from);
        }
        if event == "USING_PREVIOUS_SNAPSHOT" && self.warnings.is_empty() {
            self.warnings.push(OLDER_SNAPSHOT.into());
        }
        if is_failure(event) {
            self.failure = Some(failure(event, error));
        }
    }
}

fn is_failure(event: &str) -> bool {
    event.ends_with("_FAIL")
        || event.ends_with("_FAILED")
        || matches!(event, "SERVER_SKIPPED" | "JOB_CANCEL")
}

fn failure(event: &str, error: Option<&str>) -> String {
    match error {
        Some(error) => format!("{event}: {error}"),
        None => event.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVER: &str = "s-51d6b65c73391918f";

    fn after(events: &[&str]) -> ServerLog {
        let events: Vec<_> = events.iter().map(|event| (*event, None, None)).collect();
        let log = JobLog::with(SERVER, &events);
        log.server(SERVER).expect("it has events").clone()
    }

    #[test]
    fn a_phase_lasts_until_the_next_one_starts() {
        let course = [
            ("SNAPSHOT_START", ServerState::Snapshot),
            ("SNAPSHOT_END", ServerState::Snapshot),
            ("CONVERSION_START", ServerState::Conversion),
            ("CONVERSION_END", ServerState::Conversion),
            ("LAUNCH_START", ServerState::Launch),
            ("LAUNCH_END", ServerState::Launch),
        ];
        for until in 1..=course.len() {
            let events: Vec<&str> = course[..until].iter().map(|(event, _)| *event).collect();
            assert_eq!(after(&events).phase, Some(course[until - 1].1));
        }
    }

    #[test]
    fn a_page_that_is_read_twice_changes_nothing() {
        let page = [
            "SNAPSHOT_START",
            "USING_PREVIOUS_SNAPSHOT",
            "CONVERSION_START",
        ];
        assert_eq!(after(&page), after(&[page, page].concat()));
    }

    #[test]
    fn an_older_snapshot_is_a_warning() {
        let log = after(&["SNAPSHOT_FAIL", "USING_PREVIOUS_SNAPSHOT"]);
        assert_eq!(log.warnings, [Arc::from(OLDER_SNAPSHOT)]);
    }

    #[test]
    fn only_the_end_of_the_launch_names_the_new_instance() {
        let log = JobLog::with(
            SERVER,
            &[
                ("CLEANUP_END", Some("i-old"), None),
                ("LAUNCH_END", Some("i-new"), None),
                ("LATER_EVENT", Some("i-other"), None),
            ],
        );
        let instance = log.server(SERVER).and_then(|log| log.instance.as_ref());
        assert_eq!(instance, Some(&InstanceId::from("i-new")));
    }

    #[test]
    fn the_last_failure_is_kept_with_its_error() {
        let log = JobLog::with(SERVER, &[("CONVERSION_FAIL", None, Some("no capacity"))]);
        let failure = log.server(SERVER).and_then(|log| log.failure.as_deref());
        assert_eq!(failure, Some("CONVERSION_FAIL: no capacity"));
    }
}
