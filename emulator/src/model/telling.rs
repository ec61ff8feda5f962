//! What the service tells: what is there, seen through the service's [`Flaws`](super::Flaws).
//!
//! Who plays a caller of DRS asks here; [`Model::estate`] is the truth, for those who judge the
//! caller. Without flaws both are the same, and nothing is copied. What lags becomes visible by
//! itself, and [`Model::next_change`] does not say when.

use std::borrow::Cow;

use jiff::{SignedDuration, Timestamp};

use super::Model;
use super::fleet::Tags;
use super::id::{JobId, Place, Resource, SourceServerId};
use super::job::{Job, JobEvent, JobPhase, LogItem};
use super::recovery_instance::RecoveryInstance;
use super::refusal::Refusal;
use super::snapshot::RecoverySnapshot;
use super::source_server::{LastLaunch, LaunchStatus, SourceServer};

impl Model {
    /// The time by the service's own clock.
    pub fn told_now(&self) -> Timestamp {
        self.shifted(self.now)
    }

    /// The jobs that are listed, oldest first, each with its place among all jobs that ever were.
    pub fn told_jobs(
        &self,
        place: &Place,
    ) -> Result<impl DoubleEndedIterator<Item = (usize, Cow<'_, Job>)>, Refusal> {
        let jobs = self.estate(place)?.jobs().iter().enumerate();
        let place = place.clone();
        Ok(jobs.filter_map(move |(number, job)| Some((number, self.tell_job(&place, job)?))))
    }

