//! Everything around one execution: DRS, hooks, people, time and crashes.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
};

use tidegate_core::{
    ExecutionId, OwnerId, SourceServerId, Span, Timestamp, WaveIx,
    engine::{
        Action, Change, CommandId, Event, Execution, Genesis, Kind, LaunchAnswer, LaunchState,
        Looked, SelectedServer, Settings,
    },
    plan::{Limits, Plan, Selection},
};

use super::{drs::Drs, genes::Setting, laws, steps::Step};
use crate::{lines, run::BEGINNING};

/// Old answers that are kept for repetition.
const REMEMBERED: usize = 40;
/// How much the clocks of two owners differ.
const CLOCK_SKEW: Span = Span::from_secs(3);

pub(crate) struct World {
    pub(crate) execution: Execution,
    pub(crate) now: Timestamp,
    pub(crate) drs: Drs,
    pub(crate) genesis: Genesis,
    pub(crate) settings: Settings,
    pub(crate) journal: Vec<(Timestamp, Change)>,
    /// Requests to DRS that this owner has made.
    pub(crate) called: BTreeSet<CommandId>,
    /// Answers under way.
    pub(crate) late: VecDeque<Event>,
    answers: VecDeque<Event>,
    /// Whether a person's cancel was accepted.
    pub(crate) cancelled: bool,
    pub(crate) trace: Vec<String>,
}

impl World {
    pub(crate) fn new(setting: &Setting) -> Self {
        let plan = Plan::check(&setting.draft, &Limits::default()).expect("the plan is right");
        let genesis = Genesis {
            id: ExecutionId::from("01jd0000000000000000000000"),
            kind: setting.kind,
            plan: Arc::new(plan),
            created_at: BEGINNING,
        };
        Self {
            execution: Execution::new(genesis.clone(), setting.settings),
            now: BEGINNING,
            drs: Drs::new(setting.kind),
            genesis,
            settings: setting.settings,
            journal: Vec::new(),
            called: BTreeSet::new(),
            late: VecDeque::new(),
            answers: VecDeque::new(),
            cancelled: false,
            trace: Vec::new(),
        }
    }

    pub(crate) fn step(&mut self, step: &Step) {
        self.trace.push(format!("* {step:?}"));
        match *step {
            Step::Answer { pick, luck } => self.answer_one(pick, luck),
            Step::Deliver => {
                if let Some(event) = self.late.pop_front() {
                    self.answer(event);
                }
            }
            Step::Repeat { pick } => {
                if let Some(event) = picked(&self.answers, pick).cloned()
                    && self.may_repeat(&event)
                {
                    self.hear(event);
                }
            }
            Step::Pass { secs } => self.pass(self.now + Span::from_secs(u64::from(secs))),
            Step::ToDeadline => {
                if let Some(deadline) = self.execution.next_deadline() {
                    self.pass(deadline.at.max(self.now));
                }
            }
            Step::Person { what, wave } => self.person(what, wave),
            Step::Crash => self.crash(),
        }
    }

    /// Decides, checks every law about the step, records and applies.
    pub(crate) fn hear(&mut self, event: Event) -> bool {
        let is_cancel = matches!(event, Event::Cancel { .. });
        self.trace.push(format!("> {event:?}"));
        let answer = self.execution.decide(event.clone(), self.now);
        let Ok(changes) = answer else {
            return false;
        };
        self.trace.extend(lines::lines(&changes));
        self.cancelled |= is_cancel;
        let before = self.execution.clone();
        for change in &changes {
            let next = {
                let mut next = self.execution.clone();
                next.apply(change, self.now);
                next
            };
            laws::of_a_change(self, &next, change, &event);
            self.execution = next;
            self.journal.push((self.now, change.clone()));
        }
        laws::of_a_step(self, &before, &changes, &event);
        !changes.is_empty()
    }

    /// An answer from outside: heard now, and perhaps again.
    pub(crate) fn answer(&mut self, event: Event) -> bool {
        if self.answers.len() == REMEMBERED {
            self.answers.pop_front();
        }
        self.answers.push_back(event.clone());
        self.hear(event)
    }

    pub(crate) fn pass(&mut self, to: Timestamp) {
        self.now = to;
        self.drs.pass(to);
        self.hear(Event::Tick);
    }

    /// *Nothing* is true when it is said; a driver that repeats it after the
    /// launch was asked for again would lie.
    fn may_repeat(&self, event: &Event) -> bool {
        let Event::LaunchLooked {
            wave,
            launch,
            found,
            ..
        } = event
        else {
            return true;
        };
        *found != Looked::Nothing || self.drs.look((*wave, *launch)) == Looked::Nothing
    }

