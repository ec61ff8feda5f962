//! What happened in one execution, measured: a fold of its records into
//! findings, each about something that came to an end. It knows no instrument
//! and no span, and what it finds follows from the records alone, so that a
//! gateway that begins in the middle reads the past and finds the same.

use std::{collections::BTreeMap, sync::Arc};

use tidegate_core::{
    HookIx, LaunchIx, Span, Timestamp, WaveIx,
    engine::{
        Change, CommandId, Execution, ExecutionState, HoldCause, HookOutcome, LaunchState,
        ServerState, WaveState,
    },
    plan::{HookPhase, Target},
};

use crate::driver::RecordView;

/// Something that came to an end or was counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Finding {
    /// The execution was accepted.
    Started,
    /// The execution is over.
    Ended(ExecutionState),
    /// An attempt of a wave; `state` is `None` if another attempt follows.
    Attempt {
        wave: WaveIx,
        attempt: u32,
        from: Timestamp,
        state: Option<WaveState>,
    },
    /// A wave succeeded.
    Reached,
    /// An attempt of a hook.
    Hook {
        command: CommandId,
        /// The attempt of the wave.
        attempt: u32,
        from: Timestamp,
        outcome: HookOutcome,
        message: Arc<str>,
    },
    /// A launch is over.
    Launch {
        wave: WaveIx,
        launch: LaunchIx,
        attempt: u32,
        target: Arc<Target>,
        from: Timestamp,
        state: LaunchState,
    },
    /// A launch came to a state.
    LaunchMoved {
        target: Arc<Target>,
        state: LaunchState,
    },
    /// A launch had its turn.
    Admitted(Span),
    /// A hold was placed.
    Held(HoldCause),
    /// A hold was lifted.
    Hold {
        cause: HoldCause,
        change: u64,
        from: Timestamp,
    },
    /// A server came to a final state.
    Server(ServerState),
    /// A server got a warning.
    Warned,
    /// Something is tried again.
    Retried(Retried),
}

/// What is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Retried {
    Wave,
    Hook,
    Launch,
}

/// What is under way in one execution.
#[derive(Debug, Default)]
pub(super) struct Journey {
    /// The newest record that was taken in.
    pub(super) revision: u64,
    waves: BTreeMap<WaveIx, WaveRun>,
    launches: BTreeMap<(WaveIx, LaunchIx), OpenLaunch>,
    holds: BTreeMap<HoldCause, (u64, Timestamp)>,
}

#[derive(Debug, Default)]
struct WaveRun {
    /// Counts the attempts over the whole execution.
    attempts: u32,
    /// Since when the newest attempt goes on, if it does.
    since: Option<Timestamp>,
    /// Whether it has begun to launch.
    launching: bool,
    launches: u16,
    hook: Option<(CommandId, Timestamp)>,
}

#[derive(Debug)]
struct OpenLaunch {
    target: Arc<Target>,
    attempt: u32,
    since: Timestamp,
    queued_at: Option<Timestamp>,
}

impl Journey {
    /// Takes a record in, the next one.
    pub(super) fn take(&mut self, record: &RecordView) -> Vec<Finding> {
        let mut found = Vec::new();
        if record.revision == 1 {
            found.push(Finding::Started);
        }
        for (index, change) in (record.first_index..).zip(&record.changes) {
            self.change(index, change, record.at, &mut found);
        }
        self.revision = record.revision;
        found
    }

    fn change(&mut self, index: u64, change: &Change, at: Timestamp, found: &mut Vec<Finding>) {
        match change {
            Change::ExecutionMoved { to, .. } if to.is_terminal() => {
                self.end(at, found);
                found.push(Finding::Ended(*to));
            }
            Change::HoldPlaced(hold) => {
                self.holds.insert(hold.cause, (index, at));
                found.push(Finding::Held(hold.cause));
            }
            Change::HoldLifted(hold) => {
                if let Some((change, from)) = self.holds.remove(&hold.cause) {
                    let cause = hold.cause;
                    found.push(Finding::Hold {
                        cause,
                        change,
                        from,
                    });
                }
            }
            Change::WaveMoved { wave, to, .. } => self.wave_moved(*wave, *to, at, found),
            Change::AttemptStarted { wave, .. } => self.attempt_started(*wave, at, found),
            Change::HookStarted {
                wave,
                phase,
                hook,
                attempt,
            } => self.hook_started(*wave, (*phase, *hook, *attempt), at, found),
            Change::HookEnded {
                wave,
                outcome,
                message,
                ..
            } => self.hook_ended(*wave, *outcome, message, found),
            Change::RetryScheduled { .. } => found.push(Finding::Retried(Retried::Wave)),
            Change::LaunchQueued { wave, target, .. } => {
                self.launch_begun(*wave, target, (at, Some(at)), found);
            }
            Change::LaunchIntended { wave, target, .. } => {
                self.launch_begun(*wave, target, (at, None), found);
            }
            Change::LaunchMoved {
                wave, launch, to, ..
            } => self.launch_moved((*wave, *launch), to, at, found),
            Change::ServerMoved { to, .. } if to.is_settled() => found.push(Finding::Server(*to)),
            Change::ServerWarned { .. } => found.push(Finding::Warned),
            Change::ExecutionMoved { .. }
            | Change::ServerMoved { .. }
            | Change::OwnerChanged { .. }
            | Change::Closing { .. }
            | Change::GateOpened { .. }
            | Change::SelectionStarted { .. }
            | Change::ServersSelected { .. } => {}
        }
    }

