//! The [`Journal`] port.

use bytes::Bytes;
use futures::future::{BoxFuture, FutureExt as _};
use tidegate_core::ExecutionId;

use super::{
    DynamoJournal,
    append::append,
    calls::{Calls, Query},
    chunks, claims, holds,
    item::{self, Item},
    keys::{self, EXECUTIONS, LIVE},
};
use crate::ports::journal::{
    Append, AppendError, Head, HoldsSince, Journal, ReadError, StoredRecord,
};

/// Bytes of records in one answer of `read`.
const READ_LIMIT: usize = 1 << 20;

impl Journal for DynamoJournal {
    /// # Panics
    /// If a first record comes without a head.
    fn append(&self, record: Append) -> BoxFuture<'_, Result<(), AppendError>> {
        async move { append(self, &record).await }.boxed()
    }

    fn read(
        &self,
        execution: &ExecutionId,
        after: u64,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<StoredRecord>, ReadError>> {
        let execution = execution.clone();
        async move {
            let records = records(&self.calls, &execution, after, limit).await?;
            if let Some(last) = records.last() {
                self.known.note(&execution, last.revision);
            }
            Ok(records)
        }
        .boxed()
    }

    fn head(&self, execution: &ExecutionId) -> BoxFuture<'_, Result<Option<Head>, ReadError>> {
        let anchor = keys::anchor(execution);
        async move {
            let anchor = self.calls.get(&anchor).await?;
            anchor.map(|anchor| head(&anchor)).transpose()
        }
        .boxed()
    }

    fn heads(
        &self,
        before: Option<&ExecutionId>,
        live_only: bool,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Head>, ReadError>> {
        let before = before.map(|before| item::text(keys::named(before.as_str())));
        let (index, below) = match live_only {
            true => (Some(LIVE), "#live < :before"),
            false => (None, "#sk < :before"),
        };
        let query = Query {
            range: before.map(|before| (below, vec![("before", before)])),
            index,
            newest_first: true,
            limit,
            ..Query::of(EXECUTIONS)
        };
        async move {
            let anchors = self.calls.all(&query).await?;
            anchors.iter().map(head).collect()
        }
        .boxed()
    }

    fn claim(&self, key: &str) -> BoxFuture<'_, Result<Option<Bytes>, ReadError>> {
        let key = key.to_owned();
        async move { claims::find(&self.calls, &key).await }.boxed()
    }

    fn holds(&self, after: u64) -> BoxFuture<'_, Result<HoldsSince, ReadError>> {
        async move { holds::since(&self.calls, after).await }.boxed()
    }
}

fn head(anchor: &Item) -> Result<Head, ReadError> {
    let summary = anchor.bytes("summary");
    Ok(Head {
        execution: anchor.name()?.into(),
        live: anchor.text(LIVE).is_some(),
        summary: summary.ok_or_else(|| anchor.damaged("no summary"))?,
    })
}

/// The anchor is read before the log: where there is a log, there is an
/// anchor.
async fn records(
    calls: &Calls,
    execution: &ExecutionId,
    after: u64,
    limit: usize,
) -> Result<Vec<StoredRecord>, ReadError> {
    let mut taking = Taking::new(after, limit);
    if after == 0 && limit > 0 {
        match calls.get(&keys::anchor(execution)).await? {
            Some(anchor) => taking.take(1, anchor)?,
            None => return Ok(Vec::new()),
        };
    }
    let query = Query {
        range: Some((
            "#sk > :after",
            vec![("after", item::text(keys::number(after)))],
        )),
        ..Query::of(keys::log(execution))
    };
    let mut from = None;
    while taking.wants_more() {
        let page = calls.page(&query, taking.left, from).await?;
        for item in page.items {
            let revision = item.position()?;
            if !taking.take(revision, item)? {
                break;
            }
        }
        match page.next {
            Some(next) => from = Some(next),
            None => break,
        }
    }
    taking.read(calls).await
}

/// Records that are to be answered, as long as there is room for them.
struct Taking {
    taken: Vec<(u64, Item)>,
    next: u64,
    left: usize,
    size: usize,
    full: bool,
}

impl Taking {
    fn new(after: u64, limit: usize) -> Self {
        Self {
            taken: Vec::new(),
            next: after.saturating_add(1),
            left: limit,
            size: 0,
            full: false,
        }
    }

    fn wants_more(&self) -> bool {
        self.left > 0 && !self.full
    }

    /// Says whether there was room for it.
    fn take(&mut self, revision: u64, item: Item) -> Result<bool, ReadError> {
        if revision != self.next {
            return Err(item.damaged(&format!("a gap before it: {} is missing", self.next)));
        }
        self.size += chunks::length(&item, "record");
        if self.left == 0 || (self.size > READ_LIMIT && !self.taken.is_empty()) {
            self.full = true;
            return Ok(false);
        }
        self.next += 1;
        self.left -= 1;
        self.taken.push((revision, item));
        Ok(true)
    }

    async fn read(self, calls: &Calls) -> Result<Vec<StoredRecord>, ReadError> {
        let mut records = Vec::with_capacity(self.taken.len());
        for (revision, item) in &self.taken {
            let record = chunks::read(calls, item, "record").await?;
            records.push(StoredRecord {
                revision: *revision,
                record: record.ok_or_else(|| item.damaged("no record"))?,
            });
        }
        Ok(records)
    }
}
