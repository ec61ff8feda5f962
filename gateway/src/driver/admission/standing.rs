//! Where a launch stands in the queue, for people.

use std::fmt;

/// A place in the queue of one account and Region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::driver) struct Standing {
    /// From 1.
    pub(super) position: usize,
    /// How many wait.
    pub(super) of: usize,
    /// What for.
    pub(super) waits_for: WaitsFor,
}

/// What a launch waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WaitsFor {
    /// As many jobs run as are believed to be allowed.
    Jobs { used: u32, most: u32 },
    /// Too many servers are in jobs.
    Servers { used: u32, most: u32, wanted: u32 },
    /// What DRS allows is not known yet.
    Quotas,
    /// Those that were there before.
    Turn,
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { position, of, .. } = self;
        write!(f, "position {position} of {of}")?;
        match self.waits_for {
            // Others than Tidegate make jobs, too.
            WaitsFor::Jobs { used: 0, .. } => f.write_str(", DRS has no room for a job"),
            WaitsFor::Jobs { used, most } => write!(f, ", {used} of {most} jobs run"),
            WaitsFor::Servers { used, most, wanted } => {
                write!(
                    f,
                    ", {used} of {most} servers are in jobs and {wanted} are wanted"
                )
            }
            WaitsFor::Quotas => f.write_str(", the quotas of DRS are being read"),
            WaitsFor::Turn => Ok(()),
        }
    }
}
