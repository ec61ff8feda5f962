//! AWS Elastic Disaster Recovery over the AWS SDK.
//!
//! - Calls that change something are made once, with the SDK's retries off and
//!   explicit timeouts; what their failures mean is in `classify`.
//! - Reads are tried a few times; beyond that the caller tries again.
//! - A job's phases come from its log, of which only the last page is read
//!   again (`job_log`), and only when it can tell something new (`observe`).
//!
//! No type of the SDK leaves this module, and nothing here decides what an
//! answer means for an execution.

mod advice;
mod classify;
mod clients;
mod credentials;
mod forgotten;
mod identity;
mod instances;
mod job_log;
mod launch;
mod look;
mod observe;
pub mod permissions;
mod readiness;
mod report;
mod role_asked;
mod servers;
mod service_quotas;
mod settings;
mod simulation;
mod snapshots;
mod time;
mod warranted;

use std::sync::Arc;

use futures::{FutureExt as _, future::BoxFuture};
use tidegate_core::{
    SourceServerId, Span, Timestamp,
    engine::{JobReport, LaunchAnswer, Looked},
    plan::Target,
};

use self::{clients::Clients, job_log::JobLogs};
use super::{aws_failure as failure, aws_observed::Observer};
use crate::ports::drs::{
    Caller, Drs, DrsError, ForgottenOrder, GrantedQuotas, Introduction, JobQuery, LaunchOrder,
    LaunchSettings, LiveJob, LookOrder, Observation, Permissions, RecoveryInstance, ServerQuery,
    SourceServer, StandingInstance, TerminateOrder,
};

pub use settings::{Mode, Sessions, Settings, Timeouts};

/// Key of the tag by which a job is found again.
const LAUNCH_TAG: &str = "tidegate:launch";

/// The launch port over AWS.
#[derive(Debug)]
pub struct AwsDrs {
    clients: Clients,
    logs: JobLogs,
    look_skew: Span,
    tag_jobs: bool,
}

impl AwsDrs {
    /// Reads the environment's AWS configuration where the settings want that.
    /// No call is made, and no credentials are loaded, before they are needed.
    pub async fn connect(settings: Settings) -> Self {
        Self {
            look_skew: settings.look_skew,
            tag_jobs: settings.tag_jobs,
            clients: Clients::new(settings).await,
            logs: JobLogs::default(),
        }
    }

    /// The same, and somebody hears of every request.
    #[must_use]
    pub fn observed_by(mut self, observer: Arc<dyn Observer>) -> Self {
        self.clients.observer = Some(observer);
        self
    }
}

impl Drs for AwsDrs {
    fn start_recovery(&self, order: LaunchOrder) -> BoxFuture<'_, LaunchAnswer> {
        async move {
            let place = self.clients.place(&order.target).await;
            launch::start_recovery(&place, order, self.tag_jobs).await
        }
        .boxed()
    }

    fn terminate(&self, order: TerminateOrder) -> BoxFuture<'_, LaunchAnswer> {
        async move {
            let place = self.clients.place(&order.target).await;
            launch::terminate(&place, order, self.tag_jobs).await
        }
        .boxed()
    }

    fn look(&self, order: LookOrder) -> BoxFuture<'_, Result<Looked, DrsError>> {
        async move {
            let place = self.clients.place(&order.target).await;
            look::look(&place, &self.logs, self.look_skew, &order).await
        }
        .boxed()
    }

    fn observe(
        &self,
        target: Arc<Target>,
        jobs: Vec<JobQuery>,
    ) -> BoxFuture<'_, Result<Observation, DrsError>> {
        async move {
            let place = self.clients.place(&target).await;
            observe::observe(&place, &self.logs, &jobs).await
        }
        .boxed()
    }

    fn judge_forgotten(&self, order: ForgottenOrder) -> BoxFuture<'_, Result<JobReport, DrsError>> {
        async move {
            let place = self.clients.place(&order.target).await;
            self.logs.forget(&order.job);
            forgotten::judge(&place, &order).await
        }
        .boxed()
    }

    fn source_servers(
        &self,
        target: Arc<Target>,
        query: ServerQuery,
    ) -> BoxFuture<'_, Result<Vec<SourceServer>, DrsError>> {
        async move {
            let place = self.clients.place(&target).await;
            servers::source_servers(&place, &query).await
        }
        .boxed()
    }

    fn recovery_instances(
        &self,
        target: Arc<Target>,
        servers: Vec<SourceServerId>,
    ) -> BoxFuture<'_, Result<Vec<RecoveryInstance>, DrsError>> {
        async move {
            let place = self.clients.place(&target).await;
            servers::recovery_instances(&place, &servers).await
        }
        .boxed()
    }

    fn newest_snapshots(
        &self,
        target: Arc<Target>,
        servers: Vec<SourceServerId>,
    ) -> BoxFuture<'_, Result<Vec<(SourceServerId, Timestamp)>, DrsError>> {
        async move {
            let place = self.clients.place(&target).await;
            snapshots::newest(&place, servers).await
        }
        .boxed()
    }

    fn quotas(&self, target: Arc<Target>) -> BoxFuture<'_, Result<GrantedQuotas, DrsError>> {
        async move {
            match self.clients.quotas(&target).await {
                Some((client, place)) => service_quotas::granted(&client, &place).await,
                None => Ok(GrantedQuotas::default()),
            }
        }
        .boxed()
    }

    fn live_jobs(
        &self,
        target: Arc<Target>,
        since: Timestamp,
    ) -> BoxFuture<'_, Result<Vec<LiveJob>, DrsError>> {
        async move {
            let place = self.clients.place(&target).await;
            readiness::live_jobs(&place, since).await
        }
        .boxed()
    }

    fn introduction(&self, target: Arc<Target>) -> BoxFuture<'_, Option<Introduction>> {
        async move { identity::introduction(&self.clients, &target).await }.boxed()
    }

    fn permissions(
        &self,
        target: Arc<Target>,
        caller: Caller,
    ) -> BoxFuture<'_, Result<Option<Permissions>, DrsError>> {
        async move { simulation::permissions(&self.clients, &target, &caller).await }.boxed()
    }

    fn launch_settings(
        &self,
        target: Arc<Target>,
        servers: Vec<SourceServerId>,
    ) -> BoxFuture<'_, Result<Vec<LaunchSettings>, DrsError>> {
        async move {
            let place = self.clients.place(&target).await;
            readiness::launch_settings(&place, servers).await
        }
        .boxed()
    }

    fn standing_instances(
        &self,
        target: Arc<Target>,
    ) -> BoxFuture<'_, Result<Vec<StandingInstance>, DrsError>> {
        async move {
            let place = self.clients.place(&target).await;
            instances::standing(&place).await
        }
        .boxed()
    }
}
