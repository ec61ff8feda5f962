//! The pure model of DRS: values in, values out.
//!
//! It has no IO, no clock and no global randomness: `now` is an argument, chance is a hash of the
//! fleet's seed and of the subject (see [`Seed`]). What happens by itself is on an agenda that
//! [`Model::advance`] plays in the order of its times, so that advancing from t0 to t2 directly or
//! through t1 gives the same model. It knows nothing of HTTP, JSON or files: a deterministic
//! simulation can use it alone, and wake at [`Model::next_change`]:
//!
//! ```
//! use std::collections::BTreeMap;
//! use tidegate_emulator::model::*;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let place = Place {
//!     account: AccountId::parse("123456789012")?,
//!     region: Region::parse("us-west-2")?,
//! };
//! let server = SourceServerId::parse("s-00000000000000001")?;
//! let fleet = Fleet {
//!     seed: Seed(7),
//!     quotas: Quotas::default(),
//!     names_recovery_instances: false,
//!     loopback: None,
//!     servers: BTreeMap::from([(place.clone(), vec![ServerSpec::new(server.clone(), "db-1")])]),
//! };
//! let mut model = Model::new(&fleet, "2026-03-01T12:00:00Z".parse()?);
//! let request = LaunchRequest {
//!     servers: vec![ServerLaunch { server, snapshot: None }],
//!     purpose: Purpose::Drill,
//!     tags: Tags::new(),
//! };
//! let job = model.start_recovery(&place, &request, model.now())?.id;
//! while let Some(next) = model.next_change() {
//!     model.advance(next);
//! }
//! let job = model.estate(&place)?.job(&job).expect("it was accepted");
//! assert_eq!(job.participants[0].status, LaunchStatus::Launched);
//! # Ok(())
//! # }
//! ```

mod admission;
mod chance;
mod course;
mod estate;
mod flaws;
mod fleet;
mod id;
mod job;
mod job_fault;
mod launch;
mod loopback;
mod recovery_instance;
mod refusal;
mod snapshot;
mod source_server;
mod tagging;
mod telling;
mod termination;
#[cfg(test)]
mod tests;
mod timing;
mod workload;

use std::collections::BTreeMap;

use jiff::Timestamp;

use chance::Draws;
pub use chance::Seed;
pub use estate::Estate;
use estate::Progress;
pub use flaws::{Flaws, Lag, OtherQuotas, Unlisted};
pub use fleet::{Fleet, Quotas, RecordedIds, Replication, ServerSpec, Tags};
pub use id::{
    AccountId, InstanceId, InvalidId, JobId, Place, Region, Resource, SnapshotId, SourceServerId,
};
pub use job::{Initiator, Job, JobEvent, JobPhase, LogItem, Participant};
pub use job_fault::JobFault;
pub use launch::{LaunchRecord, LaunchRequest, ServerLaunch};
pub use loopback::{Berth, Loopback};
pub use recovery_instance::{InstanceState, RecoveryInstance};
pub use refusal::{Quota, Refusal, ResourceKind};
pub use snapshot::RecoverySnapshot;
pub use source_server::{LastLaunch, LaunchStatus, Purpose, SourceServer};
use tagging::OldTags;
pub use timing::{Effect, Outcome, Timings};
pub use workload::{Ailment, Health, Protocol, Served, Workload, WorkloadState};

/// All of DRS, at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    seed: Seed,
    /// What ids of jobs and instances are drawn from.
    ids: Seed,
    quotas: Quotas,
    names_recovery_instances: bool,
    loopback: Option<Loopback>,
    now: Timestamp,
    estates: BTreeMap<Place, Estate>,
    /// What is going to happen. The number keeps the order of scheduling within one instant.
    agenda: BTreeMap<(Timestamp, u64), Step>,
    scheduled: u64,
    launches: Vec<LaunchRecord>,
    flaws: Flaws,
    old_tags: OldTags,
}

#[derive(Debug, Clone, PartialEq)]
struct Step {
    place: Place,
    job: JobId,
    progress: Progress,
}

