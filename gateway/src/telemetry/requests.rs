//! Which span something came from, until somebody asks: a bounded memory that
//! forgets the oldest.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::ids::SpanRef;

/// How much is remembered.
const REMEMBERED: usize = 4_096;

/// Spans by a text: the id of a request, or of an execution.
#[derive(Debug, Default)]
pub(super) struct Remembered(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    spans: HashMap<String, SpanRef>,
    order: VecDeque<String>,
}

impl Remembered {
    /// Remembers the newest span of a text; of none for no text.
    pub(super) fn put(&self, text: &str, span: SpanRef) {
        if text.is_empty() {
            return;
        }
        let mut inner = self.lock();
        if inner.spans.insert(text.to_owned(), span).is_none() {
            inner.order.push_back(text.to_owned());
        }
        while inner.order.len() > REMEMBERED {
            if let Some(oldest) = inner.order.pop_front() {
                inner.spans.remove(&oldest);
            }
        }
    }

    /// The span of a text.
    pub(super) fn get(&self, text: &str) -> Option<SpanRef> {
        self.lock().spans.get(text).copied()
    }

    /// The span of a text, which is forgotten with that.
    pub(super) fn take(&self, text: &str) -> Option<SpanRef> {
        self.lock().spans.remove(text)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use tidegate_core::ExecutionId;

    use super::*;
    use crate::telemetry::ids;

    #[test]
    fn the_oldest_is_forgotten_and_what_is_taken_is_gone() {
        let remembered = Remembered::default();
        let span = ids::execution(&ExecutionId::from("e"));
        for number in 0..=REMEMBERED {
            remembered.put(&number.to_string(), span);
        }
        assert_eq!(remembered.take("0"), None);
        assert_eq!(remembered.take("1"), Some(span));
        assert_eq!(remembered.take("1"), None);
        remembered.put("", span);
        assert_eq!(remembered.take(""), None);
    }
}
