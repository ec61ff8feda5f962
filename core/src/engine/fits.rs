//! Whether a stored change fits the state that it is to be folded into.
//!
//! [`Execution::apply`] cannot fail, because what the engine decides fits the
//! state that it decided on. What comes back from a journal need not: whoever
//! replays one asks here before each change. The question is only whether all
//! that a change names is there and whether its counters go on, so that
//! nothing is ignored in silence and every later query finds what the state
//! speaks of. Whether the engine would have decided it is not asked: an
//! earlier engine decided, and that holds for ever.

use core::fmt;

use super::{
    Change, Execution, HoldCause, HookStatus, LaunchState, SelectedServer, Stage, WaveRun,
};
use crate::{HookIx, LaunchIx, ServerIx, WaveIx, plan::HookPhase};

/// How many servers, or launches, of a wave have a position.
const POSITIONS: usize = u16::MAX as usize;

/// Why a change does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misfit {
    /// The plan has no such wave.
    NoWave(WaveIx),
    /// The plan has no such hook.
    NoHook(WaveIx, HookPhase, HookIx),
    /// The wave has no such server.
    NoServer(WaveIx, ServerIx),
    /// The wave has no such launch.
    NoLaunch(WaveIx, LaunchIx),
    /// No hook of the wave runs that could end.
    NoHookRuns(WaveIx),
    /// The wave's servers are known already.
    SelectedBefore(WaveIx),
    /// The wave has more servers or launches than there are positions.
    TooMany(WaveIx),
    /// What would be placed holds the execution already.
    HeldBefore(HoldCause),
    /// What would be lifted does not hold the execution.
    NotHeld(HoldCause),
    /// A counter does not go on where it stood.
    Miscounted {
        /// What is counted.
        of: Counter,
        /// Where it stood.
        stood: u64,
        /// What the change says.
        found: u64,
    },
    /// DRS has, or had, taken the launch: nothing is asked for it any more.
    AskedAfterTaken(WaveIx, LaunchIx),
}

/// What changes count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counter {
    /// The owners of the execution.
    Owners,
    /// The attempts of a wave.
    WaveAttempts(WaveIx),
    /// The runs of a hook.
    HookRuns(WaveIx, HookPhase, HookIx),
    /// How often DRS is asked for a launch.
    LaunchAttempts(WaveIx, LaunchIx),
}

impl Execution {
    /// Whether `change` fits this state, so that [`Execution::apply`] does all
    /// that it says.
    ///
    /// # Errors
    /// What is missing, there already, or counted wrongly.
    pub fn fits(&self, change: &Change) -> Result<(), Misfit> {
        match change {
            Change::ExecutionMoved { .. } | Change::Closing { .. } => Ok(()),
            Change::OwnerChanged { epoch, .. } => next(Counter::Owners, self.epoch, *epoch),
            Change::HoldPlaced(hold) => self.fits_placed(hold.cause),
            Change::HoldLifted(hold) => self.fits_lifted(hold.cause),
            Change::WaveMoved { wave, .. }
            | Change::GateOpened { wave }
            | Change::RetryScheduled { wave, .. } => self.run(*wave).map(drop),
            Change::SelectionStarted { wave } => fits_selected(*wave, self.run(*wave)?, &[]),
            Change::ServersSelected { wave, servers } => {
                fits_selected(*wave, self.run(*wave)?, servers)
            }
            Change::HookStarted {
                wave,
                phase,
                hook,
                attempt,
            } => self.fits_hook_started(*wave, *phase, *hook, *attempt),
            Change::HookEnded { wave, .. } => fits_hook_ended(*wave, self.run(*wave)?),
            Change::AttemptStarted { wave, attempt } => next(
                Counter::WaveAttempts(*wave),
                self.run(*wave)?.attempt.into(),
                (*attempt).into(),
            ),
            Change::LaunchQueued { wave, servers, .. }
            | Change::LaunchIntended { wave, servers, .. } => {
                fits_launch(*wave, self.run(*wave)?, servers)
            }
            Change::LaunchMoved {
                wave, launch, to, ..
            } => fits_launch_moved(*wave, self.run(*wave)?, *launch, to),
            Change::ServerMoved { wave, server, .. }
            | Change::ServerWarned { wave, server, .. } => {
                has_server(*wave, self.run(*wave)?, *server)
            }
        }
    }

    fn run(&self, wave: WaveIx) -> Result<&WaveRun, Misfit> {
        let run = self.waves.get(wave.index());
        run.map(AsRef::as_ref).ok_or(Misfit::NoWave(wave))
    }

    fn fits_placed(&self, cause: HoldCause) -> Result<(), Misfit> {
        cause
            .wave()
            .map_or(Ok(()), |wave| self.run(wave).map(drop))?;
        holds(!self.has_hold(cause), Misfit::HeldBefore(cause))
    }

    fn fits_lifted(&self, cause: HoldCause) -> Result<(), Misfit> {
        holds(self.has_hold(cause), Misfit::NotHeld(cause))
    }

