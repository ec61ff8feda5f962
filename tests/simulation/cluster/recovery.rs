//! The faults end, and whoever lives goes on: every execution ends as DRS
//! says, and every member tells the same of it.

use tidegate_core::ExecutionId;

use super::life::Life;
use crate::{
    heal::{Retried, agrees, decision, nothing_is_in_use, reads_the_same},
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
        let mut retried = Retried::new();
        for _ in 0..ROUNDS {
            self.run()?;
            if lock(&self.world).answer_oldest(&mut self.chance) {
                continue;
            }
            if self.ledger.all_over() && lock(&self.world).is_settled() {
                return self.finish();
            }
            if !self.decide_a_hold(&mut retried) {
                lock(&self.world).pass_to_next();
            }
        }
        Err(format!("this does not end: {}", self.ledger.open()))
    }

    fn decide_a_hold(&mut self, retried: &mut Retried) -> bool {
        if self.people.is_waiting() || self.any().is_none() {
            return false;
        }
        let wish = decision(&self.ledger, retried);
        if let Some(wish) = wish.clone() {
            let ix = self.people.wish(wish);
            self.send(ix);
        }
        wish.is_some()
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
        for member in &self.members {
            nothing_is_in_use(member)?;
        }
        let world = lock(&self.world);
        for log in self.ledger.logs.values() {
            agrees(log.newest(), &world.truth)?;
        }
        Ok(())
    }

    fn pass(&mut self, rounds: u32) -> Result<(), String> {
        for _ in 0..rounds {
            self.run()?;
            if !lock(&self.world).answer_oldest(&mut self.chance) {
                lock(&self.world).pass_to_next();
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
            reads_the_same(member, &driver, (&self.world, &self.ledger), ids);
        }
    }
}
