//! AWS Elastic Disaster Recovery, as the driver needs it.
//!
//! Calls that change something end in *accepted*, *refused*, *deferred* (DRS
//! surely did nothing, and may later) or *unknown*. Reads end in an answer or
//! in an error that changes no execution: the driver tries them again.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    num::NonZeroU32,
    sync::Arc,
};

use futures::{
    FutureExt as _,
    future::{BoxFuture, ready},
};
use tidegate_core::{
    InstanceId, JobId, SnapshotId, SourceServerId, Span, Timestamp,
    engine::{JobReport, LaunchAnswer, Looked},
    plan::Target,
};

use super::warrant::Warrant;

/// DRS in every account and Region.
pub trait Drs: Send + Sync + 'static {
    /// Calls StartRecovery once, without retries: it has no client token.
    /// Deferred if the order's warrant does not hold any more right before the
    /// call is sent.
    fn start_recovery(&self, order: LaunchOrder) -> BoxFuture<'_, LaunchAnswer>;

    /// Calls TerminateRecoveryInstances, without retries; again only for what is
    /// left after a call that was refused as a whole. The warrant is asked before
    /// each call.
    fn terminate(&self, order: TerminateOrder) -> BoxFuture<'_, LaunchAnswer>;

    /// Looks whether DRS accepted an order whose answer is unknown, in the
    /// ways that the order names. Nothing found is an answer only if every one
    /// of them could be gone.
    fn look(&self, order: LookOrder) -> BoxFuture<'_, Result<Looked, DrsError>>;

    /// Observes jobs, all of one target, in as few calls as possible. A job
    /// that DRS does not know any more is missing from the answer.
    fn observe(
        &self,
        target: Arc<Target>,
        jobs: Vec<JobQuery>,
    ) -> BoxFuture<'_, Result<Observation, DrsError>>;

    /// Judges a job that DRS does not know any more, by what DRS says of its
    /// servers and their instances. The report has ended where every server
    /// could be judged, or the order wants an end.
    fn judge_forgotten(&self, order: ForgottenOrder) -> BoxFuture<'_, Result<JobReport, DrsError>>;

    /// Source servers by id, or all that carry every given tag.
    fn source_servers(
        &self,
        target: Arc<Target>,
        query: ServerQuery,
    ) -> BoxFuture<'_, Result<Vec<SourceServer>, DrsError>>;

    /// Recovery instances of these source servers.
    fn recovery_instances(
        &self,
        target: Arc<Target>,
        servers: Vec<SourceServerId>,
    ) -> BoxFuture<'_, Result<Vec<RecoveryInstance>, DrsError>>;

    /// When the newest recovery snapshot of each of these source servers was
    /// taken. A server without one is missing from the answer.
    fn newest_snapshots(
        &self,
        target: Arc<Target>,
        servers: Vec<SourceServerId>,
    ) -> BoxFuture<'_, Result<Vec<(SourceServerId, Timestamp)>, DrsError>>;

    /// Quotas that the account has in the target's Region, as far as AWS says
    /// them. Where nobody can be asked, none is said.
    fn quotas(&self, _target: Arc<Target>) -> BoxFuture<'_, Result<GrantedQuotas, DrsError>> {
        ready(Ok(GrantedQuotas::default())).boxed()
    }

    /// Jobs of anybody, begun since then, that have not ended.
    fn live_jobs(
        &self,
        _target: Arc<Target>,
        _since: Timestamp,
    ) -> BoxFuture<'_, Result<Vec<LiveJob>, DrsError>> {
        ready(Ok(Vec::new())).boxed()
    }

    /// As whom AWS knows whoever calls in the target, and AWS's time. `None`
    /// where there is no AWS to ask.
    fn introduction(&self, _target: Arc<Target>) -> BoxFuture<'_, Option<Introduction>> {
        ready(None).boxed()
    }

    /// What of all that launches need is not permitted to the caller in the
    /// target; nothing is launched to find out. `None` where there is no AWS to
    /// ask.
    fn permissions(
        &self,
        _target: Arc<Target>,
        _caller: Caller,
    ) -> BoxFuture<'_, Result<Option<Permissions>, DrsError>> {
        ready(Ok(None)).boxed()
    }

    /// How DRS would launch these source servers; one that it has no settings
    /// for is missing from the answer.
    fn launch_settings(
        &self,
        _target: Arc<Target>,
        _servers: Vec<SourceServerId>,
    ) -> BoxFuture<'_, Result<Vec<LaunchSettings>, DrsError>> {
        ready(Ok(Vec::new())).boxed()
    }

    /// Every recovery instance of the account in the target's Region, whoever
    /// launched it.
    fn standing_instances(
        &self,
        _target: Arc<Target>,
    ) -> BoxFuture<'_, Result<Vec<StandingInstance>, DrsError>> {
        ready(Ok(Vec::new())).boxed()
    }
}

