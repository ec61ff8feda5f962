//! Commits of an execution, presented once for everybody who watches it.
//!
//! The first reader that wants a commit folds and encodes it; the others take
//! it from the ring. A reader that is behind the ring folds for itself until
//! it has caught up. A feed lives as long as somebody reads it.

use std::{
    collections::{HashMap, VecDeque},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use tidegate_core::{ExecutionId, engine::Execution};
use tokio::sync::Mutex as AsyncMutex;

use super::frame::Presented;
use crate::{
    driver::{Driver, DriverError, Kept, Origin, RecordView, View},
    grpc::convert::commit,
};

/// Commits that a feed keeps: about ten seconds of a busy execution.
const RING_COMMITS: usize = 512;
/// Bytes of commits that a feed keeps, except that it keeps at least one.
const RING_BYTES: usize = 4 << 20;
/// Records that are read at once.
const PAGE: usize = 128;

/// The feeds that somebody reads.
#[derive(Default)]
pub struct Feeds {
    feeds: Mutex<HashMap<ExecutionId, Weak<Feed>>>,
    /// One strong count more than there are streams.
    streams: Arc<()>,
}

/// Keeps a stream counted.
pub(super) struct Place(#[expect(dead_code, reason = "held to be counted")] Arc<()>);

impl fmt::Debug for Feeds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Feeds").finish_non_exhaustive()
    }
}

impl Feeds {
    /// A place for one more stream, if there are fewer than `limit`. Streams
    /// that come at the same instant may exceed it by their number.
    pub(super) fn admit(&self, limit: usize) -> Option<Place> {
        (Arc::strong_count(&self.streams) <= limit).then(|| Place(Arc::clone(&self.streams)))
    }

    /// How many streams there are.
    #[must_use]
    pub fn streams(&self) -> usize {
        Arc::strong_count(&self.streams) - 1
    }

    /// A reader of everything after this view.
    pub(super) fn reader(&self, driver: &Driver, at: &View) -> Reader {
        Reader {
            feed: self.feed(driver, at),
            driver: driver.clone(),
            revision: at.revision,
            own: Some((*at.execution).clone()),
        }
    }

    fn feed(&self, driver: &Driver, at: &View) -> Arc<Feed> {
        let mut feeds = lock(&self.feeds);
        if let Some(feed) = feeds.get(at.execution.id()).and_then(Weak::upgrade) {
            return feed;
        }
        if feeds.len() == feeds.capacity() {
            feeds.retain(|_, feed| feed.strong_count() > 0);
        }
        let feed = Arc::new(Feed::new(driver, at));
        feeds.insert(at.execution.id().clone(), Arc::downgrade(&feed));
        feed
    }
}

struct Feed {
    execution: ExecutionId,
    /// An execution that is over is not live any more; its last records need
    /// not be read from the journal for that.
    kept: Option<Kept>,
    origin: Arc<Origin>,
    ring: Mutex<Ring>,
    /// The state after the newest commit of the ring. Whoever holds it reads
    /// and presents the next ones.
    fold: AsyncMutex<Execution>,
}

struct Ring {
    /// The newest commit of the ring, or where it begins.
    newest: u64,
    commits: VecDeque<Arc<Presented>>,
    bytes: usize,
}

/// What a ring has for a reader.
enum Found {
    Commits(Vec<Arc<Presented>>),
    NothingNew,
    /// The next commit is no longer in the ring.
    Behind,
}

impl Feed {
    fn new(driver: &Driver, at: &View) -> Self {
        Self {
            execution: at.execution.id().clone(),
            kept: driver.keep(at.execution.id()),
            origin: Arc::clone(&at.origin),
            ring: Mutex::new(Ring {
                newest: at.revision,
                commits: VecDeque::new(),
                bytes: 0,
            }),
            fold: AsyncMutex::new((*at.execution).clone()),
        }
    }

    /// Presents what was recorded after the ring's newest commit, unless
    /// somebody else did so while this waited. Says whether the ring has
    /// anything that it did not have; a reader that is ahead of the ring may
    /// have to ask several times.
    async fn refill(&self, driver: &Driver, after: u64) -> Result<bool, DriverError> {
        let mut fold = self.fold.lock().await;
        let newest = lock(&self.ring).newest;
        if newest > after {
            return Ok(true);
        }
        let kept = self.kept.as_ref();
        let records = match kept.and_then(|kept| kept.of_ended(newest, PAGE)) {
            Some(records) => records,
            None => driver.records(&self.execution, newest, PAGE).await?,
        };
        for record in &records {
            let presented = present(&mut fold, &self.origin, record);
            lock(&self.ring).push(presented);
        }
        Ok(!records.is_empty())
    }
}

