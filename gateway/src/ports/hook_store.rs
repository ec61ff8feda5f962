//! Where hooks and their tapes are stored.

use bytes::Bytes;
use futures::future::BoxFuture;
use tidegate_core::{ExecutionId, Timestamp, engine::CommandId};

use super::journal::ReadError;

/// Bytes of the largest tape that is stored.
pub const TAPE_BYTES: usize = 16 << 20;

/// Stores components by the digest of their bytes, and the tapes of what they
/// decided. It never looks inside either. Implementations pass one
/// conformance suite.
pub trait HookStore: Send + Sync + 'static {
    /// Stores a component; says whether it was not there before. The first
    /// instant stays. `Ok` means durable.
    fn put(&self, hook: StoredHook, bytes: Bytes) -> BoxFuture<'_, Result<bool, HookStoreError>>;

    /// Every stored component, by digest.
    fn list(&self) -> BoxFuture<'_, Result<Vec<StoredHook>, ReadError>>;

    /// The bytes of a component, whole.
    fn get(&self, digest: &str) -> BoxFuture<'_, Result<Option<Bytes>, ReadError>>;

    /// A number that moves whenever a component is deleted, and whenever a plan
    /// is stored that uses hooks. Whoever does either names the number from
    /// before it looked what there is, and is refused if it has moved: no plan
    /// is stored with a hook that is gone, and no hook goes that a plan needs,
    /// whichever gateway does what.
    fn shelf(&self) -> BoxFuture<'_, Result<u64, ReadError>>;

    /// Deletes a component, found unused since the shelf had this number; says
    /// whether there was one. `Ok` means durable.
    fn delete(&self, digest: &str, shelf: u64) -> BoxFuture<'_, Result<bool, HookStoreError>>;

    /// Stores the tape of one attempt. The first tape of an attempt stays: a
    /// later one is of a run whose answer nobody heard. One of more than
    /// [`TAPE_BYTES`] is refused. `Ok` means durable.
    fn put_tape(&self, tape: TapeKey, bytes: Bytes) -> BoxFuture<'_, Result<(), HookStoreError>>;

    /// The tapes of an execution, by wave, phase, hook and attempt.
    fn tapes(&self, execution: &ExecutionId) -> BoxFuture<'_, Result<Vec<TapeKey>, ReadError>>;

    /// One tape.
    fn tape(&self, tape: &TapeKey) -> BoxFuture<'_, Result<Option<Bytes>, ReadError>>;
}

/// A stored component, its bytes aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredHook {
    /// `sha256:` and 64 hexadecimal digits over its bytes.
    pub digest: String,
    /// How many bytes.
    pub size: u64,
    /// When it was stored first.
    pub created_at: Timestamp,
}

/// Names one attempt of a hook.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TapeKey {
    /// The execution.
    pub execution: ExecutionId,
    /// [`CommandId::Hook`]: wave, phase, hook, attempt.
    pub command: CommandId,
}

/// Why a change was not acknowledged.
#[derive(Debug, thiserror::Error)]
pub enum HookStoreError {
    /// Not written, and worth trying again later.
    #[error("the hook store is not available: {0}")]
    Unavailable(String),
    /// Not written: the shelf has moved since.
    #[error("hooks or the plans that use them have changed meanwhile")]
    Outdated,
    /// Not written, and never will be.
    #[error("a tape of {size} bytes is above the limit of {TAPE_BYTES}")]
    TooLarge {
        /// The tape's size in bytes.
        size: usize,
    },
    /// It may or may not be durable; see `AppendError::Unknown`.
    #[error("the hook store failed: {0}")]
    Unknown(String),
}