/// What AWS says to whoever asks who they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Introduction {
    /// Who they are.
    pub caller: Result<Caller, DrsError>,
    /// AWS's time when it answered, to the second, if it said it. An error
    /// says it as well.
    pub aws_time: Option<Timestamp>,
}

/// Whoever calls in a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Twelve digits.
    pub account: String,
    /// Of a role's session, a user or the account itself.
    pub arn: String,
}

/// What a caller is not permitted, by actions as IAM spells them, each once and
/// in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Permissions {
    /// Needed by launches.
    pub denied: Vec<String>,
    /// Launches do without.
    pub denied_optional: Vec<String>,
    /// It depends on what IAM was not told.
    pub undecided: Vec<String>,
}

/// A job that has not ended, whoever made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveJob {
    /// The job.
    pub job: JobId,
    /// Its servers.
    pub servers: Vec<SourceServerId>,
}

/// What matters of a source server's launch configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaunchSettings {
    /// The server.
    pub server: SourceServerId,
    /// Its instance is launched and left stopped.
    pub stays_stopped: bool,
}

/// Quotas of DRS that an account has in a Region; what AWS does not say is
/// missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GrantedQuotas {
    /// Jobs at a time.
    pub jobs: Option<NonZeroU32>,
    /// Servers in all jobs at a time.
    pub servers: Option<NonZeroU32>,
    /// Servers in one job.
    pub servers_per_job: Option<NonZeroU32>,
}

/// A call of StartRecovery.
#[derive(Clone, Debug)]
pub struct LaunchOrder {
    /// Value of the tag by which the job is found again.
    pub key: String,
    /// Where.
    pub target: Arc<Target>,
    /// Servers, each with its snapshot or `None` for the latest.
    pub servers: Vec<(SourceServerId, Option<SnapshotId>)>,
    /// Always sent explicitly.
    pub is_drill: bool,
    /// Whether it may be sent.
    pub warrant: Warrant,
}

/// A call of TerminateRecoveryInstances.
#[derive(Clone, Debug)]
pub struct TerminateOrder {
    /// Value of the tag by which the job is found again. The API takes no
    /// tags for a termination, so the job is tagged after it was accepted.
    pub key: String,
    /// Where.
    pub target: Arc<Target>,
    /// Servers and their instances.
    pub instances: Vec<(SourceServerId, InstanceId)>,
    /// Whether it may be sent.
    pub warrant: Warrant,
}

/// What is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookOrder {
    /// Value of the tag.
    pub key: String,
    /// Where.
    pub target: Arc<Target>,
    /// The servers that were asked for.
    pub servers: Vec<SourceServerId>,
    /// When the intent was recorded; jobs before it are not ours.
    pub since: Timestamp,
    /// What was asked for.
    pub kind: OrderKind,
    /// The ways to go. A termination has no last launch, and no tag before
    /// its answer came: it is always looked for by jobs as well.
    pub by: BTreeSet<LookBy>,
    /// Jobs that are known to come from other orders.
    pub not: BTreeSet<JobId>,
}

/// A trace by which an accepted order is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LookBy {
    /// A job carries the order's key as a tag, which proves it.
    Tag,
    /// A server names the job as its last launch.
    LastLaunch,
    /// A job since the intent has exactly the same servers.
    Jobs,
}

impl LookBy {
    /// Every way.
    pub const ALL: [Self; 3] = [Self::Tag, Self::LastLaunch, Self::Jobs];
}

/// A job that is observed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobQuery {
    /// The job.
    pub job: JobId,
    /// What it was asked for.
    pub kind: OrderKind,
    /// How closely to look.
    pub depth: Depth,
}