    /// What the end of the execution ends, besides.
    fn end(&mut self, at: Timestamp, found: &mut Vec<Finding>) {
        for (cause, (change, from)) in std::mem::take(&mut self.holds) {
            found.push(Finding::Hold {
                cause,
                change,
                from,
            });
        }
        let open: Vec<WaveIx> = self.waves.keys().copied().collect();
        for wave in open {
            self.attempt_ended(wave, Some(WaveState::Cancelled), found);
        }
        let launches: Vec<_> = self.launches.keys().copied().collect();
        for launch in launches {
            self.launch_moved(launch, &LaunchState::Abandoned, at, found);
        }
    }

    fn wave_moved(&mut self, wave: WaveIx, to: WaveState, at: Timestamp, found: &mut Vec<Finding>) {
        if to.is_settled() {
            self.attempt_ended(wave, Some(to), found);
            if to.satisfies() && to != WaveState::Skipped {
                found.push(Finding::Reached);
            }
        } else if to != WaveState::Waiting {
            self.attempt_begun(wave, at);
        }
    }

    /// The first launch belongs to the attempt that the wave began with.
    fn attempt_started(&mut self, wave: WaveIx, at: Timestamp, found: &mut Vec<Finding>) {
        if self.waves.get(&wave).is_some_and(|run| run.launching) {
            self.attempt_ended(wave, None, found);
        }
        self.attempt_begun(wave, at);
        self.waves.entry(wave).or_default().launching = true;
    }

    fn attempt_begun(&mut self, wave: WaveIx, at: Timestamp) {
        let run = self.waves.entry(wave).or_default();
        if run.since.is_none() {
            run.since = Some(at);
            run.attempts += 1;
            run.launching = false;
        }
    }

    fn attempt_ended(&mut self, wave: WaveIx, state: Option<WaveState>, found: &mut Vec<Finding>) {
        if let Some(run) = self.waves.get_mut(&wave)
            && let Some(from) = run.since.take()
        {
            found.push(Finding::Attempt {
                wave,
                attempt: run.attempts,
                from,
                state,
            });
        }
    }

    fn hook_started(
        &mut self,
        wave: WaveIx,
        (phase, hook, attempt): (HookPhase, HookIx, u32),
        at: Timestamp,
        found: &mut Vec<Finding>,
    ) {
        if attempt > 1 {
            found.push(Finding::Retried(Retried::Hook));
        }
        let command = CommandId::Hook {
            wave,
            phase,
            hook,
            attempt,
        };
        self.waves.entry(wave).or_default().hook = Some((command, at));
    }

    fn hook_ended(
        &mut self,
        wave: WaveIx,
        outcome: HookOutcome,
        message: &Arc<str>,
        found: &mut Vec<Finding>,
    ) {
        if let Some(run) = self.waves.get_mut(&wave)
            && let Some((command, from)) = run.hook.take()
        {
            found.push(Finding::Hook {
                command,
                attempt: run.attempts,
                from,
                outcome,
                message: Arc::clone(message),
            });
        }
    }

    fn launch_begun(
        &mut self,
        wave: WaveIx,
        target: &Arc<Target>,
        (since, queued_at): (Timestamp, Option<Timestamp>),
        found: &mut Vec<Finding>,
    ) {
        let run = self.waves.entry(wave).or_default();
        let launch = LaunchIx(run.launches);
        run.launches += 1;
        let begun = OpenLaunch {
            target: Arc::clone(target),
            attempt: run.attempts,
            since,
            queued_at,
        };
        self.launches.insert((wave, launch), begun);
        let state = match queued_at {
            Some(_) => LaunchState::Queued { attempt: 1 },
            None => LaunchState::Asking { attempt: 1 },
        };
        found.push(Finding::LaunchMoved {
            target: Arc::clone(target),
            state,
        });
    }

    fn launch_moved(
        &mut self,
        key: (WaveIx, LaunchIx),
        to: &LaunchState,
        at: Timestamp,
        found: &mut Vec<Finding>,
    ) {
        let Some(open) = self.launches.get_mut(&key) else {
            return;
        };
        let target = Arc::clone(&open.target);
        found.push(Finding::LaunchMoved {
            target: Arc::clone(&target),
            state: to.clone(),
        });
        match to {
            LaunchState::Queued { .. } => open.queued_at = Some(at),
            LaunchState::Asking { attempt } => {
                if *attempt > 1 {
                    found.push(Finding::Retried(Retried::Launch));
                }
                if let Some(queued_at) = open.queued_at.take() {
                    found.push(Finding::Admitted(at.since(queued_at)));
                }
            }
            LaunchState::Reconciling { .. }
            | LaunchState::Deferred { .. }
            | LaunchState::Running { .. }
            | LaunchState::Ended { .. }
            | LaunchState::Refused
            | LaunchState::Abandoned => {}
        }
        if to.is_over() {
            let ended = Finding::Launch {
                wave: key.0,
                launch: key.1,
                attempt: open.attempt,
                target,
                from: open.since,
                state: to.clone(),
            };
            self.launches.remove(&key);
            found.push(ended);
        }
    }
}

/// How much of an execution's time was its machines', and how much was spent
/// waiting for people, up to an instant.
pub(super) fn spent(execution: &Execution, now: Timestamp) -> (Span, Span) {
    let human = execution.held(now);
    let all = now.since(execution.created_at());
    (all.saturating_sub(human), human)
}

#[cfg(test)]
mod tests;
