//! What AWS is asked about a plan. All of it is asked at the same time: a plan
//! has few groups per account, and the adapter bounds its own calls. A place
//! that does not answer is given up alone, and in time for the others' answers.

use std::{sync::Arc, time::Duration};

use futures::{
    FutureExt as _,
    future::{Either, OptionFuture, join, join_all, join3, select},
};
use tidegate_core::{
    SourceServerId, Span, Timestamp,
    plan::{Group, Plan, Selection, Target},
};

use crate::ports::{
    clock::Clock,
    drs::{
        Drs, DrsError, GrantedQuotas, Introduction, LaunchSettings, LiveJob, Permissions,
        RecoveryInstance, ServerQuery, SourceServer,
    },
};

/// How long one question may take. Two are asked in turn, and whoever asked
/// waits for half a minute.
const PATIENCE: Duration = Duration::from_secs(12);

/// Jobs so old have ended, whatever DRS says of them.
const JOBS_LAST: Span = Span::from_secs(2 * 86_400);

/// Servers of a group about which DRS is asked one by one: it answers some
/// calls for a single server only, and throttles an account's calls together.
pub(super) const ASKED_SINGLY: usize = 200;

/// What DRS says of one group of a wave.
pub(super) struct GroupAnswer<'a> {
    pub(super) wave: &'a str,
    pub(super) group: &'a Group,
    pub(super) servers: Result<Vec<SourceServer>, DrsError>,
    /// Absent if the servers are not known.
    pub(super) detail: Option<Detail>,
}

/// What DRS says of a group's servers beyond their description.
pub(super) struct Detail {
    pub(super) instances: Result<Vec<RecoveryInstance>, DrsError>,
    /// Of the first [`ASKED_SINGLY`] servers.
    pub(super) snapshots: Result<Vec<(SourceServerId, Timestamp)>, DrsError>,
    /// Of the first [`ASKED_SINGLY`] servers.
    pub(super) launch: Result<Vec<LaunchSettings>, DrsError>,
}

/// What DRS says of an account and Region.
pub(super) struct PlaceAnswer<'a> {
    pub(super) target: &'a Target,
    pub(super) jobs: Result<Vec<LiveJob>, DrsError>,
    pub(super) quotas: Result<GrantedQuotas, DrsError>,
    /// Who calls there; `None` where there is no AWS to ask.
    pub(super) introduction: Option<Introduction>,
    /// The gateway's time when that was answered.
    pub(super) at: Timestamp,
    /// Absent if it is not known who calls, or there is no AWS to ask.
    pub(super) permissions: Option<Result<Permissions, DrsError>>,
}

/// Whom to ask, and by which clock.
#[derive(Clone, Copy)]
pub(super) struct Asking<'a> {
    pub(super) drs: &'a dyn Drs,
    pub(super) clock: &'a Arc<dyn Clock>,
}

impl Asking<'_> {
    /// An answer that came in time.
    async fn answer<T>(
        self,
        target: &Target,
        operation: &'static str,
        question: impl Future<Output = Result<T, DrsError>> + Send,
    ) -> Result<T, DrsError> {
        let late = self.clock.sleep(PATIENCE);
        match select(std::pin::pin!(question), late).await {
            Either::Left((answer, _)) => answer,
            Either::Right(_) => Err(DrsError::Failed {
                operation,
                target: format!("{}/{}", target.account, target.region),
                message: format!("there is no answer after {} s", PATIENCE.as_secs()),
            }),
        }
    }
}

/// Asks about every group of every wave.
pub(super) async fn groups<'a>(asking: Asking<'_>, plan: &'a Plan) -> Vec<GroupAnswer<'a>> {
    let groups = plan.waves().iter().flat_map(|wave| {
        let name = wave.name.as_str();
        wave.groups.iter().map(move |group| (name, group))
    });
    // Boxed: one of these is large, and a plan has many.
    let questions = groups.map(|(wave, group)| ask_group(asking, wave, group).boxed());
    join_all(questions).await
}

