//! Commits: what one decision recorded, as clients see it.
//!
//! Every domain change is exactly one change of the API, so that the index
//! has no gaps. Changes that the API has no name for show the resource that
//! they touched, as it is after them.

use tidegate_core::{
    HookIx, LaunchIx, ServerIx, Timestamp, WaveIx,
    engine::{Change, Execution, HookEvidence, Stage},
    plan::HookPhase,
};
use tidegate_proto::v1::{self, change::Kind};

use super::{
    enums, execution as present, hook as present_hook, time::timestamp, wave as present_wave,
};
use crate::driver::{Origin, RecordView};

/// Presents a record and folds it: `state` is the execution before the record,
/// and after the call the execution after it.
pub(crate) fn commit(state: &mut Execution, origin: &Origin, record: &RecordView) -> v1::Commit {
    let mut changes = Vec::with_capacity(record.changes.len() + 1);
    if record.revision == 1 {
        changes.push(v1::Change {
            index: 1,
            kind: Some(Kind::Created(created(state, origin))),
        });
    }
    for (index, change) in (record.first_index..).zip(&record.changes) {
        changes.push(v1::Change {
            index,
            kind: Some(folded(state, change, record.at)),
        });
    }
    v1::Commit {
        revision: record.revision,
        time: Some(timestamp(record.at)),
        changes,
        complete: true,
        request_id: record.request_id.clone(),
        previous_hash: record.previous_hash.clone(),
    }
}

fn created(state: &Execution, origin: &Origin) -> v1::ExecutionCreated {
    v1::ExecutionCreated {
        kind: enums::kind(state.kind()).into(),
        plan: state.plan().name().to_string(),
        plan_revision: origin.plan_revision,
        plan_digest: origin.plan_digest.clone(),
    }
}

/// Applies a change and presents what it touched.
fn folded(state: &mut Execution, change: &Change, at: Timestamp) -> Kind {
    let hook_before = ended_hook(state, change);
    state.apply(change, at);
    let state = &*state;
    match change {
        Change::ExecutionMoved { .. } | Change::Closing { .. } => moved(state),
        Change::OwnerChanged { epoch, owner } => Kind::Owner(v1::OwnerChanged {
            epoch: *epoch,
            owner: owner.to_string(),
        }),
        Change::HoldPlaced(hold) => Kind::HoldPlaced(v1::HoldPlaced {
            hold: Some(present::hold(state, hold)),
        }),
        Change::HoldLifted(hold) => Kind::HoldLifted(v1::HoldLifted {
            hold: Some(present::hold(state, hold)),
        }),
        Change::WaveMoved { wave, .. }
        | Change::GateOpened { wave }
        | Change::SelectionStarted { wave }
        | Change::AttemptStarted { wave, .. }
        | Change::RetryScheduled { wave, .. } => wave_moved(state, *wave),
        Change::ServersSelected { wave, .. } => {
            let planned = state.plan().wave(*wave);
            Kind::ServersSelected(v1::ServersSelected {
                wave: planned.name.to_string(),
                servers: present_wave::servers(state, *wave, planned),
            })
        }
        Change::HookStarted {
            wave, phase, hook, ..
        } => hook_started(state, *wave, *phase, *hook),
        Change::HookEnded { wave, evidence, .. } => hook_ended(state, *wave, hook_before, evidence),
        Change::LaunchQueued { wave, .. } | Change::LaunchIntended { wave, .. } => {
            let newest = state.wave(*wave).launches().len().saturating_sub(1);
            launch_moved(
                state,
                *wave,
                LaunchIx(u16::try_from(newest).unwrap_or(u16::MAX)),
            )
        }
        Change::LaunchMoved { wave, launch, .. } => launch_moved(state, *wave, *launch),
        Change::ServerMoved { wave, server, .. } => server_moved(state, *wave, *server),
        Change::ServerWarned {
            wave,
            server,
            warning,
        } => server_warned(state, *wave, *server, warning),
    }
}

/// The hook that a change ends: the one that the wave is at before it.
fn ended_hook(state: &Execution, change: &Change) -> Option<(HookPhase, HookIx)> {
    if let Change::HookEnded { wave, .. } = change
        && let Stage::Hook(step) = state.wave(*wave).stage()
    {
        Some((step.phase, step.hook))
    } else {
        None
    }
}

fn moved(state: &Execution) -> Kind {
    Kind::Execution(v1::ExecutionMoved {
        state: enums::execution_state(state.state()).into(),
        detail: present::state_detail(state),
    })
}

fn wave_moved(state: &Execution, wave: WaveIx) -> Kind {
    let run = state.wave(wave);
    Kind::Wave(v1::WaveMoved {
        wave: state.plan().wave(wave).name.to_string(),
        state: enums::wave_state(run.state()).into(),
        detail: present_wave::detail(run),
        attempt: run.attempt(),
        retry_time: present_wave::retry_time(run),
    })
}

fn hook_started(state: &Execution, wave: WaveIx, phase: HookPhase, hook: HookIx) -> Kind {
    let planned = state.plan().wave(wave);
    let run = state.wave(wave).hook_run(phase, hook);
    Kind::Hook(v1::HookMoved {
        wave: planned.name.to_string(),
        run: run.map(|run| present_hook::run(planned, run)),
        ..v1::HookMoved::default()
    })
}

