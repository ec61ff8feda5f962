//! Whether DRS accepted an order whose answer is unknown.
//!
//! Three traces, each of which can be switched off: the tag, which proves it;
//! each server's last launch; and a job since the intent with exactly the same
//! servers, started the same way. A job that carries another launch's tag is
//! that launch's. A trace that cannot be read does not hide what another one
//! shows, but then nothing found is no answer.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use aws_sdk_drs::types::{DescribeJobsRequestFilters, InitiatedBy, Job, SourceServer};
use tidegate_core::{
    JobId, SourceServerId, Span, Timestamp,
    engine::{JobReport, Looked, ServerReport, ServerState},
};

use super::{
    LAUNCH_TAG,
    clients::Place,
    job_log::JobLogs,
    observe::{describe, list, reports},
    servers,
};
use crate::ports::drs::{Depth, DrsError, LookBy, LookOrder, OrderKind};

/// Jobs are listed from so long before the intent at least: what carries the
/// tag is found whatever the clocks say. AWS accepts no call from a machine
/// whose clock is wrong by more than minutes.
const TAGGED: Span = Span::from_secs(3_600);

/// Looks for an order.
pub(super) async fn look(
    place: &Place,
    logs: &JobLogs,
    skew: Span,
    order: &LookOrder,
) -> Result<Looked, DrsError> {
    let since = before(order.since, skew);
    let mut traces = Traces::default();
    let listed = list_jobs(place, order, skew).await;
    for job in traces.take(listed) {
        traces.jobs.insert(job.job_id().to_owned(), job);
    }
    let named = named_jobs(place, order, since, &traces.jobs).await;
    for (id, job) in traces.take(named) {
        traces.named.insert(id);
        traces
            .jobs
            .extend(job.map(|job| (job.job_id().to_owned(), job)));
    }
    let Traces {
        jobs,
        named,
        unread,
    } = traces;
    let mut found: Vec<Job> = jobs
        .into_values()
        .filter(|job| is_of(order, job, named.contains(job.job_id()), since))
        .collect();
    if found.is_empty() {
        return unread.map_or(Ok(Looked::Nothing), Err);
    }
    found.sort_by_key(|job| (created(job), job.job_id().to_owned()));
    let found = found.into_iter().map(|job| (job, order.kind, Depth::Log));
    let observation = reports(place, logs, found.collect()).await;
    adopted(place, order, observation.reports).await
}

/// What the ways that could be gone show.
#[derive(Default)]
struct Traces {
    jobs: BTreeMap<String, Job>,
    /// Jobs that a server names as its last launch.
    named: BTreeSet<String>,
    /// Why a way could not be gone.
    unread: Option<DrsError>,
}

impl Traces {
    fn take<T: Default>(&mut self, read: Result<T, DrsError>) -> T {
        read.unwrap_or_else(|error| {
            self.unread.get_or_insert(error);
            T::default()
        })
    }
}

/// The earliest, and the others as duplicates.
async fn adopted(
    place: &Place,
    order: &LookOrder,
    reports: Vec<JobReport>,
) -> Result<Looked, DrsError> {
    let mut reports = reports.into_iter();
    let Some(mut report) = reports.next() else {
        return Ok(Looked::Nothing);
    };
    if order.kind == OrderKind::Terminate {
        report.servers.extend(gone(place, order, &report).await?);
    }
    Ok(Looked::Found {
        report,
        duplicates: reports.map(|report| report.job).collect(),
    })
}

/// Servers of a termination that its job leaves out because their instances
/// were gone when DRS was asked.
async fn gone(
    place: &Place,
    order: &LookOrder,
    report: &JobReport,
) -> Result<Vec<ServerReport>, DrsError> {
    let named: BTreeSet<&SourceServerId> = report.servers.iter().map(|it| &it.server).collect();
    let left_out = order.servers.iter().filter(|id| !named.contains(id));
    let left_out: Vec<SourceServerId> = left_out.cloned().collect();
    let there = servers::recovery_instances(place, &left_out).await?;
    let is_there = |id: &SourceServerId| there.iter().any(|it| it.server == *id);
    let gone = left_out.into_iter().filter(|id| !is_there(id));
    Ok(gone.map(gone_server).collect())
}

/// A server whose instance is not there any more.
pub(super) fn gone_server(server: SourceServerId) -> ServerReport {
    ServerReport {
        server,
        state: ServerState::Terminated,
        instance: None,
        detail: Arc::from(""),
        warnings: Vec::new(),
    }
}

/// Jobs since the intent, for the tag and for the servers.
async fn list_jobs(place: &Place, order: &LookOrder, skew: Span) -> Result<Vec<Job>, DrsError> {
    let by_tag = order.by.contains(&LookBy::Tag);
    if !by_tag && !by_jobs(order) {
        return Ok(Vec::new());
    }
    let margin = if by_tag { skew.max(TAGGED) } else { skew };
    let from = date(before(order.since, margin)).to_string();
    let filters = DescribeJobsRequestFilters::builder().from_date(from);
    list(place, filters.build()).await
}

