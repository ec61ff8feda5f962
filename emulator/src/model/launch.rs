//! StartRecovery: what is refused, and what is scheduled for what is accepted.

use jiff::{SignedDuration, Timestamp};

use super::Model;
use super::admission::{Hold, admit_launch};
use super::course::Course;
use super::estate::Progress;
use super::fleet::Tags;
use super::id::{JobId, Place, Resource, SnapshotId, SourceServerId};
use super::job::{Initiator, Job, JobEvent, Participant};
use super::job_fault::JobFault;
use super::refusal::Refusal;
use super::source_server::{LastLaunch, LaunchStatus, Purpose};
use super::timing::Timings;

/// A request to launch servers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaunchRequest {
    /// The servers.
    pub servers: Vec<ServerLaunch>,
    /// What for.
    pub purpose: Purpose,
    /// The tags of the job.
    pub tags: Tags,
}

/// One server of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerLaunch {
    /// The server.
    pub server: SourceServerId,
    /// The snapshot to launch from; its newest data if `None`.
    pub snapshot: Option<SnapshotId>,
}

/// A launch that was accepted, one per server and call. Kept for ever, so that a test can show
/// that nothing was launched twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaunchRecord {
    /// Where.
    pub place: Place,
    /// The server.
    pub source_server: SourceServerId,
    /// The job.
    pub job: JobId,
    /// What for.
    pub purpose: Purpose,
    /// The tags of the call.
    pub tags: Tags,
    /// When it was accepted.
    pub at: Timestamp,
}

impl Model {
    /// Starts one job that launches the servers, or refuses and changes nothing.
    pub fn start_recovery(
        &mut self,
        place: &Place,
        request: &LaunchRequest,
        now: Timestamp,
    ) -> Result<Job, Refusal> {
        self.launch(place, request, Hold::Kept, None, now)
    }

    /// The same, with something that goes wrong with the job.
    pub fn start_faulty_recovery(
        &mut self,
        place: &Place,
        request: &LaunchRequest,
        fault: &JobFault,
        now: Timestamp,
    ) -> Result<Job, Refusal> {
        self.launch(place, request, Hold::Kept, Some(fault), now)
    }

    /// Launches servers whether a live job holds them or not: the launch that DRS does twice for
    /// one call. Everything else is refused as ever.
    pub fn repeat_recovery(
        &mut self,
        place: &Place,
        request: &LaunchRequest,
        now: Timestamp,
    ) -> Result<Job, Refusal> {
        self.launch(place, request, Hold::Broken, None, now)
    }

    fn launch(
        &mut self,
        place: &Place,
        request: &LaunchRequest,
        hold: Hold,
        fault: Option<&JobFault>,
        now: Timestamp,
    ) -> Result<Job, Refusal> {
        self.advance(now);
        let now = self.now();
        let (draws, quotas) = (self.draws(), self.quotas());
        let estate = self.estate_mut(place)?;
        let pinned = admit_launch(estate, quotas, draws.seed, request, hold, now)?;
        let participants = request.servers.iter().map(participant).collect();
        let initiator = Initiator::Launch(request.purpose);
        let job = estate.open(
            draws.ids,
            place,
            initiator,
            participants,
            request.tags.clone(),
            now,
        );
        let ids = request.servers.iter().map(|launch| &launch.server);
        let stricken = fault.and_then(|fault| fault.stricken(draws.seed, &job.id, ids));
        let courses = request
            .servers
            .iter()
            .zip(pinned)
            .map(|(launch, pinned)| {
                let server = estate.servers.get_mut(&launch.server).expect("admitted");
                server.launches += 1;
                server.launch_before = server.last_launch.replace(LastLaunch {
                    called_at: now,
                    job: job.id.clone(),
                    purpose: request.purpose,
                    status: LaunchStatus::Pending,
                });
                let effect = stricken
                    .as_ref()
                    .and_then(|(effect, ids)| ids.contains(&launch.server).then_some(*effect));
                Course::of(draws, &job.id, server, pinned, request.purpose, effect, now)
            })
            .collect::<Vec<_>>();
        self.schedule_all(place, &job.id, courses, now);
        if let Some(JobFault::Forgotten { after }) = fault {
            self.schedule(place, &job.id, now + *after, Progress::JobForgotten);
        }
        self.tags_replaced(place, Resource::Job(job.id.clone()), Tags::new());
        self.record(place, &job, request, now);
        Ok(job)
    }

    fn schedule_all(&mut self, place: &Place, job: &JobId, courses: Vec<Course>, now: Timestamp) {
        let longest = |of: fn(&Timings) -> SignedDuration| {
            courses
                .iter()
                .map(|course| of(&course.timings))
                .max()
                .unwrap_or_default()
        };
        let start = now + longest(|timings| timings.job_start);
        let job_end = longest(|timings| timings.job_end);
        let job_end_log = longest(|timings| timings.job_end_log);
        let event = |event| Progress::Event {
            server: None,
            event,
        };
        self.schedule(place, job, start, event(JobEvent::JobStart));
        let cancelled = courses.iter().all(Course::is_skipped);
        let mut settled = start;
        for course in courses {
            for (at, progress) in course.play(start) {
                settled = settled.max(at);
                self.schedule(place, job, at, progress);
            }
        }
        if cancelled {
            self.schedule(place, job, settled, event(JobEvent::JobCancel));
        }
        self.schedule(place, job, settled + job_end, Progress::JobCompletes);
        self.schedule(
            place,
            job,
            settled + job_end + job_end_log,
            event(JobEvent::JobEnd),
        );
    }

    fn record(&mut self, place: &Place, job: &Job, request: &LaunchRequest, now: Timestamp) {
        self.launches
            .extend(request.servers.iter().map(|launch| LaunchRecord {
                place: place.clone(),
                source_server: launch.server.clone(),
                job: job.id.clone(),
                purpose: request.purpose,
                tags: request.tags.clone(),
                at: now,
            }));
    }
}

fn participant(launch: &ServerLaunch) -> Participant {
    Participant {
        source_server: launch.server.clone(),
        status: LaunchStatus::Pending,
        instance: None,
    }
}
