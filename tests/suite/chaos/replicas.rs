//! Three gateways on one table, of which one or two are gone or stand still.

use std::{sync::Arc, time::Duration};

use tempfile::TempDir;
use tidegate_tests::{dynamodb::DynamoDbLocal, process::Process};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

use super::{
    dice::Dice,
    doors::Doors,
    gateways::serve,
    harm::{Harm, History, Life, now},
};

const REPLICAS: usize = 3;
/// The lease period of the cluster.
pub(super) const LEASE: Duration = Duration::from_secs(1);
/// Longest wait for one answer, or for a sign of life of a stream.
const PATIENCE: Duration = Duration::from_secs(3);
/// For how long a replica is gone, or stands still, in milliseconds. DRS has no
/// token for a launch: what a gateway was about to send when it was stopped, it
/// sends when it wakes up, so that has to be within the settle window.
const AWAY: std::ops::Range<usize> = 500..3_500;
const SETTLE_WINDOW: &str = "6s";

pub(super) struct Replicas {
    slots: Vec<Slot>,
    addresses: watch::Sender<Vec<String>>,
    storm: watch::Sender<bool>,
    pub(super) history: History,
    table: &'static str,
    drs: String,
    local: Arc<DynamoDbLocal>,
    folder: TempDir,
}

/// The place of a replica, and which of the lives has it.
struct Slot {
    life: usize,
    state: State,
}

enum State {
    Up(Process),
    Hung(Process, Instant),
    Down(Instant),
}

impl Replicas {
    pub(super) async fn start(table: &'static str, local: Arc<DynamoDbLocal>, drs: &str) -> Self {
        let mut replicas = Self {
            slots: Vec::new(),
            addresses: watch::Sender::new(Vec::new()),
            storm: watch::Sender::new(true),
            history: History::default(),
            table,
            drs: drs.to_owned(),
            local,
            folder: tempfile::tempdir().expect("a folder"),
        };
        for number in 0..REPLICAS {
            let slot = replicas.start_one(number).await;
            replicas.slots.push(slot);
        }
        replicas.show();
        replicas
    }

    /// The ways to all of them, whatever state they are in.
    pub(super) fn doors(&self, dice: &mut Dice) -> Doors {
        Doors::new(self.addresses.subscribe(), dice, PATIENCE)
    }

    /// True as long as replicas are harmed.
    pub(super) fn storm(&self) -> watch::Receiver<bool> {
        self.storm.subscribe()
    }

    /// Everyone is back.
    pub(super) async fn calm(&mut self) {
        while let Some(due) = self.next_due() {
            sleep_until(due).await;
            self.bring_back().await;
        }
        self.storm.send_replace(false);
    }

    /// Brings back whose time has come, until this is done.
    pub(super) async fn bring_back_during(&mut self, work: impl Future<Output = ()>) {
        tokio::pin!(work);
        loop {
            let due = self.next_due();
            let next = async {
                match due {
                    Some(due) => sleep_until(due).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = &mut work => return,
                () = next => self.bring_back().await,
            }
        }
    }

    /// Kills or stops one, so that another one is left.
    pub(super) async fn harm(&mut self, dice: &mut Dice) {
        while self.up().len() < 2 {
            sleep_until(self.next_due().expect("somebody comes back")).await;
            self.bring_back().await;
        }
        let up = self.up();
        let slot = &mut self.slots[up[dice.below(up.len())]];
        let away = AWAY.start + dice.below(AWAY.len());
        let away = Duration::from_millis(u64::try_from(away).expect("it is short"));
        let until = Instant::now() + away;
        let State::Up(process) = std::mem::replace(&mut slot.state, State::Down(until)) else {
            unreachable!("it is one of those that are up");
        };
        let hangs = dice.once_in(2);
        self.history.harms.push(Harm {
            at: now(),
            life: slot.life,
            hung: hangs.then_some(away),
        });
        if hangs {
            process.hang();
            slot.state = State::Hung(process, until);
        } else {
            process.kill();
        }
    }

    fn up(&self) -> Vec<usize> {
        let slots = self.slots.iter().enumerate();
        let up = slots.filter(|(_, slot)| matches!(slot.state, State::Up(_)));
        up.map(|(number, _)| number).collect()
    }

    fn next_due(&self) -> Option<Instant> {
        let dues = self.slots.iter().filter_map(|slot| match &slot.state {
            State::Up(_) => None,
            State::Hung(_, until) | State::Down(until) => Some(*until),
        });
        dues.min()
    }

    async fn bring_back(&mut self) {
        for number in 0..self.slots.len() {
            let slot = &mut self.slots[number];
            let now = Instant::now();
            match std::mem::replace(&mut slot.state, State::Down(now)) {
                State::Hung(process, until) if until <= now => {
                    process.wake();
                    self.history.woke(slot.life);
                    slot.state = State::Up(process);
                }
                State::Down(until) if until <= now => {
                    self.slots[number] = self.start_one(number).await;
                    self.show();
                }
                other @ (State::Up(_) | State::Hung(..) | State::Down(_)) => slot.state = other,
            }
        }
    }

    async fn start_one(&mut self, number: usize) -> Slot {
        let data = self.folder.path().join(format!("replica-{number}"));
        let data = data.display().to_string();
        let (table, endpoint, drs) = (self.table, self.local.endpoint(), self.drs.clone());
        let began = now();
        let started = tokio::task::spawn_blocking(move || {
            let settings = [
                ("TIDEGATE__JOURNAL__KIND", "dynamodb"),
                ("TIDEGATE__JOURNAL__DYNAMODB__TABLE", table),
                ("TIDEGATE__JOURNAL__DYNAMODB__ENDPOINT", &endpoint),
                ("TIDEGATE__CLUSTER__LEASE", "1s"),
                ("TIDEGATE__ENGINE__SETTLE_WINDOW", SETTLE_WINDOW),
                ("TIDEGATE__WATCH__BOOKMARK_INTERVAL", "1s"),
            ];
            serve(&data, &drs, &settings)
        });
        let process = started.await.expect("the gateway starts");
        self.history.lives.push(Life {
            address: process.address().to_owned(),
            began,
            listening: now(),
        });
        Slot {
            life: self.history.lives.len() - 1,
            state: State::Up(process),
        }
    }

    fn show(&self) {
        let lives = self.slots.iter().map(|slot| &self.history.lives[slot.life]);
        let addresses = lives.map(|life| life.address.clone()).collect();
        self.addresses.send_replace(addresses);
    }
}
