//! Rules: which calls, how often, and what then.

use std::num::NonZeroU32;

use jiff::SignedDuration;

use super::verdict::CallVerdict;
use crate::model::{AccountId, JobFault, Place, Region, SourceServerId};
use crate::operation::Operation;

/// One rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Its name, of which there is one.
    pub name: String,
    /// The calls that it is about.
    pub matches: Matches,
    /// Which of them it strikes.
    pub when: When,
    /// What happens to those.
    pub then: Then,
}

/// What a rule does when it fires.
#[derive(Debug, Clone, PartialEq)]
pub enum Then {
    /// Something about the call.
    Call(CallVerdict),
    /// Something about the job that it starts.
    Job(JobFault),
}

/// A call, as far as rules look at it.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// What is called.
    pub operation: Operation,
    /// Where.
    pub place: &'a Place,
    /// The source servers that the request names.
    pub servers: &'a [SourceServerId],
}

/// Which calls a rule is about. An empty list means any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Matches {
    /// Operations.
    pub operations: Vec<Operation>,
    /// Accounts.
    pub accounts: Vec<AccountId>,
    /// Regions.
    pub regions: Vec<Region>,
    /// How the ids of servers begin, of which the request names one at least.
    pub servers: Vec<String>,
}

impl Matches {
    pub(super) fn holds(&self, call: &Call<'_>) -> bool {
        let named = |prefix: &String| {
            let mut servers = call.servers.iter();
            servers.any(|id| id.as_str().starts_with(prefix))
        };
        is_any_of(&self.operations, &call.operation)
            && is_any_of(&self.accounts, &call.place.account)
            && is_any_of(&self.regions, &call.place.region)
            && (self.servers.is_empty() || self.servers.iter().any(named))
    }
}

fn is_any_of<T: PartialEq>(wanted: &[T], value: &T) -> bool {
    wanted.is_empty() || wanted.contains(value)
}

/// Which of the calls that a rule is about it strikes. The default is all of them.
#[derive(Debug, Clone, PartialEq)]
pub struct When {
    /// When the rule holds. Calls outside are not counted.
    pub window: Window,
    /// How many calls are let through first.
    pub skip: u64,
    /// Which of the others are struck.
    pub pattern: Pattern,
    /// How many calls in a row, from each that the pattern strikes.
    pub burst: NonZeroU32,
    /// How many calls at most; `None`: no end.
    pub times: Option<u64>,
}

impl Default for When {
    fn default() -> Self {
        Self {
            window: Window::default(),
            skip: 0,
            pattern: Pattern::Each,
            burst: NonZeroU32::MIN,
            times: None,
        }
    }
}

/// Which of a number of calls.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pattern {
    /// Every one.
    Each,
    /// Every so manyth.
    Every(NonZeroU32),
    /// With this probability, from zero to one: a function of the seed, of the rule's name and of
    /// the number of the call.
    Chance(f64),
}

/// A time, counted from the begin of the plan.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Window {
    /// From then on.
    pub from: SignedDuration,
    /// Until before then; `None`: for ever.
    pub until: Option<SignedDuration>,
}

impl Window {
    pub(super) fn contains(&self, elapsed: SignedDuration) -> bool {
        elapsed >= self.from && self.until.is_none_or(|until| elapsed < until)
    }
}
