//! What is outstanding, for people: what each command waits for, when it is
//! tried again, and what of DRS keeps it waiting; and whether all of it waits
//! for the journal. Nothing of this is recorded.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tidegate_core::{
    ExecutionId, LaunchIx, Timestamp, WaveIx,
    engine::{CommandId, Execution, Kind, Launch, ReasonCode},
    plan::{Target, UnknownLaunch},
};

use super::{Driver, Shared, View, dispatch, reads::Purpose};
use crate::ports::drs::LookBy;

/// A look that goes on.
type Look = (ExecutionId, WaveIx, LaunchIx);

/// When looks are repeated.
#[derive(Debug, Default)]
pub(super) struct Waits(Arc<Mutex<BTreeMap<Look, Option<Timestamp>>>>);

/// One look that goes on; gone when dropped.
#[derive(Debug)]
pub(super) struct Waiting {
    waits: Arc<Mutex<BTreeMap<Look, Option<Timestamp>>>>,
    look: Look,
}

impl Waits {
    pub(super) fn enter(&self, look: Look) -> Waiting {
        lock(&self.0).insert(look.clone(), None);
        Waiting {
            waits: Arc::clone(&self.0),
            look,
        }
    }

    fn until(&self, look: &Look) -> Option<Timestamp> {
        lock(&self.0).get(look).copied().flatten()
    }
}

impl Waiting {
    /// It is repeated then.
    pub(super) fn until(&self, at: Timestamp) {
        lock(&self.waits).insert(self.look.clone(), Some(at));
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        lock(&self.waits).remove(&self.look);
    }
}

impl Driver {
    /// What is outstanding in a view, one line each, for people; before them what
    /// the journal does not take, if this driver waits for that.
    #[must_use]
    pub fn outstanding(&self, view: &View) -> Vec<String> {
        let execution = &*view.execution;
        let commands: Vec<CommandId> = execution.outstanding();
        let lines = commands.into_iter();
        let lines = lines.map(|command| self.shared.line(execution, command));
        let unwritten = self.shared.unwritten.line(execution.id());
        unwritten.into_iter().chain(lines).collect()
    }
}

impl Shared {
    fn line(&self, execution: &Execution, command: CommandId) -> String {
        let now = self.ports.clock.now();
        let mut line = dispatch::describe(execution, command);
        match command {
            CommandId::Follow { wave, launch } => {
                self.say_of_job(&mut line, execution.wave(wave).launch(launch), now);
            }
            CommandId::Look { wave, launch, .. } => {
                self.say_of_look(&mut line, execution, (wave, launch), now);
            }
            CommandId::Admit { .. } => {
                if let Some(standing) = self.admission.standing(execution, command) {
                    add(&mut line, &standing.to_string());
                }
            }
            CommandId::Select { .. } | CommandId::Hook { .. } | CommandId::Launch { .. } => {}
        }
        for trouble in self.troubles(execution, command, now) {
            add(&mut line, &trouble);
        }
        line
    }

    fn say_of_job(&self, line: &mut String, launch: Option<&Launch>, now: Timestamp) {
        let known = launch.and_then(|launch| Some((launch, launch.state.job()?)));
        let Some((launch, job)) = known else {
            return;
        };
        let Some(glance) = self.poller.glance(&launch.target, job) else {
            return;
        };
        if let Some(since) = glance.missing_since {
            let secs = now.since(since).as_millis() / 1_000;
            add(line, &format!("DRS has not named it for {secs} s"));
        }
        add(line, &next("look", glance.next_at, now));
    }

    fn say_of_look(
        &self,
        line: &mut String,
        execution: &Execution,
        (wave, launch): (WaveIx, LaunchIx),
        now: Timestamp,
    ) {
        let Some(known) = execution.wave(wave).launch(launch) else {
            return;
        };
        add(line, &format!("RECONCILING by {}", self.ways(execution)));
        add(line, &settling(execution, known, now));
        let look = (execution.id().clone(), wave, launch);
        if let Some(at) = self.waits.until(&look) {
            add(line, &next("look", at, now));
        }
    }

    /// A termination has no other trace.
    fn ways(&self, execution: &Execution) -> String {
        let is_cleanup = execution.kind() == Kind::Cleanup;
        let ways = LookBy::ALL.into_iter().filter(|way| match way {
            LookBy::Tag => self.settings.look_by.contains(way),
            LookBy::LastLaunch => self.settings.look_by.contains(way) && !is_cleanup,
            LookBy::Jobs => self.settings.look_by.contains(way) || is_cleanup,
        });
        let names: Vec<&str> = ways.map(name).collect();
        names.join(", ")
    }

    fn troubles(&self, execution: &Execution, command: CommandId, now: Timestamp) -> Vec<String> {
        let purpose = match command {
            CommandId::Select { .. } => Purpose::Select,
            CommandId::Hook { .. } => Purpose::Facts,
            CommandId::Look { .. } => Purpose::Look,
            CommandId::Follow { .. } => Purpose::Observe,
            CommandId::Admit { .. } | CommandId::Launch { .. } => return Vec::new(),
        };
        let targets = targets(execution, command).into_iter();
        targets
            .filter_map(|target| Some(self.reads.trouble(target, purpose)?.line(now)))
            .collect()
    }
}

fn targets(execution: &Execution, command: CommandId) -> Vec<&Target> {
    match command {
        CommandId::Look { wave, launch, .. }
        | CommandId::Follow { wave, launch }
        | CommandId::Admit { wave, launch, .. }
        | CommandId::Launch { wave, launch, .. } => {
            let launch = execution.wave(wave).launch(launch);
            launch.into_iter().map(|launch| &*launch.target).collect()
        }
        CommandId::Select { wave } | CommandId::Hook { wave, .. } => {
            let groups = &execution.plan().wave(wave).groups;
            let mut targets: Vec<&Target> = groups.iter().map(|group| &group.target).collect();
            targets.sort();
            targets.dedup();
            targets
        }
    }
}

fn name(way: LookBy) -> &'static str {
    match way {
        LookBy::Tag => "its tag",
        LookBy::LastLaunch => "each server's last launch",
        LookBy::Jobs => "jobs with the same servers",
    }
}

/// How long *nothing* is no answer, and what comes then.
fn settling(execution: &Execution, launch: &Launch, now: Timestamp) -> String {
    let ends_at = launch.state_at + execution.settings().settle_window;
    let asks_person = match execution.plan().unknown_launch() {
        Some(UnknownLaunch::AskPerson) => true,
        Some(UnknownLaunch::AskAgain) => false,
        None => execution.kind() == Kind::Recovery,
    };
    if launch.reason.code == ReasonCode::NoTrace {
        return "DRS shows no trace of it; waits for a person".to_owned();
    }
    let then = if asks_person {
        "a person is asked"
    } else {
        "DRS is asked again"
    };
    if ends_at <= now {
        return format!("the settle window has ended; if nothing is found, {then}");
    }
    format!("settle window ends at {}, then {then}", time(ends_at))
}

fn next(what: &str, at: Timestamp, now: Timestamp) -> String {
    let secs = at.since(now).as_millis().div_ceil(1_000);
    format!("next {what} in {secs} s")
}

/// The time of day, UTC.
fn time(at: Timestamp) -> String {
    let secs = at.as_millis() / 1_000 % 86_400;
    let (hours, minutes) = (secs / 3_600, secs / 60 % 60);
    format!("{hours:02}:{minutes:02}:{:02}Z", secs % 60)
}

fn add(line: &mut String, more: &str) {
    // Writing to a string cannot fail.
    let _ = write!(line, "; {more}");
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while it holds the lock.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
