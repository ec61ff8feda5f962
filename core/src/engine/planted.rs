//! Bugs that a test can plant, to show that it would find them. They can be
//! chosen only in a build with the feature `planted-bugs`, for one engine at a
//! time, and never by configuration.

use super::Settings;

/// A bug of the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Planted {
    /// Waves that are under way go on while the execution is held.
    ForgetsPause,
    /// A wave is judged when the first of its servers has settled.
    JudgesEarly,
    /// A launch whose answer was lost is asked for again without a look.
    AsksAgainBlindly,
    /// Of several jobs for one launch, the newest is adopted.
    AdoptsNewest,
    /// The first look that finds nothing is believed.
    BelievesFirstLook,
}

/// Which bug an engine has; none, but in a test's build.
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

impl Settings {
    /// Whether this bug is planted.
    pub(crate) fn has(self, bug: Planted) -> bool {
        #[cfg(feature = "planted-bugs")]
        let planted = self.planting.bug;
        #[cfg(not(feature = "planted-bugs"))]
        let planted = None;
        planted == Some(bug)
    }
}
