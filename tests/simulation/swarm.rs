//! How a world misbehaves: each seed has its own mixture of faults, and most
//! have only some kinds of them. What always fails hides what fails rarely.

use crate::{
    calls::{Fate, What},
    chance::Chance,
};

/// One seed's mixture.
#[derive(Clone, Debug)]
pub(crate) struct Swarm {
    changes: Vec<(u64, Fate)>,
    appends: Vec<(u64, Fate)>,
    drs_reads: Vec<(u64, Fate)>,
    journal_reads: Vec<(u64, Fate)>,
    hooks: Vec<(u64, Fate)>,
    /// Weights of what may happen beside answers and time.
    pub(crate) crash: u64,
    pub(crate) second: u64,
    pub(crate) stop: u64,
    pub(crate) ask: u64,
    pub(crate) repeat: u64,
    pub(crate) time: u64,
    /// How many executions are started at most.
    pub(crate) starts: u64,
    pub(crate) steps: u64,
}

impl Swarm {
    pub(crate) fn new(chance: &mut Chance) -> Self {
        let mut some = |weight: u64, good: u64, fates: &[Fate]| {
            let mut mixture = vec![(good, Fate::Done)];
            for &fate in fates {
                if chance.percent(45) {
                    mixture.push((weight, fate));
                }
            }
            mixture
        };
        let changes = some(
            8,
            30,
            &[
                Fate::DoneAndLost,
                Fate::Lost,
                Fate::Late,
                Fate::Twice,
                Fate::Refused,
                Fate::Throttled,
            ],
        );
        let lost = [Fate::DoneAndLost, Fate::Lost, Fate::Late, Fate::Throttled];
        let appends = some(6, 80, &lost);
        let drs_reads = some(5, 50, &[Fate::Lost, Fate::Throttled, Fate::Refused]);
        let journal_reads = some(8, 50, &[Fate::Throttled]);
        let hooks = some(
            5,
            16,
            &[
                Fate::DoneAndLost,
                Fate::Lost,
                Fate::Late,
                Fate::Refused,
                Fate::Throttled,
            ],
        );
        Self {
            changes,
            appends,
            drs_reads,
            journal_reads,
            hooks,
            crash: chance.pick(&[0, 1, 2]),
            second: chance.pick(&[0, 0, 1]),
            stop: chance.pick(&[0, 0, 1]),
            ask: chance.pick(&[3, 5, 8]),
            repeat: chance.pick(&[0, 2, 4]),
            time: chance.pick(&[12, 25]),
            starts: chance.between(1, 3),
            steps: chance.between(80, 320),
        }
    }

    pub(crate) fn fate(&self, what: &What, chance: &mut Chance) -> Fate {
        chance.weighted(match what {
            What::Change(..) => &self.changes,
            What::Append(..) => &self.appends,
            What::Hook(..) => &self.hooks,
            What::Look(..)
            | What::Observe(..)
            | What::Sources(..)
            | What::Instances(..)
            | What::Snapshots(..) => &self.drs_reads,
            What::Read(..)
            | What::Head(..)
            | What::Heads(..)
            | What::Claim(..)
            | What::Holds(..) => &self.journal_reads,
            What::Beat(..)
            | What::Lease(..)
            | What::Leave(..)
            | What::Nudge(..)
            | What::Nudges(..) => &self.appends,
        })
    }
}
