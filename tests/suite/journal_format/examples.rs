//! One example, or several, of every kind of change.

use std::sync::Arc;

use tidegate_core::{
    HookIx, InstanceId, JobId, LaunchIx, OwnerId, ServerIx, SnapshotId, SourceServerId, Span,
    Timestamp, WaveIx,
    engine::{
        Change, Closing, ExecutionState, Finding, Hold, HoldCause, HookEvidence, HookOutcome,
        LaunchState, LogLevel, LogLine, Reason, ReasonCode, SelectedServer, ServerState, Severity,
        WaveState,
    },
    plan::{HookFailureKind, HookPhase, Target},
};

/// The names of all kinds of change; what one kind can say since a later time
/// has a name of its own, so that files that were written before stay as they
/// are.
pub(super) const NAMES: &[&str] = &[
    "execution-moved",
    "owner-changed",
    "closing",
    "hold-placed",
    "hold-lifted",
    "wave-moved",
    "gate-opened",
    "selection-started",
    "servers-selected",
    "hook-started",
    "hook-ended",
    "hook-found",
    "hook-waived",
    "attempt-started",
    "retry-scheduled",
    "launch-intended",
    "launch-moved",
    "launch-queued",
    "launch-moved-queued",
    "server-moved",
    "server-warned",
];

/// The name of a change's kind; a new kind must be named, and then needs an
/// example.
pub(super) fn name(change: &Change) -> &'static str {
    match change {
        Change::ExecutionMoved { .. } => "execution-moved",
        Change::OwnerChanged { .. } => "owner-changed",
        Change::Closing { .. } => "closing",
        Change::HoldPlaced(_) => "hold-placed",
        Change::HoldLifted(_) => "hold-lifted",
        Change::WaveMoved { .. } => "wave-moved",
        Change::GateOpened { .. } => "gate-opened",
        Change::SelectionStarted { .. } => "selection-started",
        Change::ServersSelected { .. } => "servers-selected",
        Change::HookStarted { .. } => "hook-started",
        Change::HookEnded {
            outcome: HookOutcome::Waived { .. },
            ..
        } => "hook-waived",
        Change::HookEnded { evidence, .. } if **evidence != HookEvidence::default() => "hook-found",
        Change::HookEnded { .. } => "hook-ended",
        Change::AttemptStarted { .. } => "attempt-started",
        Change::RetryScheduled { .. } => "retry-scheduled",
        Change::LaunchIntended { .. } => "launch-intended",
        Change::LaunchQueued { .. } => "launch-queued",
        Change::LaunchMoved {
            to: LaunchState::Queued { .. },
            ..
        } => "launch-moved-queued",
        Change::LaunchMoved { .. } => "launch-moved",
        Change::ServerMoved { .. } => "server-moved",
        Change::ServerWarned { .. } => "server-warned",
    }
}

/// All of them, those of one kind together.
pub(super) fn changes() -> Vec<Change> {
    let mut changes = vec![
        execution_moved(),
        Change::OwnerChanged {
            epoch: 2,
            owner: OwnerId::from("gateway-b"),
        },
        Change::Closing {
            to: Closing::Timeout,
            reason: Reason::of(ReasonCode::Timeout),
        },
    ];
    changes.extend(holds().map(Change::HoldPlaced));
    changes.extend(holds().map(Change::HoldLifted));
    changes.extend(of_waves());
    changes.extend(hook_ends());
    changes.extend(hook_findings());
    changes.push(hook_ended(
        HookOutcome::Waived {
            kind: HookFailureKind::Timeout,
        },
        evidence(),
    ));
    changes.extend(of_attempts());
    changes.extend(launch_moves());
    changes.extend(of_servers());
    changes.extend(of_queues());
    changes
}

/// The simplest.
pub(super) fn execution_moved() -> Change {
    Change::ExecutionMoved {
        to: ExecutionState::Running,
        reason: Reason::none(),
    }
}

fn holds() -> impl Iterator<Item = Hold> {
    let wave = WaveIx(3);
    [
        HoldCause::Operator,
        HoldCause::Planned(wave),
        HoldCause::Approval(wave),
        HoldCause::WaveFailed(wave),
        HoldCause::Hook(wave),
    ]
    .into_iter()
    .map(|cause| Hold {
        cause,
        detail: Arc::from("look at the ledger"),
    })
}

fn of_waves() -> Vec<Change> {
    let wave = WaveIx(u16::MAX);
    vec![
        Change::WaveMoved {
            wave,
            to: WaveState::SucceededWithWarnings,
            reason: Reason::with(ReasonCode::Tolerated, "one server of three"),
        },
        Change::GateOpened { wave },
        Change::SelectionStarted { wave },
        Change::ServersSelected {
            wave,
            servers: vec![server("s-1", None), server("s-2", Some("i-2"))],
        },
        Change::HookStarted {
            wave,
            phase: HookPhase::PostWave,
            hook: HookIx(2),
            attempt: 5,
        },
    ]
}

