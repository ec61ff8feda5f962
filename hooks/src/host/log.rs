//! The log of one attempt, within its budget.

use std::sync::{Arc, Mutex, PoisonError};

use crate::{Level, Limits, LogLine};

/// Collects lines until the budget is used up, then counts. Clones are the
/// same log: the guest's standard output goes there as well.
#[derive(Clone, Debug)]
pub(super) struct Log(Arc<Mutex<Kept>>);

#[derive(Debug)]
struct Kept {
    lines: Vec<LogLine>,
    lines_left: usize,
    bytes_left: usize,
    dropped: u32,
}

impl Log {
    pub(super) fn new(limits: &Limits) -> Self {
        Self(Arc::new(Mutex::new(Kept {
            lines: Vec::new(),
            lines_left: limits.log_lines,
            bytes_left: limits.log_bytes,
            dropped: 0,
        })))
    }

    /// Keeps a line, or counts it as dropped if it does not fit any more.
    /// Control characters become spaces, so that a line is a line.
    pub(super) fn write(&self, level: Level, message: &str) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.lines_left == 0 || message.len() > kept.bytes_left {
            kept.dropped = kept.dropped.saturating_add(1);
            return;
        }
        kept.lines_left -= 1;
        kept.bytes_left -= message.len();
        let message = message.replace(char::is_control, " ");
        kept.lines.push(LogLine { level, message });
    }

    /// What was kept, and how many lines were not.
    pub(super) fn take(&self) -> (Vec<LogLine>, u32) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (std::mem::take(&mut kept.lines), kept.dropped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_does_not_fit_is_counted() {
        let log = Log::new(&Limits {
            log_lines: 2,
            log_bytes: 8,
            ..Limits::DEFAULT
        });
        for message in ["1234\n", "1234", "123", "1"] {
            log.write(Level::Info, message);
        }
        let (lines, dropped) = log.take();
        let lines: Vec<_> = lines.iter().map(|line| line.message.as_str()).collect();
        assert_eq!(lines, ["1234 ", "123"]);
        assert_eq!(dropped, 2);
    }
}
