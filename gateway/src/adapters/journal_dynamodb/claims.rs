//! Keys that are taken once.
//!
//! What a claimant records may be as large as the plan that it answers with,
//! so it has parts where it does not fit into an item.

use bytes::Bytes;

use super::{
    calls::Calls,
    chunks::{self, CHUNK, Laid},
    item::{self, Item},
    keys::{self, Key},
    meaning::Failure,
    write::Write,
};
use crate::ports::journal::{Claim, ReadError};

/// The attribute of what the first claimant recorded.
const VALUE: &str = "value";

/// A claim that is about to be taken.
#[derive(Debug)]
pub(super) struct Claiming {
    key: Key,
    value: Laid,
}

/// Lays down what a claim records.
pub(super) async fn lay(calls: &Calls, claim: &Claim) -> Result<Claiming, Failure> {
    Ok(Claiming {
        key: keys::claim(&claim.key),
        value: chunks::lay(calls, VALUE, &claim.value, CHUNK).await?,
    })
}

impl Claiming {
    /// The write that takes the claim; refused, it shows the first claimant's.
    pub(super) fn take(&self) -> Write {
        taking(self.value.in_item(Write::put(self.key.clone())))
    }

    /// What must be written together with it, if anything; see
    /// [`Laid::finish`].
    pub(super) fn finish(&self) -> Option<Write> {
        self.value.finish()
    }

    /// It is not taken, and will not be.
    pub(super) async fn take_back(&self, calls: &Calls) {
        self.value.take_back(calls).await;
    }
}

/// The same as [`Claiming::take`], for what fits into an item: the claim of a
/// start is a digest and an id.
pub(super) fn take_small(claim: &Claim) -> Write {
    taking(Write::put(keys::claim(&claim.key)).set(VALUE, item::bytes(&claim.value)))
}

fn taking(put: Write) -> Write {
    put.if_absent().showing()
}

/// What the first claimant recorded, if the key is taken.
pub(super) async fn find(calls: &Calls, key: &str) -> Result<Option<Bytes>, ReadError> {
    match calls.get(&keys::claim(key)).await? {
        Some(item) => recorded(calls, &item).await.map(Some),
        None => Ok(None),
    }
}

/// What the first claimant recorded, of a write that was refused for its
/// claim.
pub(super) async fn refused(calls: &Calls, item: &Item) -> Result<Bytes, ReadError> {
    if item.0.is_empty() {
        let unshown = "a claim is taken, and DynamoDB does not show it; ask again";
        return Err(ReadError::Unavailable(unshown.to_owned()));
    }
    recorded(calls, item).await
}

async fn recorded(calls: &Calls, item: &Item) -> Result<Bytes, ReadError> {
    let value = chunks::read(calls, item, VALUE).await?;
    value.ok_or_else(|| item.damaged("no value"))
}
