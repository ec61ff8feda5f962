//! The driver's ports into the simulated world. None of them answers by
//! itself: a call waits until the scheduler picks its fate.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use futures::future::{BoxFuture, FutureExt as _, pending, ready};
use tidegate_core::{
    ExecutionId, OwnerId, SourceServerId, Span, Timestamp,
    engine::{HookAnswer, JobReport, LaunchAnswer, Looked},
    plan::{Plan, Target},
};
use tidegate_gateway::ports::{
    clock::Clock,
    cluster::{Cluster, ClusterError, Lease, Roster},
    drs::{
        Drs, DrsError, ForgottenOrder, JobQuery, LaunchOrder, LookOrder, Observation,
        RecoveryInstance, ServerQuery, SourceServer, TerminateOrder,
    },
    hook_store::HookStoreError,
    hooks::{
        HookCall, HookInfo, Hooks, RegisterError, Rehearsal, RehearsalError, Rehearsed, Unarmed,
    },
    journal::{Append, AppendError, Head, HoldsSince, Journal, ReadError, StoredRecord},
};
use tokio::sync::oneshot::{self, Sender};

use crate::{
    calls::What,
    truth::Order,
    world::{BEGINNING, PARTITIONS, SharedWorld, lock},
};

/// The world, as one process reaches it.
#[derive(Clone)]
pub(crate) struct Port {
    pub(crate) world: SharedWorld,
    pub(crate) process: u32,
    /// How far its clock is ahead of the world's.
    pub(crate) ahead: Span,
    /// Milliseconds that its clock counts in one second.
    pub(crate) pace: u64,
}

impl Port {
    fn ask<T: Send + 'static>(
        &self,
        what: impl FnOnce(Sender<T>) -> What,
    ) -> BoxFuture<'static, T> {
        let (reply, answer) = oneshot::channel();
        lock(&self.world).issue(self.process, what(reply));
        answered(answer).boxed()
    }
}

/// What the world lost for good is never answered.
async fn answered<T>(answer: oneshot::Receiver<T>) -> T {
    match answer.await {
        Ok(answer) => answer,
        Err(_) => pending().await,
    }
}

impl Clock for Port {
    fn now(&self) -> Timestamp {
        lock(&self.world).now + self.ahead
    }

    fn elapsed(&self) -> Duration {
        let since = lock(&self.world).now.since(BEGINNING);
        Duration::from_millis(since.as_millis() * self.pace / 1_000)
    }

    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'static, ()> {
        let (reply, due) = oneshot::channel();
        let at = at.as_millis().saturating_sub(self.ahead.as_millis());
        lock(&self.world).set_timer(self.process, Timestamp::from_millis(at), reply);
        answered(due).boxed()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        self.sleep_until(self.now() + Span::from_millis(millis))
    }
}

impl Drs for Port {
    fn start_recovery(&self, order: LaunchOrder) -> BoxFuture<'_, LaunchAnswer> {
        self.ask(|reply| What::Change(Order::Launch(order), reply))
    }

    fn terminate(&self, order: TerminateOrder) -> BoxFuture<'_, LaunchAnswer> {
        self.ask(|reply| What::Change(Order::Terminate(order), reply))
    }

    fn look(&self, order: LookOrder) -> BoxFuture<'_, Result<Looked, DrsError>> {
        self.ask(|reply| What::Look(order, reply))
    }

    fn observe(
        &self,
        target: Arc<Target>,
        jobs: Vec<JobQuery>,
    ) -> BoxFuture<'_, Result<Observation, DrsError>> {
        let jobs = jobs.into_iter().map(|query| query.job).collect();
        let reports = self.ask(|reply| What::Observe((*target).clone(), jobs, reply));
        let all = |reports| Observation {
            reports,
            missed: None,
        };
        reports.map(move |answer| answer.map(all)).boxed()
    }

    fn judge_forgotten(&self, order: ForgottenOrder) -> BoxFuture<'_, Result<JobReport, DrsError>> {
        panic!("{} was forgotten, and this DRS forgets no job", order.job)
    }

    fn source_servers(
        &self,
        target: Arc<Target>,
        query: ServerQuery,
    ) -> BoxFuture<'_, Result<Vec<SourceServer>, DrsError>> {
        self.ask(|reply| What::Sources((*target).clone(), query, reply))
    }

    fn recovery_instances(
        &self,
        target: Arc<Target>,
        servers: Vec<SourceServerId>,
    ) -> BoxFuture<'_, Result<Vec<RecoveryInstance>, DrsError>> {
        self.ask(|reply| What::Instances((*target).clone(), servers, reply))
    }

    fn newest_snapshots(
        &self,
        _target: Arc<Target>,
        _servers: Vec<SourceServerId>,
    ) -> BoxFuture<'_, Result<Vec<(SourceServerId, Timestamp)>, DrsError>> {
        self.ask(What::Snapshots)
    }
}

