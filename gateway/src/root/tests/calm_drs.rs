//! A DRS in which every launch succeeds at once.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use futures::future::{BoxFuture, FutureExt, ready};
use tidegate_core::{
    InstanceId, JobId, SourceServerId, Span, Timestamp,
    engine::{JobReport, LaunchAnswer, Looked, ServerReport, ServerState},
    plan::Target,
};

use crate::ports::drs::{
    Drs, DrsError, ForgottenOrder, JobQuery, LaunchOrder, LookOrder, Observation, RecoveryInstance,
    ServerQuery, SourceServer, TerminateOrder,
};

/// Remembers its jobs; any selection by tags finds one server.
#[derive(Default)]
pub(super) struct CalmDrs {
    jobs: Mutex<BTreeMap<JobId, Vec<(SourceServerId, ServerState)>>>,
}

impl CalmDrs {
    fn accept(&self, servers: Vec<SourceServerId>, becomes: ServerState) -> LaunchAnswer {
        let mut jobs = self.jobs.lock().unwrap();
        let job = JobId::new(format!("drsjob-{}", jobs.len() + 1));
        let servers: Vec<_> = servers.into_iter().map(|id| (id, becomes)).collect();
        jobs.insert(job.clone(), servers);
        LaunchAnswer::Accepted(JobReport {
            job,
            ended: false,
            servers: Vec::new(),
        })
    }

    fn report(&self, job: &JobId) -> Option<JobReport> {
        let jobs = self.jobs.lock().unwrap();
        let servers = jobs.get(job)?.iter().map(|(server, state)| ServerReport {
            server: server.clone(),
            state: *state,
            instance: Some(InstanceId::new(format!("i-{server}"))),
            detail: Arc::from(""),
            warnings: Vec::new(),
        });
        Some(JobReport {
            job: job.clone(),
            ended: true,
            servers: servers.collect(),
        })
    }
}

impl Drs for CalmDrs {
    fn start_recovery(&self, order: LaunchOrder) -> BoxFuture<'_, LaunchAnswer> {
        let servers = order.servers.into_iter().map(|(id, _)| id).collect();
        ready(self.accept(servers, ServerState::Launched)).boxed()
    }

    fn terminate(&self, order: TerminateOrder) -> BoxFuture<'_, LaunchAnswer> {
        let servers = order.instances.into_iter().map(|(id, _)| id).collect();
        ready(self.accept(servers, ServerState::Terminated)).boxed()
    }

    fn look(&self, _: LookOrder) -> BoxFuture<'_, Result<Looked, DrsError>> {
        ready(Ok(Looked::Nothing)).boxed()
    }

    fn observe(
        &self,
        _: Arc<Target>,
        jobs: Vec<JobQuery>,
    ) -> BoxFuture<'_, Result<Observation, DrsError>> {
        let known = jobs.iter().filter_map(|query| self.report(&query.job));
        let observation = Observation {
            reports: known.collect(),
            missed: None,
        };
        ready(Ok(observation)).boxed()
    }

    fn judge_forgotten(&self, order: ForgottenOrder) -> BoxFuture<'_, Result<JobReport, DrsError>> {
        panic!("{} is forgotten by a DRS that forgets nothing", order.job)
    }

    fn source_servers(
        &self,
        _: Arc<Target>,
        query: ServerQuery,
    ) -> BoxFuture<'_, Result<Vec<SourceServer>, DrsError>> {
        let ids = match query {
            ServerQuery::Ids(ids) => ids,
            ServerQuery::Tags(_) => vec![SourceServerId::from("s-000000000000000db")],
        };
        let server = |id| SourceServer {
            id,
            hostname: "host.internal".to_owned(),
            tags: BTreeMap::new(),
            replication_state: "CONTINUOUS".to_owned(),
            lag: Some(Span::ZERO),
            staging: None,
            last_launch: None,
        };
        ready(Ok(ids.into_iter().map(server).collect())).boxed()
    }

    fn recovery_instances(
        &self,
        _: Arc<Target>,
        servers: Vec<SourceServerId>,
    ) -> BoxFuture<'_, Result<Vec<RecoveryInstance>, DrsError>> {
        let instance = |server: SourceServerId| RecoveryInstance {
            instance: InstanceId::new(format!("i-{server}")),
            server,
            is_drill: true,
            job: None,
            snapshot_time: None,
            addresses: Vec::new(),
        };
        ready(Ok(servers.into_iter().map(instance).collect())).boxed()
    }

    fn newest_snapshots(
        &self,
        _: Arc<Target>,
        _: Vec<SourceServerId>,
    ) -> BoxFuture<'_, Result<Vec<(SourceServerId, Timestamp)>, DrsError>> {
        ready(Ok(Vec::new())).boxed()
    }
}
