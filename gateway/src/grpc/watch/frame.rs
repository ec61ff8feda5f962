//! Messages of streams, encoded once and sent to many.
//!
//! A commit is presented and encoded once per execution, as the whole message
//! that `Watch` sends. `WatchAll` takes the commit's bytes out of it and adds
//! its own fields around them: protobuf fields follow each other, so that
//! nothing is encoded again.

use bytes::{BufMut, Bytes, BytesMut};
use prost::{
    Message,
    encoding::{WireType, encode_key, encode_varint},
};
use tidegate_core::engine::ExecutionState;
use tidegate_proto::v1::{self, watch_response};

/// Encoded size above which a commit or a snapshot is split.
pub(super) const PIECE: usize = 1 << 20;

/// Field numbers in tidegate/v1/execution_service.proto.
const WATCH_COMMIT: u32 = 2;
const ALL_COMMIT: u32 = 2;
const ALL_CURSOR: u32 = 5;
const EXECUTION_COMMIT_EXECUTION: u32 = 1;
const EXECUTION_COMMIT_COMMIT: u32 = 2;

/// A commit, ready to be sent.
#[derive(Debug)]
pub(super) struct Presented {
    /// Its revision.
    pub(super) revision: u64,
    /// The execution's state after it.
    pub(super) state: ExecutionState,
    /// One message, or more if it is above [`PIECE`].
    pub(super) pieces: Vec<Piece>,
}

/// One message of a commit.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    message: Bytes,
    /// Where the commit begins in it; it goes to the end.
    commit: usize,
}

impl Presented {
    /// Encodes a commit.
    pub(super) fn new(commit: v1::Commit, state: ExecutionState) -> Self {
        Self {
            revision: commit.revision,
            state,
            pieces: split(commit, PIECE).iter().map(Piece::new).collect(),
        }
    }

    /// Encoded size, about.
    pub(super) fn size(&self) -> usize {
        self.pieces.iter().map(|piece| piece.message.len()).sum()
    }
}

impl Piece {
    fn new(commit: &v1::Commit) -> Self {
        let length = commit.encoded_len();
        let mut message = BytesMut::with_capacity(length + 12);
        encode_key(WATCH_COMMIT, WireType::LengthDelimited, &mut message);
        encode_varint(length as u64, &mut message);
        let begin = message.len();
        commit.encode_raw(&mut message);
        Self {
            message: message.freeze(),
            commit: begin,
        }
    }

    /// As a message of `Watch`.
    pub(super) fn watch(&self) -> Bytes {
        self.message.clone()
    }

    /// As a message of `WatchAll`; the cursor may be empty.
    pub(super) fn watch_all(&self, execution: &str, cursor: &str) -> Bytes {
        let commit = &self.message[self.commit..];
        let mut inner = BytesMut::with_capacity(commit.len() + execution.len() + 24);
        put_field(EXECUTION_COMMIT_EXECUTION, execution.as_bytes(), &mut inner);
        put_field(EXECUTION_COMMIT_COMMIT, commit, &mut inner);
        let mut message = BytesMut::with_capacity(inner.len() + cursor.len() + 24);
        put_field(ALL_COMMIT, &inner, &mut message);
        if !cursor.is_empty() {
            put_field(ALL_CURSOR, cursor.as_bytes(), &mut message);
        }
        message.freeze()
    }
}

fn put_field(tag: u32, content: &[u8], buffer: &mut BytesMut) {
    encode_key(tag, WireType::LengthDelimited, buffer);
    encode_varint(content.len() as u64, buffer);
    buffer.put_slice(content);
}

/// Encodes a message of `Watch` that is for one reader only.
pub(super) fn watch(message: watch_response::Message) -> Bytes {
    let response = v1::WatchResponse {
        message: Some(message),
    };
    response.encode_to_vec().into()
}

/// A commit in pieces of about `limit` bytes; a single change is never split.
fn split(mut commit: v1::Commit, limit: usize) -> Vec<v1::Commit> {
    if commit.encoded_len() <= limit {
        return vec![commit];
    }
    let changes = std::mem::take(&mut commit.changes);
    let groups = grouped(changes, limit, Message::encoded_len);
    let last = groups.len().saturating_sub(1);
    groups
        .into_iter()
        .enumerate()
        .map(|(ix, changes)| v1::Commit {
            changes,
            complete: ix == last,
            ..commit.clone()
        })
        .collect()
}