    /// A job, if the service tells of it.
    pub fn told_job(&self, place: &Place, id: &JobId) -> Result<Option<Cow<'_, Job>>, Refusal> {
        let job = self.estate(place)?.job(id);
        Ok(job.and_then(|job| self.tell_job(place, job)))
    }

    /// A job as the call that starts it answers it: at once, and by the service's clock.
    pub fn answered_job(&self, job: Job) -> Job {
        Job {
            created_at: self.shifted(job.created_at),
            ..job
        }
    }

    /// The source servers, by id.
    pub fn told_source_servers(
        &self,
        place: &Place,
    ) -> Result<impl Iterator<Item = Cow<'_, SourceServer>>, Refusal> {
        let servers = self.estate(place)?.source_servers();
        let place = place.clone();
        Ok(servers.map(move |server| self.tell_server(&place, server)))
    }

    /// A source server, if there is one.
    pub fn told_source_server(
        &self,
        place: &Place,
        id: &SourceServerId,
    ) -> Result<Option<Cow<'_, SourceServer>>, Refusal> {
        let server = self.estate(place)?.source_server(id);
        Ok(server.map(|server| self.tell_server(place, server)))
    }

    /// The recovery instances, by id.
    pub fn told_recovery_instances(
        &self,
        place: &Place,
    ) -> Result<impl Iterator<Item = Cow<'_, RecoveryInstance>>, Refusal> {
        let instances = self.estate(place)?.recovery_instances();
        let place = place.clone();
        Ok(instances.map(move |instance| self.tell_instance(&place, instance)))
    }

    /// The snapshots of a source server, oldest first.
    pub fn told_recovery_snapshots(&self, server: &SourceServer) -> Vec<RecoverySnapshot> {
        let tell = |snapshot: RecoverySnapshot| RecoverySnapshot {
            expected_at: self.shifted(snapshot.expected_at),
            taken_at: self.shifted(snapshot.taken_at),
            ..snapshot
        };
        self.recovery_snapshots(server)
            .into_iter()
            .map(tell)
            .collect()
    }

    fn tell_job<'a>(&'a self, place: &Place, job: &'a Job) -> Option<Cow<'a, Job>> {
        if job.forgotten || self.is_still_hidden(job.created_at, self.flaws.lag.jobs) {
            return None;
        }
        let old_tags = self.tags_before(place, &Resource::Job(job.id.clone()));
        let unlisted = self.flaws.unlisted;
        let true_to_fact = self.flaws.clock_skew.is_zero()
            && !(unlisted.job_status || unlisted.launch_status || unlisted.log_events);
        if true_to_fact && old_tags.is_none() {
            return Some(Cow::Borrowed(job));
        }
        let participants = job.participants.iter().cloned().map(|mut participant| {
            participant.status = self.tell_status(participant.status);
            participant
        });
        Some(Cow::Owned(Job {
            id: job.id.clone(),
            initiated_by: job.initiated_by,
            created_at: self.shifted(job.created_at),
            phase: self.tell_phase(job.phase),
            participants: participants.collect(),
            tags: old_tags.unwrap_or(&job.tags).clone(),
            log: self.tell_log(&job.log),
            forgotten: false,
        }))
    }

    fn tell_phase(&self, phase: JobPhase) -> JobPhase {
        match phase {
            JobPhase::Started if self.flaws.unlisted.job_status => JobPhase::Unlisted,
            JobPhase::Pending | JobPhase::Started | JobPhase::Unlisted => phase,
            JobPhase::Completed { ended_at } => JobPhase::Completed {
                ended_at: self.shifted(ended_at),
            },
        }
    }

    fn tell_status(&self, status: LaunchStatus) -> LaunchStatus {
        if status == LaunchStatus::InProgress && self.flaws.unlisted.launch_status {
            LaunchStatus::Unlisted
        } else {
            status
        }
    }

    fn tell_log(&self, log: &[LogItem]) -> Vec<LogItem> {
        let mut told = Vec::with_capacity(log.len() + 1);
        for item in log {
            let at = self.shifted(item.at);
            told.push(LogItem { at, ..item.clone() });
            if item.event == JobEvent::JobStart && self.flaws.unlisted.log_events {
                told.push(LogItem {
                    at,
                    source_server: None,
                    event: JobEvent::Unlisted,
                });
            }
        }
        told
    }

    fn tell_server<'a>(&'a self, place: &Place, server: &'a SourceServer) -> Cow<'a, SourceServer> {
        let resource = Resource::SourceServer(server.spec.id.clone());
        let old_tags = self.tags_before(place, &resource);
        let hidden = server
            .last_launch
            .as_ref()
            .is_some_and(|last| self.is_still_hidden(last.called_at, self.flaws.lag.last_launch));
        let true_to_fact =
            self.flaws.clock_skew.is_zero() && !self.flaws.unlisted.launch_status && !hidden;
        if true_to_fact && old_tags.is_none() {
            return Cow::Borrowed(server);
        }
        let last = if hidden {
            &server.launch_before
        } else {
            &server.last_launch
        };
        Cow::Owned(SourceServer {
            tags: old_tags.unwrap_or(&server.tags).clone(),
            added_at: self.shifted(server.added_at),
            last_launch: last.clone().map(|last| LastLaunch {
                called_at: self.shifted(last.called_at),
                status: self.tell_status(last.status),
                ..last
            }),
            ..server.clone()
        })
    }

    fn tell_instance<'a>(
        &'a self,
        place: &Place,
        instance: &'a RecoveryInstance,
    ) -> Cow<'a, RecoveryInstance> {
        let resource = Resource::RecoveryInstance(instance.id.clone());
        let old_tags: Option<&Tags> = self.tags_before(place, &resource);
        if self.flaws.clock_skew.is_zero() && old_tags.is_none() {
            return Cow::Borrowed(instance);
        }
        Cow::Owned(RecoveryInstance {
            tags: old_tags.unwrap_or(&instance.tags).clone(),
            point_in_time: self.shifted(instance.point_in_time),
            launched_at: self.shifted(instance.launched_at),
            runs_from: self.shifted(instance.runs_from),
            ..instance.clone()
        })
    }

    fn is_still_hidden(&self, since: Timestamp, lag: SignedDuration) -> bool {
        since + lag > self.now
    }

    /// A time by the service's own clock.
    fn shifted(&self, at: Timestamp) -> Timestamp {
        at.saturating_add(self.flaws.clock_skew).unwrap_or(at)
    }
}
