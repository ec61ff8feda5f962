//! Waiting after a read of DRS failed. Reads change no execution, so they are
//! tried until they succeed.

use std::time::Duration;

use super::DriverSettings;
use crate::ports::drs::DrsError;

/// First wait; doubled each time.
const FIRST: Duration = Duration::from_millis(500);

#[derive(Debug)]
pub(super) struct Backoff {
    next: Duration,
    longest: Duration,
}

impl Backoff {
    pub(super) fn new(settings: &DriverSettings) -> Self {
        Self {
            next: FIRST.min(settings.read_backoff_max),
            longest: settings.read_backoff_max,
        }
    }

    pub(super) fn reset(&mut self) {
        self.next = FIRST.min(self.longest);
    }

    /// How long to wait after this failure: at least what DRS asked for.
    pub(super) fn next(&mut self, error: &DrsError) -> Duration {
        let wait = self.next;
        self.next = (self.next * 2).min(self.longest);
        match error {
            DrsError::Throttled {
                after: Some(after), ..
            } => wait.max(Duration::from_millis(after.as_millis())),
            DrsError::Throttled { after: None, .. }
            | DrsError::Denied { .. }
            | DrsError::Refused { .. }
            | DrsError::Failed { .. } => wait,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tidegate_core::Span;

    #[test]
    fn waits_double_up_to_the_longest_and_respect_what_drs_asks_for() {
        let settings = DriverSettings {
            read_backoff_max: Duration::from_secs(2),
            ..DriverSettings::default()
        };
        let mut backoff = Backoff::new(&settings);
        let failed = DrsError::Failed {
            operation: "DescribeJobs",
            target: String::new(),
            message: String::new(),
        };
        let waits: Vec<_> = (0..4).map(|_| backoff.next(&failed).as_millis()).collect();
        assert_eq!(waits, [500, 1_000, 2_000, 2_000]);
        let throttled = DrsError::Throttled {
            operation: "DescribeJobs",
            target: String::new(),
            after: Some(Span::from_secs(9)),
        };
        assert_eq!(backoff.next(&throttled), Duration::from_secs(9));
        backoff.reset();
        assert_eq!(backoff.next(&failed), Duration::from_millis(500));
    }
}
