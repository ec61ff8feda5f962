//! Carrying out commands: what is outstanding and not under way is begun;
//! what is under way and not wanted any more is dropped, unless DRS may
//! already have it.

use std::{collections::BTreeMap, sync::Arc};

use tidegate_core::{
    HookIx, WaveIx,
    engine::{CommandId, Event, Execution, HookAnswer, HookVerdict, Kind},
    plan::{HookFailureKind, HookPhase},
};
use tokio::task::AbortHandle;

use super::{
    Planted, Shared, calls, checking, follow::Follower, looking, mailbox::Mailbox, selection,
};
use crate::ports::warrant::Warrant;

/// Carries out the commands of one execution.
pub(super) struct Dispatcher {
    shared: Arc<Shared>,
    mailbox: Mailbox,
    under_way: BTreeMap<CommandId, Under>,
}

/// How a command is under way.
enum Under {
    /// A task that may be dropped at any time.
    Task(AbortHandle),
    /// A call that changes something at DRS; its answer is always heard.
    Asking,
    /// Followed together with other jobs.
    Followed,
}

impl Dispatcher {
    pub(super) fn new(shared: Arc<Shared>, mailbox: Mailbox) -> Self {
        Self {
            shared,
            mailbox,
            under_way: BTreeMap::new(),
        }
    }

    /// Whether a call that changes something at DRS has no answer yet.
    pub(super) fn is_asking(&self) -> bool {
        let mut states = self.under_way.values();
        states.any(|under| matches!(under, Under::Asking))
    }

    /// An answer came; what it answers is not under way any more.
    pub(super) fn heard(&mut self, event: &Event) {
        match event {
            Event::HookAnswered { command, .. } | Event::LaunchAnswered { command, .. } => {
                self.under_way.remove(command);
            }
            Event::Selected { wave, .. } => {
                self.under_way.remove(&CommandId::Select { wave: *wave });
            }
            Event::Start
            | Event::OwnerChanged(_)
            | Event::Pause { .. }
            | Event::Resume
            | Event::Cancel { .. }
            | Event::RetryWave(_)
            | Event::SkipWave(_)
            | Event::Admitted { .. }
            | Event::TooLarge { .. }
            | Event::LaunchLooked { .. }
            | Event::JobObserved { .. }
            | Event::Tick => {}
        }
    }

    /// Brings what is under way in line with what is outstanding.
    pub(super) fn dispatch(&mut self, execution: &Execution, stopping: bool) {
        let wanted = execution.outstanding();
        let dropped: Vec<CommandId> = self
            .under_way
            .keys()
            .filter(|command| !wanted.contains(command))
            .copied()
            .collect();
        for command in dropped {
            self.drop_command(execution, command);
        }
        if stopping {
            return;
        }
        for command in wanted {
            if !self.under_way.contains_key(&command) {
                self.begin(execution, command);
            }
        }
    }

    /// A planted bug: takes every job that runs for followed.
    pub(super) fn lose_jobs(&mut self, execution: &Execution) {
        let running = execution.outstanding().into_iter();
        let jobs = running.filter(|command| matches!(command, CommandId::Follow { .. }));
        self.under_way
            .extend(jobs.map(|job| (job, Under::Followed)));
    }

    /// Drops everything that may be dropped.
    pub(super) fn stop(&mut self) {
        self.shared.poller.forget(&self.mailbox);
        for under in std::mem::take(&mut self.under_way).into_values() {
            if let Under::Task(task) = under {
                task.abort();
            }
        }
    }

    fn drop_command(&mut self, execution: &Execution, command: CommandId) {
        match self.under_way.get(&command) {
            Some(Under::Task(task)) => task.abort(),
            Some(Under::Followed) => {
                if let CommandId::Follow { wave, launch } = command {
                    self.shared.poller.unfollow(execution, wave, launch);
                }
            }
            // The answer is still to be heard.
            Some(Under::Asking) | None => return,
        }
        self.under_way.remove(&command);
    }

