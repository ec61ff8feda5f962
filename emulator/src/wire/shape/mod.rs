//! The shapes that operations answer with, as the service model names them.

pub(super) mod hardware;
pub(super) mod job;
pub(super) mod job_log;
pub(super) mod page;
pub(super) mod recovery_instance;
pub(super) mod recovery_snapshot;
pub(super) mod source_server;
