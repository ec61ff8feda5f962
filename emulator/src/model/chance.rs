//! Deterministic chance: every id and every jitter is a function of the scenario's seed and of
//! what it is for, never of the order in which things were asked.
//!
//! A stream of random numbers would make the second job's ids depend on whether a first one was
//! refused; a hash of the subject does not.

use jiff::SignedDuration;

use super::id::{InstanceId, JobId, SnapshotId};

/// The seed of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seed(pub u64);

/// What a job and its servers are drawn from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Draws {
    /// Everything but the ids.
    pub(super) seed: Seed,
    /// The ids of the job and of its instances.
    pub(super) ids: Seed,
}

impl Seed {
    /// A number for a subject, given as the words that name it.
    pub fn draw(self, subject: &[&str]) -> u64 {
        let mut state = mix(self.0 ^ 0x9e37_79b9_7f4a_7c15);
        for word in subject {
            for byte in word.bytes() {
                state = (state ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
            }
            state = mix(state ^ 0xff);
        }
        state
    }

    /// A job id for a subject.
    pub fn job_id(self, subject: &[&str]) -> JobId {
        JobId::parse(&format!("drsjob-5{}", self.hex16(subject))).expect("16 hex digits and one")
    }

    /// An instance id for a subject; real ones of this length begin with a zero.
    pub fn instance_id(self, subject: &[&str]) -> InstanceId {
        InstanceId::parse(&format!("i-0{}", self.hex16(subject))).expect("17 hex digits")
    }

    /// A snapshot id for a subject.
    pub fn snapshot_id(self, subject: &[&str]) -> SnapshotId {
        SnapshotId::parse(&format!("pit-3{}", self.hex16(subject))).expect("17 hex digits")
    }

    /// A fraction for a subject, from zero to less than one.
    pub fn fraction(self, subject: &[&str]) -> f64 {
        // 2^53 steps, so that the fraction is exact in an f64 on every platform.
        (self.draw(subject) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// The duration, moved by at most `jitter` of itself up or down.
    pub fn jitter(self, base: SignedDuration, jitter: f64, subject: &[&str]) -> SignedDuration {
        let factor = 1.0 + jitter * (2.0 * self.fraction(subject) - 1.0);
        let micros = (base.as_micros() as f64 * factor).round() as i64;
        SignedDuration::from_micros(micros)
    }

    /// Sixteen hex digits for a subject.
    pub fn hex16(self, subject: &[&str]) -> String {
        format!("{:016x}", self.draw(subject))
    }
}

/// The finaliser of SplitMix64.
fn mix(mut z: u64) -> u64 {
    z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draw_depends_on_the_seed_and_on_the_subject_only() {
        assert_eq!(Seed(1).draw(&["a", "b"]), Seed(1).draw(&["a", "b"]));
        assert_ne!(Seed(1).draw(&["a", "b"]), Seed(2).draw(&["a", "b"]));
        assert_ne!(Seed(1).draw(&["a", "b"]), Seed(1).draw(&["ab"]));
    }

    #[test]
    fn jitter_stays_within_its_fraction() {
        let base = SignedDuration::from_secs(100);
        for n in 0..1_000 {
            let moved = Seed(7).jitter(base, 0.05, &[&n.to_string()]);
            assert!((95.0..=105.0).contains(&moved.as_secs_f64()), "{moved:?}");
        }
    }

    #[test]
    fn no_jitter_changes_nothing() {
        let base = SignedDuration::from_micros(197_513_763);
        assert_eq!(Seed(7).jitter(base, 0.0, &["x"]), base);
    }
}
