//! Keeps a watch stream going: opens it, opens it again from the cursor
//! whenever it breaks, and hands on what is new.
//!
//! It runs as a task of its own. Its channel is bounded; while it is full the
//! stream is not read, and the gateway keeps its place.

use std::{ops::ControlFlow, time::Duration};

use tidegate_proto::v1::{
    Bookmark, Commit, WatchEndReason, WatchHeader, WatchRequest, WatchResponse,
    watch_response::Message,
};
use tokio::{
    sync::mpsc,
    time::{Instant, timeout},
};
use tonic::{Code, Streaming};

use super::cursor::{Cursor, Gap};
use crate::{
    connect::{Gateway, is_unanswered, root_cause},
    failure::Failure,
    time,
};

/// Messages that wait for the reader.
const CHANNEL: usize = 64;
/// First wait before a stream is opened again; doubled each time.
const FIRST_WAIT: Duration = Duration::from_millis(200);
/// Longest wait.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// A gateway that is away for longer is given up.
const PATIENCE: Duration = Duration::from_secs(600);
/// A stream that says nothing at all for so long is dead.
const FIRST_SILENCE: Duration = Duration::from_secs(30);
/// A gateway that was never there is given up sooner.
const FIRST_PATIENCE: Duration = Duration::from_secs(5);

/// What a watcher hears.
#[derive(Debug)]
pub(crate) enum Heard {
    /// A snapshot, or a part of it.
    Snapshot {
        /// The part.
        header: Box<WatchHeader>,
        /// Whether it is the first part, which replaces what was known.
        first: bool,
    },
    /// Changes, none of which was heard before.
    Commit(Commit),
    /// A sign of life.
    Bookmark(Bookmark),
    /// The execution is over, and everything was heard.
    Ended,
    /// The stream broke; it is opened again.
    Lost(String),
    /// It cannot go on.
    Failed(Failure),
}

/// Follows an execution after a revision (`None`: after the newest).
pub(crate) fn follow(gateway: Gateway, id: &str, after: Option<u64>) -> mpsc::Receiver<Heard> {
    let (heard, receiver) = mpsc::channel(CHANNEL);
    let follower = Follower {
        gateway,
        id: id.to_owned(),
        after,
        cursor: Cursor::default(),
        silence: FIRST_SILENCE,
        has_parts_to_come: false,
        heard,
    };
    tokio::spawn(follower.run());
    receiver
}

struct Follower {
    gateway: Gateway,
    id: String,
    after: Option<u64>,
    cursor: Cursor,
    /// A stream that says nothing for so long is dead.
    silence: Duration,
    /// Whether a snapshot of this stream has further parts to come.
    has_parts_to_come: bool,
    heard: mpsc::Sender<Heard>,
}

/// Why one stream is no longer read.
enum Stop {
    /// Nothing more is to come, or nobody listens.
    Over,
    /// Open it again, for this reason.
    Again(String),
    /// Begin anew: the gateway no longer has what follows the cursor.
    Anew(String),
    /// It cannot go on.
    Failed(Failure),
}

