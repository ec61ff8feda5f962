//! The journal of a cluster: executions, plans, hooks, tapes, and what members
//! tell each other, in one DynamoDB table.
//!
//! - An append is one conditional PutItem; the position is the fence. Only an
//!   append that brings a head, a claim or holds is a transaction.
//! - What is too large for an item lies in items of its own (`chunks`). They
//!   are in this table and not in S3: a component takes at most 96 of them,
//!   and a second service would bring its own permissions, its own outages and
//!   objects that no transaction knows.
//! - Parts that nothing refers to, because their writer died, are noted and
//!   swept (`laying`).
//! - Reads are strongly consistent, every one: whoever reads here is about to
//!   write, or wants to see what it wrote.
//! - Writes are made once, with the SDK's retries off, except where a second
//!   one changes nothing. What is in doubt is said to be so (`calls`).
//! - Nothing is found by scanning; how items are laid out is in `keys`.
//!
//! It does not wait until the table is well again: callers try again. It does
//! not make the table when it opens it; [`create_table`] does.

mod append;
mod calls;
mod chunks;
mod claims;
mod client;
mod cluster;
mod components;
mod executions;
mod holds;
mod item;
mod keys;
mod known;
mod laying;
mod meaning;
mod nudges;
mod open;
pub mod permissions;
mod plans;
mod settings;
mod shelf;
mod table;
mod tapes;
mod usage;
mod write;

use std::{sync::Arc, time::Duration};

use self::{calls::Calls, known::Known};

use crate::{adapters::aws_observed::Observer, ports::journal::ReadError};

pub use self::{
    open::OpenError,
    settings::{Settings, Timeouts},
    table::{Created, create_table},
    usage::Usage,
};

/// Bytes of one record, as in the other journals.
const RECORD_LIMIT: usize = 16 << 20;

/// A journal, plan store, hook store and cluster in one table. Clones share
/// everything.
#[derive(Clone, Debug)]
pub struct DynamoJournal {
    calls: Arc<Calls>,
    known: Arc<Known>,
    partitions: u16,
}

impl DynamoJournal {
    /// Opens a table, after a look at whether it is one of ours.
    ///
    /// # Errors
    /// It cannot be reached or used; the error says why and what to do.
    pub async fn open(settings: Settings) -> Result<Self, OpenError> {
        Self::connect(settings, None).await
    }

    /// The same, and somebody hears of every request.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn open_observed(
        settings: Settings,
        observer: Arc<dyn Observer>,
    ) -> Result<Self, OpenError> {
        Self::connect(settings, Some(observer)).await
    }

    async fn connect(
        settings: Settings,
        observer: Option<Arc<dyn Observer>>,
    ) -> Result<Self, OpenError> {
        let client = client::connect(&settings, observer).await;
        let calls = Calls::new(client, &settings);
        let partitions = open::check(&calls).await?;
        Ok(Self {
            calls: Arc::new(calls),
            known: Arc::default(),
            partitions,
        })
    }

    /// Takes away what writers left that died, or were given up, at least so
    /// long ago: parts of large values that nothing refers to. Returns of how
    /// many values. Safe at any time, beside anybody else.
    ///
    /// # Errors
    /// The table does not answer; what is left is found the next time.
    pub async fn sweep(&self, older_than: Duration) -> Result<usize, ReadError> {
        laying::sweep(&self.calls, older_than).await
    }

    /// What was asked of DynamoDB since it was opened.
    #[must_use]
    pub fn usage(&self) -> Usage {
        self.calls.usage()
    }
}
