//! What happens when time runs out. Time on hold does not count.

use super::{
    super::{Closing, LaunchState, Reason, ReasonCode, ServerState},
    Decision,
};
use crate::WaveIx;
use alloc::vec::Vec;

impl Decision {
    pub(super) fn time_out(&mut self) {
        if self.next.is_held() {
            return;
        }
        if self
            .next
            .execution_timeout()
            .is_some_and(|at| at <= self.now)
        {
            self.close(Closing::Timeout, Reason::of(ReasonCode::Timeout));
            return;
        }
        let late: Vec<WaveIx> = self
            .next
            .active
            .iter()
            .copied()
            .filter(|&wave| {
                self.next
                    .wave_timeout(wave)
                    .is_some_and(|at| at <= self.now)
            })
            .collect();
        for wave in late {
            if self.next.is_held() {
                // The wave before has paused the execution: time stands still.
                return;
            }
            self.time_out_wave(wave);
        }
    }

    /// DRS cannot recall a job: it is followed to its end, and an instance
    /// that it still launches is recorded; but the wave has failed now.
    fn time_out_wave(&mut self, wave: WaveIx) {
        let reason = Reason::of(ReasonCode::Timeout);
        self.drop_hook(wave);
        for (launch, _) in self.unasked(wave) {
            self.move_launch(wave, launch, LaunchState::Abandoned, reason.clone());
        }
        let late = [
            ServerState::Requested,
            ServerState::Snapshot,
            ServerState::Conversion,
            ServerState::Launch,
        ];
        for server in self.servers_in(wave, &late) {
            self.move_server(wave, server, ServerState::Failed, None, reason.clone());
        }
        self.fail(wave, reason);
    }
}
