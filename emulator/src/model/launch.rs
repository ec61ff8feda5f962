//! StartRecovery: what is refused, and what is scheduled for what is accepted.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::Model;
use super::chance::Seed;
use super::course::Course;
use super::estate::{Estate, Progress};
use super::fleet::{Quotas, Tags};
use super::id::{JobId, Place, SnapshotId, SourceServerId};
use super::job::{Initiator, Job, JobEvent, JobPhase, Participant};
use super::refusal::{Quota, Refusal, ResourceKind};
use super::snapshot::{RecoverySnapshot, snapshots};
use super::source_server::{LastLaunch, LaunchStatus, Purpose, SourceServer};
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
        self.advance(now);
        let now = self.now();
        let (seed, quotas) = (self.seed, self.quotas);
        let estate = self.estate_mut(place)?;
        let pinned = admission(estate, quotas, seed, request, now)?;
        let job = new_job(seed, place, estate, request, now);
        let courses = request
            .servers
            .iter()
            .zip(pinned)
            .map(|(launch, pinned)| {
                let server = estate.servers.get_mut(&launch.server).expect("admitted");
                server.launches += 1;
                server.last_launch = Some(LastLaunch {
                    called_at: now,
                    job: job.id.clone(),
                    purpose: request.purpose,
                    status: LaunchStatus::Pending,
                });
                Course::of(seed, &job.id, server, pinned, request.purpose, now)
            })
            .collect::<Vec<_>>();
        estate.admit(job.clone());
        self.schedule_all(place, &job.id, courses, now);
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
        let mut settled = start;
        for course in courses {
            for (at, progress) in course.play(start) {
                settled = settled.max(at);
                self.schedule(place, job, at, progress);
            }
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

/// The pinned snapshot of each server of an admissible request.
fn admission(
    estate: &Estate,
    quotas: Quotas,
    seed: Seed,
    request: &LaunchRequest,
    now: Timestamp,
) -> Result<Vec<Option<RecoverySnapshot>>, Refusal> {
    let mut seen = BTreeSet::new();
    let mut pinned = Vec::with_capacity(request.servers.len());
    for launch in &request.servers {
        let server = estate
            .source_server(&launch.server)
            .ok_or_else(|| Refusal::NotFound {
                kind: ResourceKind::SourceServer,
                id: launch.server.to_string(),
            })?;
        if !seen.insert(&launch.server) {
            let message = format!("Source server {} appears more than once.", launch.server);
            return Err(Refusal::Invalid {
                field: "sourceServers",
                message,
            });
        }
        if !server.spec.replication.has_snapshots() {
            let message = format!("Source server {} has no snapshot yet.", launch.server);
            return Err(Refusal::Invalid {
                field: "sourceServers",
                message,
            });
        }
        pinned.push(pinned_snapshot(
            seed,
            server,
            launch.snapshot.as_ref(),
            now,
        )?);
    }
    refuse_busy(estate, request.servers.iter().map(|launch| &launch.server))?;
    within_quotas(estate, quotas, request.servers.len())?;
    Ok(pinned)
}

fn pinned_snapshot(
    seed: Seed,
    server: &SourceServer,
    id: Option<&SnapshotId>,
    now: Timestamp,
) -> Result<Option<RecoverySnapshot>, Refusal> {
    let Some(id) = id else { return Ok(None) };
    snapshots(seed, server, now)
        .into_iter()
        .find(|snapshot| snapshot.id == *id)
        .map(Some)
        .ok_or(Refusal::NotFound {
            kind: ResourceKind::RecoverySnapshot,
            id: id.to_string(),
        })
}

/// Refuses servers that a live job holds.
pub(super) fn refuse_busy<'a>(
    estate: &Estate,
    servers: impl Iterator<Item = &'a SourceServerId>,
) -> Result<(), Refusal> {
    for id in servers {
        if let Some(job) = estate
            .source_server(id)
            .and_then(|server| server.live_job.clone())
        {
            return Err(Refusal::ServerBusy {
                server: id.clone(),
                job,
            });
        }
    }
    Ok(())
}

/// Refuses a job of so many servers if a quota forbids it.
pub(super) fn within_quotas(
    estate: &Estate,
    quotas: Quotas,
    servers: usize,
) -> Result<(), Refusal> {
    let live = estate.live_jobs().count();
    let held: usize = estate.live_jobs().map(|job| job.participants.len()).sum();
    let checks = [
        (Quota::ServersPerJob, quotas.servers_per_job, servers),
        (Quota::ConcurrentJobs, quotas.concurrent_jobs, live + 1),
        (
            Quota::ServersInAllJobs,
            quotas.servers_in_all_jobs,
            held + servers,
        ),
    ];
    for (quota, limit, requested) in checks {
        if requested > limit {
            return Err(Refusal::QuotaExceeded {
                quota,
                limit,
                requested,
            });
        }
    }
    Ok(())
}

fn new_job(
    seed: Seed,
    place: &Place,
    estate: &Estate,
    request: &LaunchRequest,
    now: Timestamp,
) -> Job {
    let participant = |launch: &ServerLaunch| Participant {
        source_server: launch.server.clone(),
        status: LaunchStatus::Pending,
        instance: None,
    };
    Job {
        id: seed.job_id(&["job", &place.to_string(), &estate.jobs.len().to_string()]),
        initiated_by: Initiator::Launch(request.purpose),
        created_at: now,
        phase: JobPhase::Pending,
        participants: request.servers.iter().map(participant).collect(),
        tags: request.tags.clone(),
        log: Vec::new(),
    }
}
