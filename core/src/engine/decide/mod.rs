//! Deciding: from an event and the time to changes.
//!
//! A decision folds its own changes into a copy of the state as it goes, so
//! that each step sees what the steps before it decided; the caller's state
//! is not touched. After the event itself, [`Decision::advance`] takes every
//! step that the new state allows.

mod advance;
mod attempts;
mod checks;
mod closing;
mod hooks;
mod jobs;
mod judge;
mod launches;
mod queue;
mod requests;
mod timeouts;

use alloc::{sync::Arc, vec::Vec};

use super::{
    Change, Event, Execution, ExecutionState, Hold, HoldCause, LaunchState, Reason, Rejection,
    ServerState, WaveRun, WaveState,
};
use crate::{InstanceId, LaunchIx, ServerIx, Timestamp, WaveIx};

impl Execution {
    /// What this event means now. Changes nothing; an empty answer means that
    /// the event is late, a duplicate, or without consequence.
    ///
    /// # Errors
    /// A person's request that the state forbids. Nothing else is an error.
    pub fn decide(&self, event: Event, now: Timestamp) -> Result<Vec<Change>, Rejection> {
        self.decide_folded(event, now).map(|(changes, _)| changes)
    }

    /// The same, with the state after the changes: what [`Execution::apply`]
    /// at `now` would make of them.
    ///
    /// # Errors
    /// See [`Execution::decide`].
    pub fn decide_folded(
        &self,
        event: Event,
        now: Timestamp,
    ) -> Result<(Vec<Change>, Self), Rejection> {
        let mut decision = Decision {
            next: self.clone(),
            now,
            changes: Vec::new(),
        };
        decision.hear(event)?;
        decision.advance();
        Ok((decision.changes, decision.next))
    }
}

struct Decision {
    /// The state after `changes`.
    next: Execution,
    now: Timestamp,
    changes: Vec<Change>,
}

impl Decision {
    fn hear(&mut self, event: Event) -> Result<(), Rejection> {
        match event {
            Event::Start => self.start()?,
            Event::Pause { comment } => self.pause(comment)?,
            Event::Resume => self.resume()?,
            Event::Cancel { comment } => self.cancel(comment)?,
            Event::RetryWave(wave) => self.retry_wave(wave)?,
            Event::SkipWave(wave) => self.skip_wave(wave)?,
            Event::OwnerChanged(owner) => self.owner_changed(owner),
            Event::Selected { wave, answer } => self.selected(wave, answer),
            Event::HookAnswered { command, answer } => self.hook_answered(command, answer),
            Event::Admitted { command } => self.admitted(command),
            Event::TooLarge { command, most } => self.too_large(command, most),
            Event::LaunchAnswered { command, answer } => self.launch_answered(command, answer),
            Event::LaunchLooked {
                wave,
                launch,
                began,
                found,
            } => self.launch_looked((wave, launch), began, found),
            Event::JobObserved {
                wave,
                launch,
                report,
            } => self.job_observed(wave, launch, &report),
            Event::Tick => {}
        }
        Ok(())
    }

    fn emit(&mut self, change: Change) {
        debug_assert_eq!(self.next.fits(&change), Ok(()), "{change:?}");
        self.next.apply(&change, self.now);
        self.changes.push(change);
    }

    fn wave(&self, wave: WaveIx) -> &WaveRun {
        self.next.wave(wave)
    }

    /// The wave's run, if the position is of this plan.
    fn known(&self, wave: WaveIx) -> Option<&Arc<WaveRun>> {
        self.next.waves.get(wave.index())
    }

    fn move_execution(&mut self, to: ExecutionState, reason: Reason) {
        if (self.next.state, &self.next.reason) != (to, &reason) {
            self.emit(Change::ExecutionMoved { to, reason });
        }
    }

    fn move_wave(&mut self, wave: WaveIx, to: WaveState, reason: Reason) {
        self.emit(Change::WaveMoved { wave, to, reason });
    }

    fn move_launch(&mut self, wave: WaveIx, launch: LaunchIx, to: LaunchState, reason: Reason) {
        self.emit(Change::LaunchMoved {
            wave,
            launch,
            to,
            reason,
        });
    }

    fn move_server(
        &mut self,
        wave: WaveIx,
        server: ServerIx,
        to: ServerState,
        instance: Option<InstanceId>,
        reason: Reason,
    ) {
        self.emit(Change::ServerMoved {
            wave,
            server,
            to,
            instance,
            reason,
        });
    }

    fn hold(&mut self, cause: HoldCause, detail: Arc<str>) {
        if !self.next.has_hold(cause) {
            self.emit(Change::HoldPlaced(Hold { cause, detail }));
        }
    }

    fn lift(&mut self, cause: HoldCause) {
        if let Some(hold) = self
            .next
            .holds
            .iter()
            .find(|hold| hold.cause == cause)
            .cloned()
        {
            self.emit(Change::HoldLifted(hold));
        }
    }

    /// Servers of the wave in one of these states.
    fn servers_in(&self, wave: WaveIx, states: &[ServerState]) -> Vec<ServerIx> {
        self.wave(wave)
            .numbered_servers()
            .filter(|(_, server)| states.contains(&server.state))
            .map(|(ix, _)| ix)
            .collect()
    }

    /// What was never asked for will not be.
    fn skip_pending_servers(&mut self, wave: WaveIx, reason: &Reason) {
        for server in self.servers_in(wave, &[ServerState::Pending]) {
            self.move_server(wave, server, ServerState::Skipped, None, reason.clone());
        }
    }
}
