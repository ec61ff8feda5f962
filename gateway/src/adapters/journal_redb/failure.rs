//! The end of a journal, told to whoever waits for it.

use std::{fmt, future, sync::Arc};

use tokio::sync::watch;

/// Why the journal can no longer be used by this process.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{reason}")]
pub struct JournalFailure {
    reason: Arc<str>,
}

impl JournalFailure {
    fn new(reason: impl Into<Arc<str>>) -> Self {
        Self {
            reason: reason.into(),
        }
    }
}

/// The committer's end.
#[derive(Debug)]
pub(super) struct Alarm(watch::Sender<Option<JournalFailure>>);

/// Everyone else's end.
#[derive(Clone, Debug)]
pub(super) struct FailureWatch(watch::Receiver<Option<JournalFailure>>);

pub(super) fn channel() -> (Alarm, FailureWatch) {
    let (sender, receiver) = watch::channel(None);
    (Alarm(sender), FailureWatch(receiver))
}

impl Alarm {
    pub(super) fn raise(&self, cause: &dyn fmt::Display) {
        let failure = JournalFailure::new(format!(
            "the journal could not be written ({cause}); what was not acknowledged may or may \
             not be stored, and only a new start can tell"
        ));
        tracing::error!(%failure, "the journal failed");
        self.0.send_replace(Some(failure));
    }

    pub(super) fn is_raised(&self) -> bool {
        self.0.borrow().is_some()
    }
}

impl FailureWatch {
    /// Ends once there is a failure; never, if the journal closes without.
    pub(super) async fn failed(mut self) -> JournalFailure {
        let failure = match self.0.wait_for(Option::is_some).await {
            Ok(failure) => failure.clone(),
            Err(_closed) => None,
        };
        match failure {
            Some(failure) => failure,
            None => future::pending().await,
        }
    }

    /// The failure, for a caller whose change was not answered.
    pub(super) fn reason(&self) -> JournalFailure {
        let failure = self.0.borrow().clone();
        failure.unwrap_or_else(|| JournalFailure::new("the journal has stopped"))
    }
}
