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
    log::{Decided, Log},
};
use crate::ports::journal::{AppendError, Claim};

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
        let id = shared.next_id();
        let request = order.request.clone();
        let servers: Vec<SourceServerId> = order.plan.named_servers().cloned().collect();
        if let Err(refused) = shared
            .registry
            .enter(&id, &servers, shared.settings.live_limit)
        {
            // The servers may be busy because this very request was accepted.
            return self.started_by(&request).await?.ok_or(refused);
        }
        match create(shared, id.clone(), order).await {
            Ok((log, record)) => Ok(actor::spawn(shared, log, Begin::Created(record))),
            Err((error, execution)) => {
                shared.registry.leave(&id);
                match error {
                    AppendError::Claimed { value } => self.first_answer(&request, &value).await,
                    AppendError::Taken { .. }
                    | AppendError::Outdated { .. }
                    | AppendError::TooLarge { .. }
                    | AppendError::Unavailable(_)
                    | AppendError::AnswerLost(_)
                    | AppendError::Unknown(_) => Err(lost(error, &execution)),
                }
            }
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
) -> Result<(Log, Arc<super::RecordView>), (AppendError, Box<Execution>)> {
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
        next,
        at: now,
        stamp: Some(order.request),
    };
    shared.admission.take_turns(&mut decided);
    let mut log = Log::new(execution, Arc::new(order.origin));
    match log.append(shared, decided, claim).await {
        Ok(record) => Ok((log, record)),
        Err(error) => {
            shared.admission.leave(&log.execution, now);
            Err((error, Box::new(log.execution)))
        }
    }
}

fn claim_key(request: &str) -> String {
    format!("start/{request}")
}

impl Shared {
    /// A new id, above every one that this process made before.
    fn next_id(&self) -> ExecutionId {
        self.ids.next(self.ports.clock.now(), &self.settings.random)
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
