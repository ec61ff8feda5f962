//! Appending a record.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;
use tidegate_core::ExecutionId;

use super::{
    DynamoJournal, RECORD_LIMIT,
    calls::Query,
    chunks::{self, CHUNK},
    claims, holds,
    item::{self, Item},
    keys::{self, LIVE},
    laying,
    meaning::Failure,
    write::Write,
};
use crate::ports::journal::{Append, AppendError, ReadError};

/// Bytes of a first record that lie in the anchor itself. Lists read anchors
/// whole, and pay by their size.
const IN_ANCHOR: usize = 4 << 10;

/// What a write of a transaction is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Claim,
    Record,
    Anchor,
    Fence,
    Laid,
}

/// Appends, once.
///
/// # Panics
/// If a first record comes without a head.
pub(super) async fn append(journal: &DynamoJournal, append: &Append) -> Result<(), AppendError> {
    assert!(
        append.revision != 1 || append.head.is_some(),
        "the first record of an execution brings its head"
    );
    let size = append.record.len();
    if size > RECORD_LIMIT {
        let limit = RECORD_LIMIT;
        return Err(AppendError::TooLarge { size, limit });
    }
    check_gap(journal, append).await?;
    let inline = if append.revision == 1 {
        IN_ANCHOR
    } else {
        CHUNK
    };
    let laid = chunks::lay(&journal.calls, "record", &append.record, inline).await;
    let laid = laid.map_err(unwritten)?;
    let parts = parts(append, &laid);
    let written = match parts.as_slice() {
        [(_, only)] => journal.calls.write(only).await,
        _ => {
            let writes: Vec<_> = parts.iter().map(|(_, write)| write.clone()).collect();
            journal.calls.transact(&writes).await
        }
    };
    let failure = match written {
        Ok(()) => {
            journal.known.note(&append.execution, append.revision);
            return Ok(());
        }
        Err(lost @ Failure::Lost(_)) => return Err(unwritten(lost)),
        Err(failure) => failure,
    };
    laid.take_back(&journal.calls).await;
    Err(match failure {
        Failure::Refused(items) => refused(journal, append, &parts, &items).await?,
        Failure::Conflict(_) | Failure::Unavailable(_) | Failure::Never(_) | Failure::Lost(_) => {
            unwritten(failure)
        }
    })
}

/// The newest revision; 0 if there is none.
pub(super) async fn newest(
    journal: &DynamoJournal,
    execution: &ExecutionId,
) -> Result<u64, ReadError> {
    let newest = Query {
        newest_first: true,
        limit: 1,
        ..Query::of(keys::log(execution))
    };
    if let Some(record) = journal.calls.all(&newest).await?.first() {
        return record.position();
    }
    let anchor = journal.calls.get(&keys::anchor(execution)).await?;
    Ok(u64::from(anchor.is_some()))
}

/// That the position is free says nothing of the one before it. Whoever wrote
/// or read that one itself knows.
async fn check_gap(journal: &DynamoJournal, append: &Append) -> Result<(), AppendError> {
    let Append {
        execution,
        revision,
        ..
    } = append;
    let before = match revision {
        // The position itself tells.
        1 => return Ok(()),
        _ => revision.checked_sub(1),
    };
    if let Some(before) = before {
        let key = keys::record(execution, before);
        let is_there = journal.known.has(execution, before)
            || journal.calls.get(&key).await.map_err(unread)?.is_some();
        if is_there {
            journal.known.note(execution, before);
            return Ok(());
        }
    }
    claimed(journal, append).await?;
    Err(taken(journal, append).await?)
}

/// The record and what comes with it. The order is that in which refusals
/// count.
fn parts(append: &Append, laid: &chunks::Laid) -> Vec<(Part, Write)> {
    let mut parts = Vec::new();
    if let Some(claim) = &append.claim {
        parts.push((Part::Claim, claims::take_small(claim)));
    }
    let record = keys::record(&append.execution, append.revision);
    let record = laid.in_item(Write::put(record).if_absent());
    match append.revision {
        1 => parts.push((Part::Record, anchored(record, append))),
        _ => {
            parts.push((Part::Record, record));
            parts.extend(anchor_update(append).map(|write| (Part::Anchor, write)));
        }
    }
    if let Some(taken) = &append.holds {
        let fence = holds::advance(taken.after, &append.execution);
        parts.push((Part::Fence, fence));
    }
    parts.extend(laid.finish().map(|write| (Part::Laid, write)));
    parts
}

