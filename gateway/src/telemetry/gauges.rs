//! What is read when somebody collects: from memory, without asking anybody.

use std::{collections::BTreeMap, sync::Arc};

use opentelemetry::{
    KeyValue,
    metrics::{AsyncInstrument, Meter},
};
use tidegate_core::{
    Span, Timestamp,
    engine::{ExecutionState, HoldCause, WaveRun},
};

use super::{
    Shared,
    heard::Place,
    instruments::key,
    measuring::{is_recovery, is_unsettled, place_of, ratio, secs},
    words,
};
use crate::driver::{InUse, View};

type Read = fn(&Sources, &dyn AsyncInstrument<f64>);

/// Every gauge: name, unit, meaning, and how it is read.
const GAUGES: [(&str, &str, &str, Read); 20] = [
    (
        "tidegate.executions.live",
        "{execution}",
        "Executions that are not over.",
        live,
    ),
    (
        "tidegate.executions.waiting",
        "{execution}",
        "Executions that wait for a person, by what holds them.",
        waiting,
    ),
    (
        "tidegate.executions.waiting.age",
        "s",
        "Longest time that a paused execution has waited for a person.",
        waiting_age,
    ),
    (
        "tidegate.execution.rto.used",
        "1",
        "Time that the furthest live execution of a plan has taken, over its objective.",
        rto_used,
    ),
    (
        "tidegate.launches.live",
        "{launch}",
        "Launches that are not over; those that queue wait for quotas of DRS.",
        launches,
    ),
    (
        "tidegate.quota.used",
        "{count}",
        "What the executions of this gateway have in use under a quota of DRS: jobs, or servers in them.",
        quotas_used,
    ),
    (
        "tidegate.quota.limit",
        "{count}",
        "What DRS is believed to allow under that quota.",
        quotas_believed,
    ),
    ("tidegate.watch.streams", "{stream}", "Watchers.", streams),
    (
        "tidegate.drs.poll.lag",
        "s",
        "How late the next look at running jobs is.",
        poll_lag,
    ),
    (
        "tidegate.drill.leftover.instances",
        "{instance}",
        "Instances of ended drills that are not known to be terminated.",
        leftover,
    ),
    (
        "tidegate.drill.leftover.age",
        "s",
        "Age of the oldest of them.",
        leftover_age,
    ),
    (
        "tidegate.replication.lag",
        "s",
        "Longest replication lag that DRS named within the last hour.",
        lag,
    ),
    (
        "tidegate.recovery_point.age",
        "s",
        "Age of the oldest of the newest recovery points that DRS named within the last hour.",
        recovery_points,
    ),
    (
        "tidegate.plan.rto",
        "s",
        "Objective of a plan: time from the start to the last wave's success.",
        plan_rto,
    ),
    (
        "tidegate.plan.rpo",
        "s",
        "Objective of a plan: oldest acceptable recovery point.",
        plan_rpo,
    ),
    (
        "tidegate.leases.held",
        "{lease}",
        "Leases that this gateway has.",
        leases,
    ),
    (
        "tidegate.leases.orphaned",
        "{lease}",
        "Leases of no gateway that was heard within a lease period.",
        orphaned,
    ),
    (
        "tidegate.cluster.members",
        "{gateway}",
        "Gateways of the cluster that have not left.",
        members,
    ),
    (
        "tidegate.cluster.lease",
        "s",
        "How long a gateway may be silent before others take what it drives.",
        lease_period,
    ),
    (
        "tidegate.cluster.heartbeat.age",
        "s",
        "Time since the cluster's table last took a heartbeat of this gateway.",
        heartbeat_age,
    ),
];

/// What is read.
pub(super) struct Sources(pub(super) Arc<Shared>);

/// Makes every gauge.
pub(super) fn register(meter: &Meter, shared: &Arc<Shared>) {
    for (name, unit, about, read) in GAUGES {
        let sources = Sources(Arc::clone(shared));
        let gauge = meter.f64_observable_gauge(name).with_unit(unit);
        // The pipeline keeps what it calls.
        let _ = gauge
            .with_description(about)
            .with_callback(move |observer| read(&sources, observer))
            .build();
    }
}

impl Sources {
    fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    fn live(&self) -> Vec<View> {
        let services = self.0.services();
        services.map_or_else(Vec::new, |services| services.driver.live())
    }
}