fn server(id: &str, instance: Option<&str>) -> SelectedServer {
    SelectedServer {
        id: SourceServerId::from(id),
        hostname: Arc::from("db-1.example"),
        target: target(instance.map(|_| "arn:aws:iam::123456789012:role/dr")),
        optional: instance.is_some(),
        snapshot: instance.map(|_| SnapshotId::from("pit-3")),
        instance: instance.map(InstanceId::from),
    }
}

fn target(role: Option<&str>) -> Arc<Target> {
    Arc::new(Target {
        account: "123456789012".to_owned(),
        region: "us-west-2".to_owned(),
        role: role.map(str::to_owned),
    })
}

/// As they were before hooks could be run: without evidence, and a failure
/// without its kind.
fn hook_ends() -> impl Iterator<Item = Change> {
    [
        HookOutcome::Proceed,
        HookOutcome::Retry { at: later() },
        HookOutcome::Hold,
        HookOutcome::Skip,
        HookOutcome::Abort,
        HookOutcome::Failed {
            kind: HookFailureKind::Host,
        },
        HookOutcome::Dropped,
    ]
    .into_iter()
    .map(|outcome| hook_ended(outcome, HookEvidence::default()))
}

/// A verdict, and every kind of failure, with what they rest on.
fn hook_findings() -> impl Iterator<Item = Change> {
    let failures = HookFailureKind::ALL.map(|kind| HookOutcome::Failed { kind });
    [HookOutcome::Hold]
        .into_iter()
        .chain(failures)
        .map(|outcome| hook_ended(outcome, evidence()))
}

fn hook_ended(outcome: HookOutcome, evidence: HookEvidence) -> Change {
    Change::HookEnded {
        wave: WaveIx(0),
        outcome,
        message: Arc::from("port 5432 answers"),
        evidence: Arc::new(evidence),
    }
}

fn evidence() -> HookEvidence {
    let finding = |severity, subject: &str| Finding {
        code: Arc::from("port-closed"),
        severity,
        subject: Arc::from(subject),
        message: Arc::from("port 5432 is closed"),
        evidence: [("port".to_owned(), "5432".to_owned())].into(),
    };
    let line = |level| LogLine {
        level,
        text: Arc::from("asked"),
    };
    HookEvidence {
        findings: vec![
            finding(Severity::Info, ""),
            finding(Severity::Warning, "s-1"),
            finding(Severity::Error, "ledger"),
        ],
        findings_dropped: 7,
        log: vec![
            line(LogLevel::Debug),
            line(LogLevel::Info),
            line(LogLevel::Warning),
            line(LogLevel::Error),
        ],
        log_dropped: 11,
        fuel: 5_000_000_001,
        peak_memory: 67_108_864,
        probes: 13,
        elapsed: Span::from_millis(1_250),
        taped: true,
    }
}

fn of_attempts() -> Vec<Change> {
    let wave = WaveIx(1);
    vec![
        Change::AttemptStarted { wave, attempt: 2 },
        Change::RetryScheduled { wave, at: later() },
        Change::LaunchIntended {
            wave,
            target: target(None),
            servers: vec![ServerIx(0), ServerIx(300)],
        },
    ]
}

fn launch_moves() -> impl Iterator<Item = Change> {
    let job = || JobId::from("drsjob-1");
    let until = later();
    [
        LaunchState::Asking { attempt: 1 },
        LaunchState::Reconciling { attempt: 1 },
        LaunchState::Deferred { attempt: 1, until },
        LaunchState::Running { job: job() },
        LaunchState::Ended { job: job() },
        LaunchState::Refused,
        LaunchState::Abandoned,
    ]
    .into_iter()
    .map(|to| Change::LaunchMoved {
        wave: WaveIx(1),
        launch: LaunchIx(9),
        to,
        reason: Reason::with(ReasonCode::Drs, "as DRS says"),
    })
}

/// What needs format 3.
fn of_queues() -> Vec<Change> {
    let (wave, launch) = (WaveIx(1), LaunchIx(9));
    vec![
        Change::LaunchQueued {
            wave,
            target: target(None),
            servers: vec![ServerIx(0), ServerIx(300)],
        },
        Change::LaunchMoved {
            wave,
            launch,
            to: LaunchState::Queued { attempt: 2 },
            reason: Reason::with(ReasonCode::Quota, "as DRS says"),
        },
    ]
}

fn of_servers() -> Vec<Change> {
    let (wave, server) = (WaveIx(1), ServerIx(7));
    let moved = |to, instance: Option<&str>| Change::ServerMoved {
        wave,
        server,
        to,
        instance: instance.map(InstanceId::from),
        reason: Reason::none(),
    };
    vec![
        moved(ServerState::Conversion, None),
        moved(ServerState::Launched, Some("i-0abc")),
        Change::ServerWarned {
            wave,
            server,
            warning: Arc::from("an older snapshot was used"),
        },
    ]
}

fn later() -> Timestamp {
    Timestamp::from_millis(1_700_000_060_000)
}
