//! How much one attempt may use. A hook may be given less, and up to a
//! ceiling more; what it did use is reported with the attempt.

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
    /// Probes that may be made.
    pub probes: u32,
    /// Lines of log that are kept.
    pub log_lines: usize,
    /// Bytes of log that are kept.
    pub log_bytes: usize,
    /// Findings in a report.
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

    /// These limits, none of them above the ceiling.
    #[must_use]
    pub fn clamped(&self) -> Self {
        let ceiling = Self::CEILING;
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
