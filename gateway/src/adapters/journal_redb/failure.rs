//! The end of a journal, told to whoever waits for it.

use std::{fmt, future, io, path::PathBuf, sync::Arc};

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
pub(super) struct Alarm {
    failure: watch::Sender<Option<JournalFailure>>,
    /// Named to whoever must mend it; `None` for a disk that has no files.
    file: Option<PathBuf>,
}

/// Everyone else's end.
#[derive(Clone, Debug)]
pub(super) struct FailureWatch(watch::Receiver<Option<JournalFailure>>);

pub(super) fn channel(file: Option<PathBuf>) -> (Alarm, FailureWatch) {
    let (failure, receiver) = watch::channel(None);
    (Alarm { failure, file }, FailureWatch(receiver))
}

impl Alarm {
    pub(super) fn raise(&self, cause: &redb::Error) {
        self.tell(cause, remedy(cause));
    }

    pub(super) fn raise_panic(&self) {
        self.tell(&"a commit panicked", "look for its cause in the log");
    }

    fn tell(&self, cause: &dyn fmt::Display, remedy: &str) {
        let file = self.file.as_ref();
        let file = file.map_or_else(String::new, |file| format!(" {}", file.display()));
        let failure = JournalFailure::new(format!(
            "the journal{file} could not be written ({cause}); what was acknowledged is stored, \
             the rest may or may not be, and only a new start can tell: {remedy}, then start the \
             gateway again"
        ));
        tracing::error!(%failure, "the journal failed");
        self.failure.send_replace(Some(failure));
    }

    pub(super) fn is_raised(&self) -> bool {
        self.failure.borrow().is_some()
    }
}

/// What a person does about a failed write.
fn remedy(cause: &redb::Error) -> &'static str {
    let for_room = if let redb::Error::Io(error) = cause {
        room_for(error)
    } else {
        None
    };
    for_room.unwrap_or("look for errors of its disk in the system's log")
}

/// What a person does if there is no room for a file; `None` if that is not
/// what is wrong.
pub(super) fn room_for(error: &io::Error) -> Option<&'static str> {
    let kind = error.kind();
    if kind == io::ErrorKind::StorageFull {
        Some("free space on its disk")
    } else if kind == io::ErrorKind::QuotaExceeded {
        Some("free space, or raise the disk quota of the gateway's user")
    } else if kind == io::ErrorKind::FileTooLarge {
        Some("raise the limit on the size of files (`ulimit -f`, or LimitFSIZE= in systemd)")
    } else {
        None
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