impl Journal for Port {
    fn append(&self, append: Append) -> BoxFuture<'_, Result<(), AppendError>> {
        self.ask(|reply| What::Append(Box::new(append), reply))
    }

    fn read(
        &self,
        execution: &ExecutionId,
        after: u64,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<StoredRecord>, ReadError>> {
        let execution = execution.clone();
        self.ask(|reply| What::Read(execution, after, limit, reply))
    }

    fn head(&self, execution: &ExecutionId) -> BoxFuture<'_, Result<Option<Head>, ReadError>> {
        let execution = execution.clone();
        self.ask(|reply| What::Head(execution, reply))
    }

    fn heads(
        &self,
        before: Option<&ExecutionId>,
        live_only: bool,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Head>, ReadError>> {
        let before = before.cloned();
        self.ask(|reply| What::Heads(before, live_only, limit, reply))
    }

    fn claim(&self, key: &str) -> BoxFuture<'_, Result<Option<Bytes>, ReadError>> {
        let key = key.to_owned();
        self.ask(|reply| What::Claim(key, reply))
    }

    fn holds(&self, after: u64) -> BoxFuture<'_, Result<HoldsSince, ReadError>> {
        self.ask(|reply| What::Holds(after, reply))
    }
}

impl Cluster for Port {
    fn partitions(&self) -> u16 {
        PARTITIONS
    }

    fn beat(
        &self,
        member: &OwnerId,
        beat: u64,
        lease: Duration,
    ) -> BoxFuture<'_, Result<Roster, ClusterError>> {
        let member = member.clone();
        self.ask(|reply| What::Beat(member, beat, lease, reply))
    }

    fn change(
        &self,
        was: Lease,
        owner: Option<OwnerId>,
    ) -> BoxFuture<'_, Result<bool, ClusterError>> {
        self.ask(|reply| What::Lease(was, owner, reply))
    }

    fn leave(&self, member: &OwnerId) -> BoxFuture<'_, Result<(), ClusterError>> {
        let member = member.clone();
        self.ask(|reply| What::Leave(member, reply))
    }

    fn nudge(
        &self,
        partition: u16,
        execution: &ExecutionId,
    ) -> BoxFuture<'_, Result<(), ClusterError>> {
        let execution = execution.clone();
        self.ask(|reply| What::Nudge(partition, execution, reply))
    }

    fn nudges(&self, member: &OwnerId) -> BoxFuture<'_, Result<Vec<ExecutionId>, ClusterError>> {
        let member = member.clone();
        self.ask(|reply| What::Nudges(member, reply))
    }
}

/// Only what a driver asks for; the rest belongs to the API.
impl Hooks for Port {
    fn newest(&self, _name: &str) -> Option<String> {
        None
    }

    fn arm<'a>(&'a self, _plan: &'a Plan) -> BoxFuture<'a, Result<(), Vec<Unarmed>>> {
        ready(Ok(())).boxed()
    }

    fn run(&self, call: HookCall) -> BoxFuture<'_, HookAnswer> {
        self.ask(|reply| What::Hook(Box::new(call), reply))
    }

    fn register(
        &self,
        _digest: String,
        _component: Bytes,
    ) -> BoxFuture<'_, Result<(HookInfo, bool), RegisterError>> {
        let why = "a simulated world registers no hooks".to_owned();
        ready(Err(RegisterError::Unavailable(why))).boxed()
    }

    fn list(&self) -> Vec<HookInfo> {
        Vec::new()
    }

    fn component<'a>(
        &'a self,
        _digest: &'a str,
    ) -> BoxFuture<'a, Result<Option<Bytes>, ReadError>> {
        ready(Ok(None)).boxed()
    }

    fn delete<'a>(
        &'a self,
        _digest: &'a str,
        _shelf: u64,
    ) -> BoxFuture<'a, Result<bool, HookStoreError>> {
        ready(Ok(false)).boxed()
    }

    fn rehearse(&self, rehearsal: Rehearsal) -> BoxFuture<'_, Result<Rehearsed, RehearsalError>> {
        ready(Err(RehearsalError::NoHook(rehearsal.digest))).boxed()
    }
}
