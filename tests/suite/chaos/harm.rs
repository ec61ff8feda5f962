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

    /// Since when a process is up without a break, if it is at this time.
    pub(super) fn up_since(&self, life: usize, at: u64) -> Option<u64> {
        let harms = self.harms.iter();
        let harms = harms.filter(|harm| harm.life == life && harm.at <= at);
        let mut since = self.lives[life].listening;
        for harm in harms {
            let hung = u64::try_from(harm.hung?.as_millis()).expect("it is short");
            since = since.max(harm.at + hung);
        }
        (since <= at).then_some(since)
    }

    /// It stood still until now.
    pub(super) fn woke(&mut self, life: usize) {
        let harm = self.harms.iter_mut().rfind(|harm| harm.life == life);
        if let Some(harm) = harm {
            harm.hung = Some(Duration::from_millis(now() - harm.at));
        }
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

#[test]
fn a_process_is_up_since_it_woke_and_never_after_it_was_killed() {
    let harm = |at, hung: Option<u64>| Harm {
        at,
        life: 0,
        hung: hung.map(Duration::from_millis),
    };
    let history = History {
        lives: vec![Life {
            address: String::new(),
            began: 1,
            listening: 5,
        }],
        harms: vec![harm(10, Some(20)), harm(50, None)],
    };
    let since = [4, 9, 20, 40, 60].map(|at| history.up_since(0, at));
    assert_eq!(since, [None, Some(5), None, Some(30), None]);
}
