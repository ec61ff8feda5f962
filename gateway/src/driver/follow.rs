//! Following jobs: one observation per target and tick serves every
//! execution, whatever their number. Polls are not events: an execution hears
//! of a job only when something about it is new.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use tidegate_core::{
    JobId, LaunchIx, WaveIx,
    engine::{Event, Execution, JobReport},
    plan::Target,
};
use tokio::sync::mpsc;

use super::{Shared, actor::Message, backoff::Backoff};

/// Who wants to hear of a job.
#[derive(Debug)]
pub(super) struct Follower {
    wave: WaveIx,
    launch: LaunchIx,
    mailbox: mpsc::Sender<Message>,
    /// What it heard last.
    last: Option<JobReport>,
}

/// All jobs that are followed, by target.
#[derive(Debug, Default)]
pub(super) struct Poller {
    targets: Mutex<BTreeMap<Arc<Target>, BTreeMap<JobId, Follower>>>,
    shared: std::sync::OnceLock<Weak<Shared>>,
}

impl Follower {
    pub(super) fn new(wave: WaveIx, launch: LaunchIx, mailbox: mpsc::Sender<Message>) -> Self {
        Self {
            wave,
            launch,
            mailbox,
            last: None,
        }
    }
}

impl Poller {
    /// Tells the poller where it belongs; once, before anything is followed.
    pub(super) fn attach(&self, shared: Weak<Shared>) {
        let _ = self.shared.set(shared);
    }

    /// Follows a launch's job. The first follower of a target starts its loop,
    /// which ends with the last one.
    pub(super) fn follow(&self, execution: &Execution, follower: Follower) {
        let Some((target, job)) = job(execution, follower.wave, follower.launch) else {
            return;
        };
        let mut targets = self.lock();
        let is_new = !targets.contains_key(&target);
        targets
            .entry(Arc::clone(&target))
            .or_default()
            .insert(job, follower);
        drop(targets);
        if is_new && let Some(shared) = self.shared.get().and_then(Weak::upgrade) {
            let polling = Arc::clone(&shared);
            shared.guard(&shared.loops, poll(polling, target));
        }
    }

    pub(super) fn unfollow(&self, execution: &Execution, wave: WaveIx, launch: LaunchIx) {
        if let Some((target, job)) = job(execution, wave, launch)
            && let Some(jobs) = self.lock().get_mut(&target)
        {
            jobs.remove(&job);
        }
    }

    /// Forgets every job of one execution.
    pub(super) fn forget(&self, mailbox: &mpsc::Sender<Message>) {
        for jobs in self.lock().values_mut() {
            jobs.retain(|_, follower| !follower.mailbox.same_channel(mailbox));
        }
    }

    /// The jobs of a target; `None`, and the target is forgotten, if there
    /// are none.
    fn jobs(&self, target: &Arc<Target>) -> Option<Vec<JobId>> {
        let mut targets = self.lock();
        let jobs: Vec<JobId> = targets.get(target)?.keys().cloned().collect();
        if jobs.is_empty() {
            targets.remove(target);
            return None;
        }
        Some(jobs)
    }

    /// What is to be told to whom: only what is new to them.
    fn news(
        &self,
        target: &Arc<Target>,
        reports: Vec<JobReport>,
    ) -> Vec<(mpsc::Sender<Message>, Event)> {
        let mut targets = self.lock();
        let Some(jobs) = targets.get_mut(target) else {
            return Vec::new();
        };
        let mut news = Vec::new();
        for report in reports {
            if let Some(follower) = jobs.get_mut(&report.job)
                && follower.last.as_ref() != Some(&report)
            {
                follower.last = Some(report.clone());
                let event = Event::JobObserved {
                    wave: follower.wave,
                    launch: follower.launch,
                    report,
                };
                news.push((follower.mailbox.clone(), event));
            }
        }
        news
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Arc<Target>, BTreeMap<JobId, Follower>>> {
        self.targets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Observes the jobs of one target until there are none.
async fn poll(shared: Arc<Shared>, target: Arc<Target>) {
    let mut backoff = Backoff::new(&shared.settings);
    let mut wait = shared.settings.poll_interval;
    loop {
        tokio::select! {
            biased;
            () = shared.stop.cancelled() => return,
            () = shared.wait(wait) => {}
        }
        let Some(jobs) = shared.poller.jobs(&target) else {
            return;
        };
        match shared.ports.drs.observe(Arc::clone(&target), jobs).await {
            Ok(reports) => {
                backoff.reset();
                wait = shared.settings.poll_interval;
                for (mailbox, event) in shared.poller.news(&target, reports) {
                    let _ = mailbox.send(Message::Heard(event)).await;
                }
            }
            Err(error) => {
                tracing::warn!(%error, "cannot observe jobs; trying again");
                wait = backoff.next(&error).max(shared.settings.poll_interval);
            }
        }
    }
}

fn job(execution: &Execution, wave: WaveIx, launch: LaunchIx) -> Option<(Arc<Target>, JobId)> {
    let launch = execution.wave(wave).launch(launch)?;
    Some((Arc::clone(&launch.target), launch.state.job()?.clone()))
}
