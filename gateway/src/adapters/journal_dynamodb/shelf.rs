//! The number of the shelf: it moves whenever a plan that uses hooks is stored,
//! and whenever a hook is deleted. Who does either moves it on from the number
//! that it knew before it looked what is there; of two who do not know of each
//! other, one is refused.

use super::{calls::Calls, item, keys, write::Write};
use crate::ports::journal::ReadError;

/// The number now.
pub(super) async fn number(calls: &Calls) -> Result<u64, ReadError> {
    match calls.get(&keys::shelf()).await? {
        Some(shelf) => shelf
            .number("number")
            .ok_or_else(|| shelf.damaged("no number")),
        None => Ok(0),
    }
}

/// The write that moves it on, refused if somebody else has.
pub(super) fn advance(from: u64) -> Write {
    let write = Write::update(keys::shelf(), "SET #number = :next")
        .with("next", item::number(from.saturating_add(1)));
    match from {
        0 => write.only_if("attribute_not_exists(#number)"),
        _ => write
            .only_if("#number = :from")
            .with("from", item::number(from)),
    }
}
