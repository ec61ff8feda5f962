//! Ports of a gateway whose journal is a table.

use std::{sync::Arc, time::Duration};

use futures::FutureExt as _;

use super::{Ports, StartError, StopReason, open::open_hooks};
use crate::{
    adapters::{
        aws_observed::Observer,
        journal_dynamodb::{DynamoJournal, Settings, Timeouts},
        journal_redb::DataDir,
        system_clock::SystemClock,
    },
    config::{self, Config},
    ports::{drs::Drs, hook_store::HookStore, journal::Journal, plan_store::PlanStore},
};

/// Between two sweeps of the table, of which each reads what is being written.
const SWEEP: Duration = Duration::from_hours(6);
/// The age from which what is being written counts as left behind. A writer that
/// takes longer is refused, and may try again.
const RUBBISH_AFTER: Duration = Duration::from_hours(1);

/// Opens the table. What hooks are compiled to is kept in the data directory,
/// which no other process may use.
pub(super) async fn open(
    config: &Config,
    drs: Arc<dyn Drs>,
    observer: Arc<dyn Observer>,
) -> Result<Ports, StartError> {
    let settings = settings(&config.journal.dynamodb);
    let store = Arc::new(DynamoJournal::open_observed(settings, observer).await?);
    let hook_store = Arc::clone(&store) as Arc<dyn HookStore>;
    let swept = Arc::clone(&store);
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
        fatal: keep(directory, swept).boxed(),
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

/// Keeps a directory locked, and a table free of what dead writers left in it.
/// A table never stops its gateway: what is in doubt there can be looked up.
async fn keep(_directory: DataDir, table: Arc<DynamoJournal>) -> StopReason {
    loop {
        match table.sweep(RUBBISH_AFTER).await {
            Ok(0) => {}
            Ok(swept) => tracing::info!(swept, "took away parts of values that nobody refers to"),
            Err(error) => tracing::warn!(%error, "rubbish is left in the table for now"),
        }
        tokio::time::sleep(SWEEP).await;
    }
}
