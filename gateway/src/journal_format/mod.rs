//! The stored form of an execution's records: `tidegate.journal.v1`.
//!
//! The driver makes a [`RecordDraft`] of each decision and [`encode`]s it
//! once; what comes back from the journal is [`decode`]d into the same values.
//! The journal itself sees bytes only. Nothing here decides or folds.
//!
//! # The old-writer rule
//! A record may be older than the program that reads it, and is never
//! rewritten. Fields and enum values are therefore only added, their numbers
//! are never reused, and absence keeps the meaning that it had. What an older
//! reader must not ignore raises [`FORMAT`], and a newer format is refused
//! rather than folded in part; a record has the lowest format that says all of
//! it. Golden files hold records of every format that was ever written to
//! their meaning.
//!
//! Input is not trusted: whatever the bytes are, [`decode`] ends in a record
//! or in a [`FormatError`].

mod decode;
mod encode;
mod enums;
mod error;

use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use tidegate_core::{
    ExecutionId, Timestamp,
    engine::{Change, Kind},
};

pub use decode::decode;
pub use encode::encode;
pub use error::FormatError;

use crate::driver::{Origin, RecordView, RequestStamp};

/// The newest format that is read; it has launches that queue.
pub const FORMAT: u32 = 3;

/// The format of a record without those; it has the outcome *waived*.
const WITHOUT_QUEUES: u32 = 2;

/// The format of a record without either.
const WITHOUT_WAIVERS: u32 = 1;

/// SHA-256 of an encoded record.
pub type RecordHash = [u8; 32];

/// By which a writer knows its own record again.
pub type Nonce = [u8; 16];

/// A record to be written.
#[derive(Clone, Copy, Debug)]
pub struct RecordDraft<'a> {
    /// Its position, from 1.
    pub revision: u64,
    /// When it was decided.
    pub at: Timestamp,
    /// Hash of the record before; `None` for the first.
    pub previous: Option<&'a RecordHash>,
    /// The writer's.
    pub nonce: Nonce,
    /// Which owner writes it, counted from 1; 0 before one was recorded.
    pub epoch: u64,
    /// The request that caused it.
    pub request: Option<&'a RequestStamp>,
    /// In the first record only: what the execution came from.
    pub genesis: Option<&'a GenesisRecord>,
    /// Position of the first of `changes` among all changes.
    pub first_index: u64,
    /// What was decided.
    pub changes: &'a [Change],
}

/// What an execution's first record says beside its changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GenesisRecord {
    /// The execution's id.
    pub execution: ExecutionId,
    /// What kind of run it is.
    pub kind: Kind,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// Plan and source; the same that [`RecordView`] shares.
    pub origin: Arc<Origin>,
}

/// A record as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodedRecord {
    /// What is shown of it.
    pub view: RecordView,
    /// Hash of the record before; `None` in the first.
    pub previous: Option<RecordHash>,
    /// The writer's.
    pub nonce: Nonce,
    /// Which owner wrote it.
    pub epoch: u64,
    /// The request that caused it.
    pub request: Option<RequestStamp>,
    /// In the first record only: what the execution came from.
    pub genesis: Option<GenesisRecord>,
}

/// The hash that the next record carries.
#[must_use]
pub fn hash(record: &[u8]) -> RecordHash {
    Sha256::digest(record).into()
}

/// A hash as text, as [`RecordView`] shows it.
#[must_use]
pub fn hex(hash: &RecordHash) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    hash.iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 0xf)])
        .collect()
}

/// The record as it is shown, without encoding it first.
impl From<&RecordDraft<'_>> for RecordView {
    fn from(draft: &RecordDraft<'_>) -> Self {
        Self {
            revision: draft.revision,
            at: draft.at,
            first_index: draft.first_index,
            changes: draft.changes.to_vec(),
            request_id: draft
                .request
                .map_or_else(String::new, |request| request.id.clone()),
            previous_hash: draft.previous.map(hex).unwrap_or_default(),
            origin: draft.genesis.map(|genesis| genesis.origin.clone()),
        }
    }
}