/// Jobs that the servers name as their last launch since then, each with what
/// DRS says of it where the list did not.
async fn named_jobs(
    place: &Place,
    order: &LookOrder,
    since: Timestamp,
    listed: &BTreeMap<String, Job>,
) -> Result<Vec<(String, Option<Job>)>, DrsError> {
    if !order.by.contains(&LookBy::LastLaunch) || order.kind == OrderKind::Terminate {
        return Ok(Vec::new());
    }
    let described = servers::describe(place, &order.servers).await?;
    let named: BTreeSet<String> = described
        .iter()
        .filter_map(|server| last_launch(server, since))
        .collect();
    let further = named.iter().filter(|id| !listed.contains_key(*id));
    let further: Vec<JobId> = further.map(|id| JobId::from(id.as_str())).collect();
    let further = describe(place, &further).await?.into_iter();
    let mut further: BTreeMap<String, Job> =
        further.map(|job| (job.job_id().to_owned(), job)).collect();
    let named = named.into_iter();
    Ok(named.map(|id| (id.clone(), further.remove(&id))).collect())
}

fn last_launch(server: &SourceServer, since: Timestamp) -> Option<String> {
    // Present and empty on a server that was never launched.
    let initiated = server.life_cycle()?.last_launch()?.initiated()?;
    let at = initiated.api_call_date_time().and_then(instant);
    let in_time = at.is_none_or(|at| at >= date(since));
    initiated.job_id().filter(|_| in_time).map(str::to_owned)
}

/// A termination has no other trace than its job, before it is tagged.
fn by_jobs(order: &LookOrder) -> bool {
    order.by.contains(&LookBy::Jobs) || order.kind == OrderKind::Terminate
}

fn is_of(order: &LookOrder, job: &Job, is_named: bool, since: Timestamp) -> bool {
    if order.not.contains(&JobId::from(job.job_id())) {
        return false;
    }
    match job.tags().and_then(|tags| tags.get(LAUNCH_TAG)) {
        Some(key) if *key != order.key => return false,
        Some(_) if order.by.contains(&LookBy::Tag) => return true,
        Some(_) | None => {}
    }
    (is_named || by_jobs(order))
        && created(job).is_none_or(|at| at >= date(since))
        && initiated_by(order.kind, job)
        && same_servers(order, job)
}

/// A word that came to DRS after this program does not speak against it.
fn initiated_by(kind: OrderKind, job: &Job) -> bool {
    let wanted = match kind {
        OrderKind::Drill => "START_DRILL",
        OrderKind::Recovery => "START_RECOVERY",
        OrderKind::Terminate => "TERMINATE_RECOVERY_INSTANCES",
    };
    let by = job.initiated_by().map_or("", |by| by.as_str());
    if by == wanted {
        return true;
    }
    let job_type = match kind {
        OrderKind::Drill | OrderKind::Recovery => "LAUNCH",
        OrderKind::Terminate => "TERMINATE",
    };
    let is_unknown = !by.is_empty() && !InitiatedBy::values().contains(&by);
    is_unknown && job.r#type().is_some_and(|kind| kind.as_str() == job_type)
}

/// Exactly the same; a termination leaves out servers whose instances were
/// gone when DRS was asked.
fn same_servers(order: &LookOrder, job: &Job) -> bool {
    let wanted: BTreeSet<&str> = order.servers.iter().map(SourceServerId::as_str).collect();
    let servers = job.participating_servers().iter();
    let of_job: BTreeSet<&str> = servers.filter_map(|s| s.source_server_id()).collect();
    match order.kind {
        OrderKind::Drill | OrderKind::Recovery => wanted == of_job,
        OrderKind::Terminate => !of_job.is_empty() && of_job.is_subset(&wanted),
    }
}

fn created(job: &Job) -> Option<jiff::Timestamp> {
    job.creation_date_time().and_then(instant)
}

fn instant(text: &str) -> Option<jiff::Timestamp> {
    text.parse().ok()
}

fn before(at: Timestamp, margin: Span) -> Timestamp {
    Timestamp::from_millis(at.as_millis().saturating_sub(margin.as_millis()))
}

