//! Any change at all.

use std::sync::Arc;

use proptest::{
    option,
    prelude::*,
    sample::select,
    strategy::{BoxedStrategy, Union},
};
use tidegate_core::{
    HookIx, InstanceId, JobId, LaunchIx, OwnerId, ServerIx, SnapshotId, SourceServerId, Span,
    Timestamp, WaveIx,
    engine::{
        Change, Closing, ExecutionState as E, Finding, Hold, HoldCause, HookEvidence, HookOutcome,
        LaunchState, LogLevel, LogLine, Reason, ReasonCode as R, SelectedServer, ServerState as S,
        Severity, WaveState as W,
    },
    plan::{HookFailureKind, HookPhase, Target},
};

/// Any change.
pub(super) fn change() -> impl Strategy<Value = Change> {
    Union::new([
        of_execution(),
        of_wave(),
        of_hook(),
        of_launch(),
        of_server(),
    ])
}

fn of_execution() -> BoxedStrategy<Change> {
    prop_oneof![
        (execution_state(), reason())
            .prop_map(|(to, reason)| Change::ExecutionMoved { to, reason }),
        (any::<u64>(), text()).prop_map(|(epoch, owner)| Change::OwnerChanged {
            epoch,
            owner: OwnerId::new(owner),
        }),
        (
            select(vec![Closing::Stop, Closing::Timeout, Closing::Cancel]),
            reason()
        )
            .prop_map(|(to, reason)| Change::Closing { to, reason }),
        hold().prop_map(Change::HoldPlaced),
        hold().prop_map(Change::HoldLifted),
    ]
    .boxed()
}

fn of_wave() -> BoxedStrategy<Change> {
    prop_oneof![
        (wave(), wave_state(), reason()).prop_map(|(wave, to, reason)| Change::WaveMoved {
            wave,
            to,
            reason
        }),
        wave().prop_map(|wave| Change::GateOpened { wave }),
        wave().prop_map(|wave| Change::SelectionStarted { wave }),
        (wave(), prop::collection::vec(selected(), 0..6))
            .prop_map(|(wave, servers)| Change::ServersSelected { wave, servers }),
        (wave(), any::<u32>()).prop_map(|(wave, attempt)| Change::AttemptStarted { wave, attempt }),
        (wave(), time()).prop_map(|(wave, at)| Change::RetryScheduled { wave, at }),
    ]
    .boxed()
}

fn of_hook() -> BoxedStrategy<Change> {
    let phase = select(vec![HookPhase::PreWave, HookPhase::PostWave]);
    let outcome = prop_oneof![
        select(vec![
            HookOutcome::Proceed,
            HookOutcome::Hold,
            HookOutcome::Skip,
            HookOutcome::Abort,
            HookOutcome::Dropped,
        ]),
        time().prop_map(|at| HookOutcome::Retry { at }),
        failure_kind().prop_map(|kind| HookOutcome::Failed { kind }),
        failure_kind().prop_map(|kind| HookOutcome::Waived { kind }),
    ];
    prop_oneof![
        (wave(), phase, any::<u16>(), any::<u32>()).prop_map(|(wave, phase, hook, attempt)| {
            Change::HookStarted {
                wave,
                phase,
                hook: HookIx(hook),
                attempt,
            }
        }),
        (wave(), outcome, text(), evidence()).prop_map(|(wave, outcome, message, evidence)| {
            Change::HookEnded {
                wave,
                outcome,
                message,
                evidence: Arc::new(evidence),
            }
        }),
    ]
    .boxed()
}

fn failure_kind() -> impl Strategy<Value = HookFailureKind> {
    select(HookFailureKind::ALL.to_vec())
}

fn evidence() -> impl Strategy<Value = HookEvidence> {
    let said = (
        prop::collection::vec(finding(), 0..4),
        any::<u32>(),
        prop::collection::vec(log_line(), 0..4),
        any::<u32>(),
    );
    let used = (
        any::<u64>(),
        any::<u64>(),
        any::<u32>(),
        any::<u64>(),
        any::<bool>(),
    );
    let full = (said, used).prop_map(|(said, used)| {
        let (findings, findings_dropped, log, log_dropped) = said;
        let (fuel, peak_memory, probes, elapsed, taped) = used;
        HookEvidence {
            findings,
            findings_dropped,
            log,
            log_dropped,
            fuel,
            peak_memory,
            probes,
            elapsed: Span::from_millis(elapsed),
            taped,
        }
    });
    prop_oneof![Just(HookEvidence::default()), full]
}

fn finding() -> impl Strategy<Value = Finding> {
    let severity = select(vec![Severity::Info, Severity::Warning, Severity::Error]);
    let evidence = prop::collection::btree_map(".{0,8}", ".{0,8}", 0..3);
    (text(), severity, text(), text(), evidence).prop_map(
        |(code, severity, subject, message, evidence)| Finding {
            code,
            severity,
            subject,
            message,
            evidence,
        },
    )
}

fn log_line() -> impl Strategy<Value = LogLine> {
    let level = select(vec![
        LogLevel::Debug,
        LogLevel::Info,
        LogLevel::Warning,
        LogLevel::Error,
    ]);
    (level, text()).prop_map(|(level, text)| LogLine { level, text })
}

