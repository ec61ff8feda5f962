//! What happened, line by line. Two runs of one seed have the same lines.

use std::fmt;

use tidegate_core::Timestamp;

#[derive(Debug, Default)]
pub(crate) struct Trace {
    begun: Timestamp,
    lines: Vec<String>,
    hash: u64,
}

impl Trace {
    pub(crate) fn new(begun: Timestamp) -> Self {
        Self {
            begun,
            ..Self::default()
        }
    }

    pub(crate) fn say(&mut self, now: Timestamp, what: fmt::Arguments<'_>) {
        let passed = now.since(self.begun).as_millis();
        let line = format!("{:>6}.{:03} {what}", passed / 1_000, passed % 1_000);
        for byte in line.bytes() {
            self.hash = (self.hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        self.lines.push(line);
    }

    pub(crate) fn hash(&self) -> u64 {
        self.hash
    }

    pub(crate) fn into_lines(self) -> Vec<String> {
        self.lines
    }
}
