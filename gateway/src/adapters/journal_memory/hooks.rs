//! The [`HookStore`] port.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    future,
};

use bytes::Bytes;
use futures::future::{BoxFuture, FutureExt};
use tidegate_core::{ExecutionId, engine::CommandId};

use super::{MemoryJournal, Stored};
use crate::ports::{
    hook_store::{HookStore, HookStoreError, StoredHook, TAPE_BYTES, TapeKey},
    journal::ReadError,
};

/// Hooks and their tapes.
#[derive(Debug, Default)]
pub(super) struct Hooks {
    components: BTreeMap<String, Component>,
    tapes: BTreeMap<TapeKey, Bytes>,
}

#[derive(Debug)]
struct Component {
    hook: StoredHook,
    bytes: Bytes,
}

impl HookStore for MemoryJournal {
    /// # Panics
    /// If the size is not that of the bytes.
    fn put(&self, hook: StoredHook, bytes: Bytes) -> BoxFuture<'_, Result<bool, HookStoreError>> {
        assert_eq!(hook.size, bytes.len() as u64, "the size of {}", hook.digest);
        async move { self.write(|stored| Ok(stored.hooks.put(hook, bytes))) }.boxed()
    }

    fn list(&self) -> BoxFuture<'_, Result<Vec<StoredHook>, ReadError>> {
        let stored = self.stored();
        let components = stored.hooks.components.values();
        let hooks = components.map(|component| component.hook.clone()).collect();
        future::ready(Ok(hooks)).boxed()
    }

    fn get(&self, digest: &str) -> BoxFuture<'_, Result<Option<Bytes>, ReadError>> {
        let stored = self.stored();
        let component = stored.hooks.components.get(digest);
        let bytes = component.map(|component| component.bytes.clone());
        future::ready(Ok(bytes)).boxed()
    }

    fn shelf(&self) -> BoxFuture<'_, Result<u64, ReadError>> {
        let number = self.stored().shelf;
        future::ready(Ok(number)).boxed()
    }

    fn delete(&self, digest: &str, shelf: u64) -> BoxFuture<'_, Result<bool, HookStoreError>> {
        let digest = digest.to_owned();
        let change = move |stored: &mut Stored| {
            if !stored.hooks.components.contains_key(&digest) {
                return Ok(false);
            }
            let moved = stored.move_shelf(shelf);
            moved.map_err(|_| HookStoreError::Outdated)?;
            stored.hooks.components.remove(&digest);
            Ok(true)
        };
        async move { self.write(change) }.boxed()
    }

    /// # Panics
    /// If the command runs no hook.
    fn put_tape(&self, tape: TapeKey, bytes: Bytes) -> BoxFuture<'_, Result<(), HookStoreError>> {
        assert!(
            matches!(tape.command, CommandId::Hook { .. }),
            "a tape is of a hook"
        );
        async move {
            let size = bytes.len();
            if size > TAPE_BYTES {
                return Err(HookStoreError::TooLarge { size });
            }
            self.write(|stored| {
                stored.hooks.tapes.entry(tape).or_insert(bytes);
                Ok(())
            })
        }
        .boxed()
    }

    fn tapes(&self, execution: &ExecutionId) -> BoxFuture<'_, Result<Vec<TapeKey>, ReadError>> {
        let stored = self.stored();
        let tapes = stored.hooks.tapes.keys();
        let tapes = tapes.filter(|tape| tape.execution == *execution);
        future::ready(Ok(tapes.cloned().collect())).boxed()
    }

    fn tape(&self, tape: &TapeKey) -> BoxFuture<'_, Result<Option<Bytes>, ReadError>> {
        let bytes = self.stored().hooks.tapes.get(tape).cloned();
        future::ready(Ok(bytes)).boxed()
    }
}

impl Hooks {
    fn put(&mut self, hook: StoredHook, bytes: Bytes) -> bool {
        match self.components.entry(hook.digest.clone()) {
            Entry::Vacant(place) => {
                place.insert(Component { hook, bytes });
                true
            }
            Entry::Occupied(_) => false,
        }
    }
}
