//! A place that says nothing is given up alone, and in time for whoever asked.
//! Time is that of a paused runtime.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures::{
    FutureExt as _,
    future::{BoxFuture, join, pending, ready},
};
use tidegate_core::{
    JobId, SourceServerId, Timestamp,
    engine::{JobReport, LaunchAnswer, Looked},
    plan::{Limits, Plan, Target},
};
use tidegate_proto::v1::{self, readiness_finding::Severity};
use tokio::time::Instant;

use super::{
    ask::{self, Asking},
    report::Report,
};
use crate::{
    driver::Quotas,
    grpc::{convert, fixtures},
    ports::{
        clock::Clock,
        drs::{
            Caller, Drs, DrsError, ForgottenOrder, GrantedQuotas, Introduction, JobQuery,
            LaunchOrder, LiveJob, LookOrder, Observation, Permissions, RecoveryInstance,
            ServerQuery, SourceServer, TerminateOrder,
        },
    },
};

const SILENT: &str = "us-east-1";
/// How long a unary call may take, as `limits.request_timeout` has it.
const REQUEST: Duration = Duration::from_secs(30);

#[tokio::test(start_paused = true)]
async fn a_silent_place_is_given_up_after_twelve_seconds_and_hides_no_other() {
    let (found, took) = asked(HalfSilent::default()).await;
    assert_eq!(took.as_secs(), 12);
    let mut of_silent = Vec::new();
    for finding in &found.findings {
        if finding.code != "RECOVERY_INSTANCE_LEFT" {
            assert!(finding.message.contains(SILENT), "{finding:?}");
            of_silent.push(finding.code.as_str());
        }
    }
    assert_eq!(
        of_silent,
        ["STS_UNREACHABLE", "DRS_UNREACHABLE", "NOT_CHECKED"]
    );
    let [first, rest @ ..] = &found.findings[..2] else {
        panic!("{found:?}");
    };
    assert!(first.message.contains("no answer after 12 s"), "{first:?}");
    let told_once = |it: &v1::ReadinessFinding| it.message.ends_with("(see GetCallerIdentity)");
    assert!(rest.iter().all(told_once), "{rest:?}");
    let other = found
        .findings
        .iter()
        .find(|it| it.code == "RECOVERY_INSTANCE_LEFT")
        .expect("the place that answers is judged");
    assert_eq!(
        (other.wave.as_str(), other.severity()),
        ("database", Severity::Warning)
    );
    assert!(!found.ready);
}

#[tokio::test(start_paused = true)]
async fn questions_in_turn_end_within_the_time_of_a_request() {
    let drs = HalfSilent {
        servers_after: Some(Duration::from_secs(11)),
    };
    let (found, took) = asked(drs).await;
    assert_eq!(took.as_secs(), 11 + 12);
    assert!(took < REQUEST);
    let late = found.findings.iter().filter(|it| it.code == "NOT_CHECKED");
    let about = |it: &v1::ReadinessFinding| it.wave == "web";
    assert_eq!(late.filter(|it| about(it)).count(), 2, "{found:?}");
    assert_eq!(found.server_count, 3, "what was answered counts");
}

/// What is found about a plan over two places, and how long that takes.
async fn asked(drs: HalfSilent) -> (v1::CheckReadinessResponse, Duration) {
    let clock: Arc<dyn Clock> = Arc::new(RuntimeClock);
    let asking = Asking {
        drs: &drs,
        clock: &clock,
    };
    let (plan, busy) = (plan_of_two_places(), BTreeMap::new());
    let began = Instant::now();
    let (groups, places) = join(ask::groups(asking, &plan), ask::places(asking, &plan)).await;
    let took = began.elapsed();
    let mut report = Report::new(&plan, &busy, 5_000, fixtures::NOW);
    report.callers(&places);
    report.jobs(&places);
    for group in groups {
        report.group(group);
    }
    report.quotas(&places, &Quotas::default());
    (report.finish(), took)
}

/// The shop, with its `web` in the silent Region.
fn plan_of_two_places() -> Plan {
    let mut plan = fixtures::shop();
    let silent = Target {
        region: SILENT.to_owned(),
        ..fixtures::target()
    };
    if let Some(spec) = &mut plan.spec {
        spec.waves[1].servers[0].target = Some(convert::wave::target(&silent));
    }
    let (draft, violations) = convert::plan::draft(&plan);
    assert_eq!(violations, []);
    Plan::check(&draft, &Limits::default()).expect("the plan has no mistakes")
}

/// The time of a paused runtime passes only while everything waits.
struct RuntimeClock;

