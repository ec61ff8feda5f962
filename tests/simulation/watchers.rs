//! Watchers: one for each execution. It keeps its cursor when the process that
//! it watches dies, and goes on at the next one; nothing is missed or repeated.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tidegate_core::ExecutionId;
use tidegate_gateway::{
    driver::{Driver, DriverError, RecordView},
    ports::clock::Clock as _,
};
use tokio::task::AbortHandle;

use crate::{
    ledger::Ledger,
    ports::Port,
    process::Process,
    world::{SharedWorld, lock},
};

type Tale = Arc<Mutex<Vec<RecordView>>>;

#[derive(Default)]
pub(crate) struct Watchers {
    watches: BTreeMap<ExecutionId, Watch>,
}

struct Watch {
    process: u32,
    tale: Tale,
    running: AbortHandle,
}

impl Watchers {
    /// Watches this execution at this process, from where it was left.
    pub(crate) fn watch(&mut self, id: &ExecutionId, at: &Process, driver: Driver) {
        let before = self.watches.get(id);
        if before.is_some_and(|watch| watch.process == at.number) {
            return;
        }
        let so_far = before.map_or_else(Vec::new, |watch| {
            // It is left, as by a client that goes elsewhere. Of two that wait
            // for one execution, tokio wakes either one first.
            watch.running.abort();
            locked(&watch.tale).clone()
        });
        let tale = Arc::new(Mutex::new(so_far));
        let port = Arc::clone(&at.clock);
        let running = at.spawn(watch(driver, id.clone(), Arc::clone(&tale), port));
        let watch = Watch {
            process: at.number,
            tale,
            running,
        };
        self.watches.insert(id.clone(), watch);
    }

    /// Also a watcher of everything sees each execution's records in order.
    pub(crate) fn watch_all(at: &Process, driver: &Driver, world: &SharedWorld) {
        let mut published = driver.subscribe_all();
        let world = Arc::clone(world);
        at.spawn(async move {
            let mut newest: BTreeMap<ExecutionId, u64> = BTreeMap::new();
            while let Ok(commit) = published.recv().await {
                let id = commit.view.execution.id().clone();
                let revision = commit.record.revision;
                let before = newest.insert(id.clone(), revision);
                let follows = before.is_none_or(|before| before + 1 == revision);
                if !follows || commit.view.revision != revision {
                    lock(&world).fail(format!("{id}@{revision} is published after {before:?}"));
                }
            }
        });
    }

    /// What was told is what is recorded, from the beginning.
    pub(crate) fn check(&self, ledger: &Ledger, to_the_end: bool) -> Result<(), String> {
        for (id, watch) in &self.watches {
            let told = locked(&watch.tale);
            let records = ledger.logs.get(id).map_or(&[][..], |log| &log.records);
            let wrong = records.len() < told.len() || told[..] != records[..told.len()];
            if wrong || (to_the_end && told.len() != records.len()) {
                let (told, recorded) = (told.len(), records.len());
                return Err(format!("{id} is told {told} records of {recorded}"));
            }
        }
        Ok(())
    }
}

/// As the API's watch does it: until the execution is over.
async fn watch(driver: Driver, id: ExecutionId, tale: Tale, port: Arc<Port>) {
    loop {
        let mut woken = driver.subscribe(&id).await;
        while let Some(receiver) = &mut woken {
            hear_all(&driver, &id, &tale, &port).await;
            if receiver.changed().await.is_err() {
                woken = None;
            }
        }
        let is_over = driver
            .view(&id)
            .await
            .is_ok_and(|view| view.execution.state().is_terminal());
        hear_all(&driver, &id, &tale, &port).await;
        if is_over {
            return;
        }
        port.sleep(Duration::from_secs(1)).await;
    }
}

/// Everything that is recorded by now.
async fn hear_all(driver: &Driver, id: &ExecutionId, tale: &Tale, port: &Port) {
    loop {
        let after = locked(tale).len() as u64;
        match driver.records(id, after, 3).await {
            Ok(records) if records.is_empty() => return,
            Ok(records) => locked(tale).extend(records.iter().map(|record| (**record).clone())),
            Err(DriverError::Unavailable(_)) => port.sleep(Duration::from_secs(1)).await,
            Err(error) => {
                lock(&port.world).fail(format!("a watch of {id} fails: {error}"));
                return;
            }
        }
    }
}

fn locked(tale: &Tale) -> std::sync::MutexGuard<'_, Vec<RecordView>> {
    tale.lock().unwrap_or_else(PoisonError::into_inner)
}
