//! Changes of hooks and their tapes.

use bytes::Bytes;
use redb::ReadableTable as _;

use super::{
    super::{
        hook_rows::{self, CHUNK_SIZE, chunk_key, chunks_of},
        tables,
    },
    Batch, Outcome, Refusal, Verdict,
};
use crate::ports::hook_store::StoredHook;

impl Batch<'_> {
    /// Writes the bytes also if the hook is there: whoever stores it again may
    /// have been told that they are damaged.
    pub(super) fn put_hook(
        &mut self,
        hook: &StoredHook,
        bytes: &Bytes,
    ) -> Result<Outcome, redb::Error> {
        let digest = hook.digest.as_str();
        let stored = self
            .hooks
            .open()?
            .get(digest.as_bytes())?
            .map(|row| hook_rows::decode(digest, row.value()));
        let outcome = if stored.is_some() {
            Outcome::Moot
        } else {
            Outcome::Done
        };
        let created_at = match stored {
            Some(Ok(first)) => first.created_at,
            Some(Err(_)) | None => hook.created_at,
        };
        self.delete_chunks(digest)?;
        let chunks = self.hook_chunks.open()?;
        for (index, chunk) in (0..).zip(bytes.chunks(CHUNK_SIZE)) {
            chunks.insert(chunk_key(digest, index).as_slice(), chunk)?;
        }
        let row = hook_rows::encode(hook.size, created_at);
        self.hooks
            .open()?
            .insert(digest.as_bytes(), row.as_slice())?;
        Ok(outcome)
    }

    pub(super) fn delete_hook(
        &mut self,
        digest: &str,
        shelf: Option<u64>,
    ) -> Result<Verdict, redb::Error> {
        if self.hooks.open()?.get(digest.as_bytes())?.is_none() {
            return Ok(Ok(Outcome::Moot));
        }
        if !self.move_shelf(shelf)? {
            return Ok(Err(Refusal::Outdated));
        }
        self.hooks.open()?.remove(digest.as_bytes())?;
        self.delete_chunks(digest)?;
        Ok(Ok(Outcome::Done))
    }

    /// Moves the shelf on, if it has the number that is known of it; says
    /// whether it had.
    pub(super) fn move_shelf(&mut self, known: Option<u64>) -> Result<bool, redb::Error> {
        let mut numbers = self.transaction.open_table(tables::FORMAT)?;
        let newest = numbers.get(tables::SHELF)?.map_or(0, |row| row.value());
        let is_known = known.is_none_or(|known| known == newest);
        if is_known {
            numbers.insert(tables::SHELF, newest + 1)?;
        }
        Ok(is_known)
    }

    fn delete_chunks(&mut self, digest: &str) -> Result<(), redb::Error> {
        let (first, last) = chunks_of(digest);
        self.hook_chunks
            .open()?
            .retain_in(first.as_slice()..=last.as_slice(), |_, _| false)?;
        Ok(())
    }

    pub(super) fn put_tape(&mut self, key: &[u8], bytes: &Bytes) -> Result<Outcome, redb::Error> {
        let tapes = self.tapes.open()?;
        if tapes.get(key)?.is_some() {
            return Ok(Outcome::Moot);
        }
        tapes.insert(key, bytes.as_ref())?;
        Ok(Outcome::Done)
    }
}
