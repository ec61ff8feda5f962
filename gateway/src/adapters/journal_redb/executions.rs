//! The [`Journal`] port.

use std::ops::Bound;

use bytes::Bytes;
use futures::future::{BoxFuture, FutureExt};
use redb::ReadTransaction;
use tidegate_core::ExecutionId;

use super::{
    RedbJournal,
    batch::{Change, Refusal},
    committer::WriteError,
    tables::{self, decode_head, name_of, revision_key, revision_of},
    unreadable,
};
use crate::ports::journal::{Append, AppendError, Head, Journal, ReadError, StoredRecord};

/// Bytes of one record.
const RECORD_LIMIT: usize = 16 << 20;

/// Bytes of records in one answer of `read`.
const READ_LIMIT: usize = 1 << 20;

impl Journal for RedbJournal {
    /// # Panics
    /// If a first record comes without a head.
    fn append(&self, append: Append) -> BoxFuture<'_, Result<(), AppendError>> {
        assert!(
            append.revision != 1 || append.head.is_some(),
            "the first record of an execution brings its head"
        );
        let size = append.record.len();
        async move {
            if size > RECORD_LIMIT {
                let limit = RECORD_LIMIT;
                return Err(AppendError::TooLarge { size, limit });
            }
            self.submit(Change::Append(append)).await?;
            Ok(())
        }
        .boxed()
    }

    fn read(
        &self,
        execution: &ExecutionId,
        after: u64,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<StoredRecord>, ReadError>> {
        let execution = execution.clone();
        self.query(move |reading| records(reading, &execution, after, limit))
            .boxed()
    }

    fn head(&self, execution: &ExecutionId) -> BoxFuture<'_, Result<Option<Head>, ReadError>> {
        let execution = execution.clone();
        self.query_row(move |reading| head(reading, execution))
            .boxed()
    }

    fn heads(
        &self,
        before: Option<&ExecutionId>,
        live_only: bool,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Head>, ReadError>> {
        let before = before.cloned();
        self.query(move |reading| {
            if live_only {
                live_heads(reading, before.as_ref(), limit)
            } else {
                heads(reading, before.as_ref(), limit)
            }
        })
        .boxed()
    }

    fn claim(&self, key: &str) -> BoxFuture<'_, Result<Option<Bytes>, ReadError>> {
        let key = key.to_owned();
        self.query_row(move |reading| claim(reading, &key)).boxed()
    }
}

impl From<WriteError> for AppendError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Refused(Refusal::Taken { revision, newest }) => {
                Self::Taken { revision, newest }
            }
            WriteError::Refused(Refusal::Claimed { value }) => Self::Claimed { value },
            WriteError::Refused(Refusal::Outdated) => unreachable!("an append uses no hooks"),
            WriteError::Failed(failure) => Self::Unknown(failure.to_string()),
        }
    }
}

fn records(
    reading: &ReadTransaction,
    execution: &ExecutionId,
    after: u64,
    limit: usize,
) -> Result<Vec<StoredRecord>, ReadError> {
    let table = reading.open_table(tables::RECORDS).map_err(unreadable)?;
    let after = revision_key(execution.as_str(), after);
    let last = revision_key(execution.as_str(), u64::MAX);
    let range = (
        Bound::Excluded(after.as_slice()),
        Bound::Included(last.as_slice()),
    );
    let mut records = Vec::new();
    let mut size = 0;
    for row in table.range::<&[u8]>(range).map_err(unreadable)?.take(limit) {
        let (key, record) = row.map_err(unreadable)?;
        let record = Bytes::copy_from_slice(record.value());
        size += record.len();
        if size > READ_LIMIT && !records.is_empty() {
            break;
        }
        let revision = revision_of(key.value())
            .ok_or_else(|| ReadError::Damaged("a record's key is too short".to_owned()))?;
        records.push(StoredRecord { revision, record });
    }
    Ok(records)
}

fn head(reading: &ReadTransaction, execution: ExecutionId) -> Result<Option<Head>, ReadError> {
    let heads = reading.open_table(tables::HEADS).map_err(unreadable)?;
    let row = heads
        .get(execution.as_str().as_bytes())
        .map_err(unreadable)?;
    row.map(|row| decode_head(execution, row.value()))
        .transpose()
}

fn heads(
    reading: &ReadTransaction,
    before: Option<&ExecutionId>,
    limit: usize,
) -> Result<Vec<Head>, ReadError> {
    let heads = reading.open_table(tables::HEADS).map_err(unreadable)?;
    let rows = heads.range::<&[u8]>(below(before)).map_err(unreadable)?;
    rows.rev()
        .take(limit)
        .map(|row| {
            let (key, row) = row.map_err(unreadable)?;
            decode_head(ExecutionId::from(name_of(key.value())?), row.value())
        })
        .collect()
}

fn live_heads(
    reading: &ReadTransaction,
    before: Option<&ExecutionId>,
    limit: usize,
) -> Result<Vec<Head>, ReadError> {
    let live = reading.open_table(tables::LIVE).map_err(unreadable)?;
    let heads = reading.open_table(tables::HEADS).map_err(unreadable)?;
    let rows = live.range::<&[u8]>(below(before)).map_err(unreadable)?;
    rows.rev()
        .take(limit)
        .map(|row| {
            let (key, _) = row.map_err(unreadable)?;
            let execution = ExecutionId::from(name_of(key.value())?);
            let row = heads.get(key.value()).map_err(unreadable)?;
            let row = row.ok_or_else(|| {
                ReadError::Damaged(format!("the live execution {execution} has no head"))
            })?;
            decode_head(execution, row.value())
        })
        .collect()
}

fn below(before: Option<&ExecutionId>) -> (Bound<&[u8]>, Bound<&[u8]>) {
    let end = before.map_or(Bound::Unbounded, |execution| {
        Bound::Excluded(execution.as_str().as_bytes())
    });
    (Bound::Unbounded, end)
}

fn claim(reading: &ReadTransaction, key: &str) -> Result<Option<Bytes>, ReadError> {
    let claims = reading.open_table(tables::CLAIMS).map_err(unreadable)?;
    let value = claims.get(key.as_bytes()).map_err(unreadable)?;
    Ok(value.map(|value| Bytes::copy_from_slice(value.value())))
}
