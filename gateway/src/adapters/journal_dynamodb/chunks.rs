//! Values of any size. What is too large for an item is written in parts
//! before the item that refers to them, under a nonce of its own: the parts of
//! a writer who is refused never mix with those of the one who was first.
//!
//! What a writer leaves that dies between the two is noted (`laying`).

use aws_sdk_dynamodb::types::AttributeValue;
use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _, stream};

use super::{
    calls::{Calls, Query},
    item::{self, Item},
    keys::{self, Key},
    laying,
    meaning::Failure,
    write::Write,
};
use crate::ports::journal::ReadError;

/// Bytes of one part. An item may have 400 KB, with the names of its
/// attributes.
pub(super) const CHUNK: usize = 350_000;

/// Parts that are written or deleted at the same time.
const AT_ONCE: usize = 8;

/// A value that is about to be referred to.
#[derive(Debug)]
pub(super) struct Laid {
    attributes: Vec<(String, AttributeValue)>,
    /// Where its parts are, if it has parts, and how many.
    parts: Option<(String, usize)>,
}

/// Lays a value down: as it is if it has at most `inline` bytes.
pub(super) async fn lay(
    calls: &Calls,
    name: &str,
    bytes: &Bytes,
    inline: usize,
) -> Result<Laid, Failure> {
    if bytes.len() <= inline {
        return Ok(Laid {
            attributes: vec![(name.to_owned(), item::bytes(bytes))],
            parts: None,
        });
    }
    let nonce = ulid::Ulid::new().to_string();
    let writes: Vec<_> = (0..)
        .zip(bytes.chunks(CHUNK))
        .map(|(index, part)| {
            Write::put(Key::new(keys::chunks(&nonce), keys::number(index)))
                .set("part", item::bytes(part))
        })
        .collect();
    let parts = writes.len();
    // Before any part: what is not noted is not found.
    let noted = calls.write_again(&laying::begin(&nonce, parts)).await;
    noted.map_err(unlaid)?;
    let written = all(calls, writes).await;
    let laid = Laid {
        attributes: vec![
            (at(name), item::text(nonce.clone())),
            (size(name), item::number(bytes.len() as u64)),
        ],
        parts: Some((nonce, parts)),
    };
    match written {
        Ok(()) => Ok(laid),
        Err(failure) => {
            laid.take_back(calls).await;
            Err(unlaid(failure))
        }
    }
}

/// Whatever became of the parts or of their note, nothing refers to them.
fn unlaid(failure: Failure) -> Failure {
    match failure {
        Failure::Lost(why) => Failure::Unavailable(why),
        Failure::Refused(_)
        | Failure::Conflict(_)
        | Failure::Unavailable(_)
        | Failure::Never(_) => failure,
    }
}

impl Laid {
    /// The item of a write refers to the value.
    pub(super) fn in_item(&self, write: Write) -> Write {
        let mut write = write;
        for (name, value) in &self.attributes {
            write = write.set(name, value.clone());
        }
        write
    }

    /// What must be written together with that item, if anything: its refusal
    /// means that the parts were [swept](laying::SWEPT).
    pub(super) fn finish(&self) -> Option<Write> {
        let (nonce, _) = self.parts.as_ref()?;
        Some(laying::finish(nonce))
    }

    /// Whether an item refers to just this value.
    pub(super) fn is_of(&self, item: &Item, name: &str) -> bool {
        match &self.parts {
            Some((nonce, _)) => item.text(&at(name)) == Some(nonce),
            None => false,
        }
    }

    /// Nothing refers to the value, and nothing will.
    pub(super) async fn take_back(&self, calls: &Calls) {
        if let Some((nonce, parts)) = &self.parts {
            clear_noted(calls, nonce, *parts).await;
        }
    }
}

/// What of an item tells where the parts of a value are, for a query that does
/// without the value.
pub(super) fn references(name: &str) -> String {
    format!("#pk, #sk, #{}, #{}", at(name), size(name))
}

/// The bytes of a value, if the item has it.
pub(super) async fn read(
    calls: &Calls,
    item: &Item,
    name: &str,
) -> Result<Option<Bytes>, ReadError> {
    if let Some(bytes) = item.bytes(name) {
        return Ok(Some(bytes));
    }
    let Some(nonce) = item.text(&at(name)) else {
        return Ok(None);
    };
    let size = length(item, name);
    let parts = calls.all(&Query::of(keys::chunks(nonce))).await?;
    let mut bytes = Vec::with_capacity(size);
    for part in &parts {
        let part = part.bytes("part").ok_or_else(|| part.damaged("no bytes"))?;
        bytes.extend_from_slice(&part);
    }
    if bytes.len() != size {
        let what = format!("{} bytes of {size} of its {name}", bytes.len());
        return Err(item.damaged(&what));
    }
    Ok(Some(bytes.into()))
}

/// How many bytes a value has.
pub(super) fn length(item: &Item, name: &str) -> usize {
    let in_parts = || usize::try_from(item.number(&size(name))?).ok();
    item.length(name).or_else(in_parts).unwrap_or(0)
}

/// The note that an item which is deleted or replaced leaves of its value, if
/// that has parts: written together with the end of the item, so that whoever
/// dies before [`clear`] leaves something to sweep.
pub(super) fn give_up(item: &Item, name: &str) -> Option<Write> {
    let nonce = item.text(&at(name))?;
    Some(laying::give_up(nonce, count(item, name)))
}

/// Deletes the parts of a value whose item is gone, and the note of them.
pub(super) async fn clear(calls: &Calls, item: &Item, name: &str) {
    if let Some(nonce) = item.text(&at(name)) {
        clear_noted(calls, nonce, count(item, name)).await;
    }
}

/// Deletes the parts of a value before its item, which is what finds them.
pub(super) async fn clear_before(calls: &Calls, item: &Item, name: &str) -> Result<(), Failure> {
    match item.text(&at(name)) {
        Some(nonce) => delete(calls, nonce, count(item, name)).await,
        None => Ok(()),
    }
}

/// What cannot be deleted now is swept later.
async fn clear_noted(calls: &Calls, nonce: &str, parts: usize) {
    let cleared = async {
        delete(calls, nonce, parts).await?;
        calls.write_again(&laying::forget(nonce)).await
    };
    if let Err(failure) = cleared.await {
        let why = failure.text();
        tracing::warn!(nonce, why, "parts that nobody needs are left for a sweep");
    }
}

/// Deletes the parts of a value.
pub(super) async fn delete(calls: &Calls, nonce: &str, parts: usize) -> Result<(), Failure> {
    let deletes = (0..parts as u64)
        .map(|index| Write::delete(Key::new(keys::chunks(nonce), keys::number(index))));
    all(calls, deletes.collect()).await
}

/// Makes writes of which a second one changes nothing.
async fn all(calls: &Calls, writes: Vec<Write>) -> Result<(), Failure> {
    stream::iter(writes)
        .map(|write| async move { calls.write_again(&write).await })
        .buffer_unordered(AT_ONCE)
        .try_collect::<()>()
        .await
}

fn count(item: &Item, name: &str) -> usize {
    length(item, name).div_ceil(CHUNK)
}

fn at(name: &str) -> String {
    format!("{name}_at")
}

fn size(name: &str) -> String {
    format!("{name}_size")
}
