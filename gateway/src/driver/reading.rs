//! Reading executions: live ones from memory, ended ones from the journal.

use std::sync::Arc;

use tidegate_core::{
    ExecutionId, LaunchIx, WaveIx,
    engine::{CommandId, Execution},
};
use tokio::sync::broadcast;

use super::{
    Driver, DriverError, Published, RecordView, Shared, View,
    log::{Log, decode},
    registry::Recent,
};
use crate::ports::journal::Head;

/// The newest records of an execution that was driven here, for whoever still
/// reads it when it is over.
#[derive(Debug)]
pub struct Kept(Arc<Recent>);

/// An entry of a list.
#[derive(Clone, Debug)]
pub enum Listed {
    /// Not over: its view.
    Live(View),
    /// Over: its head, whose summary is as [`super::Codec::summary`] wrote it.
    Ended(Head),
    /// Not over, and driven by nobody, because its log cannot be understood.
    Damaged {
        /// Its head, whose summary is of when it began.
        head: Head,
        /// What is wrong with its log.
        why: String,
    },
}

impl Driver {
    /// An execution as it is now, live or over.
    ///
    /// # Errors
    /// There is none, or it cannot be read.
    pub async fn view(&self, id: &ExecutionId) -> Result<View, DriverError> {
        if let Some(live) = self.shared.registry.get(id) {
            return Ok(live.recent.view());
        }
        Ok(self.shared.read(id, None).await?.view())
    }

    /// An execution as it was at a revision.
    ///
    /// # Errors
    /// There is no such execution or revision, or it cannot be read.
    pub async fn view_at(&self, id: &ExecutionId, revision: u64) -> Result<View, DriverError> {
        let mut newest = self.view(id).await?;
        // In a cluster another gateway may have gone on with what this one
        // believes to drive; the log tells.
        if revision > newest.revision && self.shared.membership.member().is_some() {
            newest = self.shared.read(id, None).await?.view();
        }
        if revision > newest.revision {
            return Err(DriverError::FutureRevision {
                execution: id.clone(),
                revision,
                newest: newest.revision,
            });
        }
        if revision == newest.revision {
            return Ok(newest);
        }
        // Before the first record there is only what it came from.
        let log = self.shared.read(id, Some(revision.max(1))).await?;
        if revision == 0 {
            return Ok(before_everything(&log));
        }
        Ok(log.view())
    }

    /// Records after `after`, oldest first: at most `limit`, fewer if they
    /// are large, none at the end. From memory where possible.
    ///
    /// # Errors
    /// They cannot be read.
    pub async fn records(
        &self,
        id: &ExecutionId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Arc<RecordView>>, DriverError> {
        if let Some(live) = self.shared.registry.get(id)
            && let Some(records) = live.recent.after(after, limit)
        {
            return Ok(records);
        }
        if let Some(records) = self.shared.tails.after(id, after, limit) {
            return Ok(records);
        }
        let records = self.shared.ports.journal.read(id, after, limit).await?;
        records
            .iter()
            .map(|stored| Ok(Arc::new(decode(&stored.record)?.view)))
            .collect()
    }

    /// What is kept of an execution that is driven here.
    #[must_use]
    pub fn keep(&self, id: &ExecutionId) -> Option<Kept> {
        self.shared.registry.get(id).map(|live| Kept(live.recent))
    }

    /// Every commit of every execution that is driven here from now on, in order
    /// for each; of others as long as they are followed. Where the driver of an
    /// execution changes, a record may come twice. A receiver that lags too far
    /// gets `Lagged` and reads from its cursors.
    #[must_use]
    pub fn subscribe_all(&self) -> broadcast::Receiver<Published> {
        self.shared.published.subscribe()
    }

    /// Executions below `before`, newest first.
    ///
    /// # Errors
    /// They cannot be read.
    pub async fn list(
        &self,
        before: Option<&ExecutionId>,
        limit: usize,
    ) -> Result<Vec<Listed>, DriverError> {
        let heads = self
            .shared
            .ports
            .journal
            .heads(before, false, limit)
            .await?;
        let mut listed = Vec::with_capacity(heads.len());
        for head in heads {
            listed.push(if head.live {
                match self.view(&head.execution).await {
                    Ok(view) => Listed::Live(view),
                    Err(DriverError::Damaged(why)) => Listed::Damaged { head, why },
                    Err(error) => return Err(error),
                }
            } else {
                Listed::Ended(head)
            });
        }
        Ok(listed)
    }

    /// Where each launch of a view that waits for its turn stands, for people.
    #[must_use]
    pub fn standings(&self, view: &View) -> Vec<(WaveIx, LaunchIx, String)> {
        let commands = view.execution.outstanding().into_iter();
        let waiting = commands.filter_map(|command| match command {
            CommandId::Admit { wave, launch, .. } => {
                let admission = &self.shared.admission;
                let standing = admission.standing(&view.execution, command)?;
                Some((wave, launch, standing.to_string()))
            }
            CommandId::Select { .. }
            | CommandId::Hook { .. }
            | CommandId::Launch { .. }
            | CommandId::Look { .. }
            | CommandId::Follow { .. } => None,
        });
        waiting.collect()
    }
}

impl Kept {
    /// Records after `after` of an execution that is over: at most `limit`,
    /// oldest first. `None` if it is not over, or some of them are not kept.
    #[must_use]
    pub fn of_ended(&self, after: u64, limit: usize) -> Option<Vec<Arc<RecordView>>> {
        self.0.after_end(after, limit)
    }
}

impl Shared {
    pub(super) async fn read(
        &self,
        id: &ExecutionId,
        until: Option<u64>,
    ) -> Result<Log, DriverError> {
        Log::read(self, id, until).await
    }

    /// In a cleanup: the execution whose instances are terminated.
    pub(super) async fn source_of(
        &self,
        cleanup: &Execution,
    ) -> Result<Arc<Execution>, DriverError> {
        let log = self.read(cleanup.id(), Some(1)).await?;
        let Some(source) = &log.origin.source else {
            return Err(DriverError::Damaged("a cleanup without a source".into()));
        };
        Ok(self.read(source, None).await?.execution)
    }
}

fn before_everything(log: &Log) -> View {
    let genesis = log.execution.genesis().clone();
    View {
        updated_at: genesis.created_at,
        execution: Arc::new(Execution::new(genesis, log.execution.settings())),
        revision: 0,
        origin: Arc::clone(&log.origin),
    }
}