impl Follower {
    async fn run(mut self) {
        let mut wait = FIRST_WAIT;
        let mut last_life = Instant::now();
        loop {
            let before = self.cursor;
            let stop = self.one_stream().await;
            if self.cursor != before {
                wait = FIRST_WAIT;
                last_life = Instant::now();
            }
            let reason = match stop {
                Stop::Over => return,
                Stop::Failed(failure) => return self.hand_on_last(Heard::Failed(failure)).await,
                Stop::Again(reason) => reason,
                Stop::Anew(reason) => {
                    self.cursor = Cursor::default();
                    self.after = None;
                    reason
                }
            };
            let patience = match self.cursor.after() {
                Some(_) => PATIENCE,
                None => FIRST_PATIENCE,
            };
            if last_life.elapsed() > patience {
                let status = tonic::Status::unavailable(reason);
                let failure = self.gateway.failure(status);
                return self.hand_on_last(Heard::Failed(failure)).await;
            }
            if self.hand_on(Heard::Lost(reason)).await.is_break() {
                return;
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }

    /// Reads one stream to its end.
    async fn one_stream(&mut self) -> Stop {
        let request = WatchRequest {
            execution: self.id.clone(),
            after_revision: self.cursor.after().or(self.after),
        };
        let mut stream = match self.gateway.executions().watch(request).await {
            Ok(answer) => answer.into_inner(),
            Err(status) => return self.broken(status),
        };
        self.has_parts_to_come = false;
        loop {
            match self.message(&mut stream).await {
                ControlFlow::Continue(()) => {}
                ControlFlow::Break(stop) => return stop,
            }
        }
    }

    async fn message(&mut self, stream: &mut Streaming<WatchResponse>) -> ControlFlow<Stop> {
        let message = match timeout(self.silence, stream.message()).await {
            Ok(Ok(Some(response))) => response.message,
            Ok(Ok(None)) => {
                return ControlFlow::Break(Stop::Again("the stream ended early".to_owned()));
            }
            Ok(Err(status)) => return ControlFlow::Break(self.broken(status)),
            Err(_) => {
                let reason = format!("no sign of life for {}", time::span(self.silence));
                return ControlFlow::Break(Stop::Again(reason));
            }
        };
        match message {
            Some(Message::Header(header)) => self.header(header).await,
            Some(Message::Commit(commit)) => match self.cursor.commit(commit) {
                Ok(Some(commit)) => self.hand_on(Heard::Commit(commit)).await,
                Ok(None) => ControlFlow::Continue(()),
                Err(gap) => ControlFlow::Break(Stop::Again(missing(gap))),
            },
            Some(Message::Bookmark(bookmark)) => self.hand_on(Heard::Bookmark(bookmark)).await,
            Some(Message::End(end)) => match end.reason() {
                WatchEndReason::ExecutionEnded => {
                    let _ = self.hand_on(Heard::Ended).await;
                    ControlFlow::Break(Stop::Over)
                }
                WatchEndReason::Unspecified
                | WatchEndReason::Shutdown
                | WatchEndReason::SlowReader
                | WatchEndReason::MaxAge => ControlFlow::Break(Stop::Again(end.detail)),
            },
            // A newer gateway may send what this version does not know.
            None => ControlFlow::Continue(()),
        }
    }

    async fn header(&mut self, header: WatchHeader) -> ControlFlow<Stop> {
        if let Some(interval) = time::duration(header.bookmark_interval) {
            self.silence = interval * 3 + Duration::from_secs(5);
        }
        let first = !self.has_parts_to_come;
        self.has_parts_to_come = !header.complete;
        let is_news = self.cursor.after().is_none();
        // The cursor moves with the last part: a snapshot that broke off is asked for again.
        if header.complete
            && let Err(gap) = self.cursor.header(&header)
        {
            return ControlFlow::Break(Stop::Anew(missing(gap)));
        }
        if is_news {
            let header = Box::new(header);
            self.hand_on(Heard::Snapshot { header, first }).await
        } else {
            ControlFlow::Continue(())
        }
    }

    /// What a status means for the stream.
    fn broken(&self, status: tonic::Status) -> Stop {
        if is_unanswered(&status) {
            return Stop::Again(root_cause(&status));
        }
        let passes = [
            Code::Aborted,
            Code::Cancelled,
            Code::Internal,
            Code::ResourceExhausted,
        ];
        // A cursor that was given is wrong; one that the gateway itself gave was
        // right, and is gone with what the gateway has lost.
        let is_own = self.cursor.after().is_some();
        if status.code() == Code::OutOfRange && is_own {
            Stop::Anew(status.message().to_owned())
        } else if passes.contains(&status.code()) {
            Stop::Again(status.message().to_owned())
        } else {
            Stop::Failed(self.gateway.failure(status))
        }
    }

    async fn hand_on(&self, heard: Heard) -> ControlFlow<Stop> {
        match self.heard.send(heard).await {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(Stop::Over),
        }
    }

    async fn hand_on_last(&self, heard: Heard) {
        let _ = self.hand_on(heard).await;
    }
}

fn missing(gap: Gap) -> String {
    format!("change {} came instead of {}", gap.got, gap.expected)
}

#[cfg(test)]
mod tests;
