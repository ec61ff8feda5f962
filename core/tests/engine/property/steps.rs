//! What may happen next, and how the world answers a command.

use std::{collections::BTreeMap, sync::Arc};

use proptest::prelude::*;
use tidegate_core::{
    Span,
    engine::{
        CommandId, Event, Finding, HookAnswer, HookEvidence, HookVerdict, LaunchAnswer, Quota,
        Severity,
    },
    plan::HookFailureKind,
};

use super::world::World;

/// One thing that happens.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// A command is carried out, well or not.
    Answer { pick: u8, luck: u8 },
    /// A late answer arrives.
    Deliver,
    /// An old answer arrives again.
    Repeat { pick: u8 },
    /// Time passes.
    Pass { secs: u16 },
    /// Time passes until something is due.
    ToDeadline,
    /// A person asks for something.
    Person { what: u8, wave: u8 },
    /// The owner changes.
    Crash,
}

pub(crate) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        40 => (any::<u8>(), any::<u8>()).prop_map(|(pick, luck)| Step::Answer { pick, luck }),
        4 => Just(Step::Deliver),
        5 => any::<u8>().prop_map(|pick| Step::Repeat { pick }),
        5 => (0..30_u16).prop_map(|secs| Step::Pass { secs }),
        2 => (0..5_000_u16).prop_map(|secs| Step::Pass { secs }),
        8 => Just(Step::ToDeadline),
        10 => (prop_oneof![4 => 0..3_u8, 1 => Just(3_u8), 5 => 4..6_u8], any::<u8>())
            .prop_map(|(what, wave)| Step::Person { what, wave }),
        3 => Just(Step::Crash),
    ];
    prop::collection::vec(step, 0..90)
}

impl World {
    /// Does what a command asks for, as luck has it.
    pub(crate) fn carry_out(&mut self, command: CommandId, luck: u8) {
        match command {
            CommandId::Select { wave } => {
                let answer = if luck == 239 {
                    Err("access denied".to_string())
                } else {
                    Ok(self.lookup(wave, luck))
                };
                self.answer(Event::Selected { wave, answer });
            }
            CommandId::Hook { .. } => {
                let answer = verdict(luck);
                self.answer(Event::HookAnswered { command, answer });
            }
            CommandId::Admit { wave, launch, .. } => {
                let run = self.execution.wave(wave).launch(launch);
                let servers = run.map_or(0, |run| run.servers.len());
                let event = match luck % 8 {
                    7 if servers > 1 => Event::TooLarge { command, most: 1 },
                    _ => Event::Admitted { command },
                };
                self.answer(event);
            }
            CommandId::Launch { .. } => self.launch(command, luck),
            CommandId::Look { wave, launch, .. } => {
                let found = self.drs.look((wave, launch));
                self.answer(Event::LaunchLooked {
                    wave,
                    launch,
                    began: self.now,
                    found,
                });
            }
            CommandId::Follow { wave, launch } => {
                let run = self.execution.wave(wave).launch(launch);
                let job = run.and_then(|run| run.state.job()).cloned();
                let job = self.drs.find(&job.expect("a job is followed"));
                let job = job.expect("DRS has the job");
                self.drs.advance(job, luck);
                let report = self.drs.report(job, luck.reverse_bits() | 1);
                self.answer(Event::JobObserved {
                    wave,
                    launch,
                    report,
                });
            }
        }
    }

    /// Asks DRS, once for each command and owner.
    fn launch(&mut self, command: CommandId, luck: u8) {
        let CommandId::Launch { wave, launch, .. } = command else {
            return;
        };
        if !self.called.insert(command) {
            return;
        }
        let servers = self.servers_to_ask(command);
        let key = (wave, launch);
        let reason = Arc::from("");
        let unknown = LaunchAnswer::Unknown {
            reason: Arc::clone(&reason),
        };
        let answer = match luck % 16 {
            0..=7 => LaunchAnswer::Accepted(self.drs.start(key, servers)),
            8 => LaunchAnswer::Refused { reason },
            9 if luck > 128 => LaunchAnswer::OverQuota {
                quota: Quota::Unnamed,
                reason,
            },
            9 | 10 => {
                let after = (luck > 128).then(|| Span::from_secs(7));
                LaunchAnswer::Deferred { reason, after }
            }
            // Nothing was done, and nobody knows.
            11 => unknown,
            // It was done; nobody knows, or hears of it too late.
            12 => {
                let report = self.drs.start(key, servers);
                self.lose_later(command, LaunchAnswer::Accepted(report));
                unknown
            }
            // It will be done within the settle window.
            13 => {
                let at = self.now + Span::from_secs(60);
                self.drs.start_at(at, key, servers);
                unknown
            }
            14 => {
                let report = self.drs.start(key, servers);
                return self.lose_later(command, LaunchAnswer::Accepted(report));
            }
            _ => return self.lose_later(command, unknown),
        };
        self.answer(Event::LaunchAnswered { command, answer });
    }
}

/// Half of the verdicts are *proceed*; of the failures each kind has its turn.
fn verdict(luck: u8) -> HookAnswer {
    let kinds = HookFailureKind::ALL;
    let kind = kinds[usize::from(luck / 16) % kinds.len()];
    let verdict = match luck % 16 {
        0..=6 => HookVerdict::Proceed,
        7..=9 => HookVerdict::Retry {
            after: Span::from_secs(u64::from(luck / 16)),
        },
        10 => HookVerdict::Hold,
        11 => HookVerdict::Skip,
        12 => HookVerdict::Abort,
        _ => HookVerdict::Failed { kind },
    };
    HookAnswer {
        evidence: Arc::new(evidence(luck)),
        ..HookAnswer::bare(verdict, "")
    }
}

fn evidence(luck: u8) -> HookEvidence {
    let severities = [Severity::Info, Severity::Warning, Severity::Error];
    let finding = |n: u8| Finding {
        code: Arc::from(n.to_string()),
        severity: severities[usize::from(n ^ luck) % severities.len()],
        subject: Arc::from(""),
        message: Arc::from(""),
        evidence: BTreeMap::new(),
    };
    HookEvidence {
        findings: (0..luck % 32).map(finding).collect(),
        findings_dropped: u32::from(luck / 128),
        fuel: u64::from(luck),
        ..HookEvidence::default()
    }
}
