//! The faults end, and whoever lives goes on: every execution ends as DRS
//! says, and every member tells the same of it.

use std::collections::BTreeMap;

use tidegate_core::{ExecutionId, WaveIx, engine::ExecutionState};

use super::life::Life;
use crate::{
    calls::Fate,
    heal::{agrees, decision},
    people::Wish,
    world::lock,
};

/// Rounds after which an execution counts as stuck.
const ROUNDS: u32 = 12_000;
/// Rounds in which watchers hear the rest.
const LEFTOVERS: u32 = 600;

impl Life {
    /// # Errors
    /// A broken rule, or something that does not end.
    pub(super) fn heal(&mut self) -> Result<(), String> {
        lock(&self.world).say(format_args!("the faults end"));
        for member in &mut self.members {
            member.stalled_until = None;
        }
        if self.members.iter().all(|member| member.stopping) {
            self.join();
        }
        let mut retried = BTreeMap::new();
        for _ in 0..ROUNDS {
            self.run()?;
            if self.answer_one() {
                continue;
            }
            if self.ledger.all_over() && lock(&self.world).is_settled() {
                return self.finish();
            }
            if !self.decide_a_hold(&mut retried) {
                self.pass_to_next();
            }
        }
        let logs = self.ledger.logs.values().map(|log| log.newest());
        let open = logs.filter(|execution| !execution.state().is_terminal());
        let open: Vec<String> = open
            .map(|it| {
                let (id, state, wanted) = (it.id(), it.state(), it.outstanding());
                format!("{id} {state:?} {:?} {wanted:?}", it.owner())
            })
            .collect();
        Err(format!("this does not end: {}", open.join("; ")))
    }

    fn answer_one(&mut self) -> bool {
        let mut world = lock(&self.world);
        if world.calls.is_empty() {
            return false;
        }
        let call = world.calls.remove(0);
        world.settle(call, Fate::Done, &mut self.chance);
        true
    }

    fn pass_to_next(&mut self) {
        let mut world = lock(&self.world);
        if let Some(next) = world.next_instant() {
            world.advance(next);
        }
    }

    fn decide_a_hold(&mut self, retried: &mut BTreeMap<(ExecutionId, WaveIx), u32>) -> bool {
        if self.people.is_waiting() || self.any().is_none() {
            return false;
        }
        let logs = self.ledger.logs.values().map(|log| log.newest());
        let mut paused = logs.filter(|execution| execution.state() == ExecutionState::Paused);
        let Some((execution, event)) = paused.find_map(|execution| {
            let event = decision(execution, retried)?;
            Some((execution.id().clone(), event))
        }) else {
            return false;
        };
        let ix = self.people.wish(Wish::Steer { execution, event });
        self.send(ix);
        true
    }

    fn finish(&mut self) -> Result<(), String> {
        let ids: Vec<ExecutionId> = self.ledger.logs.keys().cloned().collect();
        for id in &ids {
            self.watch(id);
        }
        self.pass(LEFTOVERS)?;
        self.watchers.check(&self.ledger, true)?;
        self.reads_the_same(&ids);
        self.pass(LEFTOVERS)?;
        let world = lock(&self.world);
        for log in self.ledger.logs.values() {
            agrees(log.newest(), &world.truth)?;
        }
        Ok(())
    }

    fn pass(&mut self, rounds: u32) -> Result<(), String> {
        for _ in 0..rounds {
            self.run()?;
            if !self.answer_one() {
                self.pass_to_next();
            }
        }
        Ok(())
    }

    /// What every member reads is what was folded here.
    fn reads_the_same(&mut self, ids: &[ExecutionId]) {
        for member in self.members.iter().filter(|member| !member.stopping) {
            let Some(driver) = member.driver() else {
                continue;
            };
            for id in ids {
                let newest = self.ledger.logs[id].newest().clone();
                let (driver, world, id) = (driver.clone(), self.world.clone(), id.clone());
                member.spawn(async move {
                    match driver.view(&id).await {
                        Ok(view) if *view.execution == newest => {}
                        Ok(_) => lock(&world).fail(format!("{id} reads as another state")),
                        Err(error) => lock(&world).fail(format!("{id} cannot be read: {error}")),
                    }
                });
            }
        }
    }
}