    fn answer_one(&mut self, pick: u8, luck: u8) {
        let commands: VecDeque<CommandId> = self.execution.outstanding().into();
        if let Some(&command) = picked(&commands, pick) {
            self.carry_out(command, luck);
        }
    }

    fn person(&mut self, what: u8, wave: u8) {
        let comment = Arc::from("");
        let wave = WaveIx(u16::from(wave) % self.wave_count());
        self.hear(match what {
            0 => Event::Pause { comment },
            1 | 2 => Event::Resume,
            3 => Event::Cancel { comment },
            4 => Event::RetryWave(wave),
            5 => Event::SkipWave(wave),
            _ => Event::Start,
        });
    }

    /// The owner dies with every answer that it did not record; another one,
    /// whose clock is a little behind, folds the journal.
    fn crash(&mut self) {
        let behind = self.now.as_millis().saturating_sub(CLOCK_SKEW.as_millis());
        self.now = BEGINNING.max(Timestamp::from_millis(behind));
        self.late.clear();
        self.called.clear();
        let folded = self.folded();
        assert_eq!(folded, self.execution, "folding gives the same state");
        self.execution = folded;
        let owner = OwnerId::new(format!("owner{}", self.journal.len()));
        self.hear(Event::OwnerChanged(owner));
    }

    pub(crate) fn folded(&self) -> Execution {
        let mut fresh = Execution::new(self.genesis.clone(), self.settings);
        for (at, change) in &self.journal {
            fresh.apply(change, *at);
        }
        fresh
    }

    pub(crate) fn wave_count(&self) -> u16 {
        u16::try_from(self.execution.plan().waves().len()).expect("few waves")
    }

    pub(crate) fn every_action(&self) -> Vec<Action> {
        let waves = || (0..self.wave_count()).map(WaveIx);
        let mut actions = vec![Action::Pause, Action::Resume, Action::Cancel];
        actions.extend(waves().map(Action::RetryWave));
        actions.extend(waves().map(Action::SkipWave));
        actions
    }

    /// The servers of a launch, which DRS is asked for now: never one that
    /// is in a live job.
    pub(crate) fn servers_to_ask(&self, command: CommandId) -> Vec<SourceServerId> {
        let CommandId::Launch { wave, launch, .. } = command else {
            panic!("{command} is not a launch");
        };
        let run = self.execution.wave(wave);
        let launch = run.launch(launch).expect("an outstanding launch is known");
        assert!(matches!(launch.state, LaunchState::Asking { .. }));
        let servers = launch.servers.iter();
        let ids: Vec<_> = servers
            .map(|server| run.servers()[server.index()].selected.id.clone())
            .collect();
        for id in &ids {
            assert!(
                !self.drs.is_busy(id),
                "{id} is asked for while it is in a live job\n{}",
                self.trace.join("\n")
            );
        }
        ids
    }

    /// What a look-up finds: the servers that the plan names, and for tags as
    /// many as `luck` says.
    pub(crate) fn lookup(&self, wave: WaveIx, luck: u8) -> Vec<SelectedServer> {
        let plan = self.execution.plan().wave(wave);
        let mut found = Vec::new();
        for group in &plan.groups {
            let ids: Vec<SourceServerId> = match &group.selection {
                Selection::Servers(servers) => servers.iter().map(|s| s.id.clone()).collect(),
                Selection::Tags { .. } => tagged(wave, luck),
            };
            let target = Arc::new(group.target.clone());
            found.extend(ids.into_iter().map(|id| SelectedServer {
                id,
                hostname: Arc::from(""),
                target: Arc::clone(&target),
                optional: false,
                snapshot: None,
                instance: (self.genesis.kind == Kind::Cleanup).then(|| "i-1".into()),
            }));
        }
        found
    }

    pub(crate) fn lose_later(&mut self, command: CommandId, answer: LaunchAnswer) {
        self.late
            .push_back(Event::LaunchAnswered { command, answer });
    }
}

/// Usually servers of the wave's own; sometimes none, sometimes one that
/// another wave names.
fn tagged(wave: WaveIx, luck: u8) -> Vec<SourceServerId> {
    let first = match luck {
        250..=255 => return Vec::new(),
        240..=249 => u32::from(luck % 8) * 10,
        0..=239 => u32::from(wave.0) * 10,
    };
    (first..=first + u32::from(luck % 3))
        .map(|number| crate::drafts::server_id(number).as_str().into())
        .collect()
}

fn picked<T>(from: &VecDeque<T>, pick: u8) -> Option<&T> {
    from.get(usize::from(pick).checked_rem(from.len())?)
}
