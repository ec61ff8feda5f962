//! Accepting new executions, each request once.

use std::sync::{Arc, PoisonError};

use bytes::Bytes;
use tidegate_core::{
    ExecutionId, SourceServerId,
    engine::{Event, Execution, Genesis, Kind},
    plan::Plan,
};

use super::{
    Driver, DriverError, Origin, Planted, RequestStamp, Shared, View,
    actor::{self, Begin, lost},
    by_tags,
    log::{Decided, Log, With},
};
use crate::ports::journal::{AppendError, Claim, Holds};

/// Ids that are tried to find one that is driven here. A member of a hundred
/// finds one with near certainty.
const IDS: usize = 1_000;

/// What StartExecution and CleanUp hand over.
#[derive(Clone, Debug)]
pub struct StartOrder {
    /// Drill, recovery or cleanup.
    pub kind: Kind,
    /// The plan that runs, checked.
    pub plan: Arc<Plan>,
    /// Its encoded form, and where it is from.
    pub origin: Origin,
    /// The client's request.
    pub request: RequestStamp,
}

/// What came of one try to start.
enum Tried {
    Started(View),
    /// Somebody else took servers meanwhile.
    Outdated,
    /// It is not started, or was before.
    Not(Result<View, DriverError>),
}

impl Driver {
    /// Accepts a new execution; answered when its first record is durable,
    /// whether or not the caller still waits. The same request id again gives
    /// the first answer.
    ///
    /// # Errors
    /// See [`DriverError`]; nothing is recorded then.
    pub async fn start_execution(&self, order: StartOrder) -> Result<View, DriverError> {
        let shared = Arc::clone(&self.shared);
        if shared.stop.is_cancelled() {
            return Err(DriverError::ShuttingDown);
        }
        let driver = self.clone();
        let started = shared.tasks.spawn(async move {
            let id = order.request.id.clone();
            driver.shared.begin_start(&id).await;
            let outcome = driver.start_once(order).await;
            driver.shared.end_start(&id);
            outcome
        });
        started
            .await
            .map_err(|error| DriverError::Unknown(error.to_string()))?
    }

    /// The first answer to a start with this request id, if there was one.
    ///
    /// # Errors
    /// The id was used with another payload, or the journal cannot be read.
    pub async fn started_by(&self, request: &RequestStamp) -> Result<Option<View>, DriverError> {
        let journal = &self.shared.ports.journal;
        match journal.claim(&claim_key(&request.id)).await? {
            Some(claim) => Ok(Some(self.first_answer(request, &claim).await?)),
            None => Ok(None),
        }
    }

    async fn start_once(&self, order: StartOrder) -> Result<View, DriverError> {
        let shared = &self.shared;
        let mut turn = shared.turn_to_hold().await;
        loop {
            if let Some(turn) = &mut turn {
                turn.learn().await?;
            }
            let servers = by_tags::taken_at_start(order.kind, &order.plan);
            let holds = turn.as_ref().map(|turn| turn.holds(&servers));
            match self.start_with(order.clone(), &servers, holds).await {
                Tried::Started(view) => {
                    if let Some(turn) = turn {
                        turn.taken();
                    }
                    return Ok(view);
                }
                Tried::Outdated => {}
                Tried::Not(outcome) => return outcome,
            }
        }
    }

    async fn start_with(
        &self,
        order: StartOrder,
        servers: &[SourceServerId],
        holds: Option<Holds>,
    ) -> Tried {
        let shared = &self.shared;
        let id = shared.next_id();
        let request = order.request.clone();
        if let Err(refused) = shared.enter(&id, servers, shared.settings.live_limit).await {
            let refused = by_tags::said(refused, order.kind, &order.plan);
            // The servers may be busy because this very request was accepted.
            let before = self.started_by(&request).await;
            return Tried::Not(before.and_then(|view| view.ok_or(refused)));
        }
        let (error, execution) = match create(shared, id.clone(), order, holds).await {
            Ok((log, record)) => {
                return Tried::Started(actor::spawn(shared, log, Begin::Created(record)));
            }
            Err(refused) => refused,
        };
        shared.registry.leave(&id);
        match error {
            AppendError::Outdated { .. } => Tried::Outdated,
            AppendError::Claimed { value } => Tried::Not(self.first_answer(&request, &value).await),
            AppendError::Taken { .. }
            | AppendError::TooLarge { .. }
            | AppendError::Unavailable(_)
            | AppendError::Refused(_)
            | AppendError::AnswerLost(_)
            | AppendError::Unknown(_) => Tried::Not(Err(lost(error, &execution))),
        }
    }

    async fn first_answer(
        &self,
        request: &RequestStamp,
        claim: &Bytes,
    ) -> Result<View, DriverError> {
        let Some((digest, id)) = claim.split_at_checked(request.digest.len()) else {
            return Err(DriverError::Damaged("a claim is too short".into()));
        };
        if digest != request.digest {
            return Err(DriverError::RequestIdReused(request.id.clone()));
        }
        let id = String::from_utf8_lossy(id);
        self.view_at(&ExecutionId::from(&*id), 1).await
    }
}

/// Writes the first record.
async fn create(
    shared: &Shared,
    id: ExecutionId,
    order: StartOrder,
    holds: Option<Holds>,
) -> Result<(Log, Arc<super::RecordView>), (AppendError, Arc<Execution>)> {
    let now = shared.ports.clock.now();
    let genesis = Genesis {
        id: id.clone(),
        kind: order.kind,
        plan: order.plan,
        created_at: now,
    };
    let execution = Execution::new(genesis, shared.settings.engine);
    // An execution to which nothing has happened can begin.
    let (changes, next) = execution
        .decide_folded(Event::Start, now)
        .unwrap_or_else(|_| (Vec::new(), execution.clone()));
    let claim = Claim {
        key: claim_key(&order.request.id),
        value: [&order.request.digest[..], id.as_str().as_bytes()]
            .concat()
            .into(),
    };
    let claim = (!shared.settings.has(Planted::ForgetsClaims)).then_some(claim);
    let mut decided = Decided {
        changes,
        next: Arc::new(next),
        at: now,
        stamp: Some(order.request),
    };
    // Whoever drives it gives its launches their turns.
    if shared.membership.term(&id).is_some() {
        shared.admission.take_turns(&mut decided);
    }
    let mut log = Log::new(execution, Arc::new(order.origin));
    match log.append(shared, decided, With { claim, holds }).await {
        Ok(record) => Ok((log, record)),
        Err(error) => {
            shared.admission.leave(&log.execution, now);
            Err((error, log.execution))
        }
    }
}

fn claim_key(request: &str) -> String {
    format!("start/{request}")
}

impl Shared {
    /// A new id, above every one that this process made before; of several,
    /// one that is driven here, so that nobody has to be told of it.
    fn next_id(&self) -> ExecutionId {
        let next = || self.ids.next(self.ports.clock.now(), &self.settings.random);
        let mut id = next();
        for _ in 0..IDS {
            if self.membership.prefers(&id) {
                break;
            }
            id = next();
        }
        id
    }

    /// Waits until no other start with this request id is under way.
    async fn begin_start(&self, request: &str) {
        loop {
            let free = self.started.notified();
            if self.lock_starting().insert(request.to_owned()) {
                return;
            }
            free.await;
        }
    }

    fn end_start(&self, request: &str) {
        self.lock_starting().remove(request);
        self.started.notify_waiters();
    }

    fn lock_starting(&self) -> std::sync::MutexGuard<'_, std::collections::BTreeSet<String>> {
        self.starting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
