//! The cursor of `WatchAll`: which commits of which executions were sent.
//!
//! It names every execution that the stream follows with the revision up to
//! which its commits were sent, the newest execution that the stream has seen,
//! and what is over and began shortly before that one. An execution that it does
//! not name and that began earlier needs nothing more, unless it is not over;
//! every other one is unseen. *Shortly* allows for the clocks of gateways, whose
//! ids are by their own time.
//!
//! Bound: base64 of 17 bytes, and of 17 to 26 bytes for each execution that is
//! named; 23 characters and at most 35 for each of them.
//! It holds nothing of the process that made it, so it is good for any gateway
//! on the same journal.

use std::collections::{BTreeMap, BTreeSet};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use prost::encoding::{decode_varint, encode_varint};
use tidegate_core::ExecutionId;
use ulid::Ulid;

const VERSION: u8 = 1;
/// Longest text that is looked at: 100,000 executions.
const LONGEST: usize = 4 << 20;

/// A place in the commits of all executions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Cursor {
    /// The newest execution that was seen.
    pub(super) newest: Option<ExecutionId>,
    /// Executions that are followed.
    pub(super) followed: BTreeMap<ExecutionId, Mark>,
    /// Executions of which nothing more is to be told.
    pub(super) ended: BTreeSet<ExecutionId>,
}

/// How far an execution was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    /// The last revision that was sent, or that did not match.
    pub(super) revision: u64,
    /// Whether the client knows the execution.
    pub(super) announced: bool,
}

/// Length of a cursor that names so many executions, at most.
pub(super) const fn longest(named: usize) -> usize {
    23 + 35 * named
}

/// When an execution began, in milliseconds by the clock of whoever began it.
pub(super) fn begun_at(id: &ExecutionId) -> Option<u64> {
    let id = Ulid::from_string(id.as_str()).ok()?;
    Some(id.timestamp_ms())
}

/// Writes a cursor. What has ended is written with zero for its mark, which is
/// no mark of what is followed: revisions begin at 1.
pub(super) fn encode<'a>(
    newest: Option<&ExecutionId>,
    followed: impl Iterator<Item = (&'a ExecutionId, Mark)>,
    ended: impl Iterator<Item = &'a ExecutionId>,
) -> String {
    let mut bytes = vec![VERSION];
    bytes.extend(newest.and_then(to_bytes).unwrap_or_default());
    let followed = followed.map(|(id, mark)| (id, mark.revision << 1 | u64::from(mark.announced)));
    for (id, number) in followed.chain(ended.map(|id| (id, 0))) {
        if let Some(id) = to_bytes(id) {
            bytes.extend(id);
            encode_varint(number, &mut bytes);
        }
    }
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads a cursor; `None` if it is none.
pub(super) fn decode(text: &str) -> Option<Cursor> {
    if text.len() > LONGEST {
        return None;
    }
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let rest = bytes.strip_prefix(&[VERSION])?;
    let (newest, mut rest) = take_id(rest)?;
    let (mut followed, mut ended) = (BTreeMap::new(), BTreeSet::new());
    while !rest.is_empty() {
        let (id, mut tail) = take_id(rest)?;
        let number = decode_varint(&mut tail).ok()?;
        let mark = Mark {
            revision: number >> 1,
            announced: number & 1 == 1,
        };
        let id = id?;
        let is_named = followed.contains_key(&id) || ended.contains(&id);
        if is_named {
            return None;
        }
        match number {
            0 => drop(ended.insert(id)),
            _ => drop(followed.insert(id, mark)),
        }
        rest = tail;
    }
    Some(Cursor {
        newest,
        followed,
        ended,
    })
}

fn to_bytes(id: &ExecutionId) -> Option<[u8; 16]> {
    Ulid::from_string(id.as_str()).ok().map(|id| id.to_bytes())
}

/// An id, where zero stands for none, and what comes after it.
fn take_id(bytes: &[u8]) -> Option<(Option<ExecutionId>, &[u8])> {
    let (id, rest) = bytes.split_first_chunk::<16>()?;
    let id = Ulid::from_bytes(*id);
    let id = (!id.is_nil()).then(|| ExecutionId::new(id.to_string().to_lowercase()));
    Some((id, rest))
}

#[cfg(test)]
mod tests {
    use proptest::{
        collection::{btree_map, btree_set},
        option,
        prelude::*,
    };

    use super::*;

    fn id() -> impl Strategy<Value = ExecutionId> {
        (1..u128::MAX).prop_map(|bits| ExecutionId::new(Ulid(bits).to_string().to_lowercase()))
    }

    fn mark() -> impl Strategy<Value = Mark> {
        (1..u64::MAX / 2, any::<bool>()).prop_map(|(revision, announced)| Mark {
            revision,
            announced,
        })
    }

    fn write(cursor: &Cursor) -> String {
        let followed = cursor.followed.iter().map(|(id, &mark)| (id, mark));
        encode(cursor.newest.as_ref(), followed, cursor.ended.iter())
    }

    proptest! {
        #[test]
        fn a_cursor_says_what_was_put_into_it(
            newest in option::of(id()),
            followed in btree_map(id(), mark(), 0..20),
            mut ended in btree_set(id(), 0..20),
        ) {
            ended.retain(|id| !followed.contains_key(id));
            let cursor = Cursor { newest, followed, ended };
            let text = write(&cursor);
            prop_assert!(text.len() <= longest(cursor.followed.len() + cursor.ended.len()));
            prop_assert_eq!(decode(&text), Some(cursor));
        }

        #[test]
        fn anything_else_is_refused_or_harmless(text in "[A-Za-z0-9_-]{0,80}") {
            if let Some(cursor) = decode(&text) {
                prop_assert_eq!(decode(&write(&cursor)), Some(cursor));
            }
        }
    }

    #[test]
    fn what_is_no_cursor_is_refused() {
        for text in ["", "?", "AA", "AQ", "AgAAAAAAAAAAAAAAAAAAAAA"] {
            assert_eq!(decode(text), None, "{text}");
        }
    }
}
