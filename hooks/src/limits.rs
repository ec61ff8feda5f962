//! How much one attempt may use. A hook may be given less, and up to a
//! ceiling more; what it did use is reported with the attempt.
//!
//! Two limits follow the question: whoever asks about 1,000 servers may probe
//! them all and say something about each ([`Limits::with_room_for`]). The
//! others do not grow by themselves. Instructions and memory need not: 1,000
//! servers cost `tcp-reachable` 6 million of its 5 billion instructions in Rust
//! and 110 million in JavaScript, and 2.6 MB of memory at most. What a large
//! wave takes is time, since a hook probes one server after the other. A port
//! that is open or closed answers within a round trip; a server that is silent
//! takes the whole timeout of its probe, so five of them at 2 s each are the
//! 10 s of a default attempt, which then fails with a timeout. Give a large
//! wave a longer attempt, or its probes a shorter timeout.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Bounds of one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Limits {
    /// From instantiation to teardown, probes included.
    pub wall: Duration,
    /// Instructions, roughly: wasmtime's fuel.
    pub fuel: u64,
    /// Bytes of linear memory, all memories of all instances together.
    pub memory: usize,
    /// Entries of tables, all tables together.
    pub table_elements: usize,
    /// Probes that may be made; at least two for each server.
    pub probes: u32,
    /// Lines of log that are kept.
    pub log_lines: usize,
    /// Bytes of log that are kept.
    pub log_bytes: usize,
    /// Findings in a report; at least two for each server.
    pub findings: usize,
    /// Bytes of a response's body that a guest is given.
    pub body: usize,
}

impl Limits {
    /// What an attempt gets if nobody says otherwise.
    pub const DEFAULT: Self = Self {
        wall: Duration::from_secs(10),
        fuel: 5_000_000_000,
        memory: 64 << 20,
        table_elements: 100_000,
        probes: 200,
        log_lines: 500,
        log_bytes: 64 << 10,
        findings: 500,
        body: 64 << 10,
    };

    /// What can be asked for.
    pub const CEILING: Self = Self {
        wall: Duration::from_secs(120),
        fuel: 100_000_000_000,
        memory: 256 << 20,
        table_elements: 1_000_000,
        probes: 2_000,
        log_lines: 500,
        log_bytes: 64 << 10,
        findings: 500,
        body: 64 << 10,
    };

    /// Probes and findings that an attempt has for each server, whatever its
    /// limits are: one question, and one more where the first is in doubt.
    const PER_SERVER: usize = 2;

    /// These limits, none of them above the ceiling.
    #[must_use]
    pub fn clamped(&self) -> Self {
        self.at_most(&Self::CEILING)
    }

    /// These limits for an attempt that may probe so many servers.
    #[must_use]
    pub fn with_room_for(&self, servers: usize) -> Self {
        let room = servers.saturating_mul(Self::PER_SERVER);
        Self {
            probes: self.probes.max(u32::try_from(room).unwrap_or(u32::MAX)),
            findings: self.findings.max(room),
            ..*self
        }
    }

    /// These limits, none of them above those.
    pub(crate) fn at_most(&self, ceiling: &Self) -> Self {
        Self {
            wall: self.wall.min(ceiling.wall),
            fuel: self.fuel.min(ceiling.fuel),
            memory: self.memory.min(ceiling.memory),
            table_elements: self.table_elements.min(ceiling.table_elements),
            probes: self.probes.min(ceiling.probes),
            log_lines: self.log_lines.min(ceiling.log_lines),
            log_bytes: self.log_bytes.min(ceiling.log_bytes),
            findings: self.findings.min(ceiling.findings),
            body: self.body.min(ceiling.body),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Bytes of a component. Larger ones are refused unread.
pub const COMPONENT_BYTES: usize = 32 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_room_for_servers_is_never_less_than_the_limit() {
        for (servers, probes, findings) in [
            (0, 200, 500),
            (100, 200, 500),
            (101, 202, 500),
            (300, 600, 600),
            (5_000, 10_000, 10_000),
            (usize::MAX, u32::MAX, usize::MAX),
        ] {
            let limits = Limits::DEFAULT.with_room_for(servers);
            assert_eq!((limits.probes, limits.findings), (probes, findings));
            let rest = Limits {
                probes: Limits::DEFAULT.probes,
                findings: Limits::DEFAULT.findings,
                ..limits
            };
            assert_eq!(rest, Limits::DEFAULT);
        }
    }

    #[test]
    fn room_that_was_given_is_not_given_again() {
        let given = Limits::DEFAULT.with_room_for(5_000);
        assert_eq!(given.with_room_for(5_000), given);
        let ceiling = Limits::CEILING.with_room_for(5_000);
        assert_eq!(given.at_most(&ceiling), given);
        assert_eq!(given.clamped().probes, Limits::CEILING.probes);
    }
}