    fn fits_hook_started(
        &self,
        wave: WaveIx,
        phase: HookPhase,
        hook: HookIx,
        attempt: u32,
    ) -> Result<(), Misfit> {
        let run = self.run(wave)?;
        let planned = self.plan().wave(wave).hook(phase, hook);
        holds(planned.is_some(), Misfit::NoHook(wave, phase, hook))?;
        let before = run.hook_run(phase, hook).map_or(0, |run| run.attempt);
        let counter = Counter::HookRuns(wave, phase, hook);
        next(counter, before.into(), attempt.into())
    }
}

/// Launches name servers by their position: once those are known, they stay.
fn fits_selected(wave: WaveIx, run: &WaveRun, servers: &[SelectedServer]) -> Result<(), Misfit> {
    holds(!run.selected, Misfit::SelectedBefore(wave))?;
    holds(servers.len() <= POSITIONS, Misfit::TooMany(wave))
}

fn fits_hook_ended(wave: WaveIx, run: &WaveRun) -> Result<(), Misfit> {
    let runs = match run.stage {
        Stage::Hook(step) => matches!(step.status, HookStatus::Running { .. }),
        Stage::Idle | Stage::Selecting | Stage::Attempt | Stage::Backoff { .. } => false,
    };
    holds(runs, Misfit::NoHookRuns(wave))
}

fn fits_launch(wave: WaveIx, run: &WaveRun, servers: &[ServerIx]) -> Result<(), Misfit> {
    holds(run.launches.len() < POSITIONS, Misfit::TooMany(wave))?;
    let mut servers = servers.iter();
    servers.try_for_each(|server| has_server(wave, run, *server))
}

fn has_server(wave: WaveIx, run: &WaveRun, server: ServerIx) -> Result<(), Misfit> {
    let found = server.index() < run.servers.len();
    holds(found, Misfit::NoServer(wave, server))
}

/// The attempt that DRS is asked in is the one before, or the next.
fn fits_launch_moved(
    wave: WaveIx,
    run: &WaveRun,
    launch: LaunchIx,
    to: &LaunchState,
) -> Result<(), Misfit> {
    let before = run.launch(launch).ok_or(Misfit::NoLaunch(wave, launch))?;
    let Some(found) = attempt(to) else {
        return Ok(());
    };
    let stood = attempt(&before.state).ok_or(Misfit::AskedAfterTaken(wave, launch))?;
    if found == stood {
        return Ok(());
    }
    let counter = Counter::LaunchAttempts(wave, launch);
    next(counter, stood.into(), found.into())
}

fn attempt(state: &LaunchState) -> Option<u32> {
    match *state {
        LaunchState::Queued { attempt }
        | LaunchState::Asking { attempt }
        | LaunchState::Reconciling { attempt }
        | LaunchState::Deferred { attempt, .. } => Some(attempt),
        LaunchState::Running { .. }
        | LaunchState::Ended { .. }
        | LaunchState::Refused
        | LaunchState::Abandoned => None,
    }
}

fn next(of: Counter, stood: u64, found: u64) -> Result<(), Misfit> {
    let follows = stood.checked_add(1) == Some(found);
    holds(follows, Misfit::Miscounted { of, stood, found })
}

fn holds(it: bool, otherwise: Misfit) -> Result<(), Misfit> {
    if it { Ok(()) } else { Err(otherwise) }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoWave(wave) => write!(f, "the plan has no wave {}", wave.0),
            Self::NoHook(wave, phase, hook) => {
                let side = phase.name();
                write!(f, "wave {} has no {side} hook {}", wave.0, hook.0)
            }
            Self::NoServer(wave, server) => {
                write!(f, "wave {} has no server {}", wave.0, server.0)
            }
            Self::NoLaunch(wave, launch) => {
                write!(f, "wave {} has no launch {}", wave.0, launch.0)
            }
            Self::NoHookRuns(wave) => write!(f, "no hook of wave {} runs", wave.0),
            Self::SelectedBefore(wave) => {
                write!(f, "the servers of wave {} are known already", wave.0)
            }
            Self::TooMany(wave) => {
                write!(f, "wave {} has more than {POSITIONS} of them", wave.0)
            }
            Self::HeldBefore(cause) => write!(f, "the hold {cause:?} is there already"),
            Self::NotHeld(cause) => write!(f, "there is no hold {cause:?}"),
            Self::Miscounted { of, stood, found } => {
                write!(f, "{of} stood at {stood}, and it says {found}")
            }
            Self::AskedAfterTaken(wave, launch) => {
                write!(
                    f,
                    "launch {} of wave {} is asked for no more",
                    launch.0, wave.0
                )
            }
        }
    }
}

impl core::error::Error for Misfit {}

impl fmt::Display for Counter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Owners => f.write_str("the count of owners"),
            Self::WaveAttempts(wave) => write!(f, "the attempts of wave {}", wave.0),
            Self::HookRuns(wave, phase, hook) => {
                let side = phase.name();
                write!(f, "the runs of {side} hook {} of wave {}", hook.0, wave.0)
            }
            Self::LaunchAttempts(wave, launch) => {
                write!(f, "the attempts of launch {} of wave {}", launch.0, wave.0)
            }
        }
    }
}
