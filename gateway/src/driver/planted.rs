//! Bugs that a test can plant in a driver, to show that it would find them;
//! as in the engine, only in a build with the feature `planted-bugs`.

use super::DriverSettings;

/// A bug of the driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Planted {
    /// Where another owner has written, this one writes behind it.
    SkipsFence,
    /// A person's request is answered before it is durable.
    AnswersTooSoon,
    /// Commands are carried out before they are durable.
    ActsTooSoon,
    /// An append whose answer was lost counts as not written.
    ForgetsNonce,
    /// A log that is read again has lost its requests.
    ForgetsRequests,
    /// A start takes no claim on its request id.
    ForgetsClaims,
    /// A new owner gives up where the one before has written meanwhile.
    GivesUpTakeovers,
    /// What goes on at the next gateway has no servers while this one stops.
    GivesServersAway,
    /// Jobs that ran when the process before ended are not followed.
    LosesJobs,
    /// What an execution has in use at DRS counts here for ever, though it is
    /// not driven here any more.
    KeepsRoom,
    /// A lease is given back though it was another member's since that was
    /// decided.
    GivesBackLate,
    /// A member of a cluster acts although its lease may have ended.
    ActsWithoutLease,
    /// An owner that could not be told of a change is never told.
    ForgetsUntold,
    /// What a member wrote that died before it could tell is not read.
    ForgetsTheDead,
    /// A lease is taken from its owner after half of its time.
    TakesTooSoon,
}

/// Which bug a driver has; none, but in a test's build.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Planting {
    #[cfg(feature = "planted-bugs")]
    bug: Option<Planted>,
}

impl Planting {
    /// Plants a bug.
    #[cfg(feature = "planted-bugs")]
    #[must_use]
    pub const fn of(bug: Planted) -> Self {
        Self { bug: Some(bug) }
    }
}

impl DriverSettings {
    /// Whether this bug is planted.
    pub(super) fn has(&self, bug: Planted) -> bool {
        #[cfg(feature = "planted-bugs")]
        let planted = self.planting.bug;
        #[cfg(not(feature = "planted-bugs"))]
        let planted = None;
        planted == Some(bug)
    }
}
