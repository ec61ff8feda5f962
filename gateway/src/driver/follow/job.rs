//! One followed job: what is known of it, and what is new.

use std::{sync::Arc, time::Duration};

use tidegate_core::{
    InstanceId, LaunchIx, SourceServerId, Span, Timestamp, WaveIx,
    engine::{Event, Execution, JobReport, Kind, Launch, ServerRun, ServerState},
};

use super::schedule::{Lasted, Phase, PollBounds};
use crate::{
    driver::mailbox::Mailbox,
    ports::drs::{Depth, OrderKind},
};

/// A forgotten job whose servers DRS still says are under way is waited for
/// so many times as long as until it counts as forgotten.
const LAST_JUDGEMENT: u64 = 10;

/// Who wants to hear of a job.
#[derive(Debug)]
pub(in crate::driver) struct Follower {
    pub(super) wave: WaveIx,
    pub(super) launch: LaunchIx,
    pub(super) mailbox: Mailbox,
}

/// A job that is followed.
#[derive(Debug)]
pub(super) struct Followed {
    pub(super) follower: Follower,
    pub(super) kind: OrderKind,
    /// Plan and wave, by which it is compared with earlier jobs.
    pub(super) wave: Arc<str>,
    /// In a termination each with its instance.
    pub(super) servers: Vec<(SourceServerId, Option<InstanceId>)>,
    accepted_at: Timestamp,
    phase: Phase,
    since: Timestamp,
    /// When its phase was looked at last, or it began to be followed.
    seen_at: Timestamp,
    log_read_at: Option<Timestamp>,
    /// When it is looked at next.
    next_at: Timestamp,
    /// What was heard last.
    last: Option<JobReport>,
    missing_since: Option<Timestamp>,
}

/// What a look at a job showed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Seen {
    /// What its execution does not know yet.
    pub(super) news: Option<JobReport>,
    /// A phase that it has passed, and how long it was in it.
    pub(super) passed: Option<(Phase, Span)>,
}

/// What it means that DRS does not name a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// Nothing yet: DRS shows some jobs late.
    NotYet,
    /// It is forgotten.
    Forgotten {
        /// Whether it has been waited for long enough.
        is_last: bool,
    },
}

impl Follower {
    pub(in crate::driver) fn new(wave: WaveIx, launch: LaunchIx, mailbox: Mailbox) -> Self {
        Self {
            wave,
            launch,
            mailbox,
        }
    }

    pub(super) fn event(&self, report: JobReport) -> Event {
        Event::JobObserved {
            wave: self.wave,
            launch: self.launch,
            report,
        }
    }
}

impl Followed {
    /// A job as its execution knows it, which after a restart is more than
    /// that it was asked for.
    pub(super) fn new(
        execution: &Execution,
        launch: &Launch,
        follower: Follower,
        now: Timestamp,
    ) -> Self {
        let kind = match execution.kind() {
            Kind::Drill => OrderKind::Drill,
            Kind::Recovery => OrderKind::Recovery,
            Kind::Cleanup => OrderKind::Terminate,
        };
        let plan = execution.plan();
        let of_wave = execution.wave(follower.wave).servers();
        let positions = launch.servers.iter();
        let runs = || {
            positions
                .clone()
                .filter_map(|server| of_wave.get(server.index()))
        };
        let (phase, since) = recorded_phase(runs(), launch.state_at);
        let instance =
            |run: &ServerRun| (kind == OrderKind::Terminate).then(|| run.instance.clone());
        Self {
            servers: runs()
                .map(|run| (run.selected.id.clone(), instance(run).flatten()))
                .collect(),
            wave: format!("{}/{}", plan.name(), plan.wave(follower.wave).name).into(),
            follower,
            kind,
            accepted_at: launch.state_at,
            phase,
            since,
            seen_at: now,
            log_read_at: None,
            next_at: now,
            last: None,
            missing_since: None,
        }
    }

    pub(super) fn phase(&self) -> Phase {
        self.phase
    }

    pub(super) fn next_at(&self) -> Timestamp {
        self.next_at
    }

    pub(super) fn schedule(&mut self, bounds: PollBounds, learned: &[Span], now: Timestamp) {
        let lasted = Lasted {
            phase: now.since(self.since),
            job: now.since(self.accepted_at),
        };
        self.next_at = now + bounds.wait(self.phase, lasted, learned);
    }

    /// Whether it is looked at closely now: it is due, or would be soon.
    pub(super) fn is_due(&self, bounds: PollBounds, now: Timestamp) -> bool {
        self.next_at <= now + bounds.slack(self.phase)
    }

    /// Whether a look as close as this shows its phase, also if that is still
    /// the same.
    pub(super) fn is_seen(&self, depth: Depth) -> bool {
        match (depth, self.kind, self.phase) {
            (Depth::Log, _, _)
            | (Depth::Status, OrderKind::Terminate, _)
            | (Depth::Status, _, Phase::Launch | Phase::Closing) => true,
            (
                Depth::Status,
                OrderKind::Drill | OrderKind::Recovery,
                Phase::Requested | Phase::Snapshot | Phase::Conversion,
            ) => false,
        }
    }

