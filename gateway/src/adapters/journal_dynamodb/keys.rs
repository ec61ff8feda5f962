//! Where everything lies.
//!
//! | pk | sk | what |
//! |---|---|---|
//! | `executions` | `#`execution | its anchor: record 1, the head, servers held; `live` while it is not over |
//! | `execution#`execution | revision | a record from 2 on |
//! | `claim#`key | `claim` | what the first claimant recorded |
//! | `fence` | `servers` | the number of the holds, and who took the last sixteen |
//! | `fence` | `hooks` | the number of the shelf |
//! | `plans` | `#`name | the first revision that is not deleted, and the last ever |
//! | `plan#`name | revision | a plan |
//! | `hooks` | `#`digest | size, first instant, where its bytes are |
//! | `tapes#`execution | wave, phase, hook, attempt | a tape |
//! | `chunks#`nonce | index | a part of what is too large for an item |
//! | `laying` | nonce | how many parts there may be that nothing refers to |
//! | `cluster` | `table` | the format's version and the number of partitions |
//! | `cluster` | `lease#`partition | owner and epoch |
//! | `cluster` | `member#`id | its last beat |
//! | `nudge#`member | `#`execution | that its log was written by somebody else |
//!
//! The index `live` has the anchors of executions that are not over. All
//! anchors have one partition key, since only items of one key are sorted:
//! DynamoDB allows about 1,000 writes a second and 10 GiB for them, which is
//! some hundred executions started a second, and some millions kept.
//!
//! Numbers are padded with zeros, so that text sorts as they do.

use std::fmt::Write as _;

use aws_sdk_dynamodb::types::AttributeValue;
use sha2::{Digest as _, Sha256};
use tidegate_core::ExecutionId;

/// The attribute of the primary key that says where an item lies.
pub(super) const PARTITION: &str = "pk";
/// The attribute by which the items of one `pk` are sorted.
pub(super) const SORT: &str = "sk";
/// The index of executions that are not over, and its sort key.
pub(super) const LIVE: &str = "live";
/// When DynamoDB may delete an item, in seconds of Unix time. Only rubbish has
/// it: dead members, and nudges that nobody took.
pub(super) const EXPIRES: &str = "expires";

pub(super) const EXECUTIONS: &str = "executions";
pub(super) const PLANS: &str = "plans";
pub(super) const HOOKS: &str = "hooks";
pub(super) const LAYING: &str = "laying";
pub(super) const CLUSTER: &str = "cluster";
pub(super) const LEASE: &str = "lease#";
pub(super) const MEMBER: &str = "member#";

/// Bytes of a text that is a part of a key as it is. A sort key may have 1024.
const TEXT_LIMIT: usize = 900;

/// An item's primary key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) pk: String,
    pub(super) sk: String,
}

impl Key {
    pub(super) fn new(pk: impl Into<String>, sk: impl Into<String>) -> Self {
        Self {
            pk: pk.into(),
            sk: sk.into(),
        }
    }

    pub(super) fn attributes(&self) -> [(String, AttributeValue); 2] {
        [
            (PARTITION.to_owned(), AttributeValue::S(self.pk.clone())),
            (SORT.to_owned(), AttributeValue::S(self.sk.clone())),
        ]
    }
}

/// An identifier that is sorted among others. Never empty, which a key must
/// not be.
pub(super) fn named(text: &str) -> String {
    format!("#{}", shortened(text))
}

/// The identifier of such a key, if it was not too long for one.
pub(super) fn name_in(sk: &str) -> Option<&str> {
    sk.strip_prefix('#').filter(|text| text.len() <= TEXT_LIMIT)
}

/// Whether a key does not tell its identifier, so that the item must.
pub(super) fn is_shortened(text: &str) -> bool {
    text.len() > TEXT_LIMIT
}

/// A text as it is, or its beginning and its digest. Longer texts sort by
/// their beginnings only; ours are 26 characters long.
fn shortened(text: &str) -> String {
    if !is_shortened(text) {
        return text.to_owned();
    }
    let mut short = text[..text.floor_char_boundary(TEXT_LIMIT)].to_owned();
    for byte in Sha256::digest(text.as_bytes()) {
        // Writing to a string cannot fail.
        let _ = write!(short, "{byte:02x}");
    }
    short
}

pub(super) fn number(number: u64) -> String {
    format!("{number:020}")
}

pub(super) fn anchor(execution: &ExecutionId) -> Key {
    Key::new(EXECUTIONS, named(execution.as_str()))
}

/// Where the records of an execution are, the first one aside.
pub(super) fn log(execution: &ExecutionId) -> String {
    format!("execution#{}", shortened(execution.as_str()))
}

/// Where the record of a revision is.
pub(super) fn record(execution: &ExecutionId, revision: u64) -> Key {
    match revision {
        1 => anchor(execution),
        _ => Key::new(log(execution), number(revision)),
    }
}

pub(super) fn claim(key: &str) -> Key {
    Key::new(format!("claim#{}", shortened(key)), "claim")
}

pub(super) fn fence() -> Key {
    Key::new("fence", "servers")
}

pub(super) fn shelf() -> Key {
    Key::new("fence", "hooks")
}

pub(super) fn plan(name: &str) -> Key {
    Key::new(PLANS, named(name))
}

/// Where the revisions of a plan are.
pub(super) fn revisions(name: &str) -> String {
    format!("plan#{}", shortened(name))
}

pub(super) fn hook(digest: &str) -> Key {
    Key::new(HOOKS, named(digest))
}

/// Where the tapes of an execution are.
pub(super) fn tapes(execution: &ExecutionId) -> String {
    format!("tapes#{}", shortened(execution.as_str()))
}

/// Where the chunks of one large value are.
pub(super) fn chunks(nonce: &str) -> String {
    format!("chunks#{nonce}")
}

/// Where it is noted that nothing refers to those.
pub(super) fn laying(nonce: &str) -> Key {
    Key::new(LAYING, nonce)
}

pub(super) fn table() -> Key {
    Key::new(CLUSTER, "table")
}

pub(super) fn lease(partition: u16) -> Key {
    Key::new(CLUSTER, format!("{LEASE}{partition:05}"))
}

pub(super) fn member(id: &str) -> Key {
    Key::new(CLUSTER, format!("{MEMBER}{}", shortened(id)))
}

/// Where the nudges of a member are.
pub(super) fn nudges(member: &str) -> String {
    format!("nudge#{}", shortened(member))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_have_keys_of_their_own_that_fit() {
        let one = named(&"ä".repeat(3000));
        let other = named(&"ä".repeat(3001));
        assert_ne!(one, other);
        assert!(one.len() <= 1024, "{}", one.len());
        assert_eq!(name_in(&one), None);
        let longest = "x".repeat(TEXT_LIMIT);
        assert_eq!(name_in(&named(&longest)), Some(longest.as_str()));
        assert_eq!(name_in(&named("")), Some(""));
    }

    #[test]
    fn keys_of_numbers_sort_as_numbers() {
        let mut sorted = [0, 9, 10, 99, u64::MAX].map(number);
        sorted.sort();
        assert_eq!(sorted, [0, 9, 10, 99, u64::MAX].map(number));
    }

    #[test]
    fn the_first_record_is_the_anchor() {
        let execution = ExecutionId::from("e");
        assert_eq!(record(&execution, 1), anchor(&execution));
        let second = record(&execution, 2);
        assert_eq!(second.pk, "execution#e");
        assert_eq!(second.sk, "00000000000000000002");
    }
}
