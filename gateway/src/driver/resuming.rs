//! Going on with executions that are not over: all of them, or those that this
//! member of a cluster drives from now on.

use std::{
    future::ready,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use futures::{StreamExt as _, TryStreamExt as _};
use tidegate_core::ExecutionId;

use super::{
    DriverError, Shared,
    actor::{self, Begin},
    by_tags,
    log::Log,
    servers_of,
};

/// Heads that are read at once.
const HEADS: usize = 1_000;
/// Logs that are read at the same time.
const AT_ONCE: usize = 64;

/// Logs that the journal does not give, after which the rest is left for the next
/// beat: it does not answer.
const UNREAD: usize = 8;

/// Goes on with every execution that is not over.
pub(super) async fn everything(shared: &Arc<Shared>) -> Result<(), DriverError> {
    these(shared, unfinished(shared).await?).await
}

/// Goes on with these, unless they are driven here or over.
///
/// Every one of them takes its servers before the first does anything: one
/// that goes on could otherwise take what another one holds.
pub(super) async fn these(
    shared: &Arc<Shared>,
    ids: impl IntoIterator<Item = ExecutionId>,
) -> Result<(), DriverError> {
    let ids = ids.into_iter().filter(|id| !shared.registry.has_place(id));
    let unread = AtomicUsize::new(0);
    let logs: Vec<Log> = futures::stream::iter(ids)
        .map(|id| read(shared, id, &unread))
        .buffer_unordered(AT_ONCE)
        .try_filter_map(|log| ready(Ok(log)))
        .try_collect()
        .await?;
    let mut driven = Vec::with_capacity(logs.len());
    for log in logs {
        if enter(shared, &log).await {
            driven.push(log);
        }
    }
    let count = driven.len();
    for log in &driven {
        let now = shared.ports.clock.now();
        shared.admission.register(&log.execution, now);
    }
    for log in driven {
        actor::spawn(shared, log, Begin::TakenOver);
    }
    if count > 0 {
        tracing::info!(count, "resumed unfinished executions");
    }
    Ok(())
}

pub(super) async fn unfinished(shared: &Shared) -> Result<Vec<ExecutionId>, DriverError> {
    let journal = &shared.ports.journal;
    let mut unfinished: Vec<ExecutionId> = Vec::new();
    loop {
        let page = journal.heads(unfinished.last(), true, HEADS).await?;
        if page.is_empty() {
            return Ok(unfinished);
        }
        unfinished.extend(page.into_iter().map(|head| head.execution));
    }
}

/// A log that cannot be understood keeps nobody else from going on: the
/// execution is left as it is, and everything asked of it says why.
///
/// In a cluster, one that the journal does not give now is tried again with the
/// next beat, and after some of them so is everything else.
async fn read(
    shared: &Shared,
    id: ExecutionId,
    unread: &AtomicUsize,
) -> Result<Option<Log>, DriverError> {
    let member = shared.membership.member();
    if let Some(member) = member
        && unread.load(Ordering::Relaxed) >= UNREAD
    {
        member.begin_again(&id);
        return Ok(None);
    }
    match (shared.read(&id, None).await, member) {
        (Ok(log), _) if log.execution.state().is_terminal() => Ok(None),
        (Ok(log), _) => Ok(Some(log)),
        (Err(DriverError::Damaged(why)), _) => {
            tracing::error!(execution = %id, why, "this execution cannot be resumed");
            Ok(None)
        }
        // Somebody was told of it before its first record was there.
        (Err(DriverError::NotFound(_)), Some(_)) => Ok(None),
        (Err(DriverError::Unavailable(why)), Some(member)) => {
            tracing::warn!(execution = %id, why, "this execution could not be resumed; trying again");
            unread.fetch_add(1, Ordering::Relaxed);
            member.begin_again(&id);
            Ok(None)
        }
        (Err(error), _) => Err(error),
    }
}

/// Takes an unfinished execution's place and servers.
async fn enter(shared: &Shared, log: &Log) -> bool {
    let execution = &log.execution;
    let servers = servers_of(execution);
    let entered = shared.enter(execution.id(), &servers, usize::MAX).await;
    match (&entered, shared.membership.member()) {
        // Journals of older versions have executions that share a selection;
        // each of them can go on.
        (Ok(()), _) => {
            let held = by_tags::held(execution.kind(), execution.plan());
            shared.registry.take_free(execution.id(), held.into_keys());
        }
        // Who has its servers is over, about to be refused, or not known as it
        // should be; or the journal does not tell.
        (Err(error), Some(member)) => {
            tracing::warn!(execution = %execution.id(), %error, "this execution could not be resumed; trying again");
            member.begin_again(execution.id());
        }
        (Err(error), _) => {
            tracing::error!(execution = %execution.id(), %error, "this execution cannot be resumed");
        }
    }
    entered.is_ok()
}
