//! What DRS is asked about a plan. All of it is asked at the same time: a plan
//! has few groups per account, and the adapter bounds its own calls.

use futures::{
    FutureExt as _,
    future::{OptionFuture, join, join_all, join3},
};
use tidegate_core::{
    SourceServerId, Timestamp,
    plan::{Group, Plan, Selection, Target},
};

use crate::ports::drs::{
    Drs, DrsError, GrantedQuotas, LaunchSettings, LiveJob, RecoveryInstance, ServerQuery,
    SourceServer,
};

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
}

/// Asks about every group of every wave.
pub(super) async fn groups<'a>(drs: &dyn Drs, plan: &'a Plan) -> Vec<GroupAnswer<'a>> {
    let groups = plan.waves().iter().flat_map(|wave| {
        let name = wave.name.as_str();
        wave.groups.iter().map(move |group| (name, group))
    });
    // Boxed: one of these is large, and a plan has many.
    let questions = groups.map(|(wave, group)| ask_group(drs, wave, group).boxed());
    join_all(questions).await
}

async fn ask_group<'a>(drs: &dyn Drs, wave: &'a str, group: &'a Group) -> GroupAnswer<'a> {
    let query = match &group.selection {
        Selection::Servers(servers) => {
            ServerQuery::Ids(servers.iter().map(|server| server.id.clone()).collect())
        }
        Selection::Tags { tags, .. } => ServerQuery::Tags(tags.clone()),
    };
    let servers = drs.source_servers(group.target.clone().into(), query).await;
    let known = servers.as_ref().ok().filter(|servers| !servers.is_empty());
    let detail = known.map(|servers| ask_detail(drs, &group.target, servers));
    GroupAnswer {
        wave,
        group,
        detail: OptionFuture::from(detail).await,
        servers,
    }
}

async fn ask_detail(drs: &dyn Drs, target: &Target, servers: &[SourceServer]) -> Detail {
    let ids: Vec<SourceServerId> = servers.iter().map(|server| server.id.clone()).collect();
    let singly: Vec<SourceServerId> = ids.iter().take(ASKED_SINGLY).cloned().collect();
    let instances = drs.recovery_instances(target.clone().into(), ids);
    let snapshots = drs.newest_snapshots(target.clone().into(), singly.clone());
    let launch = drs.launch_settings(target.clone().into(), singly);
    let (instances, snapshots, launch) = join3(instances, snapshots, launch).await;
    Detail {
        instances,
        snapshots,
        launch,
    }
}

/// Asks about every account and Region of the plan.
pub(super) async fn places<'a>(drs: &dyn Drs, plan: &'a Plan) -> Vec<PlaceAnswer<'a>> {
    let mut targets: Vec<&Target> = Vec::new();
    for group in plan.waves().iter().flat_map(|wave| &wave.groups) {
        if !targets.contains(&&group.target) {
            targets.push(&group.target);
        }
    }
    let questions = targets.into_iter().map(|target| async move {
        let jobs = drs.live_jobs(target.clone().into());
        let quotas = drs.quotas(target.clone().into());
        let (jobs, quotas) = join(jobs, quotas).await;
        PlaceAnswer {
            target,
            jobs,
            quotas,
        }
    });
    join_all(questions).await
}
