//! What is wanted from outside now: a query on the state, never a queue.

use alloc::vec::Vec;

use super::{CommandId, Execution, HookStatus, LaunchState, Stage};
use crate::WaveIx;

impl Execution {
    /// Every command that is wanted now, in a stable order. After a crash the
    /// same state gives the same commands. Its cost does not depend on how
    /// many waves are over.
    #[must_use]
    pub fn outstanding(&self) -> Vec<CommandId> {
        let mut commands = Vec::new();
        for &wave in &self.active {
            self.stage_command(wave, &mut commands);
            self.launch_commands(wave, &mut commands);
        }
        commands
    }

    fn stage_command(&self, wave: WaveIx, commands: &mut Vec<CommandId>) {
        match self.wave(wave).stage {
            Stage::Selecting => commands.push(CommandId::Select { wave }),
            Stage::Hook(step) => match step.status {
                HookStatus::Running { attempt } => commands.push(CommandId::Hook {
                    wave,
                    phase: step.phase,
                    hook: step.hook,
                    attempt,
                }),
                HookStatus::Wanted | HookStatus::Delayed { .. } | HookStatus::Held => {}
            },
            Stage::Idle | Stage::Attempt | Stage::Backoff { .. } => {}
        }
    }

    fn launch_commands(&self, wave: WaveIx, commands: &mut Vec<CommandId>) {
        let offers = self.offers();
        for (launch, run) in self.wave(wave).numbered_launches() {
            commands.extend(match run.state {
                LaunchState::Queued { attempt } => offers.then_some(CommandId::Admit {
                    wave,
                    launch,
                    attempt,
                }),
                LaunchState::Asking { attempt } => Some(CommandId::Launch {
                    wave,
                    launch,
                    attempt,
                }),
                LaunchState::Reconciling { attempt } => Some(CommandId::Look {
                    wave,
                    launch,
                    attempt,
                }),
                LaunchState::Running { .. } => Some(CommandId::Follow { wave, launch }),
                LaunchState::Deferred { .. }
                | LaunchState::Ended { .. }
                | LaunchState::Refused
                | LaunchState::Abandoned => None,
            });
        }
    }

    /// Whether an answer may still come for something that was begun. A
    /// launch that waits for a person's approval does not count: nothing
    /// happens to it until the person decides.
    pub(crate) fn has_in_flight(&self) -> bool {
        self.active.iter().any(|&wave| self.wave_in_flight(wave))
    }

    fn wave_in_flight(&self, wave: WaveIx) -> bool {
        let run = self.wave(wave);
        let stage = match run.stage {
            Stage::Selecting => true,
            Stage::Hook(step) => matches!(step.status, HookStatus::Running { .. }),
            Stage::Idle | Stage::Attempt | Stage::Backoff { .. } => false,
        };
        let awaits_approval = self.has_hold(super::HoldCause::Approval(wave));
        stage
            || run.launches.iter().any(|launch| match launch.state {
                LaunchState::Reconciling { .. } => !awaits_approval,
                LaunchState::Asking { .. } | LaunchState::Running { .. } => true,
                LaunchState::Queued { .. }
                | LaunchState::Deferred { .. }
                | LaunchState::Ended { .. }
                | LaunchState::Refused
                | LaunchState::Abandoned => false,
            })
    }
}
