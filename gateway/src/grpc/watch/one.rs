//! `Watch`: one execution.

use std::sync::Arc;

use bytes::Bytes;
use tidegate_proto::v1::{self, watch_response::Message};
use tokio::sync::watch::Receiver;
use tonic::Status;

use super::{
    Due, Frames, Pace, bookmark,
    feed::Reader,
    frame::{self, PIECE, Presented},
    outlet::{Outlet, Stop},
};
use crate::{
    driver::View,
    grpc::{argument, convert, services::Services, status::from_driver},
};

/// Opens a stream: its header is queued when this returns.
pub(in crate::grpc) async fn watch(
    services: &Arc<Services>,
    request: &v1::WatchRequest,
) -> Result<Frames, Status> {
    let id = argument::execution_id("execution", &request.execution)?;
    let (outlet, frames, place) = super::open(services)?;
    let driver = &services.driver;
    // Subscribed first: what happens from here on wakes the stream.
    let updates = driver.subscribe(&id).await;
    let newest = driver.view(&id).await;
    let newest = newest.map_err(|error| from_driver(error, None))?;
    let begin = match request.after_revision {
        None => newest.clone(),
        Some(after) => {
            let view = driver.view_at(&id, after).await;
            view.map_err(|error| from_driver(error, None))?
        }
    };
    // The cursor may be from a gateway of the cluster that knows more.
    let newest = if begin.revision > newest.revision {
        begin.clone()
    } else {
        newest
    };
    let settings = &services.settings.watch;
    let watcher = Watcher {
        reader: services.feeds.reader(driver, &begin),
        sent: begin.revision,
        pace: Pace::new(settings.bookmark_interval, settings.max_age),
        services: Arc::clone(services),
        outlet,
        updates,
        newest,
    };
    services.drain.stream(async move {
        watcher.run(&begin).await;
        drop(place);
    });
    Ok(frames)
}

struct Watcher {
    services: Arc<Services>,
    outlet: Outlet,
    reader: Reader,
    /// `None` once nothing will change any more.
    updates: Option<Receiver<View>>,
    newest: View,
    /// The last revision that was sent whole.
    sent: u64,
    pace: Pace,
}

/// What a watcher does next.
enum Next {
    Send(Vec<Arc<Presented>>),
    Look,
    Bookmark,
    Resubscribe,
}

impl Watcher {
    async fn run(mut self, begin: &View) {
        let stop = match self.produce(begin).await {
            Ok(()) => Stop::Ended,
            Err(stop) => stop,
        };
        if let Some(last) = self.last_message(stop) {
            self.outlet.end(last);
        }
    }

    async fn produce(&mut self, begin: &View) -> Result<(), Stop> {
        for header in self.headers(begin) {
            self.outlet
                .send(frame::watch(Message::Header(header)))
                .await?;
        }
        while !self.is_over() {
            match self.next().await? {
                Next::Send(commits) => self.send(&commits).await?,
                Next::Look => self.look(),
                Next::Bookmark => self.bookmark().await?,
                Next::Resubscribe => self.resubscribe().await?,
            }
        }
        Ok(())
    }

    fn headers(&self, begin: &View) -> Vec<v1::WatchHeader> {
        // The creation is a change, and is not among the folded ones.
        let created = u64::from(begin.revision > 0);
        let header = v1::WatchHeader {
            snapshot: Some(convert::execution::execution(begin)),
            revision: begin.revision,
            change_index: begin.execution.change_count() + created,
            bookmark_interval: Some(convert::time::duration_of(self.pace.interval)),
            complete: true,
        };
        frame::headers(header, PIECE)
    }

    fn is_over(&self) -> bool {
        self.newest.execution.state().is_terminal() && self.sent >= self.newest.revision
    }

    async fn next(&mut self) -> Result<Next, Stop> {
        let behind = self.reader.revision() < self.newest.revision;
        tokio::select! {
            biased;
            () = self.services.drain.begun() => Err(Stop::Shutdown("the gateway shuts down")),
            () = self.outlet.closed() => Err(Stop::Gone),
            due = self.pace.due() => match due {
                Due::Bookmark => Ok(Next::Bookmark),
                Due::End => Err(Stop::MaxAge),
            },
            read = self.reader.next(), if behind => Ok(Next::Send(read?)),
            alive = changed(&mut self.updates), if !behind => {
                Ok(if alive { Next::Look } else { Next::Resubscribe })
            }
        }
    }

    async fn send(&mut self, commits: &[Arc<Presented>]) -> Result<(), Stop> {
        if commits.is_empty() {
            let status = crate::grpc::status::unavailable(
                "JOURNAL_UNAVAILABLE",
                "the journal does not show what was recorded yet; watch again from the cursor",
            );
            return Err(Stop::Failed(status));
        }
        for commit in commits {
            for piece in &commit.pieces {
                self.outlet.send(piece.watch()).await?;
            }
            self.sent = commit.revision;
        }
        Ok(())
    }

    fn look(&mut self) {
        if let Some(updates) = &mut self.updates {
            self.newest = updates.borrow_and_update().clone();
        }
    }

    async fn bookmark(&self) -> Result<(), Stop> {
        let now = self.services.clock.now();
        let mark = bookmark::bookmark(&self.services.driver, &self.newest, self.sent, now);
        self.outlet
            .send(frame::watch(Message::Bookmark(mark)))
            .await
    }

    /// Nobody updates the view any more: the execution is over, or another
    /// process drives it.
    async fn resubscribe(&mut self) -> Result<(), Stop> {
        let id = self.newest.execution.id().clone();
        self.updates = still_open(self.services.driver.subscribe(&id).await);
        self.newest = self.services.driver.view(&id).await?;
        if self.updates.is_none() && !self.newest.execution.state().is_terminal() {
            return Err(Stop::Shutdown(
                "this gateway no longer drives the execution",
            ));
        }
        Ok(())
    }

    fn last_message(&self, stop: Stop) -> Option<Result<Bytes, Status>> {
        let (reason, detail) = match stop {
            Stop::Ended => (v1::WatchEndReason::ExecutionEnded, "the execution is over"),
            Stop::Shutdown(detail) => (v1::WatchEndReason::Shutdown, detail),
            Stop::SlowReader => (
                v1::WatchEndReason::SlowReader,
                "nothing was read for too long; watch again from the cursor",
            ),
            Stop::MaxAge => (
                v1::WatchEndReason::MaxAge,
                "the stream is old; watch again from the cursor",
            ),
            Stop::Gone => return None,
            Stop::Failed(status) => return Some(Err(status)),
        };
        let end = v1::WatchEnd {
            reason: reason.into(),
            revision: self.sent,
            detail: detail.to_owned(),
        };
        Some(Ok(frame::watch(Message::End(end))))
    }
}

/// A receiver whose sender is gone already is as good as none, and waiting
/// for it would not wait.
fn still_open(updates: Option<Receiver<View>>) -> Option<Receiver<View>> {
    updates.filter(|updates| updates.has_changed().is_ok())
}

/// Resolves when the view has changed (true), or never will again (false).
async fn changed(updates: &mut Option<Receiver<View>>) -> bool {
    match updates {
        Some(updates) => updates.changed().await.is_ok(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::watch;

    use super::*;
    use crate::grpc::fixtures;

    #[test]
    fn a_receiver_whose_sender_is_gone_is_none() {
        let (sender, receiver) = watch::channel(fixtures::view());
        let receiver = still_open(Some(receiver));
        assert!(receiver.is_some());
        drop(sender);
        assert!(still_open(receiver).is_none());
    }
}
