//! An execution as the API shows it.

use tidegate_core::engine::{Execution, ExecutionState, Hold, ServerState, WaveRun, WaveState};
use tidegate_proto::v1;

use super::{
    action, enums, summary,
    time::{duration, timestamp},
    wave,
};
use crate::driver::View;

/// The whole execution.
pub(crate) fn execution(view: &View) -> v1::Execution {
    let it = &*view.execution;
    let objectives = it.plan().objectives();
    let deadline = it.next_deadline();
    v1::Execution {
        id: it.id().to_string(),
        kind: enums::kind(it.kind()).into(),
        plan: it.plan().name().to_string(),
        plan_revision: view.origin.plan_revision,
        plan_digest: view.origin.plan_digest.clone(),
        state: enums::execution_state(it.state()).into(),
        state_detail: state_detail(it),
        holds: it.holds().iter().map(|held| hold(it, held)).collect(),
        revision: view.revision,
        create_time: Some(timestamp(it.created_at())),
        update_time: Some(timestamp(view.updated_at)),
        end_time: it.ended_at().map(timestamp),
        objectives: Some(v1::Objectives {
            rto: objectives.rto.map(duration),
            rpo: objectives.rpo.map(duration),
        }),
        waves: wave::waves(it),
        allowed_actions: action::allowed(&it.allowed_actions(), it.plan()),
        source_execution: summary::source_execution(view),
        next_deadline: deadline.map(|deadline| timestamp(deadline.at)),
        next_deadline_reason: deadline
            .map(|deadline| enums::deadline_reason(deadline.reason, it.plan()))
            .unwrap_or_default(),
    }
}

/// Why the execution stands, in one line; empty while nothing is wrong.
pub(crate) fn state_detail(execution: &Execution) -> String {
    if let Some(detail) = harmless(execution) {
        return detail;
    }
    let own = execution.reason().to_string();
    if !own.is_empty() {
        return own;
    }
    if let Some((_, reason)) = execution.closing() {
        return reason.to_string();
    }
    let holds: Vec<String> = execution
        .holds()
        .iter()
        .map(|hold| hold.detail.to_string())
        .filter(|detail| !detail.is_empty())
        .collect();
    holds.join("; ")
}

/// What an execution that succeeded with warnings is warned of, if no server
/// failed: the engine's reason speaks of failures.
fn harmless(execution: &Execution) -> Option<String> {
    if execution.state() != ExecutionState::SucceededWithWarnings {
        return None;
    }
    let mut warned = 0;
    for server in execution.waves().flat_map(WaveRun::servers) {
        if server.state == ServerState::Failed {
            return None;
        }
        warned += u32::from(!server.warnings.is_empty());
    }
    let waves = execution.plan().waves().iter().zip(execution.waves());
    let skipped: Vec<&str> = waves
        .filter(|(_, run)| run.state() == WaveState::Skipped)
        .map(|(planned, _)| planned.name.as_str())
        .collect();
    let mut parts = Vec::new();
    if !skipped.is_empty() {
        parts.push(format!("waves skipped: {}", skipped.join(", ")));
    }
    if warned > 0 {
        parts.push(format!("servers with warnings: {warned}"));
    }
    let runs = execution.waves().flat_map(WaveRun::hooks);
    let waived = runs.filter(|run| run.waived().is_some()).count();
    if waived > 0 {
        parts.push(format!("failures of hooks waived: {waived}"));
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// What keeps an execution paused.
pub(crate) fn hold(execution: &Execution, hold: &Hold) -> v1::Hold {
    v1::Hold {
        reason: enums::pause_reason(hold.cause).into(),
        wave: hold
            .cause
            .wave()
            .map(|wave| execution.plan().wave(wave).name.to_string())
            .unwrap_or_default(),
        detail: hold.detail.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tidegate_core::{
        HookIx, ServerIx, WaveIx,
        engine::{Change, HoldCause, HookOutcome, Reason, ReasonCode},
        plan::{HookFailureKind, HookPhase},
    };

    use super::*;
    use crate::grpc::fixtures;

    #[test]
    fn a_new_execution_shows_its_waves_and_the_servers_that_are_named() {
        let shown = execution(&fixtures::view());

        assert_eq!(shown.plan, "shop");
        assert_eq!(shown.kind(), v1::ExecutionKind::Drill);
        assert_eq!(shown.state(), v1::ExecutionState::Pending);
        let names: Vec<&str> = shown.waves.iter().map(|wave| wave.name.as_str()).collect();
        assert_eq!(names, ["database", "web"]);
        assert_eq!(shown.waves[1].after, ["database"]);
        assert!(
            shown.waves[0].servers.is_empty(),
            "tags are not resolved yet"
        );
        assert_eq!(shown.waves[1].servers[0].id, "s-00000000000000001");
        assert_eq!(shown.objectives.unwrap().rpo.unwrap().seconds, 300);
    }

    #[test]
    fn a_hold_names_its_wave_and_says_why_the_execution_stands() {
        let view = fixtures::view_after(&[Change::HoldPlaced(Hold {
            cause: HoldCause::Planned(tidegate_core::WaveIx(1)),
            detail: Arc::from("look first"),
        })]);

        let shown = execution(&view);

        assert_eq!(shown.holds[0].reason(), v1::PauseReason::Planned);
        assert_eq!(shown.holds[0].wave, "web");
        assert_eq!(shown.state_detail, "look first");
    }

    #[test]
    fn an_execution_with_a_waived_hook_says_so() {
        let changes = [
            Change::HookStarted {
                wave: WaveIx(0),
                phase: HookPhase::PostWave,
                hook: HookIx(0),
                attempt: 1,
            },
            Change::HookEnded {
                wave: WaveIx(0),
                outcome: HookOutcome::Waived {
                    kind: HookFailureKind::Timeout,
                },
                message: Arc::from("too slow"),
                evidence: Arc::default(),
            },
            Change::ExecutionMoved {
                to: ExecutionState::SucceededWithWarnings,
                reason: Reason::of(ReasonCode::Tolerated),
            },
        ];
        let detail = state_detail(&fixtures::view_after(&changes).execution);
        assert_eq!(detail, "failures of hooks waived: 1");
    }

    #[test]
    fn an_execution_without_failures_says_what_it_is_warned_of() {
        let skipped = Change::WaveMoved {
            wave: WaveIx(0),
            to: WaveState::Skipped,
            reason: Reason::of(ReasonCode::Operator),
        };
        let warned = Change::ServerWarned {
            wave: WaveIx(1),
            server: ServerIx(0),
            warning: Arc::from("USING_PREVIOUS_SNAPSHOT"),
        };
        let failed = Change::ServerMoved {
            wave: WaveIx(1),
            server: ServerIx(1),
            to: ServerState::Failed,
            instance: None,
            reason: Reason::none(),
        };
        let over = Change::ExecutionMoved {
            to: ExecutionState::SucceededWithWarnings,
            reason: Reason::of(ReasonCode::Tolerated),
        };
        let mut changes = vec![over, fixtures::web_selected()];
        let mut detail = |change| {
            changes.push(change);
            state_detail(&fixtures::view_after(&changes).execution)
        };

        assert_eq!(detail(skipped), "waves skipped: database");
        let both = "waves skipped: database; servers with warnings: 1";
        assert_eq!(detail(warned), both);
        assert_eq!(detail(failed), "with tolerated failures");
    }
}
