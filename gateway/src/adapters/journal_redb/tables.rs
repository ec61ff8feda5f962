//! The tables, their keys, and the version of both.
//!
//! | table | key | value |
//! |---|---|---|
//! | `format` | `"version"` | the version of all this |
//! | `format` | `"shelf"` | how often hooks were deleted, or plans stored that use some; no row means never |
//! | `records` | execution, revision | record |
//! | `heads` | execution | live (0 or 1), summary |
//! | `live` | execution | nothing; a row while the execution is live |
//! | `claims` | key | what the first claimant recorded |
//! | `plans` | name | newest revision; no row once deleted |
//! | `plan_revisions` | name, revision | plan |
//! | `plan_last_revisions` | name | last revision ever; the row stays |
//! | `hooks` | digest | size, when it was stored first |
//! | `hook_chunks` | digest, index | a part of the component |
//! | `tapes` | execution, wave, phase, hook, attempt | tape |
//!
//! The last three came later than the rest: older code leaves them alone, and
//! a file of older code is given them when it is opened.
//!
//! Keys are bytes in an order of our own, not redb's encoding of tuples, so
//! that they outlive a change of that encoding.

use redb::{ReadTransaction, ReadableDatabase, TableDefinition, TableError};
use tidegate_core::ExecutionId;

use super::{open::OpenProblem, page_log::FoundLog};
use crate::ports::journal::{Head, HeadUpdate, ReadError};

/// Everything is in this file: so a journal is left when it is closed.
pub(super) const CLOSED_FORMAT: u64 = 1;
/// The newest that this code writes and reads: what the log in front of the
/// file holds belongs to it. So a journal is while it is open, and after a
/// crash.
pub(super) const OPEN_FORMAT: u64 = 2;

pub(super) const FORMAT: TableDefinition<&str, u64> = TableDefinition::new("format");
pub(super) const RECORDS: TableDefinition<&[u8], &[u8]> = TableDefinition::new("records");
pub(super) const HEADS: TableDefinition<&[u8], &[u8]> = TableDefinition::new("heads");
pub(super) const LIVE: TableDefinition<&[u8], ()> = TableDefinition::new("live");
pub(super) const CLAIMS: TableDefinition<&[u8], &[u8]> = TableDefinition::new("claims");
pub(super) const PLANS: TableDefinition<&[u8], u64> = TableDefinition::new("plans");
pub(super) const PLAN_REVISIONS: TableDefinition<&[u8], &[u8]> =
    TableDefinition::new("plan_revisions");
pub(super) const PLAN_LAST_REVISIONS: TableDefinition<&[u8], u64> =
    TableDefinition::new("plan_last_revisions");
pub(super) const HOOKS: TableDefinition<&[u8], &[u8]> = TableDefinition::new("hooks");
pub(super) const HOOK_CHUNKS: TableDefinition<&[u8], &[u8]> = TableDefinition::new("hook_chunks");
pub(super) const TAPES: TableDefinition<&[u8], &[u8]> = TableDefinition::new("tapes");

/// Rows of `FORMAT`.
pub(super) const VERSION: &str = "version";
pub(super) const SHELF: &str = "shelf";

/// Makes an empty database ours, or checks that it is, and marks it open.
pub(super) fn prepare(database: &redb::Database, log: FoundLog) -> Result<(), OpenProblem> {
    let reading = database.begin_read()?;
    if reading.list_tables()?.next().is_none() {
        drop(reading);
        return mark_open(database);
    }
    match (stored_version(&reading)?, log) {
        (Some(CLOSED_FORMAT), _) | (Some(OPEN_FORMAT), FoundLog::Used) => mark_open(database),
        (Some(OPEN_FORMAT), FoundLog::Unused) => Err(OpenProblem::LogMissing),
        (Some(found), _) if found > OPEN_FORMAT => Err(OpenProblem::NewerFormat {
            found,
            supported: OPEN_FORMAT,
        }),
        (Some(found), _) => Err(OpenProblem::NotAJournal {
            reason: format!("there is no format {found}"),
        }),
        (None, _) => Err(OpenProblem::NotAJournal {
            reason: "it is a database of something else".to_owned(),
        }),
    }
}

fn stored_version(reading: &ReadTransaction) -> Result<Option<u64>, OpenProblem> {
    let format = match reading.open_table(FORMAT) {
        Ok(format) => format,
        Err(TableError::Storage(error)) => return Err(error.into()),
        Err(_not_our_table) => return Ok(None),
    };
    Ok(format.get(VERSION)?.map(|version| version.value()))
}

/// Creates the tables that are not there yet.
fn mark_open(database: &redb::Database) -> Result<(), OpenProblem> {
    let transaction = database.begin_write()?;
    transaction
        .open_table(FORMAT)?
        .insert(VERSION, OPEN_FORMAT)?;
    transaction.open_table(LIVE)?;
    transaction.open_table(PLANS)?;
    transaction.open_table(PLAN_LAST_REVISIONS)?;
    for table in [
        RECORDS,
        HEADS,
        CLAIMS,
        PLAN_REVISIONS,
        HOOKS,
        HOOK_CHUNKS,
        TAPES,
    ] {
        transaction.open_table(table)?;
    }
    transaction.commit()?;
    Ok(())
}

/// For whoever opens the file without its log, and for older code.
pub(super) fn mark_closed(database: &redb::Database) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    transaction
        .open_table(FORMAT)?
        .insert(VERSION, CLOSED_FORMAT)?;
    transaction.commit()?;
    Ok(())
}

/// A name's length, the name, and something of a fixed width: one name's keys
/// lie together, and no name's keys can lie among another's.
pub(super) fn key_of(name: &str, rest: &[u8]) -> Vec<u8> {
    let length = u32::try_from(name.len()).expect("a name is shorter than 4 GiB");
    let mut key = Vec::with_capacity(4 + name.len() + rest.len());
    key.extend_from_slice(&length.to_be_bytes());
    key.extend_from_slice(name.as_bytes());
    key.extend_from_slice(rest);
    key
}

/// A name's revisions lie in order.
pub(super) fn revision_key(name: &str, revision: u64) -> Vec<u8> {
    key_of(name, &revision.to_be_bytes())
}

/// The revision of such a key.
pub(super) fn revision_of(key: &[u8]) -> Option<u64> {
    key.last_chunk().copied().map(u64::from_be_bytes)
}

pub(super) fn encode_head(head: &HeadUpdate) -> Vec<u8> {
    let mut row = Vec::with_capacity(1 + head.summary.len());
    row.push(u8::from(head.live));
    row.extend_from_slice(&head.summary);
    row
}

pub(super) fn decode_head(execution: ExecutionId, row: &[u8]) -> Result<Head, ReadError> {
    let (live, summary) = match row {
        [0, summary @ ..] => (false, summary),
        [1, summary @ ..] => (true, summary),
        _ => {
            let reason = format!("the head of execution {execution} is none");
            return Err(ReadError::Damaged(reason));
        }
    };
    Ok(Head {
        execution,
        live,
        summary: summary.to_vec().into(),
    })
}

/// The text of a key that is a name.
pub(super) fn name_of(key: &[u8]) -> Result<&str, ReadError> {
    str::from_utf8(key).map_err(|_| ReadError::Damaged("a key is not text".to_owned()))
}
