//! What only this journal promises. What every journal promises is in the
//! conformance suite.

mod disk;
mod failing;
mod files;
mod hooks;
mod inline;
mod power;

use bytes::Bytes;

use crate::ports::journal::{Append, HeadUpdate};

/// A first record of an execution.
fn first_record(execution: &str) -> Append {
    Append {
        execution: execution.into(),
        revision: 1,
        record: Bytes::from_static(b"record"),
        head: Some(HeadUpdate {
            live: true,
            summary: Bytes::from_static(b"summary"),
        }),
        claim: None,
        holds: None,
    }
}
