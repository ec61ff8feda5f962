//! Serving: connections, their limits, and their end.
//!
//! The accept loop is our own, over hyper, because tonic 0.14's transport
//! waits for ever for open streams when it shuts down, answers an expired
//! deadline with CANCELLED, and does so outside of every layer that could
//! correct it.

mod address;
mod admission;
mod deadline;
mod greeting;
mod operations;
mod request_size;
mod routes;
mod server;
mod stream_body;
mod tls;
mod under_way;
mod unreadable;

pub use address::{AddressError, Exposure, check as check_address};
pub use operations::{Operations, OperationsError, Unheard};
pub use routes::{Health, Mounted, mount};
pub use server::{Connections, serve};
pub use tls::{TlsError, TlsFiles, acceptor};

pub(crate) use admission::Admission;
pub(crate) use deadline::Deadlines;
pub(crate) use request_size::refuse_too_large;
pub(crate) use unreadable::refuse_unreadable;
