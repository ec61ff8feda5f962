//! What was done to the replicas, and when.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Every process, and everything that was done to one.
#[derive(Debug, Default)]
pub(super) struct History {
    pub(super) lives: Vec<Life>,
    pub(super) harms: Vec<Harm>,
}

/// A process. Times are milliseconds of Unix time, as in the logs.
#[derive(Debug)]
pub(super) struct Life {
    pub(super) address: String,
    /// Its name in the logs was made between these two.
    pub(super) began: u64,
    pub(super) listening: u64,
}

#[derive(Debug)]
pub(super) struct Harm {
    pub(super) at: u64,
    /// Which of the lives.
    pub(super) life: usize,
    /// For how long it stood still; `None` if that was its end.
    pub(super) hung: Option<Duration>,
}

impl History {
    /// The process that calls itself so in the logs, by a ULID.
    pub(super) fn life_of_owner(&self, owner: &str) -> Option<usize> {
        let born = born(owner)?;
        let mut lives = self.lives.iter();
        lives.position(|life| (life.began..=life.listening).contains(&born))
    }

    /// The newest process with this address.
    pub(super) fn life_at(&self, address: &str) -> Option<usize> {
        self.lives.iter().rposition(|life| life.address == address)
    }

    pub(super) fn kills(&self) -> usize {
        let harms = self.harms.iter();
        harms.filter(|harm| harm.hung.is_none()).count()
    }
}

/// The time in the first ten digits of a ULID.
fn born(owner: &str) -> Option<u64> {
    const DIGITS: &str = "0123456789abcdefghjkmnpqrstvwxyz";
    let digits = owner.strip_prefix("gateway-")?.get(..10)?;
    digits.chars().try_fold(0, |time, digit| {
        let digit = DIGITS.find(digit)?;
        Some(time * 32 + u64::try_from(digit).ok()?)
    })
}

pub(super) fn now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.expect("it is after 1970").as_millis();
    u64::try_from(now).expect("a time of this age")
}

#[test]
fn the_time_in_a_name_is_read() {
    let born = born("gateway-01arz3ndektsv4rrffq69g5fav");
    assert_eq!(born, Some(1_469_922_850_259));
}
