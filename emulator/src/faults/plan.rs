//! The judge: rules that count.

use std::num::NonZeroU32;

use jiff::{SignedDuration, Timestamp};

use super::rule::{Call, Pattern, Rule, Then, When};
use super::verdict::{CallVerdict, Verdict};
use crate::model::{Flaws, JobFault, Seed};
use crate::operation::Operation;

/// What goes wrong: pure data.
#[derive(Debug, Clone, PartialEq)]
pub struct Faults {
    /// Of every chance.
    pub seed: Seed,
    /// Asked in this order.
    pub rules: Vec<Rule>,
    /// What is wrong with the service all the time.
    pub service: Flaws,
}

impl Faults {
    /// Nothing goes wrong.
    pub fn none() -> Self {
        Self {
            seed: Seed(0),
            rules: Vec::new(),
            service: Flaws::default(),
        }
    }
}

/// Faults under way: the rules, and how often each has fired.
#[derive(Debug, Clone, PartialEq)]
pub struct FaultPlan {
    seed: Seed,
    since: Timestamp,
    rules: Vec<Counted>,
}

#[derive(Debug, Clone, PartialEq)]
struct Counted {
    rule: Rule,
    seen: u64,
    fired: u64,
    /// How many of the next calls are struck because one before was.
    burst_left: u32,
}

/// How often a rule has fired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count<'a> {
    /// The rule.
    pub rule: &'a str,
    /// The calls that it was about while it held, and that no rule before it took.
    pub seen: u64,
    /// Those that it struck.
    pub fired: u64,
}

impl FaultPlan {
    /// Begins to count. The [`Flaws`] are not the plan's: give them to the model.
    pub fn new(faults: &Faults, since: Timestamp) -> Self {
        let counted = |rule: &Rule| Counted {
            rule: rule.clone(),
            seen: 0,
            fired: 0,
            burst_left: 0,
        };
        Self {
            seed: faults.seed,
            since,
            rules: faults.rules.iter().map(counted).collect(),
        }
    }

    /// When it began: windows are counted from here.
    pub fn since(&self) -> Timestamp {
        self.since
    }

    /// Says what is to happen to a call, and counts it. The first rule about calls that fires
    /// decides, and those behind it do not see the call; likewise, for a StartRecovery that is
    /// done, the first about jobs.
    pub fn judge(&mut self, call: &Call<'_>, now: Timestamp) -> Verdict {
        let elapsed = now.duration_since(self.since);
        let mut verdict = Verdict {
            call: self.judge_call(call, elapsed),
            job: None,
        };
        if call.operation == Operation::StartRecovery {
            verdict.job = match verdict.call {
                CallVerdict::Done { .. } | CallVerdict::Late { .. } => {
                    self.judge_job(call, elapsed)
                }
                CallVerdict::NotDone { .. } => None,
            };
        }
        verdict
    }

    fn judge_call(&mut self, call: &Call<'_>, elapsed: SignedDuration) -> CallVerdict {
        for counted in &mut self.rules {
            if let Then::Call(verdict) = &counted.rule.then {
                let verdict = verdict.clone();
                if counted.fires(self.seed, call, elapsed) {
                    return verdict;
                }
            }
        }
        CallVerdict::default()
    }

    fn judge_job(&mut self, call: &Call<'_>, elapsed: SignedDuration) -> Option<JobFault> {
        for counted in &mut self.rules {
            if let Then::Job(fault) = &counted.rule.then {
                let fault = fault.clone();
                if counted.fires(self.seed, call, elapsed) {
                    return Some(fault);
                }
            }
        }
        None
    }

    /// How often each rule has fired, in the order of the rules.
    pub fn counts(&self) -> impl Iterator<Item = Count<'_>> {
        self.rules.iter().map(|counted| Count {
            rule: &counted.rule.name,
            seen: counted.seen,
            fired: counted.fired,
        })
    }
}

impl Counted {
    fn fires(&mut self, seed: Seed, call: &Call<'_>, elapsed: SignedDuration) -> bool {
        let when = &self.rule.when;
        if !self.rule.matches.holds(call) || !when.window.contains(elapsed) {
            return false;
        }
        self.seen += 1;
        let exhausted = when.times.is_some_and(|times| self.fired >= times);
        if exhausted || self.seen <= when.skip {
            return false;
        }
        if self.burst_left > 0 {
            self.burst_left -= 1;
        } else if strikes(when, seed, &self.rule.name, self.seen) {
            self.burst_left = when.burst.get() - 1;
        } else {
            return false;
        }
        self.fired += 1;
        true
    }
}

/// Whether the pattern strikes a call, by its number among those that the rule has seen.
fn strikes(when: &When, seed: Seed, rule: &str, number: u64) -> bool {
    match when.pattern {
        Pattern::Each => true,
        Pattern::Every(every) => is_multiple(number - when.skip, every),
        Pattern::Chance(probability) => {
            seed.fraction(&["fault", rule, &number.to_string()]) < probability
        }
    }
}

fn is_multiple(number: u64, of: NonZeroU32) -> bool {
    number.is_multiple_of(u64::from(of.get()))
}
