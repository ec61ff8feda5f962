//! A journal that is timed, as a decorator around the port.

use std::{sync::Arc, time::Instant};

use bytes::Bytes;
use futures::{FutureExt as _, future::BoxFuture};
use opentelemetry::KeyValue;
use tidegate_core::ExecutionId;

use super::instruments::{Instruments, key};
use crate::ports::journal::{
    Append, AppendError, Head, HoldsSince, Journal, ReadError, StoredRecord,
};

/// Times every operation of a journal.
pub(super) struct TimedJournal {
    inner: Arc<dyn Journal>,
    system: &'static str,
    instruments: Instruments,
}

impl TimedJournal {
    /// `system` is the journal's name, as an attribute.
    pub(super) fn new(
        inner: Arc<dyn Journal>,
        system: &'static str,
        instruments: Instruments,
    ) -> Self {
        Self {
            inner,
            system,
            instruments,
        }
    }

    async fn timed<T, E>(
        &self,
        operation: &'static str,
        failure: fn(&E) -> Option<&'static str>,
        work: BoxFuture<'_, Result<T, E>>,
    ) -> Result<T, E> {
        let began = Instant::now();
        let answer = work.await;
        let mut attributes = vec![
            KeyValue::new(key::DB_SYSTEM_NAME, self.system),
            KeyValue::new(key::DB_OPERATION_NAME, operation),
        ];
        if let Some(failure) = answer.as_ref().err().and_then(failure) {
            attributes.push(KeyValue::new(key::ERROR_TYPE, failure));
        }
        let took = began.elapsed().as_secs_f64();
        self.instruments.journal.record(took, &attributes);
        answer
    }
}

/// A position or a key that is taken is an answer, and no failure.
fn append_failure(error: &AppendError) -> Option<&'static str> {
    match error {
        AppendError::Taken { .. } | AppendError::Claimed { .. } | AppendError::Outdated { .. } => {
            None
        }
        AppendError::TooLarge { .. } => Some("too_large"),
        AppendError::Unavailable(_) => Some("unavailable"),
        AppendError::Refused(_) => Some("refused"),
        AppendError::AnswerLost(_) => Some("answer_lost"),
        AppendError::Unknown(_) => Some("unknown"),
    }
}

fn read_failure(error: &ReadError) -> Option<&'static str> {
    match error {
        ReadError::Unavailable(_) => Some("unavailable"),
        ReadError::Damaged(_) => Some("damaged"),
    }
}

impl Journal for TimedJournal {
    fn append(&self, append: Append) -> BoxFuture<'_, Result<(), AppendError>> {
        let work = self.inner.append(append);
        self.timed("append", append_failure, work).boxed()
    }

    fn read(
        &self,
        execution: &ExecutionId,
        after: u64,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<StoredRecord>, ReadError>> {
        let work = self.inner.read(execution, after, limit);
        self.timed("read", read_failure, work).boxed()
    }

    fn head(&self, execution: &ExecutionId) -> BoxFuture<'_, Result<Option<Head>, ReadError>> {
        let work = self.inner.head(execution);
        self.timed("head", read_failure, work).boxed()
    }

    fn heads(
        &self,
        before: Option<&ExecutionId>,
        live_only: bool,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Head>, ReadError>> {
        let work = self.inner.heads(before, live_only, limit);
        self.timed("heads", read_failure, work).boxed()
    }

    fn claim(&self, key: &str) -> BoxFuture<'_, Result<Option<Bytes>, ReadError>> {
        let work = self.inner.claim(key);
        self.timed("claim", read_failure, work).boxed()
    }

    fn holds(&self, after: u64) -> BoxFuture<'_, Result<HoldsSince, ReadError>> {
        let work = self.inner.holds(after);
        self.timed("holds", read_failure, work).boxed()
    }
}
