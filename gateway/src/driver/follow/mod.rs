//! Following jobs: one observation per target and tick serves every
//! execution, whatever their number. Polls are not events: an execution hears
//! of a job only when something about it is new.
//!
//! When the next tick is, is decided by each job (`schedule`, over what
//! `learned` knows); the earliest of them is the target's.

mod job;
mod lag;
mod learned;
mod schedule;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak},
    time::Duration,
};

use tidegate_core::{
    JobId, LaunchIx, Timestamp, WaveIx,
    engine::{Execution, JobReport, Launch},
    plan::Target,
};
use tokio::sync::Notify;

use self::{
    job::{Followed, Missing},
    learned::{Key, Learned},
};
use super::{Shared, backoff::Backoff, mailbox::Mailbox, reads::Purpose};
use crate::ports::drs::{Depth, ForgottenOrder, JobQuery, Observation};

pub(super) use job::Follower;
pub use schedule::PollBounds;

/// A log that explains a failure is read at least so many longest waits after
/// it was read before.
const LOG_EVERY: u32 = 4;

/// All jobs that are followed, by target.
#[derive(Debug, Default)]
pub(super) struct Poller {
    inner: Mutex<Inner>,
    shared: OnceLock<Weak<Shared>>,
}

#[derive(Debug, Default)]
struct Inner {
    targets: BTreeMap<Arc<Target>, Jobs>,
    learned: Learned,
}

/// The jobs of one target.
#[derive(Debug, Default)]
struct Jobs {
    jobs: BTreeMap<JobId, Followed>,
    /// A job came that may have to be looked at earlier.
    woken: Arc<Notify>,
}

/// What is worth showing of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Glance {
    pub(super) next_at: Timestamp,
    /// Since when DRS does not name it.
    pub(super) missing_since: Option<Timestamp>,
}

/// What is to be told to whom.
type News = Vec<(Mailbox, tidegate_core::engine::Event)>;

impl Poller {
    /// Tells the poller where it belongs; once, before anything is followed.
    pub(super) fn attach(&self, shared: Weak<Shared>) {
        let _ = self.shared.set(shared);
    }

    /// Follows a launch's job. The first follower of a target starts its loop,
    /// which ends with the last one.
    pub(super) fn follow(&self, execution: &Execution, follower: Follower) {
        let Some(shared) = self.shared.get().and_then(Weak::upgrade) else {
            return;
        };
        let Some((launch, job)) = job(execution, follower.wave, follower.launch) else {
            return;
        };
        let target = Arc::clone(&launch.target);
        let now = shared.ports.clock.now();
        let mut followed = Followed::new(execution, launch, follower, now);
        let mut inner = self.lock();
        let learned = inner.learned.of(&key(&target, &followed));
        followed.schedule(shared.settings.poll, &learned, now);
        let is_new = !inner.targets.contains_key(&target);
        let jobs = inner.targets.entry(Arc::clone(&target)).or_default();
        jobs.jobs.insert(job, followed);
        jobs.woken.notify_one();
        drop(inner);
        if is_new {
            let polling = Arc::clone(&shared);
            shared.guard(&shared.loops, poll(polling, target));
        }
    }

    pub(super) fn unfollow(&self, execution: &Execution, wave: WaveIx, launch: LaunchIx) {
        if let Some((launch, job)) = job(execution, wave, launch)
            && let Some(jobs) = self.lock().targets.get_mut(&launch.target)
        {
            jobs.jobs.remove(&job);
            jobs.woken.notify_one();
        }
    }

    /// Forgets every job of one execution.
    pub(super) fn forget(&self, mailbox: &Mailbox) {
        for jobs in self.lock().targets.values_mut() {
            jobs.jobs
                .retain(|_, followed| !followed.follower.mailbox.is_of_same(mailbox));
            jobs.woken.notify_one();
        }
    }

    /// What is worth showing of a followed job.
    pub(super) fn glance(&self, target: &Arc<Target>, job: &JobId) -> Option<Glance> {
        let inner = self.lock();
        let jobs = &inner.targets.get(target)?.jobs;
        let next_at = jobs.values().map(Followed::next_at).min()?;
        Some(Glance {
            next_at,
            missing_since: jobs.get(job)?.missing_since(),
        })
    }

