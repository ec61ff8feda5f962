//! Applies a change to a snapshot: the client's half of the stream's contract.
//! Resources in changes are whole and replace the older ones.

use std::cmp::Reverse;

use prost_types::Timestamp;
use tidegate_proto::v1::{
    self, Execution, ExecutionState, Hold, HookMoved, LaunchMoved, ServerMoved, ServerState, Wave,
    WaveMoved, WaveState, change,
};

use crate::names;

/// Findings of a run in a snapshot.
const FINDINGS_KEPT: usize = 20;

/// Makes `change`, recorded at `time`, true of `execution`.
pub(super) fn apply(execution: &mut Execution, change: &change::Kind, time: Option<Timestamp>) {
    match change {
        change::Kind::Created(created) => {
            execution.kind = created.kind;
            execution.plan.clone_from(&created.plan);
            execution.plan_revision = created.plan_revision;
            execution.plan_digest.clone_from(&created.plan_digest);
            execution.create_time = execution.create_time.or(time);
            execution.set_state(ExecutionState::Pending);
        }
        change::Kind::Execution(moved) => {
            execution.state = moved.state;
            execution.state_detail.clone_from(&moved.detail);
            execution.end_time = time.filter(|_| names::is_over(moved.state()));
            if names::is_over(moved.state()) {
                execution.waves.iter_mut().for_each(nobody_asks);
            }
        }
        change::Kind::HoldPlaced(placed) => {
            if let Some(hold) = &placed.hold {
                execution.holds.retain(|other| !is_same(other, hold));
                execution.holds.push(hold.clone());
            }
        }
        change::Kind::HoldLifted(lifted) => {
            if let Some(hold) = &lifted.hold {
                execution.holds.retain(|other| !is_same(other, hold));
            }
        }
        change::Kind::Wave(moved) => wave_moved(wave(execution, &moved.wave), moved, time),
        change::Kind::ServersSelected(selected) => {
            wave(execution, &selected.wave)
                .servers
                .clone_from(&selected.servers);
        }
        change::Kind::Server(moved) => server_moved(wave(execution, &moved.wave), moved, time),
        change::Kind::ServerWarned(warned) => {
            let server = server(wave(execution, &warned.wave), &warned.server);
            if !server.warnings.contains(&warned.warning) {
                server.warnings.push(warned.warning.clone());
            }
        }
        change::Kind::Launch(moved) => launch_moved(wave(execution, &moved.wave), moved),
        change::Kind::Hook(moved) => hook_moved(wave(execution, &moved.wave), moved),
        change::Kind::Owner(_) => {}
    }
}

/// A hold is identified by its reason and its wave.
fn is_same(one: &Hold, other: &Hold) -> bool {
    one.reason == other.reason && one.wave == other.wave
}

fn wave_moved(wave: &mut Wave, moved: &WaveMoved, time: Option<Timestamp>) {
    wave.state = moved.state;
    wave.detail.clone_from(&moved.detail);
    wave.attempt = moved.attempt;
    wave.retry_time = moved.retry_time;
    if moved.state() != WaveState::Waiting {
        wave.start_time = wave.start_time.or(time);
    }
    wave.end_time = time.filter(|_| names::is_wave_over(moved.state()));
    if let WaveState::Skipped | WaveState::Cancelled = moved.state() {
        nobody_asks(wave);
    }
}

/// Servers that a plan names and that were never selected have no changes of
/// their own: what becomes of their wave is what becomes of them.
fn nobody_asks(wave: &mut Wave) {
    for server in &mut wave.servers {
        if server.state() == ServerState::Pending {
            server.set_state(ServerState::Skipped);
        }
    }
}

fn server_moved(wave: &mut Wave, moved: &ServerMoved, time: Option<Timestamp>) {
    let server = server(wave, &moved.server);
    server.state = moved.state;
    server.detail.clone_from(&moved.detail);
    server.job_id.clone_from(&moved.job_id);
    server
        .recovery_instance_id
        .clone_from(&moved.recovery_instance_id);
    server.state_time = time;
}

fn launch_moved(wave: &mut Wave, moved: &LaunchMoved) {
    let Some(launch) = &moved.launch else { return };
    match wave.launches.iter_mut().find(|old| old.key == launch.key) {
        Some(old) => old.clone_from(launch),
        None => wave.launches.push(launch.clone()),
    }
}

/// A snapshot has the newest run of each hook, with its worst findings; a
/// change has all findings.
fn hook_moved(wave: &mut Wave, moved: &HookMoved) {
    let Some(run) = &moved.run else { return };
    let mut run = run.clone();
    run.findings
        .sort_by_key(|finding| Reverse(finding.severity));
    run.findings.truncate(FINDINGS_KEPT);
    let is_same = |old: &&mut v1::HookRun| old.phase == run.phase && old.index == run.index;
    match wave.hook_runs.iter_mut().find(is_same) {
        Some(old) => *old = run,
        None => wave.hook_runs.push(run),
    }
}

/// The wave of this name. A stream from the beginning names waves before any snapshot does.
fn wave<'a>(execution: &'a mut Execution, name: &str) -> &'a mut Wave {
    let at = execution
        .waves
        .iter()
        .position(|wave| wave.name == name)
        .unwrap_or_else(|| {
            let mut wave = Wave {
                name: name.to_owned(),
                ..Wave::default()
            };
            wave.set_state(WaveState::Waiting);
            execution.waves.push(wave);
            execution.waves.len() - 1
        });
    &mut execution.waves[at]
}

