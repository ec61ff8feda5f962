//! What a `WatchAll` stream tells of one execution.

use tidegate_core::ExecutionId;
use tidegate_proto::v1::watch_all_response::Message;

use super::{Watcher, encoded, place::Step};
use crate::{
    driver::{Published, View},
    grpc::{
        convert::summary::summary,
        watch::{cursor::Mark, frame::Presented, outlet::Stop},
    },
};

impl Watcher {
    pub(super) async fn hear(&mut self, published: &Published) -> Result<(), Stop> {
        let id = published.view.execution.id();
        match self.place.mark(id) {
            Some(mark) if mark.revision >= published.record.revision => Ok(()),
            Some(_) => self.pull(id).await,
            None => self.meet(&published.view).await,
        }
    }

    /// Shows an execution that the stream does not follow yet, and follows it.
    pub(super) async fn meet(&mut self, view: &View) -> Result<(), Stop> {
        let id = view.execution.id();
        if self.place.mark(id).is_some() || self.place.is_over(id) {
            return Ok(());
        }
        if !self.filter.concerns(view) {
            self.place.saw(id);
            return Ok(());
        }
        let wanted = self.filter.matches_state(view.execution.state());
        let step = self.follow(view, wanted);
        if wanted {
            self.send(Message::Snapshot(summary(view)), step).await
        } else {
            self.take(step);
            Ok(())
        }
    }

    /// Reads an execution from here on, unless it is over.
    pub(super) fn follow(&mut self, view: &View, announced: bool) -> Step {
        let id = view.execution.id();
        let mark = Mark {
            revision: view.revision,
            announced,
        };
        let step = Step::new(id, mark, view.execution.state().is_terminal());
        if step.to.is_some() {
            let reader = self.services.feeds.reader(&self.services.driver, view);
            self.readers.insert(id.clone(), reader);
        }
        step
    }

    /// Sends everything of one execution that was not sent yet.
    pub(super) async fn pull(&mut self, id: &ExecutionId) -> Result<(), Stop> {
        loop {
            self.go_on()?;
            let Some(reader) = self.readers.get_mut(id) else {
                return Ok(());
            };
            let commits = reader.next().await?;
            if commits.is_empty() {
                return Ok(());
            }
            for commit in &commits {
                self.commit(id, commit).await?;
            }
        }
    }

    async fn commit(&mut self, id: &ExecutionId, commit: &Presented) -> Result<(), Stop> {
        let Some(before) = self.place.mark(id) else {
            return Ok(());
        };
        // After a commit that is not sent the client no longer knows the
        // execution: it is shown again before its next commit.
        let wanted = self.filter.matches_state(commit.state);
        let mark = Mark {
            revision: commit.revision,
            announced: wanted,
        };
        let step = Step::new(id, mark, commit.state.is_terminal());
        if !wanted {
            self.take(step);
            return Ok(());
        }
        if !before.announced {
            let view = self.services.driver.view_at(id, commit.revision).await?;
            return self.send(Message::Snapshot(summary(&view)), step).await;
        }
        self.pieces(id, commit, step).await
    }

    /// Only the last piece moves the cursor: a client that goes on after
    /// another one gets the commit again, whole.
    async fn pieces(
        &mut self,
        id: &ExecutionId,
        commit: &Presented,
        step: Step,
    ) -> Result<(), Stop> {
        let last = commit.pieces.len().saturating_sub(1);
        for (ix, piece) in commit.pieces.iter().enumerate() {
            let cursor = self.place.next_cursor((ix == last).then_some(&step));
            let message = piece.watch_all(id.as_str(), &cursor);
            self.outlet.send(message).await?;
        }
        self.take(step);
        Ok(())
    }

    pub(super) async fn send(&mut self, message: Message, step: Step) -> Result<(), Stop> {
        let cursor = self.place.next_cursor(Some(&step));
        self.outlet.send(encoded(message, cursor)).await?;
        self.take(step);
        Ok(())
    }

    pub(super) fn take(&mut self, step: Step) {
        if step.to.is_none() {
            self.readers.remove(&step.execution);
        }
        self.place.take(step);
    }
}