fn of_launch() -> BoxedStrategy<Change> {
    let job = || text().prop_map(JobId::new);
    let state = prop_oneof![
        any::<u32>().prop_map(|attempt| LaunchState::Queued { attempt }),
        any::<u32>().prop_map(|attempt| LaunchState::Asking { attempt }),
        any::<u32>().prop_map(|attempt| LaunchState::Reconciling { attempt }),
        (any::<u32>(), time())
            .prop_map(|(attempt, until)| LaunchState::Deferred { attempt, until }),
        job().prop_map(|job| LaunchState::Running { job }),
        job().prop_map(|job| LaunchState::Ended { job }),
        select(vec![LaunchState::Refused, LaunchState::Abandoned]),
    ];
    let servers = || prop::collection::vec(any::<u16>().prop_map(ServerIx), 0..9);
    prop_oneof![
        (wave(), target(), servers()).prop_map(|(wave, target, servers)| Change::LaunchQueued {
            wave,
            target,
            servers,
        }),
        (wave(), target(), servers()).prop_map(|(wave, target, servers)| Change::LaunchIntended {
            wave,
            target,
            servers,
        }),
        (wave(), any::<u16>(), state, reason()).prop_map(|(wave, launch, to, reason)| {
            Change::LaunchMoved {
                wave,
                launch: LaunchIx(launch),
                to,
                reason,
            }
        }),
    ]
    .boxed()
}

fn of_server() -> BoxedStrategy<Change> {
    let server = || any::<u16>().prop_map(ServerIx);
    let instance = option::of(text().prop_map(InstanceId::new));
    prop_oneof![
        (wave(), server(), server_state(), instance, reason()).prop_map(
            |(wave, server, to, instance, reason)| Change::ServerMoved {
                wave,
                server,
                to,
                instance,
                reason,
            }
        ),
        (wave(), server(), text()).prop_map(|(wave, server, warning)| Change::ServerWarned {
            wave,
            server,
            warning,
        }),
    ]
    .boxed()
}

fn hold() -> impl Strategy<Value = Hold> {
    let cause = prop_oneof![
        Just(HoldCause::Operator),
        wave().prop_map(HoldCause::Planned),
        wave().prop_map(HoldCause::Approval),
        wave().prop_map(HoldCause::WaveFailed),
        wave().prop_map(HoldCause::Hook),
    ];
    (cause, text()).prop_map(|(cause, detail)| Hold { cause, detail })
}

fn selected() -> impl Strategy<Value = SelectedServer> {
    let snapshot = option::of(text().prop_map(SnapshotId::new));
    let instance = option::of(text().prop_map(InstanceId::new));
    (text(), text(), target(), any::<bool>(), snapshot, instance).prop_map(
        |(id, hostname, target, optional, snapshot, instance)| SelectedServer {
            id: SourceServerId::new(id),
            hostname,
            target,
            optional,
            snapshot,
            instance,
        },
    )
}

fn target() -> impl Strategy<Value = Arc<Target>> {
    let text = || ".{0,12}".prop_map(String::from);
    (text(), text(), option::of(text())).prop_map(|(account, region, role)| {
        Arc::new(Target {
            account,
            region,
            role,
        })
    })
}

fn reason() -> impl Strategy<Value = Reason> {
    let code = select(vec![
        R::None,
        R::Operator,
        R::Planned,
        R::NotReached,
        R::Timeout,
        R::ServersFailed,
        R::Tolerated,
        R::Hook,
        R::HookFailed,
        R::Selection,
        R::Refused,
        R::Deferred,
        R::AnswerLost,
        R::OwnerLost,
        R::NoTrace,
        R::Adopted,
        R::Drs,
        R::JobEndedEarly,
        R::Quota,
    ]);
    (code, text()).prop_map(|(code, text)| Reason { code, text })
}

fn execution_state() -> impl Strategy<Value = E> {
    select(vec![
        E::Pending,
        E::Running,
        E::Pausing,
        E::Paused,
        E::Cancelling,
        E::Cancelled,
        E::Succeeded,
        E::SucceededWithWarnings,
        E::Failed,
    ])
}

fn wave_state() -> impl Strategy<Value = W> {
    select(vec![
        W::Waiting,
        W::Gated,
        W::Checking,
        W::Launching,
        W::Recovering,
        W::Verifying,
        W::Succeeded,
        W::SucceededWithWarnings,
        W::Failed,
        W::Skipped,
        W::Cancelled,
    ])
}

fn server_state() -> impl Strategy<Value = S> {
    select(vec![
        S::Pending,
        S::Requested,
        S::Snapshot,
        S::Conversion,
        S::Launch,
        S::Launched,
        S::Failed,
        S::Skipped,
        S::Terminated,
    ])
}

fn wave() -> impl Strategy<Value = WaveIx> {
    any::<u16>().prop_map(WaveIx)
}

fn time() -> impl Strategy<Value = Timestamp> {
    any::<u64>().prop_map(Timestamp::from_millis)
}

fn text() -> impl Strategy<Value = Arc<str>> {
    ".{0,12}".prop_map(Arc::from)
}
