//! One record on its way into the journal: tried until it is known whether it
//! is there.
//!
//! An append whose answer was lost is settled by the log itself: the record at
//! the position carries its writer's nonce. Until that is known nothing is
//! folded and nothing is acted upon.

use std::time::Duration;

use super::{Planted, Shared};
use crate::{
    journal_format::{self, Nonce},
    ports::journal::{Append, AppendError, ReadError, StoredRecord},
};

/// Waits between tries.
const RETRY_WAIT: Duration = Duration::from_millis(200);

/// Writes a record that carries this nonce.
pub(super) async fn write(
    shared: &Shared,
    mut append: Append,
    nonce: Nonce,
) -> Result<(), AppendError> {
    // Whether an earlier try may be there, or may still come to be.
    let mut in_doubt = false;
    let mut writing = shared.unwritten.writing(&append.execution);
    loop {
        match shared.ports.journal.append(append.clone()).await {
            Ok(()) => return Ok(()),
            Err(AppendError::Unavailable(why)) => {
                tracing::warn!(execution = %append.execution, why, "the journal is not available; trying again");
                writing.failed(&why);
            }
            Err(AppendError::AnswerLost(why)) => {
                writing.failed(&why);
                tracing::warn!(execution = %append.execution, why, "the journal's answer was lost; reading what is there");
                in_doubt = !shared.settings.has(Planted::ForgetsNonce);
                if in_doubt && is_there(shared, &append, nonce).await? {
                    return Ok(());
                }
            }
            Err(AppendError::Taken { newest, .. }) if shared.settings.has(Planted::SkipsFence) => {
                append.revision = newest + 1;
            }
            // The position or the key may be taken by the earlier try.
            Err(
                error @ (AppendError::Taken { .. }
                | AppendError::Claimed { .. }
                | AppendError::Outdated { .. }),
            ) if in_doubt => {
                return match is_there(shared, &append, nonce).await? {
                    true => Ok(()),
                    false => Err(error),
                };
            }
            Err(
                error @ (AppendError::Taken { .. }
                | AppendError::Claimed { .. }
                | AppendError::Outdated { .. }
                | AppendError::TooLarge { .. }
                | AppendError::Unknown(_)),
            ) => return Err(error),
        }
        shared.wait(RETRY_WAIT).await;
    }
}

/// Whether the record is in the journal, by its nonce.
///
/// # Errors
/// Another writer has the position, or has written behind the record: then
/// the log has another owner by now, and nothing may be acted upon here.
async fn is_there(shared: &Shared, append: &Append, nonce: Nonce) -> Result<bool, AppendError> {
    let taken = |newest| AppendError::Taken {
        revision: append.revision,
        newest,
    };
    let stored = read(shared, append).await?;
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
async fn read(shared: &Shared, append: &Append) -> Result<Vec<StoredRecord>, AppendError> {
    let journal = &shared.ports.journal;
    loop {
        match journal
            .read(&append.execution, append.revision - 1, 2)
            .await
        {
            Ok(stored) => return Ok(stored),
            Err(ReadError::Unavailable(why)) => {
                tracing::warn!(execution = %append.execution, why, "the journal is not available; trying again");
                shared.wait(RETRY_WAIT).await;
            }
            Err(ReadError::Damaged(why)) => return Err(AppendError::Unknown(why)),
        }
    }
}
