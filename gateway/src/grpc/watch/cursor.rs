//! The cursor of `WatchAll`: which commits of which executions were sent.
//!
//! It names every execution that the stream follows with the revision up to
//! which its commits were sent, and the newest execution that the stream has
//! seen. An execution that it does not name and that is not newer than that
//! one needs nothing more, unless it is not over; a newer one is unseen.
//!
//! Bound: base64 of 17 bytes, and of 17 to 26 bytes for each execution that
//! is followed and not over; 23 characters and at most 35 for each of them.
//! It holds nothing of the process that made it, so it is good for any gateway
//! on the same journal.

use std::collections::BTreeMap;

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
}

/// How far an execution was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    /// The last revision that was sent, or that did not match.
    pub(super) revision: u64,
    /// Whether the client knows the execution.
    pub(super) announced: bool,
}

/// Length of a cursor that follows so many executions, at most.
pub(super) const fn longest(followed: usize) -> usize {
    23 + 35 * followed
}

/// Writes a cursor.
pub(super) fn encode<'a>(
    newest: Option<&ExecutionId>,
    followed: impl Iterator<Item = (&'a ExecutionId, Mark)>,
) -> String {
    let mut bytes = vec![VERSION];
    bytes.extend(newest.and_then(to_bytes).unwrap_or_default());
    for (id, mark) in followed {
        if let Some(id) = to_bytes(id) {
            bytes.extend(id);
            encode_varint(mark.revision << 1 | u64::from(mark.announced), &mut bytes);
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
    let mut followed = BTreeMap::new();
    while !rest.is_empty() {
        let (id, mut tail) = take_id(rest)?;
        let number = decode_varint(&mut tail).ok()?;
        let mark = Mark {
            revision: number >> 1,
            announced: number & 1 == 1,
        };
        if followed.insert(id?, mark).is_some() {
            return None;
        }
        rest = tail;
    }
    Some(Cursor { newest, followed })
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
    use proptest::{collection::btree_map, option, prelude::*};

    use super::*;

    fn id() -> impl Strategy<Value = ExecutionId> {
        (1..u128::MAX).prop_map(|bits| ExecutionId::new(Ulid(bits).to_string().to_lowercase()))
    }

    fn mark() -> impl Strategy<Value = Mark> {
        (0..u64::MAX / 2, any::<bool>()).prop_map(|(revision, announced)| Mark {
            revision,
            announced,
        })
    }

    fn write(cursor: &Cursor) -> String {
        let followed = cursor.followed.iter().map(|(id, &mark)| (id, mark));
        encode(cursor.newest.as_ref(), followed)
    }

    proptest! {
        #[test]
        fn a_cursor_says_what_was_put_into_it(
            newest in option::of(id()),
            followed in btree_map(id(), mark(), 0..20),
        ) {
            let cursor = Cursor { newest, followed };
            let text = write(&cursor);
            prop_assert!(text.len() <= longest(cursor.followed.len()));
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