impl Clock for RuntimeClock {
    fn now(&self) -> Timestamp {
        fixtures::NOW
    }

    fn sleep_until(&self, _: Timestamp) -> BoxFuture<'static, ()> {
        pending().boxed()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        tokio::time::sleep(duration).boxed()
    }
}

/// Answers at once, but in one Region never.
#[derive(Default)]
struct HalfSilent {
    /// There, it tells its servers after all, so late.
    servers_after: Option<Duration>,
}

fn unless_silent<T: Send + 'static>(target: &Target, answer: T) -> BoxFuture<'static, T> {
    if target.region == SILENT {
        pending().boxed()
    } else {
        ready(answer).boxed()
    }
}

impl Drs for HalfSilent {
    fn start_recovery(&self, _: LaunchOrder) -> BoxFuture<'_, LaunchAnswer> {
        panic!("readiness launches nothing")
    }

    fn terminate(&self, _: TerminateOrder) -> BoxFuture<'_, LaunchAnswer> {
        panic!("readiness terminates nothing")
    }

    fn look(&self, _: LookOrder) -> BoxFuture<'_, Result<Looked, DrsError>> {
        panic!("readiness has no launches to look for")
    }

    fn observe(
        &self,
        _: Arc<Target>,
        _: Vec<JobQuery>,
    ) -> BoxFuture<'_, Result<Observation, DrsError>> {
        panic!("readiness follows no jobs")
    }

    fn judge_forgotten(&self, _: ForgottenOrder) -> BoxFuture<'_, Result<JobReport, DrsError>> {
        panic!("readiness follows no jobs")
    }

    fn source_servers(
        &self,
        target: Arc<Target>,
        query: ServerQuery,
    ) -> BoxFuture<'_, Result<Vec<SourceServer>, DrsError>> {
        let ids = match query {
            ServerQuery::Ids(ids) => ids,
            ServerQuery::Tags(_) => vec![SourceServerId::from("s-000000000000000db")],
        };
        let server = |id| SourceServer {
            id,
            hostname: String::new(),
            tags: BTreeMap::new(),
            replication_state: "CONTINUOUS".to_owned(),
            lag: None,
            staging: None,
            last_launch: None,
        };
        let servers = Ok(ids.into_iter().map(server).collect());
        match self.servers_after {
            Some(late) if target.region == SILENT => {
                tokio::time::sleep(late).map(|()| servers).boxed()
            }
            Some(_) | None => unless_silent(&target, servers),
        }
    }

    fn recovery_instances(
        &self,
        target: Arc<Target>,
        servers: Vec<SourceServerId>,
    ) -> BoxFuture<'_, Result<Vec<RecoveryInstance>, DrsError>> {
        let left = |server| RecoveryInstance {
            instance: "i-1".into(),
            server,
            is_drill: true,
            job: Some(JobId::from("drsjob-1")),
            snapshot_time: None,
            addresses: Vec::new(),
        };
        unless_silent(&target, Ok(servers.into_iter().map(left).collect()))
    }

    fn newest_snapshots(
        &self,
        target: Arc<Target>,
        servers: Vec<SourceServerId>,
    ) -> BoxFuture<'_, Result<Vec<(SourceServerId, Timestamp)>, DrsError>> {
        let taken = servers.into_iter().map(|server| (server, fixtures::NOW));
        unless_silent(&target, Ok(taken.collect()))
    }

    fn quotas(&self, target: Arc<Target>) -> BoxFuture<'_, Result<GrantedQuotas, DrsError>> {
        unless_silent(&target, Ok(GrantedQuotas::default()))
    }

    fn live_jobs(
        &self,
        target: Arc<Target>,
        _: Timestamp,
    ) -> BoxFuture<'_, Result<Vec<LiveJob>, DrsError>> {
        unless_silent(&target, Ok(Vec::new()))
    }

    fn introduction(&self, target: Arc<Target>) -> BoxFuture<'_, Option<Introduction>> {
        let caller = Caller {
            account: target.account.clone(),
            arn: format!("arn:aws:iam::{}:role/launch", target.account),
        };
        let introduction = Introduction {
            caller: Ok(caller),
            aws_time: Some(fixtures::NOW),
        };
        unless_silent(&target, Some(introduction))
    }

    fn permissions(
        &self,
        target: Arc<Target>,
        _: Caller,
    ) -> BoxFuture<'_, Result<Option<Permissions>, DrsError>> {
        unless_silent(&target, Ok(Some(Permissions::default())))
    }
}
