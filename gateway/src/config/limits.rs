//! `[limits]`: what is refused at admission, so that nothing has to be refused
//! in the middle of a recovery.

use std::num::{NonZeroU32, NonZeroUsize};

use serde::Deserialize;
use tidegate_core::plan;
use tidegate_proto::v1;

use super::HumanDuration;
use crate::grpc::MAX_PAGE;

/// Bounds.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Waves in a plan.
    pub waves_per_plan: NonZeroU32,
    /// Servers in a plan, and in an execution.
    pub servers_per_plan: NonZeroU32,
    /// Bytes of a request.
    pub request_bytes: NonZeroUsize,
    /// A unary call ends after this.
    pub request_timeout: HumanDuration,
    /// Unary calls at a time.
    pub requests: NonZeroUsize,
    /// Connections at a time.
    pub connections: NonZeroUsize,
    /// Streams on one connection at a time.
    pub streams_per_connection: NonZeroU32,
    /// Executions that are not over, at a time.
    pub live_executions: NonZeroUsize,
    /// Requests that one execution accepts.
    pub requests_per_execution: NonZeroUsize,
}

impl Limits {
    /// Those of a plan.
    #[must_use]
    pub fn plan(&self) -> plan::Limits {
        plan::Limits {
            waves: self.waves_per_plan.get(),
            servers: self.servers_per_plan.get(),
            ..plan::Limits::default()
        }
    }

    /// As clients are told.
    #[must_use]
    pub fn shown(&self) -> v1::Limits {
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        v1::Limits {
            waves_per_plan: self.waves_per_plan.get(),
            servers_per_plan: self.servers_per_plan.get(),
            request_bytes: count(self.request_bytes.get()),
            page_size: count(MAX_PAGE),
            streams_per_connection: self.streams_per_connection.get(),
            live_executions: count(self.live_executions.get()),
        }
    }
}
