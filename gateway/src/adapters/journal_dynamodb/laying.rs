//! Notes of values whose parts nothing refers to: not yet, or not any more.
//!
//! A note is written before the first part, and it goes in the transaction that
//! writes the item which refers to the parts. A writer that dies between the two
//! leaves the note, and whoever [sweeps](sweep) finds it: marks it, takes the
//! parts away, and then the note. The transaction of a writer that was only slow
//! is refused from the mark on, so what is referred to is never taken away,
//! whatever clocks say and whoever dies when. The age of a note only keeps a
//! sweep from disturbing those who are still writing.
//!
//! It costs a write of one unit for the note, and two units for its end in the
//! transaction; only values that have parts have notes.
//!
//! DynamoDB's own expiry would be no safe broom: to take it off the parts before
//! they are referred to would write every part twice, and afterwards would lose
//! those of a writer that died in between.

use std::time::{Duration, SystemTime};

use ulid::Ulid;

use super::{
    calls::{Calls, Query},
    chunks,
    item::{self, Item},
    keys::{self, LAYING},
    meaning::Failure,
    write::Write,
};
use crate::ports::journal::ReadError;

/// Notes that are read at once.
const AT_ONCE: usize = 100;

/// What whoever came too late is told.
pub(super) const SWEPT: &str = "it took so long to store a large value that its parts were taken \
                                for rubbish; try again";

/// Parts are about to be written.
pub(super) fn begin(nonce: &str, parts: usize) -> Write {
    Write::put(keys::laying(nonce)).set("parts", item::number(parts as u64))
}

/// The parts are referred to from now on; not if they were swept.
pub(super) fn finish(nonce: &str) -> Write {
    Write::delete(keys::laying(nonce))
        .only_if("attribute_exists(#pk) AND attribute_not_exists(#swept)")
}

/// The parts are not referred to any more.
pub(super) fn give_up(nonce: &str, parts: usize) -> Write {
    begin(nonce, parts).set("swept", item::number(1))
}

/// The parts are gone.
pub(super) fn forget(nonce: &str) -> Write {
    Write::delete(keys::laying(nonce))
}

/// Takes away the parts of values that were begun so long ago and that nothing
/// refers to. Returns how many values those were.
pub(super) async fn sweep(calls: &Calls, older_than: Duration) -> Result<usize, ReadError> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let begun = now.unwrap_or_default().saturating_sub(older_than);
    let begun = u64::try_from(begun.as_millis()).unwrap_or(u64::MAX);
    // Nonces sort by when they were made.
    let end = Ulid::from_parts(begun.saturating_add(1), 0).to_string();
    let query = Query {
        range: Some(("#sk < :end", vec![("end", item::text(end))])),
        ..Query::of(LAYING)
    };
    let mut swept = 0;
    let mut from = None;
    loop {
        let page = calls.page(&query, AT_ONCE, from).await?;
        for note in &page.items {
            swept += usize::from(take_away(calls, note).await?);
        }
        match page.next {
            Some(next) => from = Some(next),
            None => return Ok(swept),
        }
    }
}

/// Whether it was rubbish.
async fn take_away(calls: &Calls, note: &Item) -> Result<bool, ReadError> {
    let unmade = |failure: Failure| ReadError::Unavailable(failure.text());
    let key = note.key().ok_or_else(|| note.damaged("no key"))?;
    let nonce = key.sk.clone();
    let parts = note.number("parts").and_then(|it| usize::try_from(it).ok());
    let parts = parts.ok_or_else(|| note.damaged("no number of parts"))?;
    let mark = Write::update(key, "SET #swept = :swept")
        .with("swept", item::number(1))
        .if_present();
    match calls.write_again(&mark).await {
        Ok(()) => {}
        // They are referred to by now, or somebody else has swept them.
        Err(Failure::Refused(_)) => return Ok(false),
        Err(failure) => return Err(unmade(failure)),
    }
    chunks::delete(calls, &nonce, parts).await.map_err(unmade)?;
    calls.write_again(&forget(&nonce)).await.map_err(unmade)?;
    Ok(true)
}
