//! Gateways in this process, for tests and benches that bring their own DRS.

use std::{net::SocketAddr, num::NonZeroU32, path::Path, sync::Arc};

use futures::{
    FutureExt as _,
    future::{BoxFuture, pending},
};
use tidegate_gateway::{
    Config, Gateway, Overrides, Ports, StopReason,
    adapters::{
        journal_dynamodb::DynamoJournal,
        journal_redb::{DataDir, RedbJournal, Settings},
        no_hooks::NoHooks,
        system_clock::SystemClock,
    },
    ports::{drs::Drs, hook_store::HookStore, journal::Journal, plan_store::PlanStore},
};

use crate::fakes::FakeDrs;

/// Servers from this number on have jobs that never end.
pub const ENDLESS: usize = 0xffff_0000;

/// A gateway on loopback with the embedded journal in `data` and a DRS without
/// quotas whose jobs end at once.
///
/// # Panics
/// If it does not start.
pub async fn instant(data: &Path) -> Gateway {
    let directory = DataDir::open(data.join("data")).expect("a data directory");
    let journal = RedbJournal::open(Arc::new(directory), &Settings::default())
        .expect("an empty folder becomes a journal");
    let failure = journal.fatal();
    let fatal = failure
        .map(|failure| StopReason::JournalFailed(failure.to_string()))
        .boxed();
    on(Arc::new(journal), instant_drs(), fatal, |_| {}).await
}

/// The same with its journal in a table.
///
/// # Panics
/// If it does not start.
pub async fn instant_on_table(journal: DynamoJournal) -> Gateway {
    on_table(journal, instant_drs(), |_| {}).await
}

/// A gateway on loopback with its journal in a table, with these changes of its
/// settings.
///
/// # Panics
/// If it does not start.
pub async fn on_table(
    journal: DynamoJournal,
    drs: Arc<dyn Drs>,
    change: impl FnOnce(&mut Config),
) -> Gateway {
    on(Arc::new(journal), drs, pending().boxed(), change).await
}

/// The same with a DRS whose jobs end at once, as a member of the table's
/// cluster.
///
/// # Panics
/// If it does not start.
pub async fn member(journal: DynamoJournal) -> Gateway {
    member_with(journal, |_| {}).await
}

/// The same with these changes of its settings.
///
/// # Panics
/// If it does not start.
pub async fn member_with(journal: DynamoJournal, change: impl FnOnce(&mut Config)) -> Gateway {
    let store = Arc::new(journal);
    let ports = Ports {
        cluster: Some(store.clone()),
        ..ports(store, instant_drs(), pending().boxed())
    };
    with(ports, change).await
}

fn instant_drs() -> Arc<dyn Drs> {
    Arc::new(FakeDrs::instant().endless_from(&crate::sketch::server(ENDLESS)))
}

async fn on(
    store: Arc<impl Journal + PlanStore + HookStore>,
    drs: Arc<dyn Drs>,
    fatal: BoxFuture<'static, StopReason>,
    change: impl FnOnce(&mut Config),
) -> Gateway {
    with(ports(store, drs, fatal), change).await
}

/// A gateway that is alone.
fn ports(
    store: Arc<impl Journal + PlanStore + HookStore>,
    drs: Arc<dyn Drs>,
    fatal: BoxFuture<'static, StopReason>,
) -> Ports {
    Ports {
        journal: store.clone(),
        plans: store.clone(),
        hook_store: store,
        cluster: None,
        drs,
        clock: Arc::new(SystemClock),
        hooks: Arc::new(NoHooks),
        fatal,
    }
}

async fn with(ports: Ports, change: impl FnOnce(&mut Config)) -> Gateway {
    let overrides = Overrides {
        listen: Some(SocketAddr::from(([127, 0, 0, 1], 0))),
        ..Overrides::default()
    };
    let mut config = Config::load(None, overrides).expect("the defaults are good");
    // What is measured and watched here is not how executions queue.
    config.drs.quotas.jobs = Some(NonZeroU32::MAX);
    config.drs.quotas.servers = Some(NonZeroU32::MAX);
    change(&mut config);
    Gateway::start_with(config, ports)
        .await
        .expect("the gateway starts")
}
