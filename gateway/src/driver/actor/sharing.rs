//! Writing a log that others may write as well: those who answer for a member
//! of the cluster that they are not.

use std::sync::Arc;

use tidegate_core::{SourceServerId, engine::Event};

use super::{
    super::{
        DriverError, Shared,
        log::{Log, With},
    },
    Actor, End, lost,
    taking_over::READ_WAIT,
};
use crate::ports::journal::AppendError;

/// The execution has its first record, and is another member's to drive.
pub(super) fn leave_to_owner(shared: &Arc<Shared>, log: &Log) {
    let id = log.execution.id().clone();
    let now = shared.ports.clock.now();
    shared.admission.leave(&log.execution, now);
    shared.registry.hand_over(&id);
    let telling = Arc::clone(shared);
    shared.guard(&shared.tasks, async move {
        if let Some(member) = telling.membership.member() {
            member.tell(&id).await;
        }
    });
}

impl Actor {
    /// Whether others may write into the log.
    pub(super) fn is_shared(&self) -> bool {
        self.shared.membership.member().is_some()
    }

    /// The execution is not driven here any more, though it is not over.
    pub(super) fn let_go(&self) {
        let id = self.log.execution.id();
        match self.shared.membership.member() {
            None => self.shared.registry.abandon(id),
            Some(member) => {
                self.shared.registry.hand_over(id);
                // If it is still this member's after all, it goes on here.
                member.begin_again(id);
            }
        }
    }

    /// Reads what somebody else wrote, and acts on it.
    pub(super) async fn read_on(&mut self) -> Result<(), End> {
        self.catch_up().await?;
        self.hear(Event::Tick).await
    }

    /// Reads what somebody else wrote. If that was another owner, the
    /// execution is not driven here any more.
    ///
    /// What became outstanding is for the caller to begin, and not before it has
    /// recorded what it heard: until then a launch that was answered still looks
    /// like one to be asked for.
    pub(super) async fn catch_up(&mut self) -> Result<(), End> {
        let news = loop {
            match self.log.read_on(&self.shared).await {
                Ok(news) => break news,
                Err(DriverError::Unavailable(why)) => {
                    tracing::warn!(execution = %self.log.execution.id(), why, "the journal is not available; trying again");
                    self.shared.wait(READ_WAIT).await;
                }
                Err(error) => {
                    tracing::error!(execution = %self.log.execution.id(), %error, "a log cannot be read on");
                    return Err(End::Lost);
                }
            }
        };
        for (view, record) in news {
            self.show(&view, &record);
            // Another owner's are measured by that one.
            let is_ours = view.execution.epoch() == self.epoch;
            self.publish_as(is_ours, view, record);
        }
        if self.log.execution.epoch() != self.epoch {
            return Err(End::Lost);
        }
        if self.log.execution.state().is_terminal() {
            self.shared.registry.leave(self.log.execution.id());
        }
        Ok(())
    }

    /// Servers that were selected are taken with the record that says so.
    pub(super) async fn hear_selected(&mut self, event: Event) -> Result<(), End> {
        self.dispatcher.heard(&event);
        let Event::Selected {
            wave,
            answer: Ok(servers),
        } = &event
        else {
            return self.hear(event).await;
        };
        let (wave, named) = (*wave, self.log.execution.plan());
        let named: Vec<&SourceServerId> = named.named_servers().collect();
        let selected = servers.iter().map(|server| &server.id);
        let new: Vec<SourceServerId> = selected.filter(|id| !named.contains(id)).cloned().collect();
        if new.is_empty() {
            return self.hear(event).await;
        }
        let id = self.log.execution.id().clone();
        let untaken = self.shared.registry.without(&id, new.iter().cloned());
        let shared = Arc::clone(&self.shared);
        let Some(mut turn) = shared.turn_to_hold().await else {
            return self.hear(event).await;
        };
        loop {
            let taken = match turn.learn().await {
                Ok(()) => shared.take(&id, &new).await,
                Err(error) => Err(error),
            };
            match taken {
                Ok(()) => {}
                Err(DriverError::Unavailable(why)) => {
                    tracing::warn!(why, "cannot learn which servers others have; trying again");
                    shared.wait(READ_WAIT).await;
                    continue;
                }
                Err(refused) => {
                    let answer = Err(refused.to_string());
                    shared.registry.give_back(&id, &untaken);
                    drop(turn);
                    return self.hear(Event::Selected { wave, answer }).await;
                }
            }
            let now = self.now();
            let decided = self.decide(event.clone(), now, None).ok();
            let Some(decided) = decided.filter(|decided| !decided.changes.is_empty()) else {
                shared.registry.give_back(&id, &untaken);
                self.dispatcher.dispatch(&self.log.execution, self.stopping);
                return Ok(());
            };
            let holds = Some(turn.holds(&new));
            match self.record(decided, With { claim: None, holds }).await {
                Ok((view, record)) => {
                    turn.taken();
                    self.publish(view, record);
                    return Ok(());
                }
                Err(AppendError::Outdated { .. }) => {}
                Err(AppendError::Taken { .. }) => self.catch_up().await?,
                Err(error) => {
                    lost(error, &self.log.execution);
                    return Err(End::Lost);
                }
            }
        }
    }
}
