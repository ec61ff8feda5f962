//! Taking over an execution that another process drove, and perhaps still
//! drives: it is fenced off by the first record of the new owner.

use std::time::Duration;

use tidegate_core::engine::Event;

use super::{
    super::{DriverError, Planted, by_tags, log::With, servers_of},
    Actor, End, lost,
};
use crate::ports::journal::AppendError;

/// How often an execution is taken over from an owner that goes on writing.
const TAKEOVERS: usize = 16;
/// How long a journal that cannot be read is left alone.
pub(super) const READ_WAIT: Duration = Duration::from_millis(200);

impl Actor {
    /// Becomes the owner: the first record of every owner says so. Where the
    /// one before has written meanwhile, the log is read again; behind this
    /// record it cannot write any more.
    pub(super) async fn take_over(&mut self) -> Result<(), End> {
        for _ in 0..TAKEOVERS {
            // Others have it by now, or will.
            if self.stop.is_cancelled() {
                return Err(End::Stopped);
            }
            let now = self.now();
            let event = Event::OwnerChanged(self.shared.settings.owner.clone());
            let decided = self.decide(event, now, None).map_err(|_| End::Lost)?;
            if decided.changes.is_empty() {
                return Ok(());
            }
            match self
                .log
                .append(&self.shared, decided, With::default())
                .await
            {
                Ok(record) => {
                    if self.shared.settings.has(Planted::LosesJobs) {
                        self.dispatcher.lose_jobs(&self.log.execution);
                    }
                    self.epoch = self.log.execution.epoch();
                    let view = self.recorded(&record);
                    self.publish(view, record);
                    return Ok(());
                }
                Err(AppendError::Taken { newest, .. })
                    if !self.shared.settings.has(Planted::GivesUpTakeovers) =>
                {
                    tracing::warn!(execution = %self.log.execution.id(), newest, "the owner before has written meanwhile; reading again");
                    self.read_again().await?;
                }
                Err(error) => {
                    lost(error, &self.log.execution);
                    return Err(End::Lost);
                }
            }
        }
        Err(End::Lost)
    }

    async fn read_again(&mut self) -> Result<(), End> {
        let shared = &self.shared;
        let id = self.log.execution.id();
        let log = loop {
            match shared.read(id, None).await {
                Ok(log) => break log,
                Err(DriverError::Unavailable(why)) => {
                    tracing::warn!(execution = %id, why, "the journal is not available; trying again");
                    shared.wait(READ_WAIT).await;
                }
                Err(error) => {
                    tracing::error!(execution = %id, %error, "an execution cannot be taken over");
                    return Err(End::Lost);
                }
            }
        };
        let servers = servers_of(&log.execution);
        if let Err(error) = shared.take(id, &servers).await {
            tracing::error!(execution = %id, %error, "an execution cannot be taken over");
            return Err(End::Lost);
        }
        let held = by_tags::held(log.execution.kind(), log.execution.plan());
        shared.registry.take_free(id, held.into_keys());
        self.log = log;
        Ok(())
    }
}
