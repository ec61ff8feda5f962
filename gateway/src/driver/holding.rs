//! Which servers executions have to themselves, also those that another
//! member of the cluster drives.
//!
//! What is held is known from the registry; what the others took since is read
//! from the journal before servers are taken. An append that takes servers is
//! refused if anybody took some in between, so two members never give the same
//! server away.

use tidegate_core::{ExecutionId, SourceServerId};
use tokio::sync::{Mutex, MutexGuard};

use super::{DriverError, Shared};
use crate::ports::journal::Holds;

/// The number of the holds up to which the registry knows them. Whoever holds
/// the lock takes servers; the others wait for their turn.
#[derive(Debug, Default)]
pub(super) struct Holding(Mutex<u64>);

/// The turn to take servers.
pub(super) struct Turn<'a> {
    shared: &'a Shared,
    known: MutexGuard<'a, u64>,
}

impl Shared {
    /// Waits for the turn to take servers; `None` where nobody else takes any.
    pub(super) async fn turn_to_hold(&self) -> Option<Turn<'_>> {
        self.membership.member()?;
        let known = self.holding.0.lock().await;
        Some(Turn {
            shared: self,
            known,
        })
    }

    /// Takes a place among the executions that are driven here, and servers,
    /// or nothing. Of whoever is said to have one of the servers, the journal is
    /// asked whether it still has.
    pub(super) async fn enter(
        &self,
        id: &ExecutionId,
        servers: &[SourceServerId],
        limit: usize,
    ) -> Result<(), DriverError> {
        loop {
            match self.registry.enter(id, servers, limit) {
                Err(DriverError::ServerBusy { other, .. }) if self.has_ended(&other).await? => {}
                outcome => return outcome,
            }
        }
    }

    /// Takes further servers for an execution that is driven here, or none.
    pub(super) async fn take(
        &self,
        id: &ExecutionId,
        servers: &[SourceServerId],
    ) -> Result<(), DriverError> {
        loop {
            match self.registry.take(id, servers) {
                Err(DriverError::ServerBusy { other, .. }) if self.has_ended(&other).await? => {}
                outcome => return outcome,
            }
        }
    }

    /// Whether an execution is over; then its servers are free. What is driven
    /// here may have been ended by another member, and is told now.
    async fn has_ended(&self, other: &ExecutionId) -> Result<bool, DriverError> {
        let Some(member) = self.membership.member() else {
            return Ok(false);
        };
        let has_place = self.registry.has_place(other);
        let head = self.ports.journal.head(other).await?;
        // One that is just being started here has no head yet.
        let ended = head.map_or(!has_place, |head| !head.live);
        if ended {
            self.registry.free(other);
            if has_place {
                member.written(self, other.clone());
            }
        }
        Ok(ended)
    }
}

impl Turn<'_> {
    /// Learns what was taken since the last turn.
    pub(super) async fn learn(&mut self) -> Result<(), DriverError> {
        let since = self.shared.ports.journal.holds(*self.known).await?;
        for (execution, servers) in since.held {
            self.shared.registry.hold(&execution, &servers);
        }
        *self.known = since.newest;
        Ok(())
    }

    /// What an append says that takes these.
    pub(super) fn holds(&self, servers: &[SourceServerId]) -> Holds {
        Holds {
            servers: servers.to_vec(),
            after: *self.known,
        }
    }

    /// The append was made.
    pub(super) fn taken(mut self) {
        *self.known += 1;
    }
}