async fn ask_group<'a>(asking: Asking<'_>, wave: &'a str, group: &'a Group) -> GroupAnswer<'a> {
    let query = match &group.selection {
        Selection::Servers(servers) => {
            ServerQuery::Ids(servers.iter().map(|server| server.id.clone()).collect())
        }
        Selection::Tags { tags, .. } => ServerQuery::Tags(tags.clone()),
    };
    let target = &group.target;
    let servers = asking.drs.source_servers(target.clone().into(), query);
    let servers = asking
        .answer(target, "DescribeSourceServers", servers)
        .await;
    let known = servers.as_ref().ok().filter(|servers| !servers.is_empty());
    let detail = known.map(|servers| ask_detail(asking, target, servers));
    GroupAnswer {
        wave,
        group,
        detail: OptionFuture::from(detail).await,
        servers,
    }
}

async fn ask_detail(asking: Asking<'_>, target: &Target, servers: &[SourceServer]) -> Detail {
    let drs = asking.drs;
    let ids: Vec<SourceServerId> = servers.iter().map(|server| server.id.clone()).collect();
    let singly: Vec<SourceServerId> = ids.iter().take(ASKED_SINGLY).cloned().collect();
    let instances = drs.recovery_instances(target.clone().into(), ids);
    let instances = asking.answer(target, "DescribeRecoveryInstances", instances);
    let snapshots = drs.newest_snapshots(target.clone().into(), singly.clone());
    let snapshots = asking.answer(target, "DescribeRecoverySnapshots", snapshots);
    let launch = drs.launch_settings(target.clone().into(), singly);
    let launch = asking.answer(target, "GetLaunchConfiguration", launch);
    let (instances, snapshots, launch) = join3(instances, snapshots, launch).await;
    Detail {
        instances,
        snapshots,
        launch,
    }
}

/// Asks about every account and Region of the plan.
pub(super) async fn places<'a>(asking: Asking<'_>, plan: &'a Plan) -> Vec<PlaceAnswer<'a>> {
    let mut targets: Vec<&Target> = Vec::new();
    for group in plan.waves().iter().flat_map(|wave| &wave.groups) {
        if !targets.contains(&&group.target) {
            targets.push(&group.target);
        }
    }
    let questions = targets
        .into_iter()
        .map(|target| ask_place(asking, target).boxed());
    join_all(questions).await
}

async fn ask_place<'a>(asking: Asking<'_>, target: &'a Target) -> PlaceAnswer<'a> {
    let Asking { drs, clock } = asking;
    let since = clock
        .now()
        .as_millis()
        .saturating_sub(JOBS_LAST.as_millis());
    let jobs = drs.live_jobs(target.clone().into(), Timestamp::from_millis(since));
    let jobs = asking.answer(target, "DescribeJobs", jobs);
    let quotas = drs.quotas(target.clone().into());
    let quotas = asking.answer(target, "ListServiceQuotas", quotas);
    let asked = join(join(jobs, quotas), ask_caller(asking, target));
    let ((jobs, quotas), (introduction, at, permissions)) = asked.await;
    PlaceAnswer {
        target,
        jobs,
        quotas,
        introduction,
        at,
        permissions,
    }
}

/// Asks who calls, and then what they may.
async fn ask_caller(
    asking: Asking<'_>,
    target: &Target,
) -> (
    Option<Introduction>,
    Timestamp,
    Option<Result<Permissions, DrsError>>,
) {
    let introduced = asking.drs.introduction(target.clone().into()).map(Ok);
    let introduced = asking.answer(target, "GetCallerIdentity", introduced).await;
    let introduction = introduced.unwrap_or_else(|error| {
        Some(Introduction {
            caller: Err(error),
            aws_time: None,
        })
    });
    let at = asking.clock.now();
    let caller = introduction.as_ref().and_then(|it| it.caller.as_ref().ok());
    let Some(caller) = caller.filter(|caller| caller.account == target.account) else {
        return (introduction, at, None);
    };
    let permissions = asking
        .drs
        .permissions(target.clone().into(), caller.clone());
    let permissions = asking.answer(target, "SimulatePrincipalPolicy", permissions);
    let permissions = permissions.await.transpose();
    (introduction, at, permissions)
}
