//! Whether DRS accepted an order whose answer is unknown.
//!
//! Three traces: the tag, which proves it; each server's last launch; and a
//! job since the intent with exactly the same servers, started the same way.
//! A job that carries another launch's tag is that launch's.

use std::collections::BTreeSet;

use aws_sdk_drs::types::{DescribeJobsRequestFilters, Job, SourceServer};
use tidegate_core::{
    JobId, SourceServerId, Span, Timestamp,
    engine::{JobReport, Looked},
};

use super::{
    LAUNCH_TAG,
    clients::Place,
    job_log::JobLogs,
    observe::{describe, list, reports},
    servers,
};
use crate::ports::drs::{DrsError, LookOrder, OrderKind};

/// Looks for an order.
pub(super) async fn look(
    place: &Place,
    logs: &JobLogs,
    skew: Span,
    order: &LookOrder,
) -> Result<Looked, DrsError> {
    let since = Timestamp::from_millis(order.since.as_millis().saturating_sub(skew.as_millis()));
    let filters = DescribeJobsRequestFilters::builder().from_date(date(since).to_string());
    let mut jobs = list(place, filters.build()).await?;
    let known: BTreeSet<JobId> = jobs.iter().map(|job| JobId::from(job.job_id())).collect();
    let named = last_launches(place, order, since).await?;
    let further: Vec<JobId> = named.difference(&known).cloned().collect();
    jobs.extend(describe(place, &further).await?);
    jobs.retain(|job| is_of(order, job, since));
    jobs.sort_by_key(|job| (created(job), job.job_id().to_owned()));
    Ok(found(reports(place, logs, jobs).await))
}

fn found(reports: Vec<JobReport>) -> Looked {
    let mut reports = reports.into_iter();
    match reports.next() {
        Some(report) => Looked::Found {
            report,
            duplicates: reports.map(|report| report.job).collect(),
        },
        None => Looked::Nothing,
    }
}

/// Jobs that the servers name as their last launch since then. Terminations
/// are not launches.
async fn last_launches(
    place: &Place,
    order: &LookOrder,
    since: Timestamp,
) -> Result<BTreeSet<JobId>, DrsError> {
    match order.kind {
        OrderKind::Terminate => Ok(BTreeSet::new()),
        OrderKind::Drill | OrderKind::Recovery => {
            let servers = servers::describe(place, &order.servers).await?;
            let jobs = servers.iter();
            Ok(jobs
                .filter_map(|server| last_launch(server, since))
                .collect())
        }
    }
}

fn last_launch(server: &SourceServer, since: Timestamp) -> Option<JobId> {
    // Present and empty on a server that was never launched.
    let initiated = server.life_cycle()?.last_launch()?.initiated()?;
    let at = initiated.api_call_date_time().and_then(instant);
    let in_time = at.is_none_or(|at| at >= date(since));
    initiated.job_id().filter(|_| in_time).map(JobId::from)
}

fn is_of(order: &LookOrder, job: &Job, since: Timestamp) -> bool {
    match job.tags().and_then(|tags| tags.get(LAUNCH_TAG)) {
        Some(key) => *key == order.key,
        None => {
            created(job).is_none_or(|at| at >= date(since))
                && initiated_by(order.kind, job)
                && same_servers(&order.servers, job)
        }
    }
}

fn initiated_by(kind: OrderKind, job: &Job) -> bool {
    let wanted = match kind {
        OrderKind::Drill => "START_DRILL",
        OrderKind::Recovery => "START_RECOVERY",
        OrderKind::Terminate => "TERMINATE_RECOVERY_INSTANCES",
    };
    job.initiated_by().is_some_and(|by| by.as_str() == wanted)
}

fn same_servers(wanted: &[SourceServerId], job: &Job) -> bool {
    let wanted: BTreeSet<&str> = wanted.iter().map(SourceServerId::as_str).collect();
    let servers = job.participating_servers().iter();
    let of_job: BTreeSet<&str> = servers.filter_map(|s| s.source_server_id()).collect();
    wanted == of_job
}

fn created(job: &Job) -> Option<jiff::Timestamp> {
    job.creation_date_time().and_then(instant)
}

fn instant(text: &str) -> Option<jiff::Timestamp> {
    text.parse().ok()
}

/// The latest instant that can be said, for one that cannot.
fn date(at: Timestamp) -> jiff::Timestamp {
    i64::try_from(at.as_millis())
        .ok()
        .and_then(|millis| jiff::Timestamp::from_millisecond(millis).ok())
        .unwrap_or(jiff::Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use aws_sdk_drs::types::{InitiatedBy, ParticipatingServer};
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
            assert_eq!(is_of(&order, &job, order.since), wanted, "{job:?}");
        }
    }
}
