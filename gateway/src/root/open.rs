//! The adapters that the configuration names.

use std::{path::Path, sync::Arc};

use futures::FutureExt as _;

use super::{Ports, StartError, StopReason, table};
use crate::{
    adapters::{
        drs_aws::{self, AwsDrs},
        hooks_wasm::{self, WasmHooks},
        journal_redb::{self, DataDir, RedbJournal},
        system_clock::SystemClock,
    },
    config::{self, Config, DrsMode, JournalKind},
    ports::{hook_store::HookStore, hooks::Hooks, journal::Journal},
    telemetry::Telemetry,
};

pub(super) async fn open_ports(
    config: &Config,
    telemetry: &Telemetry,
) -> Result<Ports, StartError> {
    let drs = open_drs(config).await?.observed_by(telemetry.aws());
    let drs = Arc::new(drs);
    match config.journal.kind {
        JournalKind::Memory => {
            let ports = Ports::in_memory(drs);
            let hooks = open_hooks(&config.hooks, &ports.hook_store, None).await?;
            Ok(Ports { hooks, ..ports })
        }
        JournalKind::Redb => {
            let journal = open_journal(config).await?;
            let failure = journal.fatal();
            let store = Arc::new(journal);
            let hook_store = Arc::clone(&store) as Arc<dyn HookStore>;
            let directory = Some(config.journal.data_dir.as_path());
            let hooks = open_hooks(&config.hooks, &hook_store, directory).await?;
            Ok(Ports {
                journal: Arc::clone(&store) as Arc<dyn Journal>,
                plans: store,
                drs,
                clock: Arc::new(SystemClock),
                hooks,
                hook_store,
                cluster: None,
                fatal: failure
                    .map(|failure| StopReason::JournalFailed(failure.to_string()))
                    .boxed(),
            })
        }
        JournalKind::DynamoDb => table::open(config, drs, telemetry.aws()).await,
    }
}

/// With a directory, what was compiled is kept there.
pub(super) async fn open_hooks(
    config: &config::Hooks,
    store: &Arc<dyn HookStore>,
    directory: Option<&Path>,
) -> Result<Arc<dyn Hooks>, StartError> {
    let settings = hooks_wasm::Settings {
        compiler: config.compiler.clone(),
        compilations: config.compilations.get(),
        compile_timeout: config.compile_timeout.get(),
        compile_memory: u64::from(config.compile_memory_mib) << 20,
        allow_loopback: config.allow_loopback,
        directory: directory.map(Path::to_path_buf),
    };
    if config.allow_loopback {
        tracing::warn!("hooks may probe this machine: hooks.allow_loopback is set");
    }
    let parts = hooks_wasm::Parts::system(settings, Arc::clone(store), Arc::new(SystemClock))?;
    let hooks = WasmHooks::open(parts).await;
    Ok(Arc::new(hooks.map_err(StartError::HookStore)?))
}

async fn open_journal(config: &Config) -> Result<RedbJournal, StartError> {
    let path = config.journal.data_dir.clone();
    let settings = journal_redb::Settings {
        cache_bytes: config.journal.cache_bytes,
    };
    let open = move || {
        let directory = Arc::new(DataDir::open(path)?);
        Ok::<_, StartError>(RedbJournal::open(directory, &settings)?)
    };
    tokio::task::spawn_blocking(open).await?
}

async fn open_drs(config: &Config) -> Result<AwsDrs, StartError> {
    let mode = match config.drs.mode()? {
        DrsMode::Aws => drs_aws::Mode::Aws {
            sessions: sessions(&config.drs)?,
        },
        DrsMode::Endpoint { url } => drs_aws::Mode::Endpoint { url },
    };
    let timeouts = drs_aws::Timeouts {
        connect: config.drs.connect_timeout.get(),
        read: config.drs.read_timeout.get(),
        change: config.drs.change_timeout.get(),
    };
    let settings = drs_aws::Settings {
        timeouts,
        look_skew: config.drs.clock_skew.span(),
        tag_jobs: config.drs.tag_jobs,
        ..drs_aws::Settings::new(mode)
    };
    Ok(AwsDrs::connect(settings).await)
}

fn sessions(drs: &config::Drs) -> Result<drs_aws::Sessions, StartError> {
    let sessions = drs.sessions()?;
    Ok(drs_aws::Sessions {
        name: sessions.name,
        external_id: sessions.external_id,
        external_ids: sessions.external_ids,
        tagged: sessions.tagged,
    })
}
