//! Keys that are taken once.

use bytes::Bytes;

use super::{calls::Calls, item, keys, meaning::Failure, write::Write};
use crate::ports::journal::{Claim, ReadError};

/// The write that takes a claim; refused, it shows the first claimant's.
pub(super) fn take(claim: &Claim) -> Write {
    Write::put(keys::claim(&claim.key))
        .set("value", item::bytes(&claim.value))
        .if_absent()
        .showing()
}

/// What the first claimant recorded, if the key is taken.
pub(super) async fn find(calls: &Calls, key: &str) -> Result<Option<Bytes>, ReadError> {
    let Some(item) = calls.get(&keys::claim(key)).await? else {
        return Ok(None);
    };
    let value = item.bytes("value");
    value.map(Some).ok_or_else(|| item.damaged("no value"))
}

/// What the first claimant recorded, of a write that was refused for its
/// claim.
pub(super) fn refused(item: &item::Item) -> Result<Bytes, Failure> {
    item.bytes("value").ok_or_else(|| {
        Failure::Unavailable("a claim is taken, and DynamoDB does not show it".to_owned())
    })
}
