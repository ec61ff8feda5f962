//! The [`HookStore`] port, and components.

use bytes::Bytes;
use futures::future::{BoxFuture, FutureExt as _};
use tidegate_core::{ExecutionId, Timestamp};

use super::{
    DynamoJournal,
    calls::{Calls, Query},
    chunks::{self, Laid},
    item::{self, Item},
    keys::{self, HOOKS},
    laying,
    meaning::Failure,
    shelf, tapes,
    write::Write,
};
use crate::ports::{
    hook_store::{HookStore, HookStoreError, StoredHook, TAPE_BYTES, TapeKey},
    journal::ReadError,
};

/// Tries at what somebody else changes at the same time.
const TRIES: usize = 5;

impl HookStore for DynamoJournal {
    /// A component that is put again and damaged is written again.
    ///
    /// # Panics
    /// If the size is not that of the bytes.
    fn put(&self, hook: StoredHook, bytes: Bytes) -> BoxFuture<'_, Result<bool, HookStoreError>> {
        assert_eq!(hook.size, bytes.len() as u64, "the size of {}", hook.digest);
        async move { put(&self.calls, &hook, &bytes).await }.boxed()
    }

    fn list(&self) -> BoxFuture<'_, Result<Vec<StoredHook>, ReadError>> {
        async move {
            let rows = self.calls.all(&Query::of(HOOKS)).await?;
            rows.iter().map(hook).collect()
        }
        .boxed()
    }

    fn get(&self, digest: &str) -> BoxFuture<'_, Result<Option<Bytes>, ReadError>> {
        let digest = digest.to_owned();
        async move { get(&self.calls, &digest).await }.boxed()
    }

    fn shelf(&self) -> BoxFuture<'_, Result<u64, ReadError>> {
        async move { shelf::number(&self.calls).await }.boxed()
    }

    fn delete(&self, digest: &str, shelf: u64) -> BoxFuture<'_, Result<bool, HookStoreError>> {
        let digest = digest.to_owned();
        async move { delete(&self.calls, &digest, shelf).await }.boxed()
    }

    /// # Panics
    /// If the command runs no hook.
    fn put_tape(&self, tape: TapeKey, bytes: Bytes) -> BoxFuture<'_, Result<(), HookStoreError>> {
        let key = tapes::key(&tape).expect("a tape is of a hook");
        async move {
            let size = bytes.len();
            if size > TAPE_BYTES {
                return Err(HookStoreError::TooLarge { size });
            }
            tapes::put(&self.calls, key, &bytes)
                .await
                .map_err(unwritten)
        }
        .boxed()
    }

    fn tapes(&self, execution: &ExecutionId) -> BoxFuture<'_, Result<Vec<TapeKey>, ReadError>> {
        let execution = execution.clone();
        async move { tapes::list(&self.calls, &execution).await }.boxed()
    }

    fn tape(&self, tape: &TapeKey) -> BoxFuture<'_, Result<Option<Bytes>, ReadError>> {
        let key = tapes::key(tape);
        async move {
            match key {
                Some(key) => tapes::get(&self.calls, &key).await,
                None => Ok(None),
            }
        }
        .boxed()
    }
}

async fn put(calls: &Calls, hook: &StoredHook, bytes: &Bytes) -> Result<bool, HookStoreError> {
    let key = keys::hook(&hook.digest);
    let there = calls.get(&key).await.map_err(unread)?;
    if let Some(row) = &there {
        match chunks::read(calls, row, "component").await {
            Ok(Some(found)) if found == *bytes => return Ok(false),
            Ok(_) | Err(ReadError::Damaged(_)) => {}
            Err(error @ ReadError::Unavailable(_)) => return Err(unread(error)),
        }
    }
    let laid = chunks::lay(calls, "component", bytes, 0).await;
    let laid = laid.map_err(unwritten)?;
    let mut writes = vec![row(hook, &laid, there.as_ref())];
    writes.extend(laid.finish());
    let old = there.as_ref();
    writes.extend(old.and_then(|row| chunks::give_up(row, "component")));
    match calls.transact_surely(&writes).await {
        Ok(()) => {
            if let Some(row) = &there {
                chunks::clear(calls, row, "component").await;
            }
            Ok(there.is_none())
        }
        Err(failure @ Failure::Lost(_)) => Err(unwritten(failure)),
        Err(failure) => {
            laid.take_back(calls).await;
            match failure {
                // Somebody else put it, or deleted it, at the same time.
                Failure::Refused(_) if failure.refuses(0) => Ok(false),
                Failure::Refused(_) => Err(HookStoreError::Unavailable(laying::SWEPT.to_owned())),
                Failure::Conflict(_)
                | Failure::Unavailable(_)
                | Failure::Never(_)
                | Failure::Lost(_) => Err(unwritten(failure)),
            }
        }
    }
}

