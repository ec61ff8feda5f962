//! The world heals: DRS answers honestly, servers launch, hooks proceed, and
//! a person decides whatever waits for one. Then every execution ends.

use std::{collections::BTreeMap, sync::Arc};

use tidegate_core::{
    Span, WaveIx,
    engine::{Action, CommandId, Event, HookAnswer, HookVerdict, LaunchAnswer},
};

use super::world::World;

/// Rounds after which an execution counts as stuck.
const PATIENCE: u32 = 600;

impl World {
    pub(crate) fn heal(&mut self) {
        self.trace.push("* healing".to_string());
        let mut retried = BTreeMap::new();
        if self.execution.allows(Action::Pause) || self.execution.allows(Action::Resume) {
            self.hear(Event::Start);
        }
        for _ in 0..PATIENCE {
            if self.execution.state().is_terminal() {
                assert_eq!(self.folded(), self.execution);
                return;
            }
            let mut heard = false;
            for command in self.execution.outstanding() {
                heard |= self.answer_honestly(command);
            }
            if !heard && !self.decide_a_hold(&mut retried) {
                self.wait();
            }
        }
        panic!(
            "the execution does not end: {:#?}\n{}",
            self.execution,
            self.trace.join("\n")
        );
    }

    fn answer_honestly(&mut self, command: CommandId) -> bool {
        let event = match command {
            CommandId::Select { wave } => Event::Selected {
                wave,
                answer: Ok(self.lookup(wave, 0)),
            },
            CommandId::Hook { .. } => Event::HookAnswered {
                command,
                answer: HookAnswer::bare(HookVerdict::Proceed, ""),
            },
            CommandId::Admit { .. } => Event::Admitted { command },
            CommandId::Launch { wave, launch, .. } => {
                let answer = if self.called.insert(command) {
                    let servers = self.servers_to_ask(command);
                    LaunchAnswer::Accepted(self.drs.start((wave, launch), servers))
                } else {
                    let reason = Arc::from("no answer");
                    LaunchAnswer::Unknown { reason }
                };
                Event::LaunchAnswered { command, answer }
            }
            CommandId::Look { wave, launch, .. } => Event::LaunchLooked {
                wave,
                launch,
                began: self.now,
                found: self.drs.look((wave, launch)),
            },
            CommandId::Follow { wave, launch } => {
                let run = self.execution.wave(wave).launch(launch);
                let Some(job) = run.and_then(|run| run.state.job()) else {
                    return false;
                };
                let job = self.drs.find(job).expect("DRS has the job");
                self.drs.complete(job);
                Event::JobObserved {
                    wave,
                    launch,
                    report: self.drs.report(job, u8::MAX),
                }
            }
        };
        self.answer(event)
    }

    /// A person goes on, retries a failed wave once, and then skips it.
    fn decide_a_hold(&mut self, retried: &mut BTreeMap<WaveIx, u32>) -> bool {
        if self.execution.holds().is_empty() {
            return false;
        }
        if self.execution.allows(Action::Resume) {
            return self.hear(Event::Resume);
        }
        let waves = self
            .execution
            .holds()
            .iter()
            .filter_map(|hold| hold.cause.wave());
        let Some(wave) = waves.into_iter().next() else {
            return false;
        };
        let times = retried.entry(wave).or_default();
        *times += 1;
        let again = *times == 1;
        if again && self.execution.allows(Action::RetryWave(wave)) {
            return self.hear(Event::RetryWave(wave));
        }
        self.execution.allows(Action::SkipWave(wave)) && self.hear(Event::SkipWave(wave))
    }

    fn wait(&mut self) {
        let settled = self.now + self.settings.settle_window;
        let deadline = self.execution.next_deadline().map(|deadline| deadline.at);
        let to = deadline.map_or(settled, |at| at.min(settled));
        self.pass(to.max(self.now + Span::from_millis(1)));
    }
}
