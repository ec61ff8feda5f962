//! TerminateRecoveryInstances: a job that removes instances from EC2 and from the service.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::Model;
use super::estate::{Estate, Progress};
use super::fleet::Tags;
use super::id::{InstanceId, Place};
use super::job::{Initiator, Job, JobEvent, JobPhase, Participant};
use super::launch::{refuse_busy, within_quotas};
use super::recovery_instance::RecoveryInstance;
use super::refusal::{Refusal, ResourceKind};
use super::source_server::LaunchStatus;
use super::timing::Timings;

impl Model {
    /// Starts one job that terminates the instances, or refuses and changes nothing.
    pub fn terminate_recovery_instances(
        &mut self,
        place: &Place,
        ids: &[InstanceId],
        now: Timestamp,
    ) -> Result<Job, Refusal> {
        self.advance(now);
        let now = self.now();
        let (seed, quotas) = (self.seed, self.quotas);
        let estate = self.estate_mut(place)?;
        let instances = named(estate, ids)?;
        refuse_busy(
            estate,
            instances.iter().map(|instance| &instance.source_server),
        )?;
        within_quotas(estate, quotas, instances.len())?;
        let job = Job {
            id: seed.job_id(&["job", &place.to_string(), &estate.jobs.len().to_string()]),
            initiated_by: Initiator::Termination,
            created_at: now,
            phase: JobPhase::Pending,
            participants: instances.iter().map(participant).collect(),
            tags: Tags::new(),
            log: Vec::new(),
        };
        estate.admit(job.clone());
        self.schedule_termination(place, &job, &instances, now);
        Ok(job)
    }

    fn schedule_termination(
        &mut self,
        place: &Place,
        job: &Job,
        instances: &[RecoveryInstance],
        now: Timestamp,
    ) {
        let timings = self.drawn_timings(place, instances);
        let longest = |of: fn(&Timings) -> SignedDuration| timings.iter().map(of).max();
        let start = now + longest(|timings| timings.job_start).unwrap_or_default();
        let settled = start + longest(|timings| timings.cleanup).unwrap_or_default();
        let ended_at = settled + longest(|timings| timings.job_end).unwrap_or_default();
        let logged_at = ended_at + longest(|timings| timings.job_end_log).unwrap_or_default();
        let event = |server, event| Progress::Event { server, event };
        self.schedule(place, &job.id, start, event(None, JobEvent::JobStart));
        for (instance, timings) in instances.iter().zip(&timings) {
            let server = Some(instance.source_server.clone());
            let begun = JobEvent::CleanupStart {
                instance: instance.id.clone(),
            };
            let ended = JobEvent::CleanupEnd {
                instance: instance.id.clone(),
            };
            self.schedule(place, &job.id, start, event(server.clone(), begun));
            self.schedule(
                place,
                &job.id,
                start + timings.cleanup,
                event(server, ended),
            );
        }
        self.schedule(place, &job.id, ended_at, Progress::JobCompletes);
        self.schedule(place, &job.id, logged_at, event(None, JobEvent::JobEnd));
    }

    /// Drawn for each instance, so that terminating is no echo of how launching went.
    fn drawn_timings(&self, place: &Place, instances: &[RecoveryInstance]) -> Vec<Timings> {
        let servers = &self.estates[place].servers;
        let timings = |instance: &RecoveryInstance| {
            let spec = &servers[&instance.source_server].spec;
            spec.timings.drawn(self.seed, instance.id.as_str(), 0)
        };
        instances.iter().map(timings).collect()
    }
}

fn named(estate: &Estate, ids: &[InstanceId]) -> Result<Vec<RecoveryInstance>, Refusal> {
    let mut seen = BTreeSet::new();
    ids.iter()
        .map(|id| {
            if !seen.insert(id) {
                let message = format!("Recovery instance {id} appears more than once.");
                return Err(Refusal::Invalid {
                    field: "recoveryInstanceIDs",
                    message,
                });
            }
            let kind = ResourceKind::RecoveryInstance;
            let missing = || Refusal::NotFound {
                kind,
                id: id.to_string(),
            };
            estate.recovery_instance(id).cloned().ok_or_else(missing)
        })
        .collect()
}

fn participant(instance: &RecoveryInstance) -> Participant {
    Participant {
        source_server: instance.source_server.clone(),
        status: LaunchStatus::Pending,
        instance: Some(instance.id.clone()),
    }
}
