//! Turns what was answered into findings.

use std::collections::{BTreeMap, BTreeSet};

use tidegate_core::{
    ExecutionId, JobId, SourceServerId, Span, Timestamp,
    plan::{Group, Plan, Selection},
};
use tidegate_proto::v1::{self, ReadinessFinding, readiness_finding::Severity};

use super::{
    ask::{ASKED_SINGLY, Detail, GroupAnswer, PlaceAnswer},
    code::Code,
};
use crate::ports::{
    drs::{DrsError, RecoveryInstance, SourceServer},
    hooks::{Fault, Unarmed},
};

/// The findings about one plan.
pub(super) struct Report<'a> {
    plan: &'a Plan,
    busy: &'a BTreeMap<SourceServerId, ExecutionId>,
    limit: u32,
    now: Timestamp,
    /// Servers of jobs that run at DRS.
    in_jobs: BTreeMap<SourceServerId, JobId>,
    /// Where each server was selected first.
    pub(super) seen: BTreeMap<SourceServerId, &'a str>,
    /// Why what failed, by place and reason.
    reasons: BTreeMap<(String, String), &'static str>,
    findings: Vec<ReadinessFinding>,
}

impl<'a> Report<'a> {
    pub(super) fn new(
        plan: &'a Plan,
        busy: &'a BTreeMap<SourceServerId, ExecutionId>,
        limit: u32,
        now: Timestamp,
    ) -> Self {
        Self {
            plan,
            busy,
            limit,
            now,
            in_jobs: BTreeMap::new(),
            seen: BTreeMap::new(),
            reasons: BTreeMap::new(),
            findings: Vec::new(),
        }
    }