    /// When the target is looked at next, and what wakes up before; `None`,
    /// and the target is forgotten, if it has no jobs.
    fn next_look(&self, target: &Arc<Target>) -> Option<(Timestamp, Arc<Notify>)> {
        let mut inner = self.lock();
        let jobs = inner.targets.get(target)?;
        let Some(next_at) = jobs.jobs.values().map(Followed::next_at).min() else {
            inner.targets.remove(target);
            return None;
        };
        Some((next_at, Arc::clone(&jobs.woken)))
    }

    /// What is asked: every job, and the logs of those that are due.
    fn queries(&self, target: &Arc<Target>, bounds: PollBounds, now: Timestamp) -> Vec<JobQuery> {
        let mut inner = self.lock();
        let Some(jobs) = inner.targets.get_mut(target) else {
            return Vec::new();
        };
        jobs.jobs
            .iter_mut()
            .map(|(job, followed)| {
                let is_due = followed.is_due(bounds, now);
                let log = is_due && followed.wants_log(now, bounds.max * LOG_EVERY);
                if log {
                    followed.log_was_asked_for(now);
                }
                JobQuery {
                    job: job.clone(),
                    kind: followed.kind,
                    depth: if log { Depth::Log } else { Depth::Status },
                }
            })
            .collect()
    }

    /// Takes an observation in: what is new to whom, and the jobs that DRS
    /// does not know any more. Jobs that were not asked for, because they came
    /// meanwhile, are not missing.
    fn take_in(
        &self,
        target: &Arc<Target>,
        asked: &[JobQuery],
        reports: Vec<JobReport>,
        (settings, now): (&super::DriverSettings, Timestamp),
    ) -> (News, Vec<ForgottenOrder>) {
        let mut reports: BTreeMap<JobId, JobReport> = reports
            .into_iter()
            .map(|report| (report.job.clone(), report))
            .collect();
        let mut inner = self.lock();
        let Inner { targets, learned } = &mut *inner;
        let (mut news, mut forgotten) = (Vec::new(), Vec::new());
        let Some(jobs) = targets.get_mut(target) else {
            return (news, forgotten);
        };
        for query in asked {
            let Some(followed) = jobs.jobs.get_mut(&query.job) else {
                continue;
            };
            // A look that does not show its phase does not put off the next.
            let mut is_seen = followed.is_seen(query.depth);
            match reports.remove(&query.job) {
                Some(report) => {
                    let heard = followed.hear(target, (report, query.depth), learned, now);
                    is_seen |= heard.is_some();
                    news.extend(heard);
                }
                None => match followed.is_missing(now, settings.forgotten_after) {
                    Missing::NotYet => {}
                    Missing::Forgotten { is_last } => {
                        forgotten.push(followed.forgotten(target, &query.job, is_last));
                    }
                },
            }
            if is_seen || followed.next_at() <= now {
                let known = learned.of(&key(target, followed));
                followed.schedule(settings.poll, &known, now);
            }
        }
        (news, forgotten)
    }

    /// What was judged of a job, as an event for whoever follows it.
    fn judged(&self, target: &Arc<Target>, report: JobReport) -> News {
        let inner = self.lock();
        let jobs = inner.targets.get(target).map(|jobs| &jobs.jobs);
        let followed = jobs.and_then(|jobs| jobs.get(&report.job));
        let news = followed.map(|followed| {
            let follower = &followed.follower;
            (follower.mailbox.clone(), follower.event(report))
        });
        news.into_iter().collect()
    }

