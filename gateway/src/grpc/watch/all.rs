//! `WatchAll`: every execution that matches, in order for each of them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use bytes::Bytes;
use prost::Message as _;
use tidegate_core::ExecutionId;
use tidegate_proto::v1::{self, watch_all_response::Message};
use tokio::sync::broadcast::{self, error::RecvError};
use tonic::Status;

use super::{
    Due, Frames, Pace,
    cursor::{self, Cursor, Mark},
    feed::Reader,
    frame::Presented,
    outlet::{Outlet, Stop},
};
use crate::{
    driver::{DriverError, Listed, Published, View},
    grpc::{
        convert::{summary::summary, time::timestamp},
        filter::Filter,
        live,
        services::Services,
        status,
    },
};

/// Executions that ended on this stream and are still remembered, so that
/// what was published of them before is not taken for something new.
const ENDED: usize = 4_096;
/// Executions that are listed at once.
const PAGE: usize = 256;

/// Opens a stream.
pub(in crate::grpc) fn watch_all(
    services: &Arc<Services>,
    request: &v1::WatchAllRequest,
) -> Result<Frames, Status> {
    let filter = Filter::read(request.filter.as_ref())?;
    let begin = match request.cursor.as_str() {
        "" => None,
        text => Some(cursor::decode(text).ok_or_else(|| {
            status::invalid("cursor", "is not a cursor of WatchAll; begin without one")
        })?),
    };
    let (outlet, frames, place) = super::open(services)?;
    let settings = &services.settings.watch;
    let watcher = Watcher {
        // Subscribed first: what happens from here on is heard.
        published: services.driver.subscribe_all(),
        pace: Pace::new(settings.bookmark_interval, settings.max_age),
        services: Arc::clone(services),
        outlet,
        filter,
        followed: BTreeMap::new(),
        ended: BTreeSet::new(),
        newest: None,
        given: request.cursor.clone(),
    };
    services.drain.stream(async move {
        watcher.run(begin).await;
        drop(place);
    });
    Ok(frames)
}

struct Watcher {
    services: Arc<Services>,
    outlet: Outlet,
    filter: Filter,
    published: broadcast::Receiver<Published>,
    followed: BTreeMap<ExecutionId, Followed>,
    ended: BTreeSet<ExecutionId>,
    /// The newest execution that was seen, whether or not it matched.
    newest: Option<ExecutionId>,
    /// The cursor that the client has: of the last message that was queued.
    given: String,
    pace: Pace,
}

struct Followed {
    reader: Reader,
    mark: Mark,
}

/// What a watcher does next.
enum Next {
    Heard(Box<Published>),
    CatchUp,
    Bookmark,
}

impl Watcher {
    async fn run(mut self, begin: Option<Cursor>) {
        let Err(stop) = self.produce(begin).await;
        if let Some(last) = self.last_message(stop) {
            self.outlet.end(last);
        }
    }

    async fn produce(&mut self, begin: Option<Cursor>) -> Result<std::convert::Infallible, Stop> {
        match begin {
            None => self.begin_now().await?,
            Some(cursor) => self.begin_at(cursor).await?,
        }
        loop {
            match self.next().await? {
                Next::Heard(published) => self.hear(&published).await?,
                Next::CatchUp => self.catch_up().await?,
                Next::Bookmark => {
                    let time = Some(timestamp(self.services.clock.now()));
                    self.send(Message::Bookmark(v1::WatchAllBookmark { time }))
                        .await?;
                }
            }
        }
    }

    async fn next(&mut self) -> Result<Next, Stop> {
        tokio::select! {
            biased;
            () = self.services.drain.begun() => Err(Stop::Shutdown("the gateway shuts down")),
            () = self.outlet.closed() => Err(Stop::Gone),
            due = self.pace.due() => match due {
                Due::Bookmark => Ok(Next::Bookmark),
                Due::End => Err(Stop::MaxAge),
            },
            heard = self.published.recv() => match heard {
                Ok(published) => Ok(Next::Heard(Box::new(published))),
                Err(RecvError::Lagged(_)) => Ok(Next::CatchUp),
                Err(RecvError::Closed) => Err(Stop::Shutdown("the gateway shuts down")),
            },
        }
    }

