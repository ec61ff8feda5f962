//! DRS as everybody else asks it, listened to: what its answers say of lag,
//! snapshots and instances is kept for whoever collects, and calls that change
//! something are made for the span of their launch. Nothing is asked besides.

use std::sync::Arc;

use futures::{FutureExt as _, future::BoxFuture};
use tidegate_core::{
    SourceServerId, Timestamp,
    engine::{JobReport, LaunchAnswer, Looked},
    plan::Target,
};

use super::{current::within, heard::Heard, ids, instruments::Instruments, measuring::place};
use crate::ports::{
    clock::Clock,
    drs::{
        Caller, Drs, DrsError, ForgottenOrder, GrantedQuotas, Introduction, JobQuery, LaunchOrder,
        LaunchSettings, LiveJob, LookOrder, Observation, Permissions, RecoveryInstance,
        ServerQuery, SourceServer, StandingInstance, TerminateOrder,
    },
};

/// Listens to another DRS.
pub(super) struct HeardDrs {
    pub(super) inner: Arc<dyn Drs>,
    pub(super) heard: Arc<Heard>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) instruments: Instruments,
}

impl Drs for HeardDrs {
    fn start_recovery(&self, order: LaunchOrder) -> BoxFuture<'_, LaunchAnswer> {
        let span = ids::launch(&order.key);
        within(span, self.inner.start_recovery(order)).boxed()
    }

    fn terminate(&self, order: TerminateOrder) -> BoxFuture<'_, LaunchAnswer> {
        let span = ids::launch(&order.key);
        within(span, self.inner.terminate(order)).boxed()
    }

    fn look(&self, order: LookOrder) -> BoxFuture<'_, Result<Looked, DrsError>> {
        let span = ids::launch(&order.key);
        let target = Arc::clone(&order.target);
        async move {
            let looked = within(span, self.inner.look(order)).await?;
            if let Looked::Found { duplicates, .. } = &looked {
                let count = duplicates.len() as u64;
                self.instruments.duplicates.add(count, &place(&target));
            }
            Ok(looked)
        }
        .boxed()
    }

    fn observe(
        &self,
        target: Arc<Target>,
        jobs: Vec<JobQuery>,
    ) -> BoxFuture<'_, Result<Observation, DrsError>> {
        self.inner.observe(target, jobs)
    }

    fn judge_forgotten(&self, order: ForgottenOrder) -> BoxFuture<'_, Result<JobReport, DrsError>> {
        self.inner.judge_forgotten(order)
    }

    fn source_servers(
        &self,
        target: Arc<Target>,
        query: ServerQuery,
    ) -> BoxFuture<'_, Result<Vec<SourceServer>, DrsError>> {
        async move {
            let asked = Arc::clone(&target);
            let servers = self.inner.source_servers(asked, query).await?;
            self.heard.servers(&target, &servers, self.clock.now());
            Ok(servers)
        }
        .boxed()
    }

    fn recovery_instances(
        &self,
        target: Arc<Target>,
        servers: Vec<SourceServerId>,
    ) -> BoxFuture<'_, Result<Vec<RecoveryInstance>, DrsError>> {
        async move {
            let asked = servers.clone();
            let there = self.inner.recovery_instances(target, asked).await?;
            self.heard.instances(&servers, &there);
            Ok(there)
        }
        .boxed()
    }

    fn newest_snapshots(
        &self,
        target: Arc<Target>,
        servers: Vec<SourceServerId>,
    ) -> BoxFuture<'_, Result<Vec<(SourceServerId, Timestamp)>, DrsError>> {
        async move {
            let asked = Arc::clone(&target);
            let newest = self.inner.newest_snapshots(asked, servers).await?;
            self.heard.snapshots(&target, &newest, self.clock.now());
            Ok(newest)
        }
        .boxed()
    }

    fn quotas(&self, target: Arc<Target>) -> BoxFuture<'_, Result<GrantedQuotas, DrsError>> {
        self.inner.quotas(target)
    }

    fn live_jobs(
        &self,
        target: Arc<Target>,
        since: Timestamp,
    ) -> BoxFuture<'_, Result<Vec<LiveJob>, DrsError>> {
        self.inner.live_jobs(target, since)
    }

    fn introduction(&self, target: Arc<Target>) -> BoxFuture<'_, Option<Introduction>> {
        self.inner.introduction(target)
    }

    fn permissions(
        &self,
        target: Arc<Target>,
        caller: Caller,
    ) -> BoxFuture<'_, Result<Option<Permissions>, DrsError>> {
        self.inner.permissions(target, caller)
    }

    fn launch_settings(
        &self,
        target: Arc<Target>,
        servers: Vec<SourceServerId>,
    ) -> BoxFuture<'_, Result<Vec<LaunchSettings>, DrsError>> {
        self.inner.launch_settings(target, servers)
    }

    fn standing_instances(
        &self,
        target: Arc<Target>,
    ) -> BoxFuture<'_, Result<Vec<StandingInstance>, DrsError>> {
        self.inner.standing_instances(target)
    }
}
