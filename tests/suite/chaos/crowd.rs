//! Everybody who uses the gateways while these are harmed, and what they were
//! told in the end.

use std::sync::Arc;

use tidegate_emulator::Emulator;
use tokio::{sync::watch, task::JoinHandle};

use super::{
    client::{Client, Ledger},
    dice::Dice,
    doors::Doors,
    evidence::Evidence,
    gateways::Pulse,
    watchers::{Everything, Revisions},
};

/// At work.
pub(super) struct Crowd {
    /// Beats with everything that one of them hears.
    pub(super) pulse: Arc<Pulse>,
    everything: Everything,
    clients: Vec<JoinHandle<Ledger>>,
}

/// What they know when it is over.
pub(super) struct Told {
    pub(super) ledgers: Vec<Ledger>,
    everything: Revisions,
}

impl Crowd {
    /// So many clients and their watchers, and one who watches everything, as
    /// long as there is a storm.
    pub(super) fn gather(
        clients: usize,
        dice: &mut Dice,
        doors: &mut Doors,
        storm: &watch::Receiver<bool>,
    ) -> Self {
        let pulse = Arc::new(Pulse::default());
        let everything = Everything::watch(doors.for_another(), Arc::clone(&pulse));
        let clients = (0..clients).map(|number| {
            let client = Client::new(number, dice, doors.for_another(), Arc::clone(&pulse));
            tokio::spawn(client.work(storm.clone()))
        });
        let clients = clients.collect();
        Self {
            pulse,
            everything,
            clients,
        }
    }

    /// Waits until each has seen the end of what it started.
    pub(super) async fn end(self) -> Told {
        let mut ledgers = Vec::new();
        for client in self.clients {
            ledgers.push(client.await.expect("a client keeps its own records"));
        }
        let everything = self.everything.stop().await;
        Told {
            ledgers,
            everything,
        }
    }
}

impl Told {
    /// Everybody was told the truth, and DRS was asked once for each launch.
    pub(super) fn agrees_with(&self, evidence: &Evidence, drs: &Emulator) {
        for ledger in &self.ledgers {
            evidence.every_answer_took_effect(ledger);
            evidence.every_watcher_saw_everything_once(ledger);
        }
        evidence.every_execution_ended();
        evidence.what_was_seen_of_all_is_in_the_logs(&self.everything);
        evidence.nothing_was_launched_twice(drs);
    }
}
