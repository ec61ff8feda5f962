//! How long executions were without an owner: from when theirs was killed or
//! stopped to the first record of the next one.
//!
//! Whoever takes an execution over may be harmed in turn, and then it takes
//! another lease period until that is known. So what is promised counts from
//! when somebody was left alone who could take over: nobody is harmed any more,
//! and one replica was up all the time.

use std::{collections::BTreeMap, fmt};

use tidegate_proto::v1::{Commit, change::Kind};

use super::{
    client::{Ledger, Started},
    harm::{Harm, History},
    replicas::LEASE,
};

/// Milliseconds of each takeover, in order.
#[derive(Debug, Default)]
pub(super) struct Takeovers {
    /// Nothing else happened meanwhile.
    calm: Vec<u64>,
    /// Another replica was harmed meanwhile, or was away when it began.
    harmed: Vec<u64>,
    /// All of them, from when somebody was left alone.
    left_alone: Vec<u64>,
}

/// Lease periods within which an execution is taken over by whoever is left
/// alone. The members need two at most (`suite/cluster`, in virtual time); the
/// rest is for processes that share two cores with everything else here.
const USUALLY: u64 = 3;
/// The same for the twentieth part that may be later, when the machine is.
const EVER: u64 = 5;

/// The time for which one process drove an execution.
struct Reign {
    life: Option<usize>,
    from: u64,
    /// When it recorded something that nobody had asked for.
    own: Vec<u64>,
}

impl Takeovers {
    pub(super) fn of(
        history: &History,
        ledgers: &[Ledger],
        logs: &BTreeMap<String, Vec<Commit>>,
    ) -> Self {
        let mut takeovers = Self::default();
        for started in ledgers.iter().flat_map(|ledger| &ledger.started) {
            let reigns = reigns(history, started, &logs[&started.execution]);
            for (reign, next) in reigns.iter().zip(reigns.iter().skip(1)) {
                let ends = history.harms.iter();
                let ends = ends.filter(|harm| reign.ended_by(harm, next.from));
                // The first of them that it did not survive.
                if let Some(end) = ends.min_by_key(|harm| harm.at) {
                    takeovers.add(history, end, next.from);
                }
            }
        }
        for times in [
            &mut takeovers.calm,
            &mut takeovers.harmed,
            &mut takeovers.left_alone,
        ] {
            times.sort_unstable();
        }
        takeovers
    }

    pub(super) fn are_in_time(&self) {
        let late = |leases: u64| {
            let times = self.left_alone.iter();
            times.filter(|&&millis| millis >= leases * lease()).count()
        };
        let in_twenty = 20 * late(USUALLY) <= self.count();
        assert!(in_twenty && late(EVER) == 0, "{self}");
    }

    pub(super) fn count(&self) -> usize {
        self.calm.len() + self.harmed.len()
    }

    fn add(&mut self, history: &History, end: &Harm, taken: u64) {
        let others = history.harms.iter().filter(|harm| harm.life != end.life);
        let is_calm = !others
            .map(|harm| (harm.at, harm.at + away(harm)))
            .any(|(from, to)| from <= taken && end.at <= to);
        let times = if is_calm {
            &mut self.calm
        } else {
            &mut self.harmed
        };
        times.push(taken - end.at);
        self.left_alone
            .push(taken - left_alone(history, end.at, taken));
    }
}

/// Since when somebody could take over what lost its owner at `end`.
fn left_alone(history: &History, end: u64, taken: u64) -> u64 {
    let harms = history.harms.iter().map(|harm| harm.at);
    let last = harms.filter(|at| (end..taken).contains(at)).max();
    let up = (0..history.lives.len()).filter_map(|life| history.up_since(life, taken));
    let up = up.min();
    end.max(last.unwrap_or(end)).max(up.unwrap_or(end))
}

/// Milliseconds of a lease period.
fn lease() -> u64 {
    u64::try_from(LEASE.as_millis()).expect("it is short")
}

impl Reign {
    /// Whether this harm made another process the owner, at `taken`. A replica
    /// that woke up in time goes on, and loses nothing.
    fn ended_by(&self, harm: &Harm, taken: u64) -> bool {
        if self.life != Some(harm.life) || !(self.from..taken).contains(&harm.at) {
            return false;
        }
        match harm.hung {
            None => true,
            Some(_) => {
                let woke = harm.at + away(harm);
                let went_on = self.own.iter().any(|&at| at >= woke);
                !went_on && woke - harm.at >= lease() && taken < woke + 3 * lease()
            }
        }
    }
}

/// Milliseconds until it was back, or gone for good.
fn away(harm: &Harm) -> u64 {
    let hung = harm.hung.unwrap_or(LEASE).as_millis();
    u64::try_from(hung).expect("it is short")
}

fn reigns(history: &History, started: &Started, log: &[Commit]) -> Vec<Reign> {
    let creator = started.at.as_deref();
    let mut reigns = vec![Reign {
        life: creator.and_then(|at| history.life_at(at)),
        from: log.first().map_or(0, time),
        own: Vec::new(),
    }];
    for commit in log {
        for change in &commit.changes {
            if let Some(Kind::Owner(changed)) = &change.kind {
                reigns.push(Reign {
                    life: history.life_of_owner(&changed.owner),
                    from: time(commit),
                    own: Vec::new(),
                });
            }
        }
        if let Some(reign) = reigns.last_mut().filter(|_| commit.request_id.is_empty()) {
            reign.own.push(time(commit));
        }
    }
    reigns
}

fn time(commit: &Commit) -> u64 {
    let time = commit.time.expect("a commit has a time");
    let millis = time.seconds * 1_000 + i64::from(time.nanos) / 1_000_000;
    u64::try_from(millis).expect("it is after 1970")
}

impl fmt::Display for Takeovers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "one replica away: {}", Leases(&self.calm))?;
        writeln!(f, "; two away: {}", Leases(&self.harmed))?;
        write!(
            f,
            "since somebody was left alone: {}",
            Leases(&self.left_alone)
        )
    }
}

/// A distribution, in lease periods.
struct Leases<'a>(&'a [u64]);

impl fmt::Display for Leases<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let leases = |millis: u64| millis as f64 / LEASE.as_millis() as f64;
        let at = |percent: usize| leases(self.0[(self.0.len() - 1) * percent / 100]);
        if self.0.is_empty() {
            return f.write_str("none");
        }
        let below = self.0.iter().filter(|&&millis| leases(millis) < 3.0);
        write!(
            f,
            "{} takeovers in {:.1} / {:.1} / {:.1} / {:.1} lease periods (least, half, nine of \
             ten, most), {} of them under 3",
            self.0.len(),
            at(0),
            at(50),
            at(90),
            at(100),
            below.count()
        )
    }
}