/// How closely a job is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// Its status. Its log is read only if the status shows news.
    Status,
    /// Its log as well, which alone tells the phases of its servers.
    Log,
}

/// What was observed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observation {
    /// Jobs that DRS knows.
    pub reports: Vec<JobReport>,
    /// What could not be read this time. The reports are true without it, and
    /// settle nothing that it might have told.
    pub missed: Option<DrsError>,
}

/// A job that DRS does not know any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForgottenOrder {
    /// The job.
    pub job: JobId,
    /// Where it was.
    pub target: Arc<Target>,
    /// What it was asked for.
    pub kind: OrderKind,
    /// Its servers, in a termination each with its instance.
    pub servers: Vec<(SourceServerId, Option<InstanceId>)>,
    /// Whether it has been waited for long enough: then the report has ended,
    /// and a server that DRS still says is under way stays as it was.
    pub is_last: bool,
}

/// What an order asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OrderKind {
    /// StartRecovery with `isDrill`.
    Drill,
    /// StartRecovery without it.
    Recovery,
    /// TerminateRecoveryInstances.
    Terminate,
}

/// Which source servers are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerQuery {
    /// By id.
    Ids(Vec<SourceServerId>),
    /// All that carry every one of these.
    Tags(BTreeMap<String, String>),
}

/// A source server as DRS describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceServer {
    /// Its id.
    pub id: SourceServerId,
    /// Host name, or empty.
    pub hostname: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// Replication state as DRS spells it, for example `CONTINUOUS`.
    pub replication_state: String,
    /// Replication lag, if DRS says it.
    pub lag: Option<Span>,
    /// Where it is replicated, if that is not here.
    pub staging: Option<Staging>,
    /// The newest job that launched it and when that was called for, if DRS
    /// says both.
    pub last_launch: Option<(JobId, Timestamp)>,
}

/// The source server of another account that a server is an extension of: what
/// is launched here comes from snapshots there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Staging {
    /// The other account, if DRS says it.
    pub account: Option<String>,
    /// Why DRS does not reach the server there.
    pub problem: Option<String>,
}

/// A recovery instance as DRS describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecoveryInstance {
    /// The EC2 instance.
    pub instance: InstanceId,
    /// The source server that it was launched for.
    pub server: SourceServerId,
    /// Whether it was launched by a drill.
    pub is_drill: bool,
    /// The job that launched it, if DRS says it.
    pub job: Option<JobId>,
    /// When the snapshot was taken that it was launched from, if DRS says it.
    pub snapshot_time: Option<Timestamp>,
    /// Its addresses, those of the primary interface first.
    pub addresses: Vec<IpAddr>,
}

/// A recovery instance that is there, and what DRS still knows of its launch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandingInstance {
    /// The instance.
    pub instance: RecoveryInstance,
    /// When its job was made.
    pub launched_at: Option<Timestamp>,
    /// Value of the tag of its job, if that has one: see [`LaunchOrder::key`].
    /// Anybody may have tagged it, so it proves nothing.
    pub launch_key: Option<String>,
}

/// Why a read has no answer. No execution changes because of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DrsError {
    /// Slower, please.
    #[error("DRS throttles {operation} in {target}")]
    Throttled {
        /// The operation.
        operation: &'static str,
        /// Account and Region.
        target: String,
        /// Not before this has passed, if DRS said so.
        after: Option<Span>,
    },
    /// No permission or no credentials.
    #[error("{operation} in {target} is not permitted: {message}")]
    Denied {
        /// The operation.
        operation: &'static str,
        /// Account and Region.
        target: String,
        /// What AWS said.
        message: String,
    },
    /// DRS understood, and will never answer this.
    #[error("{operation} in {target} was refused: {message}")]
    Refused {
        /// The operation.
        operation: &'static str,
        /// Account and Region.
        target: String,
        /// What AWS said.
        message: String,
    },
    /// Unreachable, timed out or broken.
    #[error("{operation} in {target} failed: {message}")]
    Failed {
        /// The operation.
        operation: &'static str,
        /// Account and Region.
        target: String,
        /// What went wrong.
        message: String,
    },
}
