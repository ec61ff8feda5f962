//! What people ask of an execution: pause, resume, cancel, retry, skip.
//!
//! The execution's actor decides, where it runs here. Where another member of
//! the cluster drives it, this one decides from the log and writes into it, at
//! the position that only one writer can have; the owner is told, reads, and
//! acts.

use std::sync::Arc;

use tidegate_core::{ExecutionId, engine::Event};
use tokio::sync::oneshot;

use super::{
    Driver, DriverError, RequestStamp, Shared, View,
    actor::lost,
    log::{Decided, Log, With},
    mailbox::{Asked, Message},
    membership::Member,
};
use crate::ports::journal::AppendError;

/// How often a request is decided anew because others wrote meanwhile.
const TRIES: usize = 64;

impl Driver {
    /// Hands a person's request (pause, resume, cancel, retry, skip) to an
    /// execution; answered when what it decided is durable, with the state at
    /// that revision. The same request id again gives the first answer.
    ///
    /// # Errors
    /// See [`DriverError`]; a refused request records nothing.
    pub async fn request(
        &self,
        id: &ExecutionId,
        event: Event,
        stamp: Option<RequestStamp>,
    ) -> Result<View, DriverError> {
        let registry = &self.shared.registry;
        loop {
            if let Some(answer) = self.request_of_live(id, &event, &stamp).await {
                return answer;
            }
            if let Some(member) = self.shared.membership.member() {
                match self.request_by_log(member, id, &event, &stamp).await {
                    // Its actor came to be meanwhile, and writes all the time.
                    Err(DriverError::NotOwner(_)) if registry.get(id).is_some() => continue,
                    answer => return answer,
                }
            }
            match self.request_of_ended(id, &event, &stamp).await {
                // Its first record was there, and only now it is live.
                Err(DriverError::NotOwner(_)) if registry.get(id).is_some() => {}
                Err(DriverError::NotOwner(_)) if registry.is_starting(id) => {
                    let why = "the execution is just being started".to_owned();
                    return Err(DriverError::Unavailable(why));
                }
                answer => return answer,
            }
        }
    }

    /// `None` if the execution is not live here.
    async fn request_of_live(
        &self,
        id: &ExecutionId,
        event: &Event,
        stamp: &Option<RequestStamp>,
    ) -> Option<Result<View, DriverError>> {
        let live = self.shared.registry.get(id)?;
        let (reply, answer) = oneshot::channel();
        let message = Message::Asked {
            event: event.clone(),
            stamp: stamp.clone(),
            reply,
        };
        live.mailbox.tell(message).await.ok()?;
        match answer.await.ok()? {
            Ok(Asked::Done(view)) => Some(Ok(view)),
            Ok(Asked::Before(revision)) => Some(self.view_at(id, revision).await),
            Err(error) => Some(Err(error)),
        }
    }

    /// An execution that is over accepts nothing, but still gives the first
    /// answer to a request that it accepted.
    async fn request_of_ended(
        &self,
        id: &ExecutionId,
        event: &Event,
        stamp: &Option<RequestStamp>,
    ) -> Result<View, DriverError> {
        let shared = &self.shared;
        let log = shared.read(id, None).await?;
        if let Some(revision) = log.answered_before(stamp.as_ref())? {
            return self.view_at(id, revision).await;
        }
        match log.execution.decide(event.clone(), log.updated_at) {
            Err(rejection) => Err(DriverError::Rejected(rejection)),
            Ok(_) if shared.stop.is_cancelled() => Err(DriverError::ShuttingDown),
            Ok(_) => Err(DriverError::NotOwner(id.clone())),
        }
    }

    /// Decides here, and writes into the log that another member continues.
    async fn request_by_log(
        &self,
        member: &Member,
        id: &ExecutionId,
        event: &Event,
        stamp: &Option<RequestStamp>,
    ) -> Result<View, DriverError> {
        let shared = &self.shared;
        if shared.stop.is_cancelled() {
            return Err(DriverError::ShuttingDown);
        }
        let mut log = shared.read(id, None).await?;
        for _ in 0..TRIES {
            if let Some(revision) = log.answered_before(stamp.as_ref())? {
                // The owner may not have been told the first time.
                member.tell(id).await;
                return self.view_at(id, revision).await;
            }
            log.admit(shared.settings.request_limit, event)?;
            let decided = decide(shared, &log, event, stamp)?;
            match log.append(shared, decided, With::default()).await {
                Ok(_) => {
                    member.tell(id).await;
                    shared.tails.written(id);
                    return Ok(log.view());
                }
                Err(AppendError::Taken { .. }) => {
                    log.read_on(shared).await?;
                }
                Err(error) => return Err(lost(error, &log.execution)),
            }
        }
        Err(DriverError::NotOwner(id.clone()))
    }
}

fn decide(
    shared: &Shared,
    log: &Log,
    event: &Event,
    stamp: &Option<RequestStamp>,
) -> Result<Decided, DriverError> {
    let at = shared.ports.clock.now().max(log.updated_at);
    let (changes, next) = log
        .execution
        .decide_folded(event.clone(), at)
        .map_err(DriverError::Rejected)?;
    Ok(Decided {
        changes,
        next: Arc::new(next),
        at,
        stamp: stamp.clone(),
    })
}