impl Model {
    /// A DRS in which nothing was launched yet.
    pub fn new(fleet: &Fleet, start: Timestamp) -> Self {
        let mut berths = (0..).map(|number| fleet.loopback?.berth(number));
        let mut server = |spec: &ServerSpec| SourceServer {
            berth: berths.next().flatten(),
            ..SourceServer::new(spec.clone(), start)
        };
        let mut estate = |(place, specs): (&Place, &Vec<ServerSpec>)| {
            let estate = Estate::new(specs.iter().map(&mut server));
            (place.clone(), estate)
        };
        Self {
            seed: fleet.seed,
            ids: fleet.seed,
            quotas: fleet.quotas,
            names_recovery_instances: fleet.names_recovery_instances,
            loopback: fleet.loopback,
            now: start,
            estates: fleet.servers.iter().map(&mut estate).collect(),
            agenda: BTreeMap::new(),
            scheduled: 0,
            launches: Vec::new(),
            flaws: Flaws::default(),
            old_tags: OldTags::default(),
        }
    }

    /// The moment up to which everything has happened.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Lets everything happen that is due by then. Time never goes back: an earlier `now` than
    /// the model's does nothing.
    pub fn advance(&mut self, now: Timestamp) {
        while let Some(entry) = self.agenda.first_entry() {
            let at = entry.key().0;
            if at > now {
                break;
            }
            let Step {
                place,
                job,
                progress,
            } = entry.remove();
            let estate = self
                .estates
                .get_mut(&place)
                .expect("steps are scheduled in estates");
            estate.apply(&job, at, progress);
        }
        self.now = self.now.max(now);
    }

    /// When the next thing happens by itself.
    pub fn next_change(&self) -> Option<Timestamp> {
        self.agenda.keys().next().map(|(at, _)| *at)
    }

    /// What an account has in a Region.
    pub fn estate(&self, place: &Place) -> Result<&Estate, Refusal> {
        self.estates.get(place).ok_or_else(|| uninitialized(place))
    }

    /// The places that have DRS.
    pub fn places(&self) -> impl Iterator<Item = &Place> {
        self.estates.keys()
    }

    /// The snapshots of a source server that exist now, oldest first.
    pub fn recovery_snapshots(&self, server: &SourceServer) -> Vec<RecoverySnapshot> {
        snapshot::snapshots(self.seed, server, self.now)
    }

    /// Every launch that was ever accepted, oldest first.
    pub fn launches(&self) -> &[LaunchRecord] {
        &self.launches
    }

    /// The limits of each place.
    pub fn quotas(&self) -> Quotas {
        self.flaws.quotas.over(self.quotas)
    }

    /// Whether jobs name the recovery instances of their servers.
    pub fn names_recovery_instances(&self) -> bool {
        self.names_recovery_instances
    }

    /// The network in which recovery instances really listen, if they do.
    pub fn loopback(&self) -> Option<Loopback> {
        self.loopback
    }

    /// Draws ids of jobs and instances for this run alone: DRS never gives an id
    /// twice, so what was launched before a restart must not be met again under
    /// the ids of something new. What is recorded keeps its ids, and servers,
    /// snapshots and times stay those of the seed.
    pub fn draw_ids_for(&mut self, start: Timestamp) {
        self.ids = Seed(self.seed.draw(&["run", &start.to_string()]));
    }

    /// The seed of ids that are not stored.
    pub fn seed(&self) -> Seed {
        self.seed
    }

    fn draws(&self) -> Draws {
        Draws {
            seed: self.seed,
            ids: self.ids,
        }
    }

    fn estate_mut(&mut self, place: &Place) -> Result<&mut Estate, Refusal> {
        self.estates
            .get_mut(place)
            .ok_or_else(|| uninitialized(place))
    }

    fn schedule(&mut self, place: &Place, job: &JobId, at: Timestamp, progress: Progress) {
        let step = Step {
            place: place.clone(),
            job: job.clone(),
            progress,
        };
        self.agenda.insert((at, self.scheduled), step);
        self.scheduled += 1;
    }
}

fn uninitialized(place: &Place) -> Refusal {
    Refusal::Uninitialized {
        place: place.to_string(),
    }
}
