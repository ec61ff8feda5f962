//! One record on its way into the journal: tried until it is known whether it
//! is there.
//!
//! An append whose answer was lost is settled by the log itself: the record at
//! the position carries its writer's nonce. Until that is known nothing is
//! folded and nothing is acted upon.
//!
//! Thousands of executions wait for one journal, and at the end of an outage
//! they must not all come at once: each waits ever longer, and not as long as
//! the others.

use std::time::Duration;

use tidegate_core::ExecutionId;

use super::{Planted, Shared, backoff::Backoff, unwritten::Writing};
use crate::{
    journal_format::{self, Nonce},
    ports::journal::{Append, AppendError, ReadError, StoredRecord},
};

/// The first wait before another try; it doubles.
const FIRST_WAIT: Duration = Duration::from_millis(200);
/// The longest: so much later than the journal an execution may go on.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// The tries at one record.
struct Tries<'a> {
    shared: &'a Shared,
    execution: ExecutionId,
    backoff: Backoff,
    failed: u32,
    /// What people are shown of it.
    shown: Writing,
}

/// Writes a record that carries this nonce.
pub(super) async fn write(
    shared: &Shared,
    mut append: Append,
    nonce: Nonce,
) -> Result<(), AppendError> {
    // Whether an earlier try may be there, or may still come to be.
    let mut in_doubt = false;
    let mut tries = Tries::new(shared, &append.execution);
    loop {
        match shared.ports.journal.append(append.clone()).await {
            Ok(()) => return Ok(()),
            Err(AppendError::Unavailable(why)) => {
                tries.failed(&why, "the journal is not available; trying again");
            }
            Err(AppendError::AnswerLost(why)) => {
                tries.failed(&why, "the journal's answer was lost; reading what is there");
                in_doubt = !shared.settings.has(Planted::ForgetsNonce);
                if in_doubt && is_there(&mut tries, &append, nonce).await? {
                    return Ok(());
                }
            }
            Err(AppendError::Taken { newest, .. }) if shared.settings.has(Planted::SkipsFence) => {
                append.revision = newest + 1;
            }
            // The position or the key may be taken by the earlier try, and the last
            // room by its record.
            Err(
                error @ (AppendError::Taken { .. }
                | AppendError::Claimed { .. }
                | AppendError::Outdated { .. }
                | AppendError::Refused(_)),
            ) if in_doubt => {
                return match is_there(&mut tries, &append, nonce).await? {
                    true => Ok(()),
                    false => Err(error),
                };
            }
            Err(
                error @ (AppendError::Taken { .. }
                | AppendError::Claimed { .. }
                | AppendError::Outdated { .. }
                | AppendError::TooLarge { .. }
                | AppendError::Refused(_)
                | AppendError::Unknown(_)),
            ) => return Err(error),
        }
        tries.wait().await;
    }
}

impl<'a> Tries<'a> {
    fn new(shared: &'a Shared, execution: &ExecutionId) -> Self {
        let jitter = shared.jitter(execution.as_str());
        Self {
            shared,
            execution: execution.clone(),
            backoff: Backoff::between(FIRST_WAIT, LONGEST_WAIT, jitter),
            failed: 0,
            shown: shared.unwritten.writing(execution),
        }
    }

    /// Another one failed. The log says so of the first, and then at growing
    /// distances: of an outage it would say nothing else.
    fn failed(&mut self, why: &str, what: &'static str) {
        let execution = &self.execution;
        self.shown.failed(why);
        self.failed = self.failed.saturating_add(1);
        let failed = self.failed;
        if failed.is_power_of_two() {
            tracing::warn!(%execution, why, failed, "{what}");
        } else {
            tracing::debug!(%execution, why, failed, "{what}");
        }
    }

    async fn wait(&mut self) {
        self.shared.wait(self.backoff.next()).await;
    }
}

/// Whether the record is in the journal, by its nonce.
///
/// # Errors
/// Another writer has the position, or has written behind the record: then
/// the log has another owner by now, and nothing may be acted upon here.
async fn is_there(
    tries: &mut Tries<'_>,
    append: &Append,
    nonce: Nonce,
) -> Result<bool, AppendError> {
    let taken = |newest| AppendError::Taken {
        revision: append.revision,
        newest,
    };
    let stored = read(tries, append).await?;
    let Some(first) = stored.first() else {
        return Ok(false);
    };
    let is_ours = journal_format::decode(&first.record).is_ok_and(|record| record.nonce == nonce);
    match stored.last() {
        Some(last) if is_ours && last.revision == append.revision => Ok(true),
        Some(last) => Err(taken(last.revision)),
        None => Ok(false),
    }
}

/// What is stored at the record's position, and behind it.
async fn read(tries: &mut Tries<'_>, append: &Append) -> Result<Vec<StoredRecord>, AppendError> {
    let journal = &tries.shared.ports.journal;
    loop {
        match journal
            .read(&append.execution, append.revision - 1, 2)
            .await
        {
            Ok(stored) => return Ok(stored),
            Err(ReadError::Unavailable(why)) => {
                tries.failed(&why, "the journal is not available; trying again");
                tries.wait().await;
            }
            Err(ReadError::Damaged(why)) => return Err(AppendError::Unknown(why)),
        }
    }
}
