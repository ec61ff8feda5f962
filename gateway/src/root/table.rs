//! Ports of a gateway whose journal is a table.

use std::{future, sync::Arc};

use futures::FutureExt as _;

use super::{Ports, StartError, StopReason, open::open_hooks};
use crate::{
    adapters::{
        journal_dynamodb::{DynamoJournal, Settings, Timeouts},
        journal_redb::DataDir,
        system_clock::SystemClock,
    },
    config::{self, Config},
    ports::{drs::Drs, hook_store::HookStore, journal::Journal, plan_store::PlanStore},
};

/// Opens the table. What hooks are compiled to is kept in the data directory,
/// which no other process may use.
pub(super) async fn open(config: &Config, drs: Arc<dyn Drs>) -> Result<Ports, StartError> {
    let settings = settings(&config.journal.dynamodb);
    let store = Arc::new(DynamoJournal::open(settings).await?);
    let hook_store = Arc::clone(&store) as Arc<dyn HookStore>;
    let path = config.journal.data_dir.clone();
    let directory = tokio::task::spawn_blocking(move || DataDir::open(path)).await??;
    let hooks = open_hooks(&config.hooks, &hook_store, Some(directory.path())).await?;
    Ok(Ports {
        journal: Arc::clone(&store) as Arc<dyn Journal>,
        plans: Arc::clone(&store) as Arc<dyn PlanStore>,
        cluster: Some(store),
        drs,
        clock: Arc::new(SystemClock),
        hooks,
        hook_store,
        fatal: hold(directory).boxed(),
    })
}

fn settings(config: &config::DynamoDb) -> Settings {
    Settings {
        region: config.region.clone(),
        endpoint: config.endpoint.clone(),
        timeouts: Timeouts {
            connect: config.connect_timeout.get(),
            read: config.read_timeout.get(),
            write: config.write_timeout.get(),
        },
        ..Settings::new(&*config.table)
    }
}

/// Keeps a directory locked. A table never stops its gateway: what is in doubt
/// there can be looked up.
async fn hold(_directory: DataDir) -> StopReason {
    future::pending().await
}