/// A header in pieces of about `limit` bytes: the first has the execution,
/// the others only its id and further waves. A single wave is never split.
pub(super) fn headers(mut header: v1::WatchHeader, limit: usize) -> Vec<v1::WatchHeader> {
    if header.encoded_len() <= limit {
        return vec![header];
    }
    let mut snapshot = header.snapshot.take().unwrap_or_default();
    let waves = std::mem::take(&mut snapshot.waves);
    let groups = grouped(waves, limit, Message::encoded_len);
    let last = groups.len().saturating_sub(1);
    let id = snapshot.id.clone();
    let mut whole = Some(snapshot);
    groups
        .into_iter()
        .enumerate()
        .map(|(ix, waves)| v1::WatchHeader {
            snapshot: Some(v1::Execution {
                waves,
                ..whole.take().unwrap_or_else(|| v1::Execution {
                    id: id.clone(),
                    ..v1::Execution::default()
                })
            }),
            complete: ix == last,
            ..header.clone()
        })
        .collect()
}

/// In order, in groups whose sizes add up to at most `limit` where possible.
fn grouped<T>(items: Vec<T>, limit: usize, size: impl Fn(&T) -> usize) -> Vec<Vec<T>> {
    let mut groups = vec![Vec::new()];
    let mut filled = 0;
    for item in items {
        let length = size(&item);
        if filled > 0 && filled + length > limit {
            groups.push(Vec::new());
            filled = 0;
        }
        filled += length;
        if let Some(group) = groups.last_mut() {
            group.push(item);
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commit(changes: u64) -> v1::Commit {
        let change = |index| v1::Change {
            index,
            kind: Some(v1::change::Kind::ServerWarned(v1::ServerWarned {
                wave: "web".to_owned(),
                server: "s-00000000000000001".to_owned(),
                warning: "x".repeat(100),
            })),
        };
        v1::Commit {
            revision: 7,
            changes: (1..=changes).map(change).collect(),
            complete: true,
            request_id: "r".to_owned(),
            ..v1::Commit::default()
        }
    }

    #[test]
    fn a_commit_is_the_same_whoever_watches() {
        let presented = Presented::new(commit(3), ExecutionState::Running);
        let [piece] = presented.pieces.as_slice() else {
            panic!("it is small");
        };

        let watched = v1::WatchResponse::decode(piece.watch()).unwrap();
        assert_eq!(
            watched.message,
            Some(watch_response::Message::Commit(commit(3)))
        );

        let of_all = v1::WatchAllResponse::decode(piece.watch_all("01J", "cursor")).unwrap();
        assert_eq!(of_all.cursor, "cursor");
        let expected = v1::ExecutionCommit {
            execution: "01J".to_owned(),
            commit: Some(commit(3)),
        };
        assert_eq!(
            of_all.message,
            Some(v1::watch_all_response::Message::Commit(expected))
        );
    }

    #[test]
    fn a_large_commit_is_split_and_only_its_last_piece_is_complete() {
        let pieces = split(commit(100), 1_000);
        assert!(pieces.len() > 10);
        assert!(
            pieces
                .iter()
                .all(|it| it.changes.len() < 10 && it.revision == 7)
        );
        let (last, before) = pieces.split_last().unwrap();
        assert!(last.complete && before.iter().all(|it| !it.complete));
        let joined: Vec<v1::Change> = pieces.into_iter().flat_map(|it| it.changes).collect();
        assert_eq!(joined, commit(100).changes);
    }

    #[test]
    fn a_change_above_the_limit_is_a_piece_of_its_own() {
        assert_eq!(split(commit(3), 10).len(), 3);
        let empty = v1::Commit {
            request_id: "r".repeat(20),
            ..commit(0)
        };
        assert_eq!(split(empty, 10).len(), 1);
    }

    #[test]
    fn a_large_snapshot_goes_on_in_further_headers() {
        let wave = |n| v1::Wave {
            name: format!("wave-{n}"),
            detail: "x".repeat(200),
            ..v1::Wave::default()
        };
        let whole = v1::WatchHeader {
            snapshot: Some(v1::Execution {
                id: "01J".to_owned(),
                plan: "shop".to_owned(),
                waves: (0..20).map(wave).collect(),
                ..v1::Execution::default()
            }),
            revision: 9,
            complete: true,
            ..v1::WatchHeader::default()
        };

        let parts = headers(whole.clone(), 1_000);

        assert!(parts.len() > 3);
        let snapshots: Vec<&v1::Execution> =
            parts.iter().filter_map(|it| it.snapshot.as_ref()).collect();
        assert_eq!(snapshots[0].plan, "shop");
        assert_eq!(
            (snapshots[1].id.as_str(), snapshots[1].plan.as_str()),
            ("01J", "")
        );
        let waves: usize = snapshots.iter().map(|it| it.waves.len()).sum();
        assert_eq!(waves, 20);
        assert!(parts.last().unwrap().complete && !parts[0].complete);
        assert_eq!(headers(whole.clone(), 1 << 20), [whole]);
    }
}