fn live(sources: &Sources, gauge: &dyn AsyncInstrument<f64>) {
    let mut counts: BTreeMap<(&str, &str), u32> = BTreeMap::new();
    counts.insert(("drill", "running"), 0);
    for view in sources.live() {
        let it = &view.execution;
        let of = (words::kind(it.kind()), words::execution(it.state()));
        *counts.entry(of).or_default() += 1;
    }
    for ((kind, state), count) in counts {
        let attributes = [
            KeyValue::new(key::KIND, kind),
            KeyValue::new(key::STATE, state),
        ];
        gauge.observe(f64::from(count), &attributes);
    }
}

fn waiting(sources: &Sources, gauge: &dyn AsyncInstrument<f64>) {
    let wave = tidegate_core::WaveIx(0);
    let causes = [
        HoldCause::Operator,
        HoldCause::Planned(wave),
        HoldCause::Approval(wave),
        HoldCause::WaveFailed(wave),
        HoldCause::Hook(wave),
    ];
    let mut counts: BTreeMap<&str, u32> = causes
        .into_iter()
        .map(|cause| (words::cause(cause), 0))
        .collect();
    for view in sources.live() {
        let holds = view.execution.holds().iter();
        let causes: std::collections::BTreeSet<_> =
            holds.map(|hold| words::cause(hold.cause)).collect();
        for cause in causes {
            *counts.entry(cause).or_default() += 1;
        }
    }
    for (cause, count) in counts {
        gauge.observe(f64::from(count), &[KeyValue::new(key::CAUSE, cause)]);
    }
}

fn waiting_age(sources: &Sources, gauge: &dyn AsyncInstrument<f64>) {
    let now = sources.now();
    let live = sources.live();
    let paused = live
        .iter()
        .filter(|view| view.execution.state() == ExecutionState::Paused);
    let longest = paused.map(|view| waited(view, now)).max();
    gauge.observe(secs(longest.unwrap_or_default()), &[]);
}

/// A restart and every new owner record something, so the newest record does
/// not tell.
fn waited(view: &View, now: Timestamp) -> Span {
    let since = view.execution.held_since();
    now.since(since.unwrap_or(view.updated_at))
}

fn rto_used(sources: &Sources, gauge: &dyn AsyncInstrument<f64>) {
    let now = sources.now();
    let mut furthest: BTreeMap<(String, &str), f64> = BTreeMap::new();
    for view in sources.live() {
        let it = &view.execution;
        if let Some(rto) = it.plan().objectives().rto.filter(|_| is_recovery(it)) {
            let of = (it.plan().name().to_string(), words::kind(it.kind()));
            let used = furthest.entry(of).or_default();
            *used = used.max(ratio(now.since(it.created_at()), rto));
        }
    }
    for ((plan, kind), used) in furthest {
        let attributes = [
            KeyValue::new(key::PLAN, plan),
            KeyValue::new(key::KIND, kind),
        ];
        gauge.observe(used, &attributes);
    }
}

fn launches(sources: &Sources, gauge: &dyn AsyncInstrument<f64>) {
    let mut counts: BTreeMap<(Place, &str), u32> = BTreeMap::new();
    for view in sources.live() {
        let launches = view.execution.waves().flat_map(WaveRun::launches);
        for launch in launches.filter(|launch| is_unsettled(&launch.state)) {
            let target = &launch.target;
            let place = (target.account.clone(), target.region.clone());
            *counts
                .entry((place, words::launch(&launch.state)))
                .or_default() += 1;
        }
    }
    for (((account, region), state), count) in counts {
        let [account, region] = place_of(&account, &region);
        let state = KeyValue::new(key::STATE, state);
        gauge.observe(f64::from(count), &[account, region, state]);
    }
}

fn quotas_used(sources: &Sources, gauge: &dyn AsyncInstrument<f64>) {
    quotas(sources, gauge, |it| [it.jobs, it.servers]);
}

fn quotas_believed(sources: &Sources, gauge: &dyn AsyncInstrument<f64>) {
    quotas(sources, gauge, |it| [it.most_jobs, it.most_servers]);
}

/// One number for each of the quotas on jobs and on servers, everywhere.
fn quotas(
    sources: &Sources,
    gauge: &dyn AsyncInstrument<f64>,
    numbers: impl Fn(&InUse) -> [u32; 2],
) {
    let Some(services) = sources.0.services() else {
        return;
    };
    for it in services.driver.in_use() {
        for (quota, number) in ["jobs", "servers"].into_iter().zip(numbers(&it)) {
            let [account, region] = place_of(&it.place.account, &it.place.region);
            let quota = KeyValue::new(key::QUOTA, quota);
            gauge.observe(f64::from(number), &[account, region, quota]);
        }
    }
}

fn streams(sources: &Sources, gauge: &dyn AsyncInstrument<f64>) {
    let services = sources.0.services();
    let streams = services.map_or(0, |services| services.feeds.streams());
    gauge.observe(number(streams as u64), &[]);
}