fn hook_ended(
    state: &Execution,
    wave: WaveIx,
    hook: Option<(HookPhase, HookIx)>,
    evidence: &HookEvidence,
) -> Kind {
    let planned = state.plan().wave(wave);
    let run = hook.and_then(|(phase, hook)| state.wave(wave).hook_run(phase, hook));
    Kind::Hook(v1::HookMoved {
        wave: planned.name.to_string(),
        run: run.map(|run| present_hook::ended(planned, run, evidence)),
        log: present_hook::log(&evidence.log),
        log_dropped: evidence.log_dropped,
        taped: evidence.taped,
    })
}

fn launch_moved(state: &Execution, wave: WaveIx, ix: LaunchIx) -> Kind {
    let launch = state.wave(wave).launch(ix);
    Kind::Launch(v1::LaunchMoved {
        wave: state.plan().wave(wave).name.to_string(),
        launch: launch.map(|launch| present_wave::launch(state, wave, ix, launch)),
    })
}

fn server_moved(state: &Execution, wave: WaveIx, server: ServerIx) -> Kind {
    let run = state.wave(wave);
    let shown = run
        .servers()
        .get(server.index())
        .map(|it| present_wave::server(run, it))
        .unwrap_or_default();
    Kind::Server(v1::ServerMoved {
        wave: state.plan().wave(wave).name.to_string(),
        server: shown.id,
        state: shown.state,
        detail: shown.detail,
        job_id: shown.job_id,
        recovery_instance_id: shown.recovery_instance_id,
    })
}

fn server_warned(state: &Execution, wave: WaveIx, server: ServerIx, warning: &str) -> Kind {
    let run = state.wave(wave).servers().get(server.index());
    Kind::ServerWarned(v1::ServerWarned {
        wave: state.plan().wave(wave).name.to_string(),
        server: run
            .map(|run| run.selected.id.to_string())
            .unwrap_or_default(),
        warning: warning.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tidegate_core::engine::LaunchState;
    use tidegate_core::{
        JobId,
        engine::{ExecutionState, HookOutcome, Reason, WaveState},
    };

    use super::*;
    use crate::grpc::fixtures;

    #[test]
    fn the_first_commit_begins_with_the_creation_and_the_index_has_no_gap() {
        let view = fixtures::view();
        let mut state = (*view.execution).clone();
        let record = fixtures::record(
            1,
            2,
            vec![
                Change::ExecutionMoved {
                    to: ExecutionState::Running,
                    reason: Reason::none(),
                },
                Change::WaveMoved {
                    wave: WaveIx(1),
                    to: WaveState::Checking,
                    reason: Reason::none(),
                },
            ],
        );

        let shown = commit(&mut state, &view.origin, &record);

        let indexes: Vec<u64> = shown.changes.iter().map(|change| change.index).collect();
        assert_eq!(indexes, [1, 2, 3]);
        assert!(matches!(shown.changes[0].kind, Some(Kind::Created(_))));
        let Some(Kind::Wave(wave)) = &shown.changes[2].kind else {
            panic!("the third change is the wave's");
        };
        assert_eq!(wave.wave, "web");
        assert_eq!(state.state(), ExecutionState::Running);
    }

    #[test]
    fn launches_are_whole_as_they_were_after_each_change() {
        let view = fixtures::view();
        let mut state = (*view.execution).clone();
        let record = fixtures::record(
            2,
            3,
            vec![
                fixtures::web_selected(),
                Change::LaunchIntended {
                    wave: WaveIx(1),
                    target: Arc::new(fixtures::target()),
                    servers: vec![ServerIx(0), ServerIx(1)],
                },
                Change::LaunchMoved {
                    wave: WaveIx(1),
                    launch: LaunchIx(0),
                    to: LaunchState::Running {
                        job: JobId::from("drsjob-1"),
                    },
                    reason: Reason::none(),
                },
            ],
        );

        let shown = commit(&mut state, &view.origin, &record);

        let launches: Vec<&v1::Launch> = shown
            .changes
            .iter()
            .filter_map(|change| match &change.kind {
                Some(Kind::Launch(moved)) => moved.launch.as_ref(),
                _ => None,
            })
            .collect();
        assert_eq!(launches[0].state(), v1::LaunchState::Asking);
        assert_eq!(launches[0].servers.len(), 2);
        assert_eq!(launches[1].state(), v1::LaunchState::Running);
        assert_eq!(launches[1].job_id, "drsjob-1");
    }

    #[test]
    fn the_end_of_a_hook_shows_the_hook_that_ended() {
        let view = fixtures::view();
        let mut state = (*view.execution).clone();
        let started = |hook| Change::HookStarted {
            wave: WaveIx(0),
            phase: HookPhase::PostWave,
            hook: HookIx(hook),
            attempt: 1,
        };
        let record = fixtures::record(
            2,
            3,
            vec![
                started(0),
                Change::HookEnded {
                    wave: WaveIx(0),
                    outcome: HookOutcome::Proceed,
                    message: Arc::from("fine"),
                    evidence: Arc::default(),
                },
                started(1),
            ],
        );

        let shown = commit(&mut state, &view.origin, &record);

        let Some(Kind::Hook(ended)) = &shown.changes[1].kind else {
            panic!("the second change is the hook's end");
        };
        let run = ended.run.as_ref().unwrap();
        assert_eq!((run.index, run.outcome()), (0, v1::HookOutcome::Proceed));
        assert_eq!(run.message, "fine");
    }
}
