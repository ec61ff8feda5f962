//! Gateways in this process, for tests and benches that bring their own DRS.

use std::{net::SocketAddr, num::NonZeroU32, path::Path, sync::Arc};

use futures::FutureExt as _;
use tidegate_gateway::{
    Config, Gateway, Overrides, Ports, StopReason,
    adapters::{
        journal_redb::{DataDir, RedbJournal, Settings},
        no_hooks::NoHooks,
        system_clock::SystemClock,
    },
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
    let store = Arc::new(journal);
    let drs = FakeDrs::instant().endless_from(&crate::sketch::server(ENDLESS));
    let ports = Ports {
        journal: store.clone(),
        plans: store.clone(),
        hook_store: store,
        cluster: None,
        drs: Arc::new(drs),
        clock: Arc::new(SystemClock),
        hooks: Arc::new(NoHooks),
        fatal: failure
            .map(|failure| StopReason::JournalFailed(failure.to_string()))
            .boxed(),
    };
    let overrides = Overrides {
        listen: Some(SocketAddr::from(([127, 0, 0, 1], 0))),
        ..Overrides::default()
    };
    let mut config = Config::load(None, overrides).expect("the defaults are good");
    // What is measured and watched here is not how executions queue.
    config.drs.quotas.jobs = Some(NonZeroU32::MAX);
    config.drs.quotas.servers = Some(NonZeroU32::MAX);
    Gateway::start_with(config, ports)
        .await
        .expect("the gateway starts")
}
