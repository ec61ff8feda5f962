//! Identifiers. Each is its own type, so that a wave's name can never stand
//! where a server's id is meant.
//!
//! Text identifiers are shared (`Arc<str>`): cloning one costs a counter.

use alloc::sync::Arc;
use core::{borrow::Borrow, fmt};

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Takes the text as it is; whoever parses input has checked it.
            #[must_use]
            pub fn new(text: impl Into<Arc<str>>) -> Self {
                Self(text.into())
            }

            /// The identifier's text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self::new(text)
            }
        }
    };
}

text_id!(
    /// An execution: 26 characters, sortable by creation time.
    ExecutionId
);
text_id!(
    /// A plan's name.
    PlanName
);
text_id!(
    /// A wave's name, unique in its plan.
    WaveName
);
text_id!(
    /// A DRS source server: `s-` and 17 hexadecimal digits.
    SourceServerId
);
text_id!(
    /// An EC2 instance that DRS launched.
    InstanceId
);
text_id!(
    /// A DRS job.
    JobId
);
text_id!(
    /// A DRS recovery snapshot.
    SnapshotId
);
text_id!(
    /// A hook's registered name.
    HookName
);
text_id!(
    /// What hooks call an endpoint, unique in its plan.
    EndpointName
);
text_id!(
    /// A process that drives executions.
    OwnerId
);

macro_rules! position {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub struct $name(pub $inner);

        impl $name {
            /// As an index.
            #[must_use]
            pub const fn index(self) -> usize {
                self.0 as usize
            }
        }
    };
}

position!(
    /// A wave's position in its plan. Stable, because a revision of a plan
    /// never changes.
    WaveIx(u16)
);
position!(
    /// A server's position in its wave. Stable once the wave's servers are
    /// selected.
    ServerIx(u16)
);
position!(
    /// A launch's position among its wave's launches.
    LaunchIx(u16)
);
position!(
    /// A hook's position in its wave's list of a phase.
    HookIx(u16)
);
position!(
    /// An endpoint's position in its plan. Stable, because a revision of a
    /// plan never changes.
    EndpointIx(u16)
);
