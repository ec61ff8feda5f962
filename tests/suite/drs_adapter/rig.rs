//! The adapter and an emulator whose time is moved by hand.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use jiff::SignedDuration;
use tidegate_core::{
    JobId, SourceServerId, Span, Timestamp,
    engine::{JobReport, LaunchAnswer, ServerState},
    plan::Target,
};
use tidegate_emulator::{
    Emulator, EmulatorClock, Scenario, Settings as EmulatorSettings,
    model::{AccountId, Place, Region},
    serve,
};
use tidegate_gateway::{
    adapters::drs_aws::{AwsDrs, Mode, Settings, Timeouts},
    ports::{
        drs::{Depth, Drs as _, JobQuery, LaunchOrder, LookBy, LookOrder, OrderKind},
        warrant::Warrant,
    },
};
use tokio::net::TcpListener;

/// The pair of database servers of the recorded drill, with the instances
/// that were launched for them.
pub(crate) const DATABASES: [&str; 2] = ["s-51d6b65c73391918f", "s-5c555d9c008f90131"];
pub(crate) const INSTANCES: [&str; 2] = ["i-04506d5ee9a75c1e7", "i-0f554975a5cf3245e"];

pub(crate) struct Rig {
    pub(crate) emulator: Emulator,
    pub(crate) drs: AwsDrs,
    pub(crate) url: String,
}

impl Rig {
    pub(crate) async fn recorded_drill() -> Self {
        Self::with(Scenario::built_in("recorded-drill").expect("it is built in")).await
    }

    /// Four servers that all behave alike.
    pub(crate) async fn with_effect(effect: &str) -> Self {
        let yaml = format!(
            "{{name: effect, seed: 1, fleet: [{{account: '123456789012', region: us-west-2, \
             groups: [{{idPrefix: s-1000000000000, count: 4, hostname: 'n-{{n}}.example', \
             traits: {{outcome: {{effect: {effect}}}}}}}]}}]}}"
        );
        Self::with(Scenario::from_yaml(&yaml).expect("a scenario")).await
    }

    async fn with(scenario: Scenario) -> Self {
        let clock = EmulatorClock::Manual;
        let emulator = Emulator::new(EmulatorSettings { scenario, clock });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        // Ends with the test's runtime.
        tokio::spawn(serve(listener, emulator.clone(), std::future::pending()));
        let url = format!("http://{address}");
        let drs = adapter(&url).await;
        Self { emulator, drs, url }
    }

    pub(crate) fn advance(&self, seconds: f64) {
        let duration = SignedDuration::from_secs_f64(seconds);
        self.emulator.advance(duration).expect("a manual clock");
    }

    pub(crate) fn now(&self) -> Timestamp {
        let millis = self.emulator.now().as_millisecond();
        Timestamp::from_millis(millis.unsigned_abs())
    }

    pub(crate) fn calls(&self, operation: &str) -> u64 {
        self.emulator.calls().get(operation).copied().unwrap_or(0)
    }

    pub(crate) async fn launch(&self, key: &str, servers: &[&str]) -> LaunchAnswer {
        self.drs.start_recovery(drill(key, servers)).await
    }

    /// Launches, and must not be refused.
    pub(crate) async fn launched(&self, key: &str, servers: &[&str]) -> JobId {
        accepted(self.launch(key, servers).await).job
    }

    pub(crate) async fn observe(&self, job: &JobId) -> JobReport {
        observed(&self.drs, job.as_str()).await
    }

    /// An adapter to the same emulator that tags no jobs.
    pub(crate) async fn without_tags(&self) -> AwsDrs {
        let mode = Mode::Endpoint {
            url: self.url.clone(),
        };
        AwsDrs::connect(Settings {
            read_attempts: 1,
            tag_jobs: false,
            ..Settings::new(mode)
        })
        .await
    }
}

/// The report of one job that DRS knows, with all that can be known of it.
pub(crate) async fn observed(drs: &AwsDrs, job: &str) -> JobReport {
    let observation = drs.observe(target(), watched(&[job])).await;
    observation.expect("an answer").reports.remove(0)
}

/// Jobs of launches, looked at closely.
pub(crate) fn watched(jobs: &[&str]) -> Vec<JobQuery> {
    let query = |job: &&str| JobQuery {
        job: JobId::from(*job),
        kind: OrderKind::Drill,
        depth: Depth::Log,
    };
    jobs.iter().map(query).collect()
}

