//! `WatchAll`: every execution that matches, in order for each of them.

mod place;
mod telling;

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use prost::Message as _;
use tidegate_core::ExecutionId;
use tidegate_proto::v1::{self, watch_all_response::Message};
use tokio::sync::broadcast::{self, error::RecvError};
use tonic::Status;

use self::place::{Place, Step};
use super::{
    Due, Frames, Pace,
    cursor::{self, Cursor},
    feed::Reader,
    outlet::{Outlet, Stop},
};
use crate::{
    driver::{DriverError, FollowAll, Listed, Published},
    grpc::{convert::time::timestamp, filter::Filter, live, services::Services, status},
};

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
        _following: services.driver.follow_all(),
        pace: Pace::new(settings.bookmark_interval, settings.max_age),
        services: Arc::clone(services),
        outlet,
        filter,
        readers: BTreeMap::new(),
        place: Place::default(),
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
    /// Held so that it hears of what other members of the cluster drive.
    _following: FollowAll,
    /// Of the executions that the place follows.
    readers: BTreeMap<ExecutionId, Reader>,
    place: Place,
    pace: Pace,
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
                Next::Bookmark => self.bookmark().await?,
            }
        }
    }

    async fn next(&mut self) -> Result<Next, Stop> {
        tokio::select! {
            biased;
            () = self.services.drain.begun() => Err(shutdown()),
            () = self.outlet.closed() => Err(Stop::Gone),
            due = self.pace.due() => match due {
                Due::Bookmark => Ok(Next::Bookmark),
                Due::End => Err(Stop::MaxAge),
            },
            heard = self.published.recv() => match heard {
                Ok(published) => Ok(Next::Heard(Box::new(published))),
                Err(RecvError::Lagged(_)) => Ok(Next::CatchUp),
                Err(RecvError::Closed) => Err(shutdown()),
            },
        }
    }

    /// Whether to go on, for loops over many executions: most of them may
    /// have nothing to send, and then nothing else would notice the end.
    fn go_on(&self) -> Result<(), Stop> {
        if self.services.drain.has_begun() {
            return Err(shutdown());
        }
        if self.outlet.is_closed() {
            return Err(Stop::Gone);
        }
        Ok(())
    }

    /// A snapshot of every matching execution that is not over, oldest first.
    async fn begin_now(&mut self) -> Result<(), Stop> {
        let newest = self.services.driver.list(None, 1).await?;
        self.place = Place::after(newest.first().map(|it| listed_id(it).clone()));
        // What is over by now is not told later as something that was missed.
        for listed in self.unseen().await? {
            match listed {
                Listed::Live(_) => {}
                // What is newer began after this stream.
                Listed::Ended(head) | Listed::Damaged { head, .. } => {
                    if !self.place.is_new(&head.execution) {
                        self.place.pass_over(&head.execution);
                    }
                }
            }
        }
        self.meet_live().await
    }

    async fn meet_live(&mut self) -> Result<(), Stop> {
        let live = live::views(&self.services).await.map_err(Stop::Failed)?;
        for view in live.iter().rev() {
            self.go_on()?;
            self.meet(view).await?;
        }
        Ok(())
    }

    /// Goes on after a cursor: with the executions that it follows, and then
    /// with those that it does not know.
    async fn begin_at(&mut self, cursor: Cursor) -> Result<(), Stop> {
        self.place = Place::restored(&cursor);
        for (id, mark) in cursor.followed {
            self.go_on()?;
            match self.services.driver.view_at(&id, mark.revision).await {
                Ok(view) if self.filter.concerns(&view) => {
                    let step = self.follow(&view, mark.announced);
                    self.take(step);
                }
                Ok(_) | Err(DriverError::NotFound(_) | DriverError::Damaged(_)) => {
                    self.place.ignore(&id);
                }
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
        for id in self.place.followed() {
            self.pull(&id).await?;
        }
        for listed in self.unseen().await?.iter().rev() {
            self.go_on()?;
            self.discover(listed).await?;
        }
        Ok(())
    }

    /// Executions that are newer than all that were seen, as far as clocks can
    /// tell, and were not told; newest first.
    async fn unseen(&self) -> Result<Vec<Listed>, Stop> {
        let mut unseen = Vec::new();
        let mut before = None;
        loop {
            self.go_on()?;
            let page = self.services.driver.list(before.as_ref(), PAGE).await?;
            let full = page.len() == PAGE;
            for listed in page {
                let id = listed_id(&listed);
                if !self.place.is_recent(id) {
                    return Ok(unseen);
                }
                before = Some(id.clone());
                if self.place.is_unseen(id) {
                    unseen.push(listed);
                }
            }
            if !full {
                return Ok(unseen);
            }
        }
    }

    async fn discover(&mut self, listed: &Listed) -> Result<(), Stop> {
        match listed {
            Listed::Live(view) => self.meet(view).await,
            Listed::Ended(head) | Listed::Damaged { head, .. } => {
                let step = Step {
                    execution: head.execution.clone(),
                    to: None,
                };
                match v1::ExecutionSummary::decode(head.summary.clone()) {
                    Ok(it) if self.filter.matches(&it) => {
                        self.send(Message::Snapshot(it), step).await
                    }
                    Ok(_) | Err(_) => {
                        self.take(step);
                        Ok(())
                    }
                }
            }
        }
    }

    async fn bookmark(&mut self) -> Result<(), Stop> {
        let time = Some(timestamp(self.services.clock.now()));
        let message = Message::Bookmark(v1::WatchAllBookmark { time });
        let cursor = self.place.cursor();
        self.outlet.send(encoded(message, cursor)).await
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
        Some(Ok(encoded(Message::End(end), self.place.cursor())))
    }
}

fn shutdown() -> Stop {
    Stop::Shutdown("the gateway shuts down")
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
        Listed::Ended(head) | Listed::Damaged { head, .. } => &head.execution,
    }
}