fn server<'a>(wave: &'a mut Wave, id: &str) -> &'a mut v1::Server {
    let at = wave
        .servers
        .iter()
        .position(|server| server.id == id)
        .unwrap_or_else(|| {
            let mut server = v1::Server {
                id: id.to_owned(),
                ..v1::Server::default()
            };
            server.set_state(ServerState::Pending);
            wave.servers.push(server);
            wave.servers.len() - 1
        });
    &mut wave.servers[at]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Option<Timestamp> {
        Some(Timestamp { seconds, nanos: 0 })
    }

    fn wave_in(state: WaveState) -> change::Kind {
        change::Kind::Wave(WaveMoved {
            wave: "db".to_owned(),
            state: state.into(),
            attempt: 1,
            ..WaveMoved::default()
        })
    }

    #[test]
    fn a_wave_has_a_beginning_and_an_end() {
        let mut execution = Execution::default();
        apply(&mut execution, &wave_in(WaveState::Waiting), at(1));
        assert_eq!(execution.waves[0].start_time, None);
        apply(&mut execution, &wave_in(WaveState::Checking), at(2));
        apply(&mut execution, &wave_in(WaveState::Failed), at(3));
        assert_eq!(execution.waves[0].start_time, at(2));
        assert_eq!(execution.waves[0].end_time, at(3));
        apply(&mut execution, &wave_in(WaveState::Launching), at(4));
        assert_eq!(
            execution.waves[0].start_time,
            at(2),
            "a retry is the same wave"
        );
        assert_eq!(execution.waves[0].end_time, None);
    }

    #[test]
    fn servers_that_nobody_asks_for_any_more_are_skipped() {
        let named = |state| {
            let mut execution = Execution::default();
            apply(&mut execution, &wave_in(WaveState::Waiting), at(1));
            server(&mut execution.waves[0], "s-1").set_state(state);
            execution
        };
        let mut skipped = named(ServerState::Pending);
        apply(&mut skipped, &wave_in(WaveState::Skipped), at(2));
        assert_eq!(skipped.waves[0].servers[0].state(), ServerState::Skipped);

        let failed = change::Kind::Execution(v1::ExecutionMoved {
            state: ExecutionState::Failed.into(),
            ..v1::ExecutionMoved::default()
        });
        for (before, after) in [
            (ServerState::Pending, ServerState::Skipped),
            (ServerState::Launched, ServerState::Launched),
        ] {
            let mut execution = named(before);
            apply(&mut execution, &failed, at(2));
            assert_eq!(execution.waves[0].servers[0].state(), after);
        }
    }

    #[test]
    fn a_launch_replaces_the_one_with_its_key() {
        let mut execution = Execution::default();
        for (key, job_id) in [("k1", ""), ("k1", "job"), ("k2", "")] {
            let launch = v1::Launch {
                key: key.to_owned(),
                job_id: job_id.to_owned(),
                ..v1::Launch::default()
            };
            let moved = LaunchMoved {
                wave: "db".to_owned(),
                launch: Some(launch),
            };
            apply(&mut execution, &change::Kind::Launch(moved), None);
        }
        let launches = &execution.waves[0].launches;
        assert_eq!(launches.len(), 2);
        assert_eq!(launches[0].job_id, "job");
    }

    #[test]
    fn a_hook_has_one_run_with_its_worst_findings() {
        let found = |severity: v1::HookSeverity| v1::HookFinding {
            severity: severity.into(),
            ..v1::HookFinding::default()
        };
        let mut execution = Execution::default();
        for (index, attempt) in [(0, 1), (0, 2), (1, 1)] {
            let mut findings = vec![found(v1::HookSeverity::Info); 30];
            findings.push(found(v1::HookSeverity::Error));
            let moved = HookMoved {
                wave: "db".to_owned(),
                run: Some(v1::HookRun {
                    index,
                    attempt,
                    findings,
                    finding_count: 31,
                    ..v1::HookRun::default()
                }),
                ..HookMoved::default()
            };
            apply(&mut execution, &change::Kind::Hook(moved), None);
        }
        let runs = &execution.waves[0].hook_runs;
        let attempts: Vec<u32> = runs.iter().map(|run| run.attempt).collect();
        assert_eq!(attempts, [2, 1]);
        assert_eq!(runs[0].findings.len(), 20);
        assert_eq!(runs[0].findings[0].severity(), v1::HookSeverity::Error);
        assert_eq!(runs[0].finding_count, 31);
    }

    #[test]
    fn a_hold_is_lifted_even_if_its_detail_differs() {
        let mut execution = Execution::default();
        let hold = |detail: &str| {
            Some(Hold {
                reason: v1::PauseReason::Planned.into(),
                wave: "web".to_owned(),
                detail: detail.to_owned(),
            })
        };
        let placed = v1::HoldPlaced { hold: hold("a") };
        apply(&mut execution, &change::Kind::HoldPlaced(placed), None);
        assert_eq!(execution.holds.len(), 1);
        let lifted = v1::HoldLifted { hold: hold("") };
        apply(&mut execution, &change::Kind::HoldLifted(lifted), None);
        assert!(execution.holds.is_empty());
    }

    #[test]
    fn an_execution_that_is_over_has_an_end() {
        let mut execution = Execution::default();
        let moved = v1::ExecutionMoved {
            state: ExecutionState::Succeeded.into(),
            detail: String::new(),
        };
        apply(&mut execution, &change::Kind::Execution(moved), at(9));
        assert_eq!(execution.end_time, at(9));
    }
}