/// The anchor of a new execution, which is its first record.
fn anchored(mut write: Write, append: &Append) -> Write {
    let id = append.execution.as_str();
    if keys::is_shortened(id) {
        write = write.set("id", item::text(id));
    }
    if let Some(head) = &append.head {
        write = write.set("summary", item::bytes(&head.summary));
        if head.live {
            write = write.set(LIVE, item::text(keys::named(id)));
        }
    }
    match held(append) {
        Some(servers) => write.set("servers", servers),
        None => write,
    }
}

/// What changes in the anchor with a later record, if anything does. An
/// execution that is over holds nothing.
fn anchor_update(append: &Append) -> Option<Write> {
    let anchor = keys::anchor(&append.execution);
    let servers = held(append);
    let adding = servers.as_ref().map_or("", |_| " ADD #servers :servers");
    let write = match &append.head {
        Some(head) if head.live => {
            let expression = format!("SET #summary = :summary, #live = :live{adding}");
            Write::update(anchor, expression)
                .with("summary", item::bytes(&head.summary))
                .with("live", item::text(keys::named(append.execution.as_str())))
        }
        Some(head) => {
            let over = "SET #summary = :summary REMOVE #live, #servers";
            let write = Write::update(anchor, over).with("summary", item::bytes(&head.summary));
            return Some(write.if_present());
        }
        None if servers.is_none() => return None,
        None => Write::update(anchor, adding.trim_start()),
    };
    let write = match servers {
        Some(servers) => write.with("servers", servers),
        None => write,
    };
    Some(write.if_present())
}

/// The servers that are taken; DynamoDB has no empty sets.
fn held(append: &Append) -> Option<AttributeValue> {
    let servers = &append.holds.as_ref()?.servers;
    let each: BTreeSet<_> = servers.iter().map(ToString::to_string).collect();
    (!each.is_empty()).then(|| AttributeValue::Ss(each.into_iter().collect()))
}

/// Which of the refusals counts.
async fn refused(
    journal: &DynamoJournal,
    append: &Append,
    parts: &[(Part, Write)],
    items: &[Option<Item>],
) -> Result<AppendError, AppendError> {
    let first = parts
        .iter()
        .zip(items)
        .find_map(|((part, _), item)| Some((*part, item.as_ref()?)));
    match first {
        Some((Part::Claim, item)) => {
            let value = claims::refused(&journal.calls, item).await;
            let value = value.map_err(unread)?;
            Ok(AppendError::Claimed { value })
        }
        Some((Part::Record | Part::Anchor, _)) => taken(journal, append).await,
        Some((Part::Fence, _)) => {
            let newest = holds::number(&journal.calls).await.map_err(unread)?;
            Ok(AppendError::Outdated { newest })
        }
        Some((Part::Laid, _)) => Ok(AppendError::Unavailable(laying::SWEPT.to_owned())),
        None => Ok(AppendError::Unavailable(
            "DynamoDB refused a transaction and does not say for what".to_owned(),
        )),
    }
}

/// Refuses an append whose claim is taken, before it is refused for another
/// reason.
async fn claimed(journal: &DynamoJournal, append: &Append) -> Result<(), AppendError> {
    let Some(claim) = &append.claim else {
        return Ok(());
    };
    match claims::find(&journal.calls, &claim.key).await {
        Ok(Some(value)) => Err(AppendError::Claimed { value }),
        Ok(None) => Ok(()),
        Err(error) => Err(unread(error)),
    }
}

async fn taken(journal: &DynamoJournal, append: &Append) -> Result<AppendError, AppendError> {
    let revision = append.revision;
    let newest = newest(journal, &append.execution).await.map_err(unread)?;
    if newest > 0 {
        journal.known.note(&append.execution, newest);
    }
    Ok(AppendError::Taken { revision, newest })
}

/// What a failure means that is not about a condition of the append.
fn unwritten(failure: Failure) -> AppendError {
    match failure {
        Failure::Never(why) => AppendError::Refused(why),
        Failure::Lost(why) => AppendError::AnswerLost(why),
        Failure::Refused(_) | Failure::Conflict(_) | Failure::Unavailable(_) => {
            AppendError::Unavailable(failure.text())
        }
    }
}

/// A read that an append cannot do without.
fn unread(error: ReadError) -> AppendError {
    AppendError::Unavailable(error.to_string())
}