/// The latest instant that can be said, for one that cannot.
pub(super) fn date(at: Timestamp) -> jiff::Timestamp {
    i64::try_from(at.as_millis())
        .ok()
        .and_then(|millis| jiff::Timestamp::from_millisecond(millis).ok())
        .unwrap_or(jiff::Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use aws_sdk_drs::types::{JobType, ParticipatingServer};
    use tidegate_core::plan::Target;

    use super::*;

    const SINCE: &str = "2022-12-07T19:15:30Z";

    fn order(kind: OrderKind) -> LookOrder {
        let since: jiff::Timestamp = SINCE.parse().expect("a time");
        LookOrder {
            key: "e/wave/0".to_owned(),
            target: Arc::new(Target {
                account: "123456789012".to_owned(),
                region: "us-west-2".to_owned(),
                role: None,
            }),
            servers: vec!["s-1".into(), "s-2".into()],
            since: Timestamp::from_millis(since.as_millisecond().unsigned_abs()),
            kind,
            by: BTreeSet::from(LookBy::ALL),
            not: BTreeSet::new(),
        }
    }

    fn job(created: &str, by: InitiatedBy, servers: &[&str], tag: Option<&str>) -> Job {
        let servers = servers.iter().map(|server| {
            let server = ParticipatingServer::builder().source_server_id(*server);
            server.build()
        });
        let tags = tag.map(|key| [(LAUNCH_TAG.to_owned(), key.to_owned())].into());
        Job::builder()
            .job_id("drsjob-1")
            .creation_date_time(created)
            .initiated_by(by)
            .set_participating_servers(Some(servers.collect()))
            .set_tags(tags)
            .build()
            .expect("a job")
    }

    #[test]
    fn a_job_is_the_orders_if_tag_or_servers_and_kind_and_time_say_so() {
        use InitiatedBy::{StartDrill, StartRecovery, TerminateRecoveryInstances};
        let (now, before) = ("2022-12-07T19:15:38.846723+00:00", "2022-12-07T18:00:00Z");
        let both = ["s-2", "s-1"];
        let table = [
            (job(now, StartDrill, &both, Some("e/wave/0")), true),
            (job(before, StartRecovery, &["s-9"], Some("e/wave/0")), true),
            (job(now, StartDrill, &both, Some("e/wave/1")), false),
            (job(now, StartDrill, &both, None), true),
            (job(before, StartDrill, &both, None), false),
            (job(now, StartRecovery, &both, None), false),
            (job(now, TerminateRecoveryInstances, &both, None), false),
            (job(now, StartDrill, &["s-1"], None), false),
            (job(now, StartDrill, &["s-1", "s-2", "s-3"], None), false),
        ];
        let order = order(OrderKind::Drill);
        for (job, wanted) in table {
            assert_eq!(is_of(&order, &job, false, order.since), wanted, "{job:?}");
        }
    }

    #[test]
    fn each_way_alone_says_what_it_can_say() {
        use LookBy::{Jobs, LastLaunch, Tag};
        let now = "2022-12-07T19:15:38.846723+00:00";
        let both = ["s-1", "s-2"];
        let tagged = job(now, InitiatedBy::StartDrill, &both, Some("e/wave/0"));
        let other = job(now, InitiatedBy::StartDrill, &both, Some("e/wave/1"));
        let bare = job(now, InitiatedBy::StartDrill, &both, None);
        // Whether a server names the job, and whether it is found.
        let table = [
            (Tag, &tagged, false, true),
            (Tag, &bare, false, false),
            (LastLaunch, &tagged, false, false),
            (LastLaunch, &tagged, true, true),
            (LastLaunch, &bare, true, true),
            (LastLaunch, &other, true, false),
            (Jobs, &tagged, false, true),
            (Jobs, &bare, false, true),
            (Jobs, &other, false, false),
        ];
        for (way, job, is_named, wanted) in table {
            let mut order = order(OrderKind::Drill);
            order.by = BTreeSet::from([way]);
            let found = is_of(&order, job, is_named, order.since);
            assert_eq!(found, wanted, "{way:?} {is_named} {job:?}");
        }
    }

    #[test]
    fn a_job_that_is_known_to_be_anothers_is_not_found_although_it_looks_the_same() {
        let bare = job(SINCE, InitiatedBy::StartDrill, &["s-1", "s-2"], None);
        let mut order = order(OrderKind::Drill);
        assert!(is_of(&order, &bare, true, order.since));
        order.not.insert("drsjob-1".into());
        assert!(!is_of(&order, &bare, true, order.since));
    }

    #[test]
    fn a_termination_may_leave_servers_out_and_has_no_others() {
        let by = InitiatedBy::TerminateRecoveryInstances;
        let mut order = order(OrderKind::Terminate);
        order.by = BTreeSet::from([LookBy::Tag]);
        for (servers, wanted) in [
            (&["s-1", "s-2"][..], true),
            (&["s-2"], true),
            (&["s-2", "s-3"], false),
            (&[], false),
        ] {
            let job = job(SINCE, by.clone(), servers, None);
            assert_eq!(
                is_of(&order, &job, false, order.since),
                wanted,
                "{servers:?}"
            );
        }
    }

    #[test]
    fn a_new_word_for_who_started_a_job_does_not_hide_it() {
        let job = |kind: JobType| {
            let by = InitiatedBy::from("START_REHEARSAL");
            let servers = ["s-1", "s-2"].map(|server| {
                let server = ParticipatingServer::builder().source_server_id(server);
                server.build()
            });
            Job::builder()
                .job_id("drsjob-1")
                .creation_date_time(SINCE)
                .r#type(kind)
                .initiated_by(by)
                .set_participating_servers(Some(servers.into()))
                .build()
                .expect("a job")
        };
        let order = order(OrderKind::Drill);
        assert!(is_of(&order, &job(JobType::Launch), false, order.since));
        assert!(!is_of(&order, &job(JobType::Terminate), false, order.since));
    }
}
