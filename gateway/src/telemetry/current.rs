//! Which span the work of a task is done for.

use std::future::Future;

use super::ids::SpanRef;

tokio::task_local! {
    static CURRENT: SpanRef;
}

/// Does the work for a span.
pub(super) async fn within<T>(span: Option<SpanRef>, work: impl Future<Output = T>) -> T {
    match span {
        Some(span) => CURRENT.scope(span, work).await,
        None => work.await,
    }
}

/// The span that this task works for.
pub(super) fn current() -> Option<SpanRef> {
    CURRENT.try_with(|span| *span).ok()
}