    /// A snapshot of every matching execution that is not over, oldest first.
    async fn begin_now(&mut self) -> Result<(), Stop> {
        let newest = self.services.driver.list(None, 1).await?;
        self.newest = newest.first().map(|it| listed_id(it).clone());
        self.meet_live().await
    }

    async fn meet_live(&mut self) -> Result<(), Stop> {
        let live = live::views(&self.services).await.map_err(Stop::Failed)?;
        for view in live.iter().rev() {
            self.meet(view).await?;
        }
        Ok(())
    }

    /// Goes on after a cursor: with the executions that it follows, and then
    /// with those that it does not know.
    async fn begin_at(&mut self, cursor: Cursor) -> Result<(), Stop> {
        self.newest = cursor.newest;
        for (id, mark) in cursor.followed {
            match self.services.driver.view_at(&id, mark.revision).await {
                Ok(view) if self.filter.concerns(&view) => self.follow(&view, mark.announced),
                Ok(_) | Err(DriverError::NotFound(_)) => {}
                Err(DriverError::FutureRevision { .. }) => {
                    let what = "is ahead of the journal; begin without one";
                    return Err(Stop::Failed(status::invalid("cursor", what)));
                }
                Err(error) => return Err(error.into()),
            }
        }
        self.catch_up().await?;
        self.meet_live().await
    }

