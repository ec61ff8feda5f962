//! Where launches stand in the queue, and what for.

use std::cmp::Reverse;

use tidegate_core::ExecutionId;

use super::{
    super::standing::{Standing, WaitsFor},
    Class, Ledger, Part, Ticket,
};

/// The place of a waiter: its class, its tag, and what makes the order total.
type Key<'a> = (Reverse<Class>, u64, &'a ExecutionId, usize);

impl Ledger {
    /// Where a launch stands in the queue.
    pub(in super::super) fn standing(&self, ticket: &Ticket) -> Option<Standing> {
        let own = self
            .keys()
            .find(|(_, (execution, part))| (*execution, *part) == (&ticket.0, ticket.1))?;
        let ahead = self.keys().filter(|(key, _)| *key < own.0).count();
        let party = self.parties.get(&ticket.0)?;
        let servers = party
            .waiting
            .iter()
            .find(|waiter| waiter.part == ticket.1)?
            .servers;
        Some(Standing {
            position: ahead + 1,
            of: self.waiting,
            waits_for: self.obstacle(servers),
        })
    }

    fn obstacle(&self, servers: u32) -> WaitsFor {
        let jobs = self.belief.jobs(self.limits.jobs);
        let all = self.belief.servers(self.limits.servers);
        if !self.is_open {
            WaitsFor::Quotas
        } else if self.jobs >= jobs {
            WaitsFor::Jobs {
                used: self.jobs,
                most: jobs,
            }
        } else if self.servers.saturating_add(servers) > all {
            WaitsFor::Servers {
                used: self.servers,
                most: all,
                wanted: servers,
            }
        } else {
            WaitsFor::Turn
        }
    }

    /// Every waiter with its place in the order, lowest first.
    fn keys(&self) -> impl Iterator<Item = (Key<'_>, (&ExecutionId, Part))> {
        self.parties.iter().flat_map(move |(execution, party)| {
            let tags = party.waiting.iter().scan(party.tag, move |tag, waiter| {
                let start = *tag;
                *tag += self.cost(waiter.servers);
                Some((start, waiter.part))
            });
            tags.enumerate().map(move |(nth, (tag, part))| {
                let key = (Reverse(party.class), tag, execution, nth);
                (key, (execution, part))
            })
        })
    }
}