fn poll_lag(sources: &Sources, gauge: &dyn AsyncInstrument<f64>) {
    let Some(services) = sources.0.services() else {
        return;
    };
    let mut longest: BTreeMap<Place, f64> = BTreeMap::new();
    for (target, lag) in services.driver.poll_lag() {
        let place = (target.account.clone(), target.region.clone());
        let kept = longest.entry(place).or_default();
        *kept = kept.max(secs(lag));
    }
    for ((account, region), lag) in longest {
        gauge.observe(lag, &place_of(&account, &region));
    }
}

fn leftover(sources: &Sources, gauge: &dyn AsyncInstrument<f64>) {
    for ((account, region), (count, _)) in sources.0.heard.left(sources.now()) {
        gauge.observe(number(count), &place_of(&account, &region));
    }
}

fn leftover_age(sources: &Sources, gauge: &dyn AsyncInstrument<f64>) {
    for ((account, region), (_, oldest)) in sources.0.heard.left(sources.now()) {
        gauge.observe(secs(oldest), &place_of(&account, &region));
    }
}

fn lag(sources: &Sources, gauge: &dyn AsyncInstrument<f64>) {
    for ((account, region), lag) in sources.0.heard.lag(sources.now()) {
        gauge.observe(secs(lag), &place_of(&account, &region));
    }
}

fn recovery_points(sources: &Sources, gauge: &dyn AsyncInstrument<f64>) {
    for ((account, region), age) in sources.0.heard.recovery_points(sources.now()) {
        gauge.observe(secs(age), &place_of(&account, &region));
    }
}

fn plan_rto(sources: &Sources, gauge: &dyn AsyncInstrument<f64>) {
    for (plan, objective) in sources.0.objectives() {
        if let Some(rto) = objective.rto {
            let plan = KeyValue::new(key::PLAN, plan);
            gauge.observe(secs(rto), &[plan]);
        }
    }
}

/// Of every place that the plan recovers into, so that it can be held against
/// what is heard there.
fn plan_rpo(sources: &Sources, gauge: &dyn AsyncInstrument<f64>) {
    for (plan, objective) in sources.0.objectives() {
        let Some(rpo) = objective.rpo else {
            continue;
        };
        for (account, region) in &objective.places {
            let [account, region] = place_of(account, region);
            let plan = KeyValue::new(key::PLAN, plan.clone());
            gauge.observe(secs(rpo), &[account, region, plan]);
        }
    }
}

fn leases(sources: &Sources, gauge: &dyn AsyncInstrument<f64>) {
    if let Some(roster) = sources.0.roster() {
        gauge.observe(number(roster.held), &[]);
    }
}

fn orphaned(sources: &Sources, gauge: &dyn AsyncInstrument<f64>) {
    if let Some(roster) = sources.0.roster() {
        gauge.observe(number(roster.orphaned), &[]);
    }
}

fn lease_period(sources: &Sources, gauge: &dyn AsyncInstrument<f64>) {
    if let Some(roster) = sources.0.roster() {
        gauge.observe(roster.lease.as_secs_f64(), &[]);
    }
}

fn heartbeat_age(sources: &Sources, gauge: &dyn AsyncInstrument<f64>) {
    if let Some(roster) = sources.0.roster() {
        let age = sources.0.clock.elapsed().saturating_sub(roster.at);
        gauge.observe(age.as_secs_f64(), &[]);
    }
}

fn members(sources: &Sources, gauge: &dyn AsyncInstrument<f64>) {
    if let Some(roster) = sources.0.roster() {
        gauge.observe(number(roster.members), &[]);
    }
}

/// No count here is anywhere near the limits of a double.
#[expect(clippy::cast_precision_loss, reason = "counts of things in memory")]
fn number(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tidegate_core::engine::{Change, Hold};

    use super::*;
    use crate::grpc::fixtures::{NOW, view_after};

    #[test]
    fn a_new_owner_does_not_make_a_wait_for_a_person_shorter() {
        let hold = Hold {
            cause: HoldCause::Operator,
            detail: "".into(),
        };
        let mut view = view_after(&[Change::HoldPlaced(hold)]);
        let restarted = NOW + Span::from_secs(3_000);
        let owner = Change::OwnerChanged {
            epoch: 2,
            owner: "another".into(),
        };
        Arc::make_mut(&mut view.execution).apply(&owner, restarted);
        view.updated_at = restarted;
        let now = NOW + Span::from_secs(3_600);
        assert_eq!(waited(&view, now), Span::from_secs(3_600));
    }
}
