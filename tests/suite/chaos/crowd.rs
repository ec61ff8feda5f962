//! Everybody who uses the gateways while these are harmed, and what they were
//! told in the end.

use std::{sync::Arc, time::Duration};

use tidegate_emulator::Emulator;
use tidegate_proto::v1::{
    GetExecutionRequest, ListExecutionsRequest, execution_service_client::ExecutionServiceClient,
};
use tokio::{sync::watch, task::JoinHandle};
use tonic::Status;

use super::{
    client::{Client, Ledger, is_over},
    dice::Dice,
    doors::Doors,
    evidence::Evidence,
    gateways::Pulse,
    watchers::{Everything, Revisions},
};

/// How long the last executions may take once nobody is harmed any more.
const CALM: Duration = Duration::from_secs(180);

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
    ///
    /// # Panics
    /// If that takes long: with what each waits for, and what each gateway says
    /// of it.
    pub(super) async fn end(self, doors: &Doors) -> Told {
        let mut ledgers = Vec::new();
        let ended = async {
            for client in self.clients {
                ledgers.push(client.await.expect("a client keeps its own records"));
            }
        };
        if tokio::time::timeout(CALM, ended).await.is_err() {
            let mut told = self.pulse.doing();
            for door in doors.all() {
                told += &unfinished(doors, &door).await;
            }
            panic!("not everybody saw the end:\n{told}");
        }
        let everything = self.everything.stop().await;
        Told {
            ledgers,
            everything,
        }
    }
}

/// What a gateway says of everything that is not over.
async fn unfinished(doors: &Doors, door: &str) -> String {
    let asked = async {
        let client = ExecutionServiceClient::connect(door.to_owned()).await;
        let mut client = client.map_err(|error| Status::unavailable(error.to_string()))?;
        let all = client.list_executions(ListExecutionsRequest::default());
        let all = all.await?.into_inner().executions;
        let going_on = all.into_iter().filter(|it| !is_over(it.state()));
        let mut told = String::new();
        for execution in going_on.map(|summary| summary.id) {
            let request = GetExecutionRequest { execution };
            let found = client.get_execution(request).await?.into_inner();
            told += &format!("{found:#?}\n");
        }
        Ok(told)
    };
    match doors.within(asked).await {
        Ok(told) => format!("not over at {door}:\n{told}"),
        Err(status) => format!("{door} does not say what is not over: {status}\n"),
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
