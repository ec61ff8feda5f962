//! Every instrument that is written to, with its name, unit and meaning. Those
//! that are read when somebody collects are in `gauges`.
//!
//! Names follow OpenTelemetry's semantic conventions where there are any, and
//! are ours (`tidegate.`) otherwise. No attribute is an id of an execution, a
//! server, a job or a request: their number has no bound.

use opentelemetry::metrics::{Counter, Histogram, Meter};
use opentelemetry_semantic_conventions::metric as conventions;

/// Seconds of calls: from a commit in memory to a call that times out.
const CALLS: [f64; 14] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 20.0, 60.0,
];
/// Seconds of hooks.
const CHECKS: [f64; 12] = [
    0.01, 0.05, 0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 900.0,
];
/// Seconds of recoveries: from half a minute to a day.
const RECOVERIES: [f64; 14] = [
    30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1_200.0, 1_800.0, 2_700.0, 3_600.0, 7_200.0, 14_400.0,
    28_800.0, 86_400.0,
];
/// Parts of an objective.
const RATIOS: [f64; 9] = [0.25, 0.5, 0.75, 0.9, 1.0, 1.1, 1.5, 2.0, 5.0];

/// Names of attributes.
pub(super) mod key {
    pub(crate) use opentelemetry_semantic_conventions::attribute::{
        CLOUD_ACCOUNT_ID, CLOUD_REGION, DB_OPERATION_NAME, DB_SYSTEM_NAME, ERROR_TYPE, RPC_METHOD,
        RPC_RESPONSE_STATUS_CODE, RPC_SYSTEM_NAME,
    };

    pub(crate) const PLAN: &str = "tidegate.plan.name";
    pub(crate) const KIND: &str = "tidegate.execution.kind";
    pub(crate) const STATE: &str = "tidegate.state";
    pub(crate) const CAUSE: &str = "tidegate.hold.cause";
    /// A quota of DRS: `jobs` or `servers`.
    pub(crate) const QUOTA: &str = "tidegate.quota.of";
    pub(crate) const HOOK: &str = "tidegate.hook.name";
    pub(crate) const PHASE: &str = "tidegate.hook.phase";
    pub(crate) const OUTCOME: &str = "tidegate.hook.outcome";
    /// Whose time it was: `machine` or `human`.
    pub(crate) const SPENT_BY: &str = "tidegate.spent_by";
    /// What was tried again: `wave`, `hook` or `launch`.
    pub(crate) const RETRIED: &str = "tidegate.retried";
}

/// All of them; cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Instruments {
    pub(super) rpc_served: Histogram<f64>,
    pub(super) aws_calls: Histogram<f64>,
    pub(super) aws_throttles: Counter<u64>,
    pub(super) journal: Histogram<f64>,
    pub(super) duplicates: Counter<u64>,
    pub(super) spans_dropped: Counter<u64>,
    pub(super) commits_missed: Counter<u64>,
    pub(super) lease_changes: Counter<u64>,
    pub(super) takeovers: Counter<u64>,
    pub(super) executions: Executions,
}

/// Those that are about what executions came to.
#[derive(Clone, Debug)]
pub(super) struct Executions {
    pub(super) started: Counter<u64>,
    pub(super) ended: Histogram<f64>,
    pub(super) spent: Histogram<f64>,
    pub(super) rto: Histogram<f64>,
    pub(super) rto_missed: Counter<u64>,
    pub(super) waves: Histogram<f64>,
    pub(super) reached: Histogram<f64>,
    pub(super) hooks: Histogram<f64>,
    pub(super) launches: Counter<u64>,
    pub(super) queued: Histogram<f64>,
    pub(super) servers: Counter<u64>,
    pub(super) warnings: Counter<u64>,
    pub(super) retries: Counter<u64>,
    pub(super) holds: Counter<u64>,
}