    /// Learns which servers are in jobs; before any group.
    pub(super) fn jobs(&mut self, places: &[PlaceAnswer<'_>]) {
        for place in places {
            match &place.jobs {
                Ok(jobs) => {
                    for job in jobs {
                        let servers = job.servers.iter().cloned();
                        self.in_jobs
                            .extend(servers.map(|server| (server, job.job.clone())));
                    }
                }
                Err(error) => self.not_checked("", "which jobs run", error),
            }
        }
    }

    /// Judges one group.
    pub(super) fn group(&mut self, answer: GroupAnswer<'a>) {
        let GroupAnswer {
            wave,
            group,
            servers,
            detail,
        } = answer;
        let found = match servers {
            Ok(found) => found,
            Err(error) => {
                let message = self.told(&error);
                self.add(Severity::Blocking, Code::of(&error), wave, "", message);
                return;
            }
        };
        self.selection(wave, group, &found);
        for server in &found {
            self.server(wave, server);
            self.staging(wave, server);
        }
        if let Some(detail) = detail {
            self.detail(wave, &found, detail);
        }
    }

    fn selection(&mut self, wave: &str, group: &Group, found: &[SourceServer]) {
        match &group.selection {
            Selection::Servers(wanted) => {
                let known: BTreeSet<&SourceServerId> = found.iter().map(|it| &it.id).collect();
                for missing in wanted.iter().filter(|it| !known.contains(&it.id)) {
                    let place = format!("{} in {}", group.target.account, group.target.region);
                    let message = format!("DRS does not know this server in account {place}");
                    let server = missing.id.as_str();
                    let severity = unless(missing.optional);
                    self.add(severity, Code::ServerNotFound, wave, server, message);
                }
            }
            Selection::Tags { tags, optional } if found.is_empty() => {
                let message = format!("no source server carries the tags {tags:?}");
                self.add(
                    unless(*optional),
                    Code::NoServersSelected,
                    wave,
                    "",
                    message,
                );
            }
            Selection::Tags { .. } => {}
        }
    }

    fn server(&mut self, wave: &'a str, server: &SourceServer) {
        let id = server.id.as_str();
        if let Some(first) = self.seen.insert(server.id.clone(), wave) {
            let message = format!("is also selected by wave {first}; a plan launches it once");
            self.add(
                Severity::Blocking,
                Code::ServerSelectedTwice,
                wave,
                id,
                message,
            );
        }
        if let Some(other) = self.busy.get(&server.id) {
            let message = format!("is in execution {other}, which is not over");
            self.add(Severity::Blocking, Code::ServerBusy, wave, id, message);
        } else if let Some(job) = self.in_jobs.get(&server.id) {
            let message = format!("is in job {job}, which runs at DRS and is not of Tidegate");
            self.add(Severity::Blocking, Code::ServerInJob, wave, id, message);
        }
        let state = &server.replication_state;
        if let Some(severity) = replication_severity(state) {
            let message = format!("replication is {state}, not CONTINUOUS");
            self.add(severity, Code::ReplicationNotContinuous, wave, id, message);
        }
        if let (Some(lag), Some(rpo)) = (server.lag, self.plan.objectives().rpo)
            && lag > rpo
        {
            let (lag, rpo) = (seconds(lag), seconds(rpo));
            let message = format!("replication lags {lag} s behind; the plan's RPO is {rpo} s");
            self.add(Severity::Warning, Code::ReplicationLag, wave, id, message);
        }
    }

    /// What is launched for an extended server comes from snapshots of another
    /// account, which must let this one have them
    /// (<https://docs.aws.amazon.com/drs/latest/userguide/multi-account.html>).
    fn staging(&mut self, wave: &str, server: &SourceServer) {
        let Some(staging) = &server.staging else {
            return;
        };
        let id = server.id.as_str();
        let account = staging.account.as_deref().unwrap_or("another account");
        match &staging.problem {
            Some(problem) => {
                let message = format!(
                    "is extended from a source server in {account}, which DRS does not reach: {problem}"
                );
                self.add(
                    Severity::Warning,
                    Code::StagingUnreachable,
                    wave,
                    id,
                    message,
                );
            }
            None => {
                let message = format!(
                    "is extended from a source server in {account}, and launched from snapshots there"
                );
                self.add(Severity::Info, Code::ExtendedServer, wave, id, message);
            }
        }
    }

    fn detail(&mut self, wave: &str, found: &[SourceServer], detail: Detail) {
        match detail.instances {
            Ok(instances) => {
                for instance in instances {
                    let mut servers = found.iter();
                    let server = servers.find(|server| server.id == instance.server);
                    self.instance(wave, &instance, server);
                }
            }
            Err(error) => self.not_checked(wave, "which recovery instances are left", &error),
        }
        match detail.snapshots {
            Ok(snapshots) => self.snapshots(wave, found, snapshots),
            Err(error) => self.not_checked(wave, "how old the newest snapshots are", &error),
        }
        match detail.launch {
            Ok(settings) => {
                for settings in settings.iter().filter(|it| it.stays_stopped) {
                    let message = "its recovery instance is launched and left stopped".to_owned();
                    let server = settings.server.as_str();
                    self.add(
                        Severity::Warning,
                        Code::LaunchesStopped,
                        wave,
                        server,
                        message,
                    );
                }
            }
            Err(error) => self.not_checked(wave, "how servers are launched", &error),
        }
        if found.len() > ASKED_SINGLY {
            let message = format!(
                "snapshots and launch settings of {ASKED_SINGLY} of {} servers were checked",
                found.len()
            );
            self.add(Severity::Info, Code::NotAllChecked, wave, "", message);
        }
    }

    /// Instances of executions that are under way belong there.
    fn instance(&mut self, wave: &str, instance: &RecoveryInstance, server: Option<&SourceServer>) {
        if self.busy.contains_key(&instance.server) {
            return;
        }
        let (code, by) = if instance.is_drill {
            (Code::InstanceLeft, "a drill")
        } else {
            (Code::RecoveryRuns, "a real recovery")
        };
        let job = instance.job.as_ref();
        let job = job.map_or_else(String::new, |job| format!(", job {job}"));
        let age = self.age_of(instance, server);
        let message = format!("instance {} of {by} is left{job}{age}", instance.instance);
        let server = instance.server.as_str();
        self.add(Severity::Warning, code, wave, server, message);
    }

    /// For how long it has been there, if DRS says which launch it comes from;
    /// else how old what it was launched from is.
    fn age_of(&self, instance: &RecoveryInstance, server: Option<&SourceServer>) -> String {
        let last = server.and_then(|server| server.last_launch.as_ref());
        let launched = last.filter(|(job, _)| Some(job) == instance.job.as_ref());
        match (launched, instance.snapshot_time) {
            (Some((_, at)), _) => format!(", launched {} ago", age(self.now.since(*at))),
            (None, Some(at)) => {
                format!(", from a snapshot that is {} old", age(self.now.since(at)))
            }
            (None, None) => String::new(),
        }
    }

    fn snapshots(
        &mut self,
        wave: &str,
        found: &[SourceServer],
        taken: Vec<(SourceServerId, Timestamp)>,
    ) {
        let taken: BTreeMap<SourceServerId, Timestamp> = taken.into_iter().collect();
        for server in found.iter().take(ASKED_SINGLY) {
            let id = server.id.as_str();
            let Some(at) = taken.get(&server.id) else {
                let message = "DRS has no snapshot of this server".to_owned();
                self.add(Severity::Warning, Code::NoSnapshot, wave, id, message);
                continue;
            };
            let since = self.now.since(*at);
            // Snapshots are taken every ten minutes at best
            // (<https://docs.aws.amazon.com/drs/latest/userguide/CloudEndure-Concepts.html>),
            // and a launch takes a new one where the source is there.
            let rpo = self.plan.objectives().rpo;
            if let Some(rpo) = rpo.map(|rpo| rpo.max(SNAPSHOTS_EVERY))
                && since > rpo
            {
                let message = format!(
                    "the newest snapshot is {} old; the plan's RPO allows {}",
                    age(since),
                    age(rpo)
                );
                self.add(Severity::Warning, Code::SnapshotOld, wave, id, message);
            }
        }
    }

    pub(super) fn not_checked(&mut self, wave: &str, what: &str, error: &DrsError) {
        let message = format!("{what} could not be checked: {}", self.told(error));
        self.add(Severity::Warning, Code::NotChecked, wave, "", message);
    }

    /// An error in words. What keeps all of a place from answering is told in
    /// full once.
    pub(super) fn told(&mut self, error: &DrsError) -> String {
        let (operation, target, message) = match error {
            DrsError::Throttled { .. } => return error.to_string(),
            DrsError::Denied {
                operation,
                target,
                message,
            }
            | DrsError::Refused {
                operation,
                target,
                message,
            }
            | DrsError::Failed {
                operation,
                target,
                message,
            } => (*operation, target, message),
        };
        let reason = (target.clone(), message.clone());
        if let Some(first) = self.reasons.get(&reason) {
            return format!("{operation} in {target} failed for the same reason (see {first})");
        }
        self.reasons.insert(reason, operation);
        error.to_string()
    }

    /// Says which hook is not ready.
    pub(super) fn unarmed(&mut self, unarmed: &Unarmed) {
        let Unarmed {
            field,
            problem,
            fault,
        } = unarmed;
        let code = match fault {
            Fault::Plan => Code::HookNotArmed,
            Fault::Host | Fault::Exhausted => Code::HookHostUnavailable,
        };
        let mut waves = self.plan.waves().iter().enumerate();
        let wave = waves.find(|(ix, _)| field.starts_with(&format!("spec.waves[{ix}].")));
        let wave = wave.map_or("", |(_, wave)| wave.name.as_str());
        let message = format!("{field}: {problem}");
        self.add(Severity::Blocking, code, wave, "", message);
    }

    pub(super) fn add(
        &mut self,
        severity: Severity,
        code: Code,
        wave: &str,
        server: &str,
        message: String,
    ) {
        self.findings.push(ReadinessFinding {
            severity: severity.into(),
            code: code.text().to_owned(),
            wave: wave.to_owned(),
            server: server.to_owned(),
            message,
            remedy: code.remedy().to_owned(),
        });
    }

    /// All findings, worst first.
    pub(super) fn finish(mut self) -> v1::CheckReadinessResponse {
        let count = u32::try_from(self.seen.len()).unwrap_or(u32::MAX);
        if count > self.limit {
            let message = format!("{count} servers are above the limit of {}", self.limit);
            self.add(Severity::Blocking, Code::TooManyServers, "", "", message);
        }
        self.findings
            .sort_by_key(|it| std::cmp::Reverse(it.severity));
        let blocking = |it: &ReadinessFinding| it.severity() == Severity::Blocking;
        v1::CheckReadinessResponse {
            ready: !self.findings.iter().any(blocking),
            findings: self.findings,
            server_count: count,
        }
    }
}

/// How often DRS takes snapshots.
const SNAPSHOTS_EVERY: Span = Span::from_secs(600);

fn unless(optional: bool) -> Severity {
    if optional {
        Severity::Warning
    } else {
        Severity::Blocking
    }
}

pub(super) fn seconds(span: Span) -> u64 {
    span.as_millis() / 1_000
}

/// In its largest unit, rounded down.
pub(super) fn age(span: Span) -> String {
    let seconds = seconds(span);
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7_199 => format!("{} min", seconds / 60),
        7_200..=172_799 => format!("{} h", seconds / 3_600),
        172_800.. => format!("{} days", seconds / 86_400),
    }
}

/// How bad a replication state is; `None` if it is as it should be. Before the
/// first synchronisation has ended there is nothing to launch from; in all
/// other states older snapshots are. States that DRS adds count as those.
fn replication_severity(state: &str) -> Option<Severity> {
    match state {
        "CONTINUOUS" => None,
        "STOPPED" | "INITIATING" | "INITIAL_SYNC" => Some(Severity::Blocking),
        _ => Some(Severity::Warning),
    }
}
