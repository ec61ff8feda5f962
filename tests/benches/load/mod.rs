//! A gateway under load, and the clients that load it.

#![allow(dead_code, unused_imports, reason = "each bench uses a part of it")]

mod disk;
mod percentiles;
mod watchers;
mod workload;

use tidegate_gateway::Gateway;
use tidegate_tests::gateway;
use tokio::runtime::Runtime;

pub(crate) use disk::raw_appends;
pub(crate) use percentiles::Percentiles;
pub(crate) use workload::{Outcome, plan_of};

/// A gateway and a place for clients.
pub(crate) struct Load {
    runtime: Runtime,
    address: String,
    /// Kept so that they live as long as the load does.
    _gateway: Gateway,
    _data: tempfile::TempDir,
}

impl Load {
    /// Starts a gateway with the embedded journal in a new folder.
    pub(crate) fn start() -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let data = tempfile::tempdir().expect("a folder");
        let gateway = runtime.block_on(gateway::instant(data.path()));
        Self::on(runtime, gateway, data)
    }

    /// A load on this gateway, which may have its data in this folder.
    pub(crate) fn on(runtime: Runtime, gateway: Gateway, data: tempfile::TempDir) -> Self {
        Self {
            address: format!("http://{}", gateway.address()),
            runtime,
            _gateway: gateway,
            _data: data,
        }
    }
}
