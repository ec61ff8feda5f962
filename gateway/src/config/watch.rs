//! `[watch]`: how streams behave.

use std::num::NonZeroUsize;

use serde::Deserialize;

use super::HumanDuration;
use crate::grpc::WatchSettings;

/// Streams.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Watch {
    /// A bookmark comes at least this often.
    pub bookmark_interval: HumanDuration,
    /// A stream whose reader takes nothing for so long is ended.
    pub stall_timeout: HumanDuration,
    /// A stream is ended at this age.
    pub max_age: HumanDuration,
    /// Messages that may wait for a reader.
    pub buffer: NonZeroUsize,
    /// Streams at a time.
    pub streams: NonZeroUsize,
}

impl Watch {
    /// As the streams take them.
    #[must_use]
    pub fn settings(&self) -> WatchSettings {
        WatchSettings {
            bookmark_interval: self.bookmark_interval.get(),
            stall_timeout: self.stall_timeout.get(),
            max_age: self.max_age.get(),
            buffer: self.buffer.get(),
            streams: self.streams.get(),
        }
    }
}
