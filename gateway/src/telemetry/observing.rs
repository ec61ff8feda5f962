//! Sees what is recorded, where everybody else sees it, and measures it. The
//! driver does not know: a commit that comes faster than this can take it is
//! read again from the journal.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Arc, Weak},
    time::Duration,
};

use prost::Message as _;
use tidegate_core::{
    ExecutionId,
    engine::{Change, Execution},
};
use tidegate_proto::v1;
use tokio::{
    sync::broadcast::{self, error::RecvError},
    time::{MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;

use super::{
    Shared,
    journey::{Finding, Journey},
    measuring::measure,
    spans, words,
};
use crate::{
    driver::{Driver, DriverError, Listed, Published, RecordView},
    grpc::{Services, pinned_plan},
};

/// How often executions that are over, also those of other gateways, and plans
/// are looked through.
const LOOK_THROUGH: Duration = Duration::from_secs(600);
/// The newest executions that are looked through.
const LOOKED_THROUGH: usize = 1_000;
/// Executions or plans that are read at once.
const PAGE: usize = 100;
/// Records that are read at once.
const RECORDS: usize = 512;
/// Below so many, journeys of what moved to other gateways may stay.
const FEW: usize = 1_024;

/// Observes until the driver has ended.
pub(super) struct Observing {
    shared: Arc<Shared>,
    services: Weak<Services>,
    /// Somebody reads metrics.
    is_read: bool,
    journeys: HashMap<ExecutionId, Journey>,
    /// So many are more than there should be.
    tidy_at: usize,
}

impl Observing {
    pub(super) fn new(shared: Arc<Shared>, services: Weak<Services>, is_read: bool) -> Self {
        Self {
            shared,
            is_read,
            services,
            journeys: HashMap::new(),
            tidy_at: FEW,
        }
    }

    /// Until it is told to stop, and then until everything is taken in.
    pub(super) async fn run(
        mut self,
        mut commits: broadcast::Receiver<Published>,
        stop: CancellationToken,
    ) {
        loop {
            let commit = tokio::select! {
                biased;
                commit = commits.recv() => commit,
                () = stop.cancelled() => return,
            };
            match commit {
                Ok(commit) if commit.is_driven_here => self.observe(&commit).await,
                // Whoever drives it measures it.
                Ok(commit) => drop(self.journeys.remove(commit.view.execution.id())),
                Err(RecvError::Lagged(missed)) => {
                    tracing::warn!(missed, "commits come faster than they are measured");
                    self.shared.instruments.commits_missed.add(missed, &[]);
                }
                Err(RecvError::Closed) => return,
            }
        }
    }

    async fn observe(&mut self, commit: &Published) {
        let execution = &commit.view.execution;
        let record = &commit.record;
        let id = execution.id();
        if changes_hands(record) {
            // Others may have driven it meanwhile, and measured it.
            self.journeys.remove(id);
        }
        if !self.journeys.contains_key(id) && only_changes_hands(record) {
            return;
        }
        let mut journey = self.journeys.remove(id).unwrap_or_default();
        if journey.revision + 1 < record.revision {
            let caught_up = self.catch_up(execution, &mut journey, record.revision - 1);
            if let Err(error) = caught_up.await {
                tracing::warn!(execution = %id, %error, "what an execution did before is not measured");
            }
        }
        if record.revision > journey.revision {
            self.take(execution, &mut journey, record);
        }
        if execution.state().is_terminal() {
            self.shared.heard.ended(execution);
        } else {
            self.journeys.insert(id.clone(), journey);
            self.tidy();
        }
    }

    /// What moved to another gateway is not told of here again.
    fn tidy(&mut self) {
        if self.journeys.len() < self.tidy_at {
            return;
        }
        if let Some(services) = self.services.upgrade() {
            let live = services.driver.live();
            let live: HashSet<&ExecutionId> = live.iter().map(|view| view.execution.id()).collect();
            self.journeys.retain(|id, _| live.contains(id));
        }
        self.tidy_at = FEW.max(2 * self.journeys.len());
    }

    /// Folds what was recorded before. What this process has seen the
    /// beginning of is told; the rest was told by whoever drove the execution
    /// then.
    async fn catch_up(
        &self,
        execution: &Execution,
        journey: &mut Journey,
        until: u64,
    ) -> Result<(), DriverError> {
        let Some(services) = self.services.upgrade() else {
            return Ok(());
        };
        let is_ours = journey.revision > 0;
        let driver = &services.driver;
        while journey.revision < until {
            let after = journey.revision;
            let records = driver.records(execution.id(), after, RECORDS).await?;
            if records.is_empty() {
                break;
            }
            for record in records.iter().filter(|record| record.revision <= until) {
                if is_ours {
                    self.take(execution, journey, record);
                } else {
                    journey.take(record);
                }
            }
        }
        Ok(())
    }

    fn take(&self, execution: &Execution, journey: &mut Journey, record: &RecordView) {
        let requested = self.shared.requests.take(&record.request_id);
        if let (Some(requested), 1) = (requested, record.revision) {
            self.shared.causes.put(execution.id().as_str(), requested);
        }
        if record.revision == 1 {
            self.shared.learn_objective(execution.plan());
        }
        for finding in journey.take(record) {
            self.tell(execution, record.at, &finding);
        }
    }

    fn tell(&self, execution: &Execution, at: tidegate_core::Timestamp, finding: &Finding) {
        if self.is_read {
            measure(&self.shared.instruments.executions, execution, at, finding);
        }
        say(execution, finding);
        if !self.shared.spans.is_open() {
            return;
        }
        let cause = match finding {
            Finding::Started => self.shared.causes.get(execution.id().as_str()),
            Finding::Ended(_) => self.shared.causes.take(execution.id().as_str()),
            Finding::Attempt { .. }
            | Finding::Reached
            | Finding::Hook { .. }
            | Finding::Launch { .. }
            | Finding::LaunchMoved { .. }
            | Finding::Admitted(_)
            | Finding::Held(_)
            | Finding::Hold { .. }
            | Finding::Server(_)
            | Finding::Warned
            | Finding::Retried(_) => None,
        };
        if let Some(span) = spans::span(execution, at, finding, cause) {
            self.shared.spans.push(span);
        }
    }
}

/// Whether nothing has happened but that this gateway took the execution over:
/// after a restart with thousands of them, the past of each is read when it
/// goes on.
fn only_changes_hands(record: &RecordView) -> bool {
    let mut changes = record.changes.iter();
    record.revision > 1 && changes.all(is_change_of_owner)
}

fn changes_hands(record: &RecordView) -> bool {
    record.changes.iter().any(is_change_of_owner)
}

fn is_change_of_owner(change: &Change) -> bool {
    matches!(change, Change::OwnerChanged { .. })
}

/// The two lines that every execution has in the log.
fn say(execution: &Execution, finding: &Finding) {
    let (id, plan) = (execution.id(), execution.plan().name());
    let kind = words::kind(execution.kind());
    match finding {
        Finding::Started => {
            tracing::info!(execution = %id, %plan, kind, "an execution was accepted");
        }
        Finding::Ended(state) => {
            let state = words::execution(*state);
            tracing::info!(execution = %id, %plan, kind, state, "an execution is over");
        }
        Finding::Attempt { .. }
        | Finding::Reached
        | Finding::Hook { .. }
        | Finding::Launch { .. }
        | Finding::LaunchMoved { .. }
        | Finding::Admitted(_)
        | Finding::Held(_)
        | Finding::Hold { .. }
        | Finding::Server(_)
        | Finding::Warned
        | Finding::Retried(_) => {}
    }
}

/// Looks through what is stored, now and from time to time, until the gateway
/// has ended.
pub(super) async fn look_through_again(shared: Arc<Shared>, services: Weak<Services>) {
    let mut rounds = interval(LOOK_THROUGH);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        rounds.tick().await;
        let Some(services) = services.upgrade() else {
            return;
        };
        look_through(&shared, &services).await;
    }
}

/// What executions that are over have left behind, and what plans expect.
async fn look_through(shared: &Shared, services: &Services) {
    if let Err(error) = look_through_executions(shared, &services.driver).await {
        tracing::warn!(%error, "instances that drills have left behind are not counted");
    }
    if let Err(error) = look_through_plans(shared, services).await {
        tracing::warn!(%error, "objectives of plans are not shown");
    }
}

async fn look_through_executions(shared: &Shared, driver: &Driver) -> Result<(), DriverError> {
    let mut before: Option<ExecutionId> = None;
    for _ in 0..LOOKED_THROUGH / PAGE {
        let page = driver.list(before.as_ref(), PAGE).await?;
        for listed in &page {
            match listed {
                Listed::Ended(head) => {
                    let id = &head.execution;
                    if leaves_or_takes(&head.summary) && shared.heard.is_news(id) {
                        shared.heard.ended(&driver.view(id).await?.execution);
                    }
                    before = Some(id.clone());
                }
                Listed::Live(view) => before = Some(view.execution.id().clone()),
                Listed::Damaged { head, .. } => before = Some(head.execution.clone()),
            }
        }
        if page.len() < PAGE {
            break;
        }
    }
    Ok(())
}

/// Whether an execution may have left instances of a drill behind, or taken
/// some away, so that its log is worth reading.
fn leaves_or_takes(summary: &[u8]) -> bool {
    let Ok(summary) = v1::ExecutionSummary::decode(summary) else {
        return true;
    };
    let launched = |it: &v1::ServerCount| it.state() == v1::ServerState::Launched;
    match summary.kind() {
        v1::ExecutionKind::Drill => summary.server_counts.iter().any(launched),
        v1::ExecutionKind::Cleanup | v1::ExecutionKind::Unspecified => true,
        v1::ExecutionKind::Recovery => false,
    }
}

async fn look_through_plans(
    shared: &Shared,
    services: &Services,
) -> Result<(), crate::ports::journal::ReadError> {
    let mut plans = BTreeMap::new();
    let mut after = None;
    loop {
        let page = services.plans.list(after.as_ref(), PAGE).await?;
        let read = page
            .iter()
            .filter_map(|stored| pinned_plan(&stored.plan).ok());
        plans.extend(read.map(|plan| (plan.name().to_string(), super::Objective::of(&plan))));
        after = page.last().map(|stored| stored.name.clone());
        if page.len() < PAGE {
            break;
        }
    }
    shared.set_objectives(plans);
    Ok(())
}