    fn postpone(&self, target: &Arc<Target>, until: Timestamp) {
        if let Some(jobs) = self.lock().targets.get_mut(target) {
            for followed in jobs.jobs.values_mut() {
                followed.postpone(until);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Followed {
    fn hear(
        &mut self,
        target: &Target,
        (report, depth): (JobReport, Depth),
        learned: &mut Learned,
        now: Timestamp,
    ) -> Option<(Mailbox, tidegate_core::engine::Event)> {
        let seen = self.observe(report, depth, now);
        if let Some((phase, lasted)) = seen.passed {
            let key = Key {
                phase,
                ..key(target, self)
            };
            learned.passed(key, lasted);
        }
        let report = seen.news?;
        Some((self.follower.mailbox.clone(), self.follower.event(report)))
    }

    fn forgotten(&self, target: &Arc<Target>, job: &JobId, is_last: bool) -> ForgottenOrder {
        ForgottenOrder {
            job: job.clone(),
            target: Arc::clone(target),
            kind: self.kind,
            servers: self.servers.clone(),
            is_last,
        }
    }
}

/// Observes the jobs of one target until there are none, or the driver stops.
async fn poll(shared: Arc<Shared>, target: Arc<Target>) {
    tokio::select! {
        biased;
        () = shared.stop.cancelled() => {}
        () = observe_on(&shared, &target) => {}
    }
}

async fn observe_on(shared: &Arc<Shared>, target: &Arc<Target>) {
    let subject = format!("poll/{}/{}", target.account, target.region);
    let mut backoff = Backoff::new(&shared.settings, shared.jitter(&subject));
    while let Some((at, woken)) = shared.poller.next_look(target) {
        // Whatever is done to the wall clock, no wait is longer than that.
        let wait = at.since(shared.ports.clock.now()).as_millis();
        if wait > 0 {
            let wait = Duration::from_millis(wait).min(longest_wait(&shared.settings));
            tokio::select! {
                biased;
                () = woken.notified() => continue,
                () = shared.wait(wait) => {}
            }
        }
        observe(shared, target, &mut backoff).await;
    }
}

fn longest_wait(settings: &super::DriverSettings) -> Duration {
    settings.poll.max.max(settings.read_backoff_max)
}

/// One tick.
async fn observe(shared: &Arc<Shared>, target: &Arc<Target>, backoff: &mut Backoff) {
    let settings = &shared.settings;
    let asked = shared
        .poller
        .queries(target, settings.poll, shared.ports.clock.now());
    let ask = async {
        let drs = &shared.ports.drs;
        drs.observe(Arc::clone(target), asked.clone()).await
    };
    let answer = shared.reads.ask_first(target, Purpose::Observe, ask).await;
    let now = shared.ports.clock.now();
    match answer {
        Ok(Observation { reports, missed }) => {
            backoff.reset();
            if let Some(error) = missed {
                tracing::debug!(%error, "jobs are followed without a part of what DRS says");
                shared.reads.missed(target, Purpose::Observe, &error);
            }
            let (news, forgotten) = shared
                .poller
                .take_in(target, &asked, reports, (settings, now));
            tell(news).await;
            for order in forgotten {
                judge(shared, order).await;
            }
        }
        Err(error) => {
            shared
                .wait_after(target, Purpose::Observe, &error, backoff)
                .await;
            let now = shared.ports.clock.now();
            let pause = tidegate_core::Span::from_millis(millis(settings.poll.min));
            shared.poller.postpone(target, now + pause);
        }
    }
}

/// A job that DRS has forgotten is judged by what its servers became.
async fn judge(shared: &Arc<Shared>, order: ForgottenOrder) {
    let (target, job) = (Arc::clone(&order.target), order.job.clone());
    tracing::warn!(%job, "DRS does not know a job any more; its servers are judged by themselves");
    let ask = shared.ports.drs.judge_forgotten(order);
    match shared.reads.ask_first(&target, Purpose::Observe, ask).await {
        Ok(report) => tell(shared.poller.judged(&target, report)).await,
        Err(error) => {
            tracing::warn!(%job, %error, "a forgotten job cannot be judged; trying again");
        }
    }
}

async fn tell(news: News) {
    for (mailbox, event) in news {
        mailbox.heard(event).await;
    }
}

fn key(target: &Target, followed: &Followed) -> Key {
    Key {
        account: target.account.clone(),
        region: target.region.clone(),
        kind: followed.kind,
        wave: Some(Arc::clone(&followed.wave)),
        phase: followed.phase(),
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn job(execution: &Execution, wave: WaveIx, launch: LaunchIx) -> Option<(&Launch, JobId)> {
    let launch = execution.wave(wave).launch(launch)?;
    Some((launch, launch.state.job()?.clone()))
}