impl Instruments {
    pub(super) fn new(meter: &Meter) -> Self {
        let make = Make(meter);
        Self {
            rpc_served: make.seconds(
                conventions::RPC_SERVER_CALL_DURATION,
                &CALLS,
                "Calls that were served; a stream counts when it ends.",
            ),
            aws_calls: make.seconds(
                conventions::RPC_CLIENT_CALL_DURATION,
                &CALLS,
                "Requests to AWS: to DRS and what is asked beside it, to STS for roles, and to \
                 DynamoDB for a journal there. Each attempt by itself; of AssumeRole, all of them.",
            ),
            aws_throttles: make.counter(
                "tidegate.aws.throttles",
                "{request}",
                "Requests to AWS that it throttled, those of the journal among them.",
            ),
            journal: make.seconds(
                conventions::DB_CLIENT_OPERATION_DURATION,
                &CALLS,
                "Operations of the journal; `append` is a durable commit.",
            ),
            duplicates: make.counter(
                "tidegate.launch.duplicates",
                "{job}",
                "Jobs of DRS that should not exist beside the one that was adopted.",
            ),
            spans_dropped: make.counter(
                "tidegate.telemetry.spans.dropped",
                "{span}",
                "Spans that the collector did not take, or that found no room.",
            ),
            commits_missed: make.counter(
                "tidegate.telemetry.commits.missed",
                "{commit}",
                "Commits that came faster than they could be counted.",
            ),
            lease_changes: make.counter(
                "tidegate.leases.changes",
                "{lease}",
                "Leases that this gateway took, took over from a silent one, or gave back.",
            ),
            takeovers: make.counter(
                "tidegate.cluster.takeovers",
                "{gateway}",
                "Gateways that fell silent and whose leases this one took.",
            ),
            executions: Executions::new(&make),
        }
    }
}

impl Executions {
    fn new(make: &Make<'_>) -> Self {
        let seconds = |name, about| make.seconds(name, &RECOVERIES, about);
        let counter = |name, unit, about| make.counter(name, unit, about);
        let started = "Executions that were accepted.";
        let spent = "Time of ended executions, of machines and of people who were waited for.";
        let rto = "Time that an ended drill or recovery took, over its objective.";
        let missed = "Drills and recoveries that took longer than their objective, or failed.";
        let waves = "Attempts of waves, from when they could start.";
        let reached = "From acceptance to the success of a wave.";
        let launches = "Launches by the states that they came to.";
        let queued = "Time that launches waited for quotas of DRS.";
        let servers = "Servers by the final states that they came to.";
        Self {
            started: counter("tidegate.executions.started", "{execution}", started),
            ended: seconds("tidegate.execution.duration", "From acceptance to the end."),
            spent: seconds("tidegate.execution.spent", spent),
            rto: make.ratio("tidegate.execution.rto", rto),
            rto_missed: counter("tidegate.execution.rto.missed", "{execution}", missed),
            waves: seconds("tidegate.wave.duration", waves),
            reached: seconds("tidegate.wave.reached", reached),
            hooks: make.seconds("tidegate.hook.duration", &CHECKS, "Attempts of hooks."),
            launches: counter("tidegate.launches", "{launch}", launches),
            queued: seconds("tidegate.launch.queued", queued),
            servers: counter("tidegate.servers", "{server}", servers),
            warnings: counter(
                "tidegate.server.warnings",
                "{warning}",
                "Warnings about servers.",
            ),
            retries: counter("tidegate.retries", "{retry}", "Attempts after the first."),
            holds: counter("tidegate.holds", "{hold}", "Holds that were placed."),
        }
    }
}

/// Makes instruments.
struct Make<'a>(&'a Meter);

impl Make<'_> {
    fn seconds(&self, name: &'static str, bounds: &[f64], about: &'static str) -> Histogram<f64> {
        let builder = self.0.f64_histogram(name).with_unit("s");
        builder
            .with_description(about)
            .with_boundaries(bounds.to_vec())
            .build()
    }

    fn ratio(&self, name: &'static str, about: &'static str) -> Histogram<f64> {
        let builder = self.0.f64_histogram(name).with_unit("1");
        builder
            .with_description(about)
            .with_boundaries(RATIOS.to_vec())
            .build()
    }

    /// It begins at zero, so that the first time of what happens seldom is an
    /// increase.
    fn counter(&self, name: &'static str, unit: &'static str, about: &'static str) -> Counter<u64> {
        let builder = self.0.u64_counter(name).with_unit(unit);
        let counter = builder.with_description(about).build();
        counter.add(0, &[]);
        counter
    }
}