pub(crate) async fn adapter(url: &str) -> AwsDrs {
    let mode = Mode::Endpoint {
        url: url.to_owned(),
    };
    AwsDrs::connect(Settings {
        read_attempts: 1,
        ..Settings::new(mode)
    })
    .await
}

/// An adapter that tries reads again; other calls it must not.
pub(crate) async fn insistent(url: &str) -> AwsDrs {
    let mode = Mode::Endpoint {
        url: url.to_owned(),
    };
    AwsDrs::connect(Settings {
        read_attempts: 3,
        ..Settings::new(mode)
    })
    .await
}

/// An adapter that does not wait long for what it reads, and asks once.
pub(crate) async fn hasty(url: &str) -> AwsDrs {
    let mode = Mode::Endpoint {
        url: url.to_owned(),
    };
    let timeouts = Timeouts {
        read: Duration::from_millis(300),
        ..Timeouts::default()
    };
    AwsDrs::connect(Settings {
        timeouts,
        read_attempts: 1,
        ..Settings::new(mode)
    })
    .await
}

/// An adapter that does not wait long for answers.
pub(crate) async fn impatient(url: &str) -> AwsDrs {
    let mode = Mode::Endpoint {
        url: url.to_owned(),
    };
    let timeouts = Timeouts {
        change: Duration::from_millis(200),
        ..Timeouts::default()
    };
    AwsDrs::connect(Settings {
        timeouts,
        ..Settings::new(mode)
    })
    .await
}

pub(crate) fn target() -> Arc<Target> {
    in_region("us-west-2")
}

pub(crate) fn in_region(region: &str) -> Arc<Target> {
    Arc::new(Target {
        account: "123456789012".to_owned(),
        region: region.to_owned(),
        role: None,
    })
}

pub(crate) fn place() -> Place {
    Place {
        account: AccountId::parse("123456789012").expect("an account"),
        region: Region::parse("us-west-2").expect("a Region"),
    }
}

pub(crate) fn ids(servers: &[&str]) -> Vec<SourceServerId> {
    servers.iter().copied().map(SourceServerId::from).collect()
}

pub(crate) fn drill(key: &str, servers: &[&str]) -> LaunchOrder {
    LaunchOrder {
        key: key.to_owned(),
        target: target(),
        servers: ids(servers).into_iter().map(|id| (id, None)).collect(),
        is_drill: true,
        warrant: Warrant::unlimited(),
    }
}

pub(crate) fn search(key: &str, servers: &[&str], since: Timestamp) -> LookOrder {
    LookOrder {
        key: key.to_owned(),
        target: target(),
        servers: ids(servers),
        since,
        kind: OrderKind::Drill,
        by: BTreeSet::from(LookBy::ALL),
        not: BTreeSet::new(),
    }
}

pub(crate) fn accepted(answer: LaunchAnswer) -> JobReport {
    match answer {
        LaunchAnswer::Accepted(report) => report,
        LaunchAnswer::Refused { .. }
        | LaunchAnswer::Deferred { .. }
        | LaunchAnswer::OverQuota { .. }
        | LaunchAnswer::Unknown { .. }
        | LaunchAnswer::NothingLeft => panic!("not accepted: {answer:?}"),
    }
}

/// The word for an answer, and its reason.
pub(crate) fn answered(answer: &LaunchAnswer) -> (&'static str, &str, Option<Span>) {
    match answer {
        LaunchAnswer::Accepted(_) => ("accepted", "", None),
        LaunchAnswer::Refused { reason } => ("refused", reason, None),
        LaunchAnswer::OverQuota { reason, .. } => ("over quota", reason, None),
        LaunchAnswer::Deferred { reason, after } => ("deferred", reason, *after),
        LaunchAnswer::Unknown { reason } => ("unknown", reason, None),
        LaunchAnswer::NothingLeft => ("nothing left", "", None),
    }
}

pub(crate) fn states(report: &JobReport) -> Vec<ServerState> {
    report.servers.iter().map(|server| server.state).collect()
}

pub(crate) fn instances(report: &JobReport) -> Vec<Option<&str>> {
    report
        .servers
        .iter()
        .map(|server| server.instance.as_ref().map(|id| id.as_str()))
        .collect()
}