    /// Reads from the cursors whatever was not heard.
    async fn catch_up(&mut self) -> Result<(), Stop> {
        let followed: Vec<ExecutionId> = self.followed.keys().cloned().collect();
        for id in followed {
            self.pull(&id).await?;
        }
        let mut unseen = Vec::new();
        let mut before = None;
        'pages: loop {
            let page = self.services.driver.list(before.as_ref(), PAGE).await?;
            let full = page.len() == PAGE;
            for listed in page {
                let id = listed_id(&listed);
                if self.newest.as_ref().is_some_and(|newest| id <= newest) {
                    break 'pages;
                }
                before = Some(id.clone());
                unseen.push(listed);
            }
            if !full {
                break;
            }
        }
        for listed in unseen.iter().rev() {
            self.discover(listed).await?;
        }
        Ok(())
    }

    async fn discover(&mut self, listed: &Listed) -> Result<(), Stop> {
        match listed {
            Listed::Live(view) => self.meet(view).await,
            Listed::Ended(head) => {
                self.saw(&head.execution);
                match v1::ExecutionSummary::decode(head.summary.clone()) {
                    Ok(it) if self.filter.matches(&it) => self.send(Message::Snapshot(it)).await,
                    Ok(_) | Err(_) => Ok(()),
                }
            }
        }
    }

    async fn hear(&mut self, published: &Published) -> Result<(), Stop> {
        let id = published.view.execution.id();
        match self.followed.get(id) {
            Some(followed) if followed.mark.revision >= published.record.revision => Ok(()),
            Some(_) => self.pull(id).await,
            None if self.ended.contains(id) => Ok(()),
            None => self.meet(&published.view).await,
        }
    }

    /// Shows an execution that the stream does not follow yet, and follows it.
    async fn meet(&mut self, view: &View) -> Result<(), Stop> {
        self.saw(view.execution.id());
        if self.followed.contains_key(view.execution.id()) || !self.filter.concerns(view) {
            return Ok(());
        }
        let wanted = self.filter.matches_state(view.execution.state());
        self.follow(view, wanted);
        if wanted {
            self.send(Message::Snapshot(summary(view))).await?;
        }
        if view.execution.state().is_terminal() {
            self.forget(view.execution.id());
        }
        Ok(())
    }

    fn follow(&mut self, view: &View, announced: bool) {
        let followed = Followed {
            reader: self.services.feeds.reader(&self.services.driver, view),
            mark: Mark {
                revision: view.revision,
                announced,
            },
        };
        self.followed.insert(view.execution.id().clone(), followed);
    }

    fn saw(&mut self, id: &ExecutionId) {
        if self.newest.as_ref().is_none_or(|newest| newest < id) {
            self.newest = Some(id.clone());
        }
    }

    fn forget(&mut self, id: &ExecutionId) {
        self.followed.remove(id);
        self.ended.insert(id.clone());
        if self.ended.len() > ENDED {
            self.ended.pop_first();
        }
    }

    /// Sends everything of one execution that was not sent yet.
    async fn pull(&mut self, id: &ExecutionId) -> Result<(), Stop> {
        while let Some(followed) = self.followed.get_mut(id) {
            let commits = followed.reader.next().await?;
            if commits.is_empty() {
                break;
            }
            for commit in &commits {
                self.commit(id, commit).await?;
                if commit.state.is_terminal() {
                    self.forget(id);
                }
            }
        }
        Ok(())
    }

    async fn commit(&mut self, id: &ExecutionId, commit: &Presented) -> Result<(), Stop> {
        let Some(followed) = self.followed.get_mut(id) else {
            return Ok(());
        };
        if !self.filter.matches_state(commit.state) {
            followed.mark.revision = commit.revision;
            return Ok(());
        }
        if !followed.mark.announced {
            followed.mark = Mark {
                revision: commit.revision,
                announced: true,
            };
            let view = self.services.driver.view_at(id, commit.revision).await?;
            return self.send(Message::Snapshot(summary(&view))).await;
        }
        let last = commit.pieces.len().saturating_sub(1);
        for (ix, piece) in commit.pieces.iter().enumerate() {
            // Only the last piece moves the cursor: a client that goes on
            // after another one gets the commit again, whole.
            if ix == last
                && let Some(followed) = self.followed.get_mut(id)
            {
                followed.mark.revision = commit.revision;
            }
            let cursor = self.cursor();
            let message = piece.watch_all(id.as_str(), &cursor);
            self.queue(message, cursor).await?;
        }
        Ok(())
    }

    fn cursor(&self) -> String {
        let followed = self.followed.iter();
        cursor::encode(
            self.newest.as_ref(),
            followed.map(|(id, followed)| (id, followed.mark)),
        )
    }

    async fn send(&mut self, message: Message) -> Result<(), Stop> {
        let cursor = self.cursor();
        self.queue(encoded(message, cursor.clone()), cursor).await
    }

    async fn queue(&mut self, message: Bytes, cursor: String) -> Result<(), Stop> {
        self.outlet.send(message).await?;
        self.given = cursor;
        Ok(())
    }

    fn last_message(&self, stop: Stop) -> Option<Result<Bytes, Status>> {
        let (reason, detail) = match stop {
            Stop::Ended | Stop::Gone => return None,
            Stop::Shutdown(detail) => (v1::WatchEndReason::Shutdown, detail),
            Stop::SlowReader => (
                v1::WatchEndReason::SlowReader,
                "nothing was read for too long; watch again from the cursor",
            ),
            Stop::MaxAge => (
                v1::WatchEndReason::MaxAge,
                "the stream is old; watch again from the cursor",
            ),
            Stop::Failed(status) => return Some(Err(status)),
        };
        let end = v1::WatchAllEnd {
            reason: reason.into(),
            detail: detail.to_owned(),
        };
        Some(Ok(encoded(Message::End(end), self.given.clone())))
    }
}

fn encoded(message: Message, cursor: String) -> Bytes {
    let response = v1::WatchAllResponse {
        message: Some(message),
        cursor,
    };
    response.encode_to_vec().into()
}

fn listed_id(listed: &Listed) -> &ExecutionId {
    match listed {
        Listed::Live(view) => view.execution.id(),
        Listed::Ended(head) => &head.execution,
    }
}
