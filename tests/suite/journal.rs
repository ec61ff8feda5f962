//! The journals against what every journal promises.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{fs::Permissions, os::unix::fs::PermissionsExt, sync::Arc};

use futures::future::{BoxFuture, FutureExt};
use tempfile::TempDir;
use tidegate_gateway::adapters::{
    journal_dynamodb::{self, DynamoJournal},
    journal_memory::MemoryJournal,
    journal_redb::{DataDir, RedbJournal, Settings},
};
use tidegate_tests::{
    conformance::journal::{Stores, Subject, hold},
    dynamodb::DynamoDbLocal,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_journal_in_memory_conforms() {
    hold(Memory::default).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_embedded_journal_conforms() {
    hold(Embedded::new).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_journal_on_dynamodb_conforms() {
    let local = DynamoDbLocal::shared().await;
    hold(|| Table::new(Arc::clone(&local))).await;
}

/// Closing forgets nothing, since clones share what is stored.
#[derive(Default)]
struct Memory(MemoryJournal);

impl Subject for Memory {
    fn open(&mut self) -> BoxFuture<'_, Stores> {
        let stores = Stores {
            journal: Arc::new(self.0.clone()),
            plans: Arc::new(self.0.clone()),
            hooks: Arc::new(self.0.clone()),
        };
        async move { stores }.boxed()
    }

    fn close(&mut self) -> BoxFuture<'_, ()> {
        async {}.boxed()
    }
}

struct Embedded {
    place: TempDir,
    open: Option<Arc<RedbJournal>>,
}

impl Embedded {
    fn new() -> Self {
        let private = Permissions::from_mode(0o700);
        let mut place = tempfile::Builder::new();
        Self {
            place: place.permissions(private).tempdir().unwrap(),
            open: None,
        }
    }
}

impl Subject for Embedded {
    fn open(&mut self) -> BoxFuture<'_, Stores> {
        let directory = Arc::new(DataDir::open(self.place.path()).unwrap());
        let journal = Arc::new(RedbJournal::open(directory, &Settings::default()).unwrap());
        self.open = Some(journal.clone());
        let stores = Stores {
            journal: journal.clone(),
            plans: journal.clone(),
            hooks: journal,
        };
        async move { stores }.boxed()
    }

    fn close(&mut self) -> BoxFuture<'_, ()> {
        let journal = self.open.take().expect("open");
        async move {
            let last = Arc::into_inner(journal).expect("nobody else holds on to it");
            drop(last);
        }
        .boxed()
    }
}

/// The table stays when the journal is closed.
struct Table {
    local: Arc<DynamoDbLocal>,
    settings: Option<journal_dynamodb::Settings>,
}

impl Table {
    fn new(local: Arc<DynamoDbLocal>) -> Self {
        Self {
            local,
            settings: None,
        }
    }
}

impl Subject for Table {
    fn open(&mut self) -> BoxFuture<'_, Stores> {
        async move {
            let settings = match self.settings.take() {
                Some(settings) => settings,
                None => self.local.table().await,
            };
            self.settings = Some(settings.clone());
            let journal = Arc::new(DynamoJournal::open(settings).await.unwrap());
            Stores {
                journal: journal.clone(),
                plans: journal.clone(),
                hooks: journal,
            }
        }
        .boxed()
    }

    fn close(&mut self) -> BoxFuture<'_, ()> {
        async {}.boxed()
    }
}
