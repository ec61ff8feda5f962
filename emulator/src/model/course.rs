//! The course of one server's launch, from its job's start to its own end.
//!
//! It is fixed when the launch is accepted: nothing that happens later can change it, because a
//! server is in one live job at most. So time only has to be played, never simulated.

use std::net::Ipv4Addr;

use jiff::{SignedDuration, Timestamp};

use super::chance::{Draws, Seed};
use super::estate::Progress;
use super::fleet::{RecordedIds, Tags};
use super::id::{InstanceId, JobId, SourceServerId};
use super::job::JobEvent;
use super::recovery_instance::{InstanceState, RecoveryInstance, drawn_address};
use super::snapshot::{RecoverySnapshot, newest};
use super::source_server::{Purpose, SourceServer};
use super::timing::{Effect, Timings};

/// All that one launch of one server needs to be played.
pub(super) struct Course {
    job: JobId,
    server: SourceServerId,
    purpose: Purpose,
    pub(super) timings: Timings,
    effect: Option<Effect>,
    /// The instance that has to go first.
    replaced: Option<InstanceId>,
    pinned: Option<RecoverySnapshot>,
    previous: Option<RecoverySnapshot>,
    ids: RecordedIds,
    address: Ipv4Addr,
}

impl Course {
    pub(super) fn of(
        draws: Draws,
        job: &JobId,
        server: &SourceServer,
        pinned: Option<RecoverySnapshot>,
        purpose: Purpose,
        stricken: Option<Effect>,
        now: Timestamp,
    ) -> Self {
        let (seed, spec) = (draws.seed, &server.spec);
        let launch = server.launches.to_string();
        let drawn = |what: &str| draws.ids.instance_id(&[what, spec.id.as_str(), &launch]);
        let recorded = spec.first_launch.clone().filter(|_| server.launches == 1);
        let ids = recorded.unwrap_or_else(|| RecordedIds {
            conversion_server: drawn("conversion server"),
            instance: drawn("instance"),
        });
        let stale = (!spec.replication.can_take_snapshot()).then_some(Effect::PreviousSnapshot);
        Self {
            job: job.clone(),
            server: spec.id.clone(),
            purpose,
            timings: spec.timings.drawn(seed, spec.id.as_str(), server.launches),
            effect: stricken
                .or_else(|| spec.outcome?.at(server.launches))
                .or(stale),
            replaced: server.recovery_instance.clone(),
            pinned,
            previous: newest(seed, server, now),
            address: address(seed, server, &ids.instance),
            ids,
        }
    }

    /// Whether nothing is done for the server.
    pub(super) fn is_skipped(&self) -> bool {
        self.effect == Some(Effect::Skip)
    }

    /// What happens to the server, and when, if its job starts then.
    pub(super) fn play(self, start: Timestamp) -> Vec<(Timestamp, Progress)> {
        let mut script = Script {
            server: self.server.clone(),
            at: start,
            lines: Vec::new(),
        };
        if self.is_skipped() {
            script.say(JobEvent::ServerSkipped);
            return script.lines;
        }
        if let Some(instance) = self.replaced.clone() {
            script.say(JobEvent::CleanupStart {
                instance: instance.clone(),
            });
            script.wait(self.timings.cleanup);
            script.say(JobEvent::CleanupEnd { instance });
        }
        let Some(point_in_time) = self.play_snapshot(&mut script) else {
            return script.lines;
        };
        if self.play_conversion(&mut script) {
            self.play_launch(&mut script, point_in_time);
        }
        script.lines
    }