    fn begin(&mut self, execution: &Execution, command: CommandId) {
        let under = match command {
            CommandId::Select { .. } => {
                let state = execution.clone();
                let shared = Arc::clone(&self.shared);
                self.task(async move { selection::select(&shared, &state, command.wave()).await })
            }
            CommandId::Hook {
                wave, phase, hook, ..
            } => self.hook(execution, command, (wave, phase, hook)),
            // Whose turn it is, is decided together with what comes before.
            CommandId::Admit { .. } => return,
            CommandId::Launch { wave, launch, .. } => {
                let warrant = self.warrant(execution);
                let order = calls::order(execution, (wave, launch), warrant);
                let shared = Arc::clone(&self.shared);
                let mailbox = self.mailbox.clone();
                // On the tracker, so that a shutdown waits for the answer.
                self.shared.guard(&self.shared.tasks, async move {
                    let answer = calls::call(&*shared.ports.drs, order).await;
                    let heard = Event::LaunchAnswered { command, answer };
                    mailbox.heard(heard).await;
                });
                Under::Asking
            }
            CommandId::Look { wave, launch, .. } => {
                let by = &self.shared.settings.look_by;
                let order = calls::look_order(execution, by, wave, launch);
                let shared = Arc::clone(&self.shared);
                let mailbox = self.mailbox.clone();
                let subject = (execution.id().clone(), wave, launch);
                Under::Task(self.shared.guard(&self.shared.loops, async move {
                    looking::look(&shared, order, subject, &mailbox).await;
                }))
            }
            CommandId::Follow { wave, launch } => {
                self.shared
                    .poller
                    .follow(execution, Follower::new(wave, launch, self.mailbox.clone()));
                Under::Followed
            }
        };
        self.under_way.insert(command, under);
    }

    /// Holds as long as nobody else can drive the execution.
    fn warrant(&self, execution: &Execution) -> Warrant {
        if self.shared.settings.has(Planted::ActsWithoutLease) {
            return Warrant::unlimited();
        }
        let clock = Arc::clone(&self.shared.ports.clock);
        self.shared.membership.warrant(execution.id(), clock)
    }

    fn hook(
        &self,
        execution: &Execution,
        command: CommandId,
        (wave, phase, hook): (WaveIx, HookPhase, HookIx),
    ) -> Under {
        let Some(hook) = execution.plan().wave(wave).hook(phase, hook).cloned() else {
            let verdict = HookVerdict::Failed {
                kind: HookFailureKind::Host,
            };
            let answer = HookAnswer::bare(verdict, "the plan has no such hook");
            return self.task(async move { Event::HookAnswered { command, answer } });
        };
        let state = execution.clone();
        let shared = Arc::clone(&self.shared);
        self.task(async move { checking::check(&shared, state, command, hook).await })
    }

    fn task(&self, work: impl Future<Output = Event> + Send + 'static) -> Under {
        let mailbox = self.mailbox.clone();
        Under::Task(self.shared.guard(&self.shared.loops, async move {
            mailbox.heard(work.await).await;
        }))
    }
}

/// One line for a person about what is outstanding.
pub(super) fn describe(execution: &Execution, command: CommandId) -> String {
    let wave = &execution.plan().wave(command.wave()).name;
    match command {
        CommandId::Select { .. } => format!("{wave}: selecting servers"),
        CommandId::Hook {
            wave: ix,
            phase,
            hook,
            attempt,
        } => {
            let hook = execution.plan().wave(ix).hook(phase, hook);
            let name = hook.map_or("?", |hook| hook.hook.as_str());
            format!("{wave}: hook {name} runs (attempt {attempt})")
        }
        CommandId::Admit {
            wave: ix, launch, ..
        } => {
            let launch = execution.wave(ix).launch(launch);
            let servers = launch.map_or(0, |launch| launch.servers.len());
            let region = launch.map_or("?", |launch| launch.target.region.as_str());
            format!("{wave}: a job of {servers} in {region} waits for its turn")
        }
        CommandId::Launch { .. } if execution.kind() == Kind::Cleanup => {
            format!("{wave}: asking DRS to terminate")
        }
        CommandId::Launch { .. } => format!("{wave}: asking DRS to launch"),
        CommandId::Look { .. } => {
            let what = match execution.kind() {
                Kind::Drill | Kind::Recovery => "a launch",
                Kind::Cleanup => "a termination",
            };
            format!("{wave}: looking whether DRS accepted {what} whose answer was lost")
        }
        CommandId::Follow { wave: ix, launch } => {
            let launch = execution.wave(ix).launch(launch);
            let job = launch.and_then(|launch| launch.state.job());
            format!("{wave}: job {} runs", job.map_or("?", |job| job.as_str()))
        }
    }
}
