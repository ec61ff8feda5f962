//! The [`HookStore`] port.

use bytes::Bytes;
use futures::future::{BoxFuture, FutureExt};
use redb::{ReadTransaction, ReadableTable as _};
use tidegate_core::ExecutionId;

use super::{
    RedbJournal,
    batch::{Change, Outcome, Refusal},
    committer::WriteError,
    hook_rows::{self, chunks_of, tape_key, tape_of, tapes_of},
    tables::{self, name_of},
    unreadable,
};
use crate::ports::{
    hook_store::{HookStore, HookStoreError, StoredHook, TAPE_BYTES, TapeKey},
    journal::ReadError,
};

impl HookStore for RedbJournal {
    /// A component that is put again is written again, which heals one whose
    /// bytes are damaged.
    ///
    /// # Panics
    /// If the size is not that of the bytes.
    fn put(&self, hook: StoredHook, bytes: Bytes) -> BoxFuture<'_, Result<bool, HookStoreError>> {
        assert_eq!(hook.size, bytes.len() as u64, "the size of {}", hook.digest);
        async move {
            let outcome = self.submit(Change::PutHook { hook, bytes }).await?;
            Ok(outcome == Outcome::Done)
        }
        .boxed()
    }

    fn list(&self) -> BoxFuture<'_, Result<Vec<StoredHook>, ReadError>> {
        self.query(hooks).boxed()
    }

    fn get(&self, digest: &str) -> BoxFuture<'_, Result<Option<Bytes>, ReadError>> {
        let digest = digest.to_owned();
        self.query(move |reading| component(reading, &digest))
            .boxed()
    }

    fn shelf(&self) -> BoxFuture<'_, Result<u64, ReadError>> {
        self.query(|reading| {
            let numbers = reading.open_table(tables::FORMAT).map_err(unreadable)?;
            let number = numbers.get(tables::SHELF).map_err(unreadable)?;
            Ok(number.map_or(0, |row| row.value()))
        })
        .boxed()
    }

    fn delete(&self, digest: &str, shelf: u64) -> BoxFuture<'_, Result<bool, HookStoreError>> {
        let digest = digest.to_owned();
        let shelf = Some(shelf);
        async move {
            let outcome = self.submit(Change::DeleteHook { digest, shelf }).await?;
            Ok(outcome == Outcome::Done)
        }
        .boxed()
    }

    /// # Panics
    /// If the command runs no hook.
    fn put_tape(&self, tape: TapeKey, bytes: Bytes) -> BoxFuture<'_, Result<(), HookStoreError>> {
        let key = tape_key(&tape).expect("a tape is of a hook");
        async move {
            let size = bytes.len();
            if size > TAPE_BYTES {
                return Err(HookStoreError::TooLarge { size });
            }
            self.submit(Change::PutTape { key, bytes }).await?;
            Ok(())
        }
        .boxed()
    }

    fn tapes(&self, execution: &ExecutionId) -> BoxFuture<'_, Result<Vec<TapeKey>, ReadError>> {
        let execution = execution.clone();
        self.query(move |reading| tapes(reading, &execution))
            .boxed()
    }

    fn tape(&self, tape: &TapeKey) -> BoxFuture<'_, Result<Option<Bytes>, ReadError>> {
        let key = tape_key(tape);
        self.query(move |reading| key.map_or(Ok(None), |key| tape_at(reading, &key)))
            .boxed()
    }
}

impl From<WriteError> for HookStoreError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Refused(Refusal::Taken { .. } | Refusal::Claimed { .. }) => {
                unreachable!("a hook has neither revisions nor claims")
            }
            WriteError::Refused(Refusal::Outdated) => Self::Outdated,
            WriteError::Failed(failure) => Self::Unknown(failure.to_string()),
        }
    }
}

fn hooks(reading: &ReadTransaction) -> Result<Vec<StoredHook>, ReadError> {
    let hooks = reading.open_table(tables::HOOKS).map_err(unreadable)?;
    hooks
        .iter()
        .map_err(unreadable)?
        .map(|row| {
            let (key, row) = row.map_err(unreadable)?;
            hook_rows::decode(name_of(key.value())?, row.value())
        })
        .collect()
}

fn component(reading: &ReadTransaction, digest: &str) -> Result<Option<Bytes>, ReadError> {
    let hooks = reading.open_table(tables::HOOKS).map_err(unreadable)?;
    let Some(row) = hooks.get(digest.as_bytes()).map_err(unreadable)? else {
        return Ok(None);
    };
    let size = hook_rows::decode(digest, row.value())?.size;
    let chunks = reading
        .open_table(tables::HOOK_CHUNKS)
        .map_err(unreadable)?;
    let (first, last) = chunks_of(digest);
    let mut bytes = Vec::new();
    for row in chunks
        .range(first.as_slice()..=last.as_slice())
        .map_err(unreadable)?
    {
        let (_, chunk) = row.map_err(unreadable)?;
        bytes.extend_from_slice(chunk.value());
    }
    let found = bytes.len();
    if found as u64 != size {
        let reason = format!("hook {digest} has {found} bytes of {size}");
        return Err(ReadError::Damaged(reason));
    }
    Ok(Some(bytes.into()))
}

fn tapes(reading: &ReadTransaction, execution: &ExecutionId) -> Result<Vec<TapeKey>, ReadError> {
    let tapes = reading.open_table(tables::TAPES).map_err(unreadable)?;
    let (first, last) = tapes_of(execution);
    tapes
        .range(first.as_slice()..=last.as_slice())
        .map_err(unreadable)?
        .map(|row| {
            let (key, _) = row.map_err(unreadable)?;
            tape_of(execution, key.value())
        })
        .collect()
}

fn tape_at(reading: &ReadTransaction, key: &[u8]) -> Result<Option<Bytes>, ReadError> {
    let tapes = reading.open_table(tables::TAPES).map_err(unreadable)?;
    let tape = tapes.get(key).map_err(unreadable)?;
    Ok(tape.map(|tape| Bytes::copy_from_slice(tape.value())))
}
