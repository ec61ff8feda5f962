//! Changes of hooks and their tapes. None of them can be refused.

use bytes::Bytes;
use redb::ReadableTable as _;

use super::{
    super::hook_rows::{self, CHUNK_SIZE, chunk_key, chunks_of},
    Batch, Outcome,
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

    pub(super) fn delete_hook(&mut self, digest: &str) -> Result<Outcome, redb::Error> {
        if self.hooks.open()?.remove(digest.as_bytes())?.is_none() {
            return Ok(Outcome::Moot);
        }
        self.delete_chunks(digest)?;
        Ok(Outcome::Done)
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