    /// The moment whose data is launched, or `None` if the snapshot failed.
    fn play_snapshot(&self, script: &mut Script) -> Option<Timestamp> {
        script.wait(self.timings.snapshot_wait);
        if let Some(pinned) = &self.pinned {
            script.wait(self.timings.snapshot);
            return Some(pinned.taken_at);
        }
        script.say(JobEvent::SnapshotStart);
        script.wait(self.timings.snapshot);
        match (self.effect, &self.previous) {
            (Some(Effect::FailSnapshot), _) => {
                let raw_error = "Failed to take a snapshot of the volumes.".to_owned();
                script.say(JobEvent::SnapshotFail { raw_error });
                None
            }
            (Some(Effect::PreviousSnapshot), Some(previous)) => {
                script.say(JobEvent::UsingPreviousSnapshot);
                Some(previous.taken_at)
            }
            (Some(Effect::PreviousSnapshot), None) => {
                let raw_error = "There is no previous snapshot.".to_owned();
                script.say(JobEvent::UsingPreviousSnapshotFailed { raw_error });
                None
            }
            (
                Some(
                    Effect::FailConversion
                    | Effect::FailLaunch
                    | Effect::FailCleanup
                    | Effect::Skip
                    | Effect::LeaveInProgress
                    | Effect::LoseInstance
                    | Effect::WithholdInstance
                    | Effect::EndUnlisted,
                )
                | None,
                _,
            ) => {
                script.say(JobEvent::SnapshotEnd);
                Some(script.at)
            }
        }
    }

    /// Whether the conversion succeeded.
    fn play_conversion(&self, script: &mut Script) -> bool {
        script.wait(self.timings.conversion_wait);
        script.say(JobEvent::ConversionStart);
        if self.effect == Some(Effect::LeaveInProgress) {
            return false;
        }
        script.wait(self.timings.conversion);
        let conversion_server = self.ids.conversion_server.clone();
        if self.effect == Some(Effect::FailConversion) {
            let raw_error = "Conversion of the volumes failed.".to_owned();
            script.say(JobEvent::ConversionFail {
                conversion_server,
                raw_error,
            });
            return false;
        }
        script.say(JobEvent::ConversionEnd { conversion_server });
        true
    }

    fn play_launch(self, script: &mut Script, point_in_time: Timestamp) {
        script.wait(self.timings.launch_wait);
        script.say(JobEvent::LaunchStart);
        let launched_at = script.at;
        if self.effect == Some(Effect::FailLaunch) {
            script.wait(self.timings.launch);
            let raw_error = "InsufficientInstanceCapacity: no instance was launched.".to_owned();
            script.say(JobEvent::LaunchFailed { raw_error });
            return;
        }
        let end = self.end();
        let id = self.ids.instance;
        let instance = RecoveryInstance {
            id: id.clone(),
            source_server: self.server,
            job: self.job,
            purpose: self.purpose,
            state: InstanceState::Pending,
            address: self.address,
            point_in_time,
            launched_at,
            runs_from: launched_at + self.timings.launch,
            tags: Tags::new(),
        };
        script
            .lines
            .push((launched_at, Progress::InstanceAppears(instance)));
        script.wait(self.timings.launch);
        script.say(JobEvent::LaunchEnd { instance: id });
        script.lines.extend(end.map(|end| (script.at, end)));
    }

    /// What happens to a launched server at last.
    fn end(&self) -> Option<Progress> {
        let server = self.server.clone();
        match self.effect? {
            Effect::LoseInstance => Some(Progress::InstanceVanishes(self.ids.instance.clone())),
            Effect::WithholdInstance => Some(Progress::InstanceWithheld(server)),
            Effect::EndUnlisted => Some(Progress::EndsUnlisted(server)),
            Effect::FailSnapshot
            | Effect::FailConversion
            | Effect::FailLaunch
            | Effect::PreviousSnapshot
            | Effect::Skip
            | Effect::FailCleanup
            | Effect::LeaveInProgress => None,
        }
    }
}

fn address(seed: Seed, server: &SourceServer, instance: &InstanceId) -> Ipv4Addr {
    let berth = server.berth.map(|berth| berth.address(server.launches));
    berth
        .or(server.spec.address)
        .unwrap_or_else(|| drawn_address(seed, instance))
}

/// The lines of a course, as they are written.
struct Script {
    server: SourceServerId,
    at: Timestamp,
    lines: Vec<(Timestamp, Progress)>,
}

impl Script {
    fn wait(&mut self, duration: SignedDuration) {
        self.at += duration;
    }

    fn say(&mut self, event: JobEvent) {
        let server = Some(self.server.clone());
        self.lines
            .push((self.at, Progress::Event { server, event }));
    }
}
