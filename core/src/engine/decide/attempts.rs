//! Attempts: which servers are asked for, in which jobs.

use alloc::{collections::BTreeMap, sync::Arc, vec::Vec};

use super::{
    super::{Change, LaunchState, Reason, ServerState, Stage, WaveState},
    Decision,
};
use crate::{ServerIx, WaveIx, plan::Target};

impl Decision {
    /// Takes the next step of a wave in LAUNCHING, if there is one now.
    pub(super) fn step_launching(&mut self, wave: WaveIx) {
        match self.wave(wave).stage {
            Stage::Idle => self.begin_attempt(wave),
            Stage::Backoff { at } if at <= self.now => self.begin_attempt(wave),
            Stage::Attempt => self.queue_deferred(wave),
            Stage::Backoff { .. } | Stage::Selecting | Stage::Hook(_) => {}
        }
    }

    /// One job per target, split only where DRS's quota demands it. The order
    /// is that of the targets and of the servers in the plan, so that the
    /// same state always gives the same jobs.
    fn begin_attempt(&mut self, wave: WaveIx) {
        let servers = self.servers_in(wave, &[ServerState::Pending, ServerState::Failed]);
        let attempt = self.wave(wave).attempt + 1;
        self.emit(Change::AttemptStarted { wave, attempt });
        let mut targets: BTreeMap<Arc<Target>, Vec<ServerIx>> = BTreeMap::new();
        for server in servers {
            let target = &self.wave(wave).servers[server.index()].selected.target;
            targets.entry(Arc::clone(target)).or_default().push(server);
        }
        let most = usize::from(self.next.settings.servers_per_job.max(1));
        for (target, servers) in targets {
            for part in servers.chunks(most) {
                self.emit(Change::LaunchQueued {
                    wave,
                    target: Arc::clone(&target),
                    servers: part.to_vec(),
                });
            }
        }
    }

    /// Queues again what DRS did not take, when its wait is over.
    fn queue_deferred(&mut self, wave: WaveIx) {
        let due: Vec<_> = self
            .wave(wave)
            .numbered_launches()
            .filter_map(|(ix, launch)| match launch.state {
                LaunchState::Deferred { attempt, until } if until <= self.now => {
                    Some((ix, attempt + 1))
                }
                LaunchState::Deferred { .. }
                | LaunchState::Queued { .. }
                | LaunchState::Asking { .. }
                | LaunchState::Reconciling { .. }
                | LaunchState::Running { .. }
                | LaunchState::Ended { .. }
                | LaunchState::Refused
                | LaunchState::Abandoned => None,
            })
            .collect();
        for (launch, attempt) in due {
            let to = LaunchState::Queued { attempt };
            self.move_launch(wave, launch, to, Reason::none());
        }
    }

    /// Whether every launch of the wave was taken or given up.
    pub(super) fn is_asked(&self, wave: WaveIx) -> bool {
        let run = self.wave(wave);
        run.stage == Stage::Attempt
            && run.launches.iter().all(|launch| {
                launch.state.is_over() || matches!(launch.state, LaunchState::Running { .. })
            })
    }

    /// Whether every launch of the wave is over.
    pub(super) fn is_through(&self, wave: WaveIx) -> bool {
        self.wave(wave)
            .launches
            .iter()
            .all(|launch| launch.state.is_over())
    }

    /// From LAUNCHING to RECOVERING when DRS has taken everything.
    pub(super) fn recovering(&mut self, wave: WaveIx) {
        if self.wave(wave).state == WaveState::Launching && self.is_asked(wave) {
            self.move_recovering(wave);
        }
    }

    fn move_recovering(&mut self, wave: WaveIx) {
        self.move_wave(wave, WaveState::Recovering, Reason::none());
    }
}
