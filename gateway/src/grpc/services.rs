//! What the services share.

use std::{sync::Arc, time::Duration};

use tidegate_core::plan::Limits;

use super::{hook::HookAccess, watch::Feeds};
use crate::{
    drain::Drain,
    driver::{Driver, Quotas},
    ports::{
        clock::Clock, drs::Drs, hook_store::HookStore, hooks::Hooks, journal::Journal,
        plan_store::PlanStore,
    },
};

/// Everything that the services talk to. The composition root makes one.
pub struct Services {
    /// Drives executions.
    pub driver: Driver,
    /// Read for lists of live executions and for request ids.
    pub journal: Arc<dyn Journal>,
    /// Stores plans.
    pub plans: Arc<dyn PlanStore>,
    /// Asked what is there: for readiness, and for recovery instances.
    pub drs: Arc<dyn Drs>,
    /// Knows hooks and makes them ready; running them is the driver's matter.
    pub hooks: Arc<dyn Hooks>,
    /// Read for tapes.
    pub hook_store: Arc<dyn HookStore>,
    /// Who may do what to hooks at a time.
    pub hook_access: HookAccess,
    /// Stamps plans and bookmarks.
    pub clock: Arc<dyn Clock>,
    /// What is told and refused.
    pub settings: ServiceSettings,
    /// The end of the gateway.
    pub drain: Drain,
    /// Commits, presented once for all watchers.
    pub feeds: Feeds,
}

/// What the services are told.
#[derive(Clone, Debug)]
pub struct ServiceSettings {
    /// Bounds of a plan.
    pub plan_limits: Limits,
    /// Quotas of DRS, as the driver has them.
    pub quotas: Quotas,
    /// What `GetGatewayInfo` says.
    pub info: tidegate_proto::v1::GetGatewayInfoResponse,
    /// How streams behave.
    pub watch: WatchSettings,
}

/// How streams behave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchSettings {
    /// A bookmark comes at least this often.
    pub bookmark_interval: Duration,
    /// A stream whose reader takes nothing for so long is ended.
    pub stall_timeout: Duration,
    /// A stream is ended at this age.
    pub max_age: Duration,
    /// Messages that may wait for a reader.
    pub buffer: usize,
    /// Streams at a time, over all connections.
    pub streams: usize,
}

impl std::fmt::Debug for Services {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Services")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