impl Ring {
    fn after(&self, revision: u64) -> Found {
        let begin = self.newest - self.commits.len() as u64;
        if revision >= self.newest {
            return Found::NothingNew;
        }
        match revision.checked_sub(begin).map(usize::try_from) {
            Some(Ok(seen)) => {
                Found::Commits(self.commits.iter().skip(seen).take(PAGE).cloned().collect())
            }
            Some(Err(_)) | None => Found::Behind,
        }
    }

    fn push(&mut self, presented: Arc<Presented>) {
        self.newest = presented.revision;
        self.bytes += presented.size();
        self.commits.push_back(presented);
        while self.commits.len() > 1
            && (self.commits.len() > RING_COMMITS || self.bytes > RING_BYTES)
        {
            let oldest = self.commits.pop_front();
            self.bytes -= oldest.map_or(0, |oldest| oldest.size());
        }
    }
}

/// One stream's place in an execution.
pub(super) struct Reader {
    feed: Arc<Feed>,
    driver: Driver,
    revision: u64,
    /// The state at `revision`, while this reader folds for itself.
    own: Option<Execution>,
}

impl Reader {
    /// The revision up to which commits were returned.
    pub(super) fn revision(&self) -> u64 {
        self.revision
    }

    /// The next commits, in order; none if there are none yet. May be dropped
    /// while it waits: nothing is lost.
    pub(super) async fn next(&mut self) -> Result<Vec<Arc<Presented>>, DriverError> {
        let commits = loop {
            let found = lock(&self.feed.ring).after(self.revision);
            match found {
                Found::Commits(commits) => {
                    self.own = None;
                    break commits;
                }
                Found::Behind => break self.catch_up().await?,
                Found::NothingNew => {
                    if !self.feed.refill(&self.driver, self.revision).await? {
                        return Ok(Vec::new());
                    }
                }
            }
        };
        if let Some(last) = commits.last() {
            self.revision = last.revision;
        }
        Ok(commits)
    }

    async fn catch_up(&mut self) -> Result<Vec<Arc<Presented>>, DriverError> {
        let id = &self.feed.execution;
        if self.own.is_none() {
            let view = self.driver.view_at(id, self.revision).await?;
            self.own = Some((*view.execution).clone());
        }
        let records = self.driver.records(id, self.revision, PAGE).await?;
        let Some(state) = &mut self.own else {
            return Ok(Vec::new());
        };
        let origin = &self.feed.origin;
        Ok(records
            .iter()
            .map(|record| present(state, origin, record))
            .collect())
    }
}

fn present(state: &mut Execution, origin: &Origin, record: &RecordView) -> Arc<Presented> {
    let shown = commit::commit(state, origin, record);
    Arc::new(Presented::new(shown, state.state()))
}

/// A panic while one of these is held cannot leave them half changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use tidegate_core::engine::ExecutionState;
    use tidegate_proto::v1;

    use super::*;

    fn presented(revision: u64, bytes: usize) -> Arc<Presented> {
        let commit = v1::Commit {
            revision,
            request_id: "x".repeat(bytes),
            ..v1::Commit::default()
        };
        Arc::new(Presented::new(commit, ExecutionState::Running))
    }

    fn ring(from: u64, to: u64, bytes: usize) -> Ring {
        let mut ring = Ring {
            newest: from,
            commits: VecDeque::new(),
            bytes: 0,
        };
        for revision in from + 1..=to {
            ring.push(presented(revision, bytes));
        }
        ring
    }

    #[test]
    fn a_ring_gives_what_comes_after_a_cursor() {
        let ring = ring(10, 15, 1);
        let Found::Commits(found) = ring.after(12) else {
            panic!("13 to 15 are there");
        };
        let revisions: Vec<u64> = found.iter().map(|it| it.revision).collect();
        assert_eq!(revisions, [13, 14, 15]);
        assert!(matches!(ring.after(10), Found::Commits(found) if found.len() == 5));
        assert!(matches!(ring.after(15), Found::NothingNew));
        assert!(matches!(ring.after(9), Found::Behind));
    }

    #[test]
    fn a_ring_is_bounded_by_count_and_by_bytes() {
        let by_count = ring(0, 2_000, 1);
        assert_eq!(by_count.commits.len(), RING_COMMITS);
        assert!(matches!(by_count.after(0), Found::Behind));

        let by_bytes = ring(0, 10, RING_BYTES);
        assert_eq!(by_bytes.commits.len(), 1);
        assert!(matches!(by_bytes.after(9), Found::Commits(found) if found.len() == 1));
    }
}
