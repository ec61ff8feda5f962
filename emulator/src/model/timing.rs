//! How long each phase of a launch takes.

use jiff::SignedDuration;

use super::chance::Seed;

/// The phases of one server's launch. The defaults are the means of a recorded drill of two waves
/// of two small Linux servers.
#[derive(Debug, Clone, PartialEq)]
pub struct Timings {
    /// From the call to JOB_START. A job takes the longest of its servers'.
    pub job_start: SignedDuration,
    /// From CLEANUP_START to CLEANUP_END, when an older instance has to go first.
    pub cleanup: SignedDuration,
    /// From JOB_START (or CLEANUP_END) to SNAPSHOT_START.
    pub snapshot_wait: SignedDuration,
    /// From SNAPSHOT_START to SNAPSHOT_END.
    pub snapshot: SignedDuration,
    /// From SNAPSHOT_END to CONVERSION_START.
    pub conversion_wait: SignedDuration,
    /// From CONVERSION_START to CONVERSION_END.
    pub conversion: SignedDuration,
    /// From CONVERSION_END to LAUNCH_START.
    pub launch_wait: SignedDuration,
    /// From LAUNCH_START to LAUNCH_END.
    pub launch: SignedDuration,
    /// From the last server's end to the job's. A job takes the longest of its servers'.
    pub job_end: SignedDuration,
    /// From the job's end to the JOB_END item of its log.
    pub job_end_log: SignedDuration,
    /// The fraction by which each phase may be shorter or longer.
    pub jitter: f64,
}

impl Default for Timings {
    fn default() -> Self {
        let millis = SignedDuration::from_millis;
        Self {
            job_start: millis(330),
            // Not in the recording, which replaced nothing.
            cleanup: millis(30_000),
            snapshot_wait: millis(415),
            snapshot: millis(186),
            conversion_wait: millis(51_590),
            conversion: millis(186_110),
            launch_wait: millis(570),
            launch: millis(294_400),
            job_end: millis(2_440),
            job_end_log: millis(27),
            jitter: 0.05,
        }
    }
}

impl Timings {
    /// The same phases with the jitter of one launch drawn.
    pub fn drawn(&self, seed: Seed, server: &str, launch: u32) -> Self {
        let launch = launch.to_string();
        let draw = |phase: &str, base: SignedDuration| {
            seed.jitter(base, self.jitter, &["timing", server, &launch, phase])
        };
        Self {
            job_start: draw("job_start", self.job_start),
            cleanup: draw("cleanup", self.cleanup),
            snapshot_wait: draw("snapshot_wait", self.snapshot_wait),
            snapshot: draw("snapshot", self.snapshot),
            conversion_wait: draw("conversion_wait", self.conversion_wait),
            conversion: draw("conversion", self.conversion),
            launch_wait: draw("launch_wait", self.launch_wait),
            launch: draw("launch", self.launch),
            job_end: draw("job_end", self.job_end),
            job_end_log: draw("job_end_log", self.job_end_log),
            jitter: 0.0,
        }
    }
}

/// What a server does other than launch. Without one, its launches succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// What happens.
    pub effect: Effect,
    /// To how many of its first launches (or terminations); `None`: to all.
    pub launches: Option<u32>,
}

impl Outcome {
    /// What happens at the n-th launch (or termination), counted from one.
    pub fn at(self, launch: u32) -> Option<Effect> {
        match self.launches {
            Some(first) if launch > first => None,
            Some(_) | None => Some(self.effect),
        }
    }
}

/// What may happen to a launch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Effect {
    /// The on-demand snapshot fails.
    FailSnapshot,
    /// The conversion fails.
    FailConversion,
    /// The instance fails to launch.
    FailLaunch,
    /// The on-demand snapshot fails, and the launch goes on from the newest older one.
    PreviousSnapshot,
    /// DRS leaves the server out: the job ends with it still PENDING.
    Skip,
    /// Its launches succeed, but an instance of it cannot be terminated. Counts terminations, not
    /// launches.
    FailCleanup,
    /// Nothing ends for it: the job ends with it still IN_PROGRESS.
    LeaveInProgress,
    /// It is LAUNCHED, and its instance vanishes at once.
    LoseInstance,
    /// It is LAUNCHED, and its job does not tell its instance, also where jobs do.
    WithholdInstance,
    /// It is launched, and its launch ends in a status that no SDK lists.
    EndUnlisted,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_ends_after_its_launches() {
        let outcome = Outcome {
            effect: Effect::FailLaunch,
            launches: Some(2),
        };
        assert_eq!(outcome.at(2), Some(Effect::FailLaunch));
        assert_eq!(outcome.at(3), None);
    }

    #[test]
    fn each_launch_of_a_server_draws_its_own_jitter() {
        let timings = Timings::default();
        let (first, second) = (
            timings.drawn(Seed(1), "s", 1),
            timings.drawn(Seed(1), "s", 2),
        );
        assert_ne!(first, second);
        assert_eq!(first, timings.drawn(Seed(1), "s", 1));
    }
}
