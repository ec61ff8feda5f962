//! What an execution should end as: computed from the record alone, by other
//! means than the engine's.

use tidegate_core::engine::{Change, Closing, ExecutionState, WaveState};
use tidegate_core::plan::FailurePolicy;

use super::world::World;

pub(crate) fn of(world: &World) -> ExecutionState {
    let waves: Vec<WaveState> = world.execution.waves().map(|wave| wave.state()).collect();
    if world.cancelled {
        ExecutionState::Cancelled
    } else if timed_out(world) || stopped(world) || waves.contains(&WaveState::Failed) {
        ExecutionState::Failed
    } else if waves.iter().all(|wave| *wave == WaveState::Succeeded) {
        ExecutionState::Succeeded
    } else {
        ExecutionState::SucceededWithWarnings
    }
}

fn timed_out(world: &World) -> bool {
    world.journal.iter().any(|(_, change)| {
        matches!(
            change,
            Change::Closing {
                to: Closing::Timeout,
                ..
            }
        )
    })
}

fn stopped(world: &World) -> bool {
    world.journal.iter().any(|(_, change)| {
        let Change::WaveMoved { wave, to, .. } = change else {
            return false;
        };
        let stops = world.execution.plan().wave(*wave).on_failure == FailurePolicy::Stop;
        *to == WaveState::Failed && stops
    })
}
