//! What belongs to one attempt and is reached from host functions.

use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtxView, WasiView};

use super::{deadline::Breath, limiter::Limiter, log::Log, recorder::Recorder, wasi::Wasi};
use crate::{Answer, Probe};

/// Host objects that a guest may hold at once. Only WASI has any.
const RESOURCES: usize = 1000;

/// The data of a store.
pub(super) struct State {
    pub(super) limiter: Limiter,
    pub(super) recorder: Recorder,
    pub(super) log: Log,
    pub(super) breath: Breath,
    /// For hooks of the WASI profile.
    pub(super) wasi: Option<Wasi>,
    resources: ResourceTable,
}

impl State {
    pub(super) fn new(limiter: Limiter, recorder: Recorder, log: Log, wasi: Option<Wasi>) -> Self {
        let mut resources = ResourceTable::new();
        resources.set_max_capacity(RESOURCES);
        Self {
            limiter,
            recorder,
            log,
            breath: Breath::new(),
            wasi,
            resources,
        }
    }

    pub(super) async fn probe(&mut self, probe: Probe) -> Answer {
        self.recorder.probe(probe).await
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let wasi = self.wasi.as_mut();
        let wasi = wasi.expect("only hooks of the WASI profile are linked with WASI");
        WasiCtxView {
            ctx: &mut wasi.context,
            table: &mut self.resources,
        }
    }
}