/// The write of a row that is new, or takes the place of a damaged one, whose
/// first instant stays.
fn row(hook: &StoredHook, laid: &Laid, damaged: Option<&Item>) -> Write {
    let first = damaged.and_then(|row| row.number("created_at"));
    let created_at = first.unwrap_or(hook.created_at.as_millis());
    let mut write = laid
        .in_item(Write::put(keys::hook(&hook.digest)))
        .set("size", item::number(hook.size))
        .set("created_at", item::number(created_at));
    if keys::is_shortened(&hook.digest) {
        write = write.set("id", item::text(&*hook.digest));
    }
    match damaged {
        Some(row) => as_read(write, row),
        None => write.if_absent(),
    }
}

/// Only while a row refers to the same parts.
fn as_read(write: Write, row: &Item) -> Write {
    match row.text("component_at") {
        Some(at) => write
            .only_if("#component_at = :at")
            .with("at", item::text(at)),
        None => write.if_present(),
    }
}

fn hook(row: &Item) -> Result<StoredHook, ReadError> {
    let number = |name| {
        row.number(name)
            .ok_or_else(|| row.damaged(&format!("no {name}")))
    };
    Ok(StoredHook {
        digest: row.name()?.to_owned(),
        size: number("size")?,
        created_at: Timestamp::from_millis(number("created_at")?),
    })
}

/// A component that is deleted or replaced while it is read is read again.
async fn get(calls: &Calls, digest: &str) -> Result<Option<Bytes>, ReadError> {
    let key = keys::hook(digest);
    let mut before = None;
    for _ in 0..TRIES {
        let Some(row) = calls.get(&key).await? else {
            return Ok(None);
        };
        match chunks::read(calls, &row, "component").await {
            Err(ReadError::Damaged(_)) if before.as_ref() != Some(&row) => before = Some(row),
            Ok(None) => return Err(row.damaged("no component")),
            read @ (Ok(Some(_)) | Err(_)) => return read,
        }
    }
    Err(ReadError::Unavailable(format!(
        "hook {digest} is being changed by others"
    )))
}

async fn delete(calls: &Calls, digest: &str, shelf: u64) -> Result<bool, HookStoreError> {
    let key = keys::hook(digest);
    for _ in 0..TRIES {
        let Some(row) = calls.get(&key).await.map_err(unread)? else {
            return Ok(false);
        };
        let mut writes = vec![as_read(Write::delete(key.clone()), &row)];
        writes.push(shelf::advance(shelf));
        writes.extend(chunks::give_up(&row, "component"));
        match calls.transact_surely(&writes).await {
            Ok(()) => {
                chunks::clear(calls, &row, "component").await;
                return Ok(true);
            }
            // It was replaced, or deleted, since it was read.
            Err(refusal) if refusal.refuses(0) => {}
            Err(Failure::Refused(_)) => return Err(HookStoreError::Outdated),
            Err(failure) => return Err(unwritten(failure)),
        }
    }
    Err(HookStoreError::Unavailable(format!(
        "hook {digest} is being changed by others"
    )))
}

/// What is in doubt is asked for again, and then settles itself: putting and
/// deleting are the same the second time.
fn unwritten(failure: Failure) -> HookStoreError {
    HookStoreError::Unavailable(failure.text())
}

fn unread(error: ReadError) -> HookStoreError {
    HookStoreError::Unavailable(error.to_string())
}