    /// Not before this.
    pub(super) fn postpone(&mut self, until: Timestamp) {
        self.next_at = self.next_at.max(until);
    }

    /// Whether its log can tell something that its status does not: the phases
    /// up to the launch. After that it only explains, and may be late.
    pub(super) fn wants_log(&self, now: Timestamp, at_least_every: Duration) -> bool {
        let Some(read_at) = self.log_read_at else {
            return true;
        };
        match (self.kind, self.phase) {
            (OrderKind::Drill | OrderKind::Recovery, Phase::Requested | Phase::Snapshot)
            | (OrderKind::Drill | OrderKind::Recovery, Phase::Conversion) => true,
            (_, Phase::Launch | Phase::Closing) | (OrderKind::Terminate, _) => {
                u128::from(now.since(read_at).as_millis()) >= at_least_every.as_millis()
            }
        }
    }

    pub(super) fn log_was_asked_for(&mut self, now: Timestamp) {
        self.log_read_at = Some(now);
    }

    /// DRS described the job, as closely as this.
    pub(super) fn observe(&mut self, report: JobReport, depth: Depth, now: Timestamp) -> Seen {
        self.missing_since = None;
        let is_seen = self.is_seen(depth);
        let passed = self.move_on(&report, now);
        if is_seen || passed.is_some() {
            self.seen_at = now;
        }
        let news = (self.last.as_ref() != Some(&report)).then(|| {
            self.last = Some(report.clone());
            report
        });
        Seen { news, passed }
    }

    /// The change happened between the last look and this one: half-way, for
    /// want of better knowledge.
    fn move_on(&mut self, report: &JobReport, now: Timestamp) -> Option<(Phase, Span)> {
        let phase = observed_phase(report);
        if phase <= self.phase && !report.ended {
            return None;
        }
        let (from, since) = (self.phase, self.since);
        let half = Span::from_millis(now.since(self.seen_at).as_millis() / 2);
        let changed_at = self.seen_at + half;
        self.phase = phase;
        self.since = changed_at;
        let is_next = match (self.kind, from) {
            (OrderKind::Drill | OrderKind::Recovery, Phase::Requested) => phase == Phase::Snapshot,
            (_, Phase::Snapshot) => phase == Phase::Conversion,
            (_, Phase::Conversion) => phase == Phase::Launch,
            (OrderKind::Terminate, Phase::Requested) => phase == Phase::Launch,
            (_, Phase::Launch) => phase == Phase::Closing && reached_its_end(report),
            (_, Phase::Closing) => false,
        };
        is_next.then(|| (from, changed_at.since(since)))
    }

    /// DRS answered, and did not name the job.
    pub(super) fn is_missing(&mut self, now: Timestamp, forgotten_after: Duration) -> Missing {
        let since = *self.missing_since.get_or_insert(now);
        let missing = now.since(since).as_millis();
        let limit = u64::try_from(forgotten_after.as_millis()).unwrap_or(u64::MAX);
        if missing < limit {
            return Missing::NotYet;
        }
        let is_last = missing >= limit.saturating_mul(LAST_JUDGEMENT);
        Missing::Forgotten { is_last }
    }

    /// Since when DRS does not name it.
    pub(super) fn missing_since(&self) -> Option<Timestamp> {
        self.missing_since
    }
}

/// As far as the last server is, and since when.
fn recorded_phase<'a>(
    servers: impl Iterator<Item = &'a ServerRun>,
    accepted_at: Timestamp,
) -> (Phase, Timestamp) {
    let open = servers.filter(|run| !run.state.is_settled());
    let slowest = open.map(|run| (phase_of(run.state), run.state_at));
    let slowest = slowest.min_by_key(|(phase, at)| (*phase, std::cmp::Reverse(*at)));
    match slowest {
        Some((Phase::Requested, _)) | None => (Phase::Requested, accepted_at),
        Some(slowest) => slowest,
    }
}

fn observed_phase(report: &JobReport) -> Phase {
    let open = report.servers.iter().filter(|it| !it.state.is_settled());
    let slowest = open.map(|server| phase_of(server.state)).min();
    match slowest {
        _ if report.ended => Phase::Closing,
        Some(phase) => phase,
        // A job that names no server yet says nothing.
        None if report.servers.is_empty() => Phase::Requested,
        None => Phase::Closing,
    }
}

/// Whether the launch or termination took as long as it takes: a job that
/// failed says nothing of the next.
fn reached_its_end(report: &JobReport) -> bool {
    report.servers.iter().any(|server| {
        matches!(
            server.state,
            ServerState::Launched | ServerState::Terminated
        )
    })
}

fn phase_of(state: ServerState) -> Phase {
    match state {
        ServerState::Pending | ServerState::Requested => Phase::Requested,
        ServerState::Snapshot => Phase::Snapshot,
        ServerState::Conversion => Phase::Conversion,
        ServerState::Launch => Phase::Launch,
        ServerState::Launched
        | ServerState::Failed
        | ServerState::Skipped
        | ServerState::Terminated => Phase::Closing,
    }
}

#[cfg(test)]
mod tests;
