//! Clients that only watch: one execution from its first commit to its end,
//! and all executions at once; both across every gateway, by their cursors.

use std::{collections::BTreeMap, sync::Arc};

use tidegate_proto::v1::{
    Commit, WatchAllRequest, WatchEndReason, WatchRequest, WatchResponse,
    execution_service_client::ExecutionServiceClient, watch_all_response, watch_response::Message,
};
use tokio::{sync::oneshot, task::JoinHandle};
use tonic::{Status, transport::Channel};

use super::{client::is_passing, doors::Doors, gateways::Pulse};

/// What a watcher saw of one execution.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) execution: String,
    /// Every commit, once, in order.
    pub(super) commits: Vec<Commit>,
    /// Streams that it read, each from its cursor on.
    pub(super) streams: usize,
    index: u64,
}

/// Watches an execution to its end.
pub(super) async fn watch(execution: String, mut doors: Doors, pulse: Arc<Pulse>) -> Seen {
    let mut seen = Seen {
        execution,
        commits: Vec::new(),
        streams: 0,
        index: 0,
    };
    loop {
        match seen.go_on(&mut doors, &pulse).await {
            Ok(true) => {
                pulse.does(&seen.name(), String::new());
                return seen;
            }
            Ok(false) => {}
            Err(status) => assert!(is_passing(&status), "{status:?}"),
        }
        doors.wait().await;
    }
}

impl Seen {
    /// True once the stream has told of the execution's end.
    async fn go_on(&mut self, doors: &mut Doors, pulse: &Pulse) -> Result<bool, Status> {
        let (door, mut client) = enter(doors).await?;
        let request = WatchRequest {
            execution: self.execution.clone(),
            after_revision: Some(self.revision()),
        };
        let mut stream = doors.within(client.watch(request)).await?.into_inner();
        while let Some(WatchResponse { message }) = doors.within(stream.message()).await? {
            pulse.beat();
            let what = format!("is at revision {}, at {door}", self.revision());
            pulse.does(&self.name(), what);
            match message.expect("a message") {
                Message::Header(header) => {
                    self.streams += 1;
                    assert_eq!(header.revision, self.revision(), "the cursor was not kept");
                    assert_eq!(header.change_index, self.index, "the cursor was not kept");
                }
                Message::Commit(commit) => self.take(commit),
                Message::Bookmark(_) => {}
                Message::End(end) => {
                    assert_eq!(end.revision, self.revision());
                    return Ok(end.reason() == WatchEndReason::ExecutionEnded);
                }
            }
        }
        Ok(false)
    }

    fn name(&self) -> String {
        format!("watcher of {}", self.execution)
    }

    fn revision(&self) -> u64 {
        self.commits.last().map_or(0, |commit| commit.revision)
    }

    fn take(&mut self, commit: Commit) {
        assert_eq!(commit.revision, self.revision() + 1, "gap or repeat");
        for change in &commit.changes {
            assert_eq!(change.index, self.index + 1, "gap or repeat");
            self.index = change.index;
        }
        self.commits.push(commit);
    }
}

/// Any of the gateways, and where it is.
async fn enter(doors: &mut Doors) -> Result<(String, ExecutionServiceClient<Channel>), Status> {
    let door = doors.next();
    let connected = async {
        let client = ExecutionServiceClient::connect(door.clone()).await;
        client.map_err(|error| Status::unavailable(error.to_string()))
    };
    let client = doors.within(connected).await?;
    Ok((door, client))
}

/// The revisions that a watcher of everything saw, by execution.
pub(super) type Revisions = BTreeMap<String, Vec<u64>>;

/// A watcher of everything.
pub(super) struct Everything {
    watching: JoinHandle<Revisions>,
    stop: oneshot::Sender<()>,
}

impl Everything {
    pub(super) fn watch(doors: Doors, pulse: Arc<Pulse>) -> Self {
        let (stop, stopped) = oneshot::channel();
        let watching = tokio::spawn(async move {
            let mut all = All::default();
            tokio::select! {
                _ = stopped => {}
                () = all.watch(doors, pulse) => {}
            }
            all.revisions
        });
        Self { watching, stop }
    }

    pub(super) async fn stop(self) -> Revisions {
        // It only ends by itself if it panics, which is told below.
        let _ = self.stop.send(());
        self.watching.await.expect("it saw everything in order")
    }
}

#[derive(Default)]
struct All {
    cursor: String,
    revisions: Revisions,
    /// The newest revision known of each execution, from snapshots, too.
    known: BTreeMap<String, u64>,
}

impl All {
    async fn watch(&mut self, mut doors: Doors, pulse: Arc<Pulse>) {
        loop {
            if let Err(status) = self.go_on(&mut doors, &pulse).await {
                assert!(is_passing(&status), "{status:?}");
            }
            doors.wait().await;
        }
    }

    async fn go_on(&mut self, doors: &mut Doors, pulse: &Pulse) -> Result<(), Status> {
        let (_, mut client) = enter(doors).await?;
        let request = WatchAllRequest {
            filter: None,
            cursor: self.cursor.clone(),
        };
        let mut stream = doors.within(client.watch_all(request)).await?.into_inner();
        while let Some(response) = doors.within(stream.message()).await? {
            pulse.beat();
            match response.message.expect("a message") {
                watch_all_response::Message::Snapshot(summary) => {
                    let known = self.known.entry(summary.id).or_default();
                    *known = summary.revision.max(*known);
                }
                watch_all_response::Message::Commit(commit) => {
                    let revision = commit.commit.expect("a commit").revision;
                    self.take(commit.execution, revision);
                }
                watch_all_response::Message::Bookmark(_) | watch_all_response::Message::End(_) => {}
            }
            if !response.cursor.is_empty() {
                self.cursor = response.cursor;
            }
        }
        Ok(())
    }

    /// Going on from a cursor may repeat commits, and never leaves one out.
    fn take(&mut self, execution: String, revision: u64) {
        let known = self.known.entry(execution.clone()).or_default();
        if revision <= *known {
            return;
        }
        assert_eq!(revision, *known + 1, "a gap in {execution}");
        *known = revision;
        self.revisions.entry(execution).or_default().push(revision);
    }
}
