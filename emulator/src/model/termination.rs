//! TerminateRecoveryInstances: a job that removes instances from EC2 and from the service.

use jiff::{SignedDuration, Timestamp};

use super::Model;
use super::admission::admit_termination;
use super::estate::Progress;
use super::fleet::Tags;
use super::id::{InstanceId, Place};
use super::job::{Initiator, Job, JobEvent, Participant};
use super::recovery_instance::RecoveryInstance;
use super::refusal::Refusal;
use super::source_server::LaunchStatus;
use super::timing::{Effect, Timings};

impl Model {
    /// Starts one job that terminates the instances, or refuses and changes nothing.
    pub fn terminate_recovery_instances(
        &mut self,
        place: &Place,
        instances: &[InstanceId],
        now: Timestamp,
    ) -> Result<Job, Refusal> {
        self.advance(now);
        let now = self.now();
        let (ids, quotas) = (self.ids, self.quotas());
        let estate = self.estate_mut(place)?;
        let instances = admit_termination(estate, quotas, instances)?;
        let participants = instances.iter().map(participant).collect();
        let job = estate.open(
            ids,
            place,
            Initiator::Termination,
            participants,
            Tags::new(),
            now,
        );
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
            self.schedule(place, &job.id, start, event(server.clone(), begun));
            let ended = event(server, self.end_of(place, instance));
            self.schedule(place, &job.id, start + timings.cleanup, ended);
        }
        self.schedule(place, &job.id, ended_at, Progress::JobCompletes);
        self.schedule(place, &job.id, logged_at, event(None, JobEvent::JobEnd));
    }

    /// How the termination of an instance ends.
    fn end_of(&mut self, place: &Place, terminated: &RecoveryInstance) -> JobEvent {
        let instance = terminated.id.clone();
        let estate = self.estates.get_mut(place);
        let server = estate.and_then(|estate| estate.servers.get_mut(&terminated.source_server));
        let Some(server) = server else {
            return JobEvent::CleanupEnd { instance };
        };
        server.terminations += 1;
        let outcome = server.spec.outcome;
        match outcome.and_then(|outcome| outcome.at(server.terminations)) {
            Some(Effect::FailCleanup) => JobEvent::CleanupFail {
                instance,
                raw_error: "OperationNotPermitted: the instance is protected.".to_owned(),
            },
            Some(
                Effect::FailSnapshot
                | Effect::FailConversion
                | Effect::FailLaunch
                | Effect::PreviousSnapshot
                | Effect::Skip
                | Effect::LeaveInProgress
                | Effect::LoseInstance
                | Effect::WithholdInstance
                | Effect::EndUnlisted,
            )
            | None => JobEvent::CleanupEnd { instance },
        }
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

fn participant(instance: &RecoveryInstance) -> Participant {
    Participant {
        source_server: instance.source_server.clone(),
        status: LaunchStatus::Pending,
        instance: Some(instance.id.clone()),
    }
}
