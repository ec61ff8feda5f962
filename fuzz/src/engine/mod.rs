//! The engine: whatever it hears, in whatever order, as often as anybody likes
//! and whether or not it can be true.
//!
//! The engine's own property test lives in an honest world, where DRS makes
//! the jobs that it says it made. Here nobody is honest: answers are of
//! commands that nobody gave, jobs have servers of other waves, and selections
//! name a server twice. The rules of the state must hold all the same.

pub(crate) mod events;

use std::sync::Arc;

use tidegate_core::{
    OwnerId, Span, Timestamp,
    engine::{Change, CommandId, Event, Execution, Genesis, Settings},
};

use crate::{choices::Choices, plans};

/// Events of one life; more only repeat what fewer show.
const LONGEST: usize = 160;
/// Old answers that can come again.
const REMEMBERED: usize = 24;

/// Lives the life that the bytes describe.
///
/// # Panics
/// If the property does not hold.
pub fn check(bytes: &[u8]) {
    let mut choices = Choices::new(bytes);
    let Some(mut life) = Life::begin(&mut choices) else {
        return;
    };
    for _ in 0..LONGEST {
        if choices.is_empty() {
            break;
        }
        life.step(&mut choices);
    }
    assert_eq!(
        life.folded(),
        life.execution,
        "folding gives the same state"
    );
}

struct Life {
    genesis: Genesis,
    settings: Settings,
    execution: Execution,
    now: Timestamp,
    journal: Vec<(Timestamp, Change)>,
    heard: Vec<Event>,
}

impl Life {
    /// `None` where the choices make no plan.
    fn begin(choices: &mut Choices<'_>) -> Option<Self> {
        let (genesis, settings) = plans::genesis(choices)?;
        Some(Self {
            execution: Execution::new(genesis.clone(), settings),
            now: genesis.created_at,
            genesis,
            settings,
            journal: Vec::new(),
            heard: Vec::new(),
        })
    }

    fn step(&mut self, choices: &mut Choices<'_>) {
        match choices.byte() % 32 {
            0 => self.hear(Event::Start),
            1 => self.hear(Event::Resume),
            2 => self.hear(Event::Pause {
                comment: Arc::from(""),
            }),
            3 if choices.chance(64) => self.hear(Event::Cancel {
                comment: Arc::from(""),
            }),
            3 => {}
            4 => self.hear(Event::RetryWave(events::wave(choices))),
            5 => self.hear(Event::SkipWave(events::wave(choices))),
            6 | 7 => self.pass(Span::from_secs(u64::from(choices.byte()) * 8)),
            8..=10 => {
                if let Some(deadline) = self.execution.next_deadline() {
                    self.pass(deadline.at.since(self.now));
                }
            }
            11 => self.restart(),
            12 | 13 => {
                if let Some(event) = choices.pick(&self.heard).cloned() {
                    self.hear(event);
                }
            }
            14..=16 => {
                let event = events::any(self.now, choices);
                self.answer(event);
            }
            _ => {
                if let Some(&command) = choices.pick(&self.execution.outstanding()) {
                    let event = events::answer(&self.execution, command, self.now, choices);
                    self.answer(event);
                }
            }
        }
    }

    fn answer(&mut self, event: Event) {
        if self.heard.len() == REMEMBERED {
            self.heard.remove(0);
        }
        self.heard.push(event.clone());
        self.hear(event.clone());
        assert_eq!(
            self.execution.decide(event, self.now).as_deref(),
            Ok(&[][..]),
            "a duplicate changes nothing"
        );
    }

    fn pass(&mut self, span: Span) {
        self.now = self.now + span;
        self.hear(Event::Tick);
    }

    /// Another process folds the journal and goes on.
    fn restart(&mut self) {
        let folded = self.folded();
        assert_eq!(folded, self.execution, "folding gives the same state");
        assert_eq!(folded.outstanding(), self.execution.outstanding());
        self.execution = folded;
        let owner = OwnerId::new(format!("owner-{}", self.journal.len()));
        self.hear(Event::OwnerChanged(owner));
    }

    fn folded(&self) -> Execution {
        let mut fresh = Execution::new(self.genesis.clone(), self.settings);
        for (at, change) in &self.journal {
            fresh.apply(change, *at);
        }
        fresh
    }

    fn hear(&mut self, event: Event) {
        let before = &self.execution;
        let late = is_late(before, &event);
        let (changes, next) = match before.decide_folded(event.clone(), self.now) {
            Ok(decided) => decided,
            Err(rejection) => {
                assert_eq!(rejection.allowed, before.allowed_actions());
                return;
            }
        };
        let mut folded = before.clone();
        for change in &changes {
            assert_eq!(folded.fits(change), Ok(()), "what is decided fits");
            folded.apply(change, self.now);
        }
        assert_eq!(folded, next, "the changes say all of it");
        assert!(
            changes.is_empty() || !late,
            "{event:?} is late and does {changes:?}"
        );
        if before.state().is_terminal() {
            assert_eq!(changes, [], "a terminal state is terminal");
        }
        self.execution = next;
        let decided = changes.into_iter().map(|change| (self.now, change));
        self.journal.extend(decided);
        self.rules(&event);
    }

    /// What holds after every step.
    fn rules(&self, event: &Event) {
        let after = &self.execution;
        assert_eq!(after.violations(), [], "after {event:?}");
        let outstanding = after.outstanding();
        let mut distinct = outstanding.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), outstanding.len(), "each command has its id");
        let quiet = after.decide(Event::Tick, self.now);
        assert_eq!(
            quiet.as_deref(),
            Ok(&[][..]),
            "nothing is due after {event:?}"
        );
        if let Some(deadline) = after.next_deadline() {
            assert!(deadline.at > self.now, "a deadline lies ahead");
        }
    }
}

/// Whether an answer is of a hook that is not asked, or not any more.
fn is_late(execution: &Execution, event: &Event) -> bool {
    let Event::HookAnswered { command, .. } = event else {
        return false;
    };
    let outstanding: Vec<CommandId> = execution.outstanding();
    !outstanding.contains(command)
}
