//! What an execution needs under the quotas of DRS, read from what it has
//! outstanding.

use std::{collections::BTreeMap, sync::Arc};

use tidegate_core::{
    ExecutionId,
    engine::{CommandId, Event, Execution, Kind},
    plan::Target,
};

use super::{
    ledger::{Class, Ledger, Need, Part, Wanted},
    limits::Place,
};

/// Whose launches go first.
pub(super) fn class(execution: &Execution) -> Class {
    Class {
        priority: execution.plan().priority(),
        is_recovery: execution.kind() == Kind::Recovery,
    }
}

/// The needs of one execution, by place.
#[derive(Debug, Default)]
pub(super) struct Needs {
    places: BTreeMap<Place, BTreeMap<Part, Wanted>>,
    /// What the launches that want a turn wait with.
    commands: BTreeMap<Part, CommandId>,
    /// Where these are, each as whoever is first there.
    waiting: BTreeMap<Place, Arc<Target>>,
}

impl Needs {
    pub(super) fn of(execution: &Execution) -> Self {
        let mut needs = Self::default();
        for command in execution.outstanding() {
            needs.add(execution, command);
        }
        needs
    }

    /// Only what is in use.
    pub(super) fn without_turns(mut self) -> Self {
        for wanted in self.places.values_mut() {
            wanted.retain(|_, wanted| wanted.need != Need::Turn);
        }
        self.commands.clear();
        self.waiting.clear();
        self
    }

    pub(super) fn places(&self) -> impl Iterator<Item = &Place> {
        self.places.keys()
    }

    /// Places where launches want turns.
    pub(super) fn waiting(&self) -> impl Iterator<Item = (&Place, &Arc<Target>)> {
        self.waiting.iter()
    }

    pub(super) fn at(&self, place: &Place) -> Option<&BTreeMap<Part, Wanted>> {
        self.places.get(place)
    }

    /// What the launches at a place are told: that they have their turn, or
    /// that they are too large to get one.
    pub(super) fn turns(
        &self,
        execution: &ExecutionId,
        place: &Place,
        ledger: &Ledger,
    ) -> Vec<Event> {
        let most = ledger.most_per_job();
        let admitted = ledger.turns_of(execution).into_iter().filter_map(|part| {
            let command = *self.commands.get(&part)?;
            Some(Event::Admitted { command })
        });
        let wanted = self.at(place).into_iter().flatten();
        let large = wanted.filter_map(|(part, wanted)| {
            let is_large = wanted.need == Need::Turn && wanted.servers > most;
            Some(Event::TooLarge {
                command: *self.commands.get(part).filter(|_| is_large)?,
                most: u16::try_from(most).unwrap_or(u16::MAX),
            })
        });
        admitted.chain(large).collect()
    }

    fn add(&mut self, execution: &Execution, command: CommandId) {
        let (part, need) = match command {
            CommandId::Admit { wave, launch, .. } => ((wave, launch), Need::Turn),
            CommandId::Launch { wave, launch, .. } | CommandId::Look { wave, launch, .. } => {
                ((wave, launch), Need::Asked)
            }
            CommandId::Follow { wave, launch } => ((wave, launch), Need::Runs),
            CommandId::Select { .. } | CommandId::Hook { .. } => return,
        };
        let Some(launch) = execution.wave(part.0).launch(part.1) else {
            return;
        };
        let servers = u32::try_from(launch.servers.len()).unwrap_or(u32::MAX);
        let place = Place::of(&launch.target);
        if need == Need::Turn {
            self.commands.insert(part, command);
            let first = self.waiting.entry(place.clone());
            first.or_insert_with(|| Arc::clone(&launch.target));
        }
        let wanted = self.places.entry(place).or_default();
        wanted.insert(part, Wanted { need, servers });
    }
}
