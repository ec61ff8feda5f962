//! The stored form of records: everything comes back as it was written,
//! nothing that is not a record is taken for one, and records of every format
//! that was ever written keep their meaning.

mod examples;
mod generated;

use std::{env, fs, path::PathBuf, sync::Arc};

use proptest::prelude::*;
use prost::Message as _;
use tidegate_core::{
    ExecutionId, LaunchIx, ServerIx, Timestamp, WaveIx,
    engine::{Change, HookOutcome, Kind, LaunchState, Reason, ReasonCode, ServerState},
    plan::HookFailureKind,
};
use tidegate_gateway::{
    driver::{Origin, RecordView, RequestStamp},
    journal_format::{
        DecodedRecord, FormatError, GenesisRecord, RecordDraft, RecordHash, decode, encode, hash,
        hex,
    },
};
use tidegate_proto::journal::v1 as stored;

const NONCE: [u8; 16] = *b"sixteen of bytes";
const PREVIOUS: RecordHash = [0xa5; 32];

#[test]
fn every_kind_of_change_comes_back_as_it_was_written() {
    let changes = examples::changes();
    let seen: Vec<&str> = changes.iter().map(examples::name).collect();
    for name in examples::NAMES {
        assert!(seen.contains(name), "there is no example of {name}");
    }
    let decoded = decode(&later(&changes)).expect("it is a record");
    assert_eq!(decoded.view.changes, changes);
}

#[test]
fn a_record_comes_back_with_all_that_belongs_to_it() {
    let request = request();
    let changes = examples::changes();
    let draft = RecordDraft {
        request: Some(&request),
        ..draft(&changes)
    };
    let wanted = DecodedRecord {
        view: RecordView::from(&draft),
        previous: Some(PREVIOUS),
        nonce: NONCE,
        epoch: 3,
        request: Some(request.clone()),
        genesis: None,
    };
    let decoded = decode(&encode(&draft)).expect("it is a record");
    assert_eq!(decoded, wanted);
    assert_eq!(decoded.view.previous_hash, "a5".repeat(32));
}

#[test]
fn the_first_record_says_where_the_execution_comes_from() {
    for genesis in geneses() {
        let encoded = encode(&first(&genesis));
        let decoded = decode(&encoded).expect("it is a record");
        assert_eq!(decoded.view.origin, Some(genesis.origin.clone()));
        assert_eq!(decoded.genesis, Some(genesis));
        assert_eq!(decoded.view.previous_hash, "");
        assert_eq!(decoded.previous, None);
    }
}

#[test]
fn the_hash_is_sha256_of_the_bytes() {
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(hex(&hash(b"")), empty);
}

#[test]
fn a_newer_format_is_refused_with_both_versions() {
    let error = decode(&altered(|record| record.format = 7)).expect_err("refused");
    assert_eq!(
        error,
        FormatError::Newer {
            found: 7,
            newest: 3
        }
    );
    assert!(error.to_string().contains("newer version of Tidegate"));
}

#[test]
fn a_record_has_the_lowest_format_that_says_all_of_it() {
    for change in examples::changes() {
        let wanted = match examples::name(&change) {
            "launch-queued" | "launch-moved-queued" => 3,
            "hook-waived" => 2,
            _ => 1,
        };
        let record = stored::Record::decode(later(&[change])).expect("it is a record");
        assert_eq!(record.format, wanted, "{:?}", record.changes);
    }
}

#[test]
fn a_full_quota_is_said_in_the_newest_format_only() {
    let reason = || Reason::of(ReasonCode::Quota);
    let (wave, server) = (WaveIx(0), ServerIx(0));
    let changes = [
        Change::LaunchMoved {
            wave,
            launch: LaunchIx(0),
            to: LaunchState::Abandoned,
            reason: reason(),
        },
        Change::ServerMoved {
            wave,
            server,
            to: ServerState::Pending,
            instance: None,
            reason: reason(),
        },
    ];
    for change in changes {
        let record = stored::Record::decode(later(&[change])).expect("it is a record");
        assert_eq!(record.format, 3, "{:?}", record.changes);
    }
}

#[test]
fn a_failure_without_a_kind_is_no_fault_of_the_hook() {
    let bytes = altered(|record| record.changes = vec![failed_hook(0)]);
    let decoded = decode(&bytes).expect("it is a record");
    let wanted = Change::HookEnded {
        wave: WaveIx(0),
        outcome: HookOutcome::Failed {
            kind: HookFailureKind::Host,
        },
        message: Arc::from(""),
        evidence: Arc::default(),
    };
    assert_eq!(decoded.view.changes, [wanted]);
}

#[test]
fn what_every_record_has_must_be_there() {
    for (field, alter) in omissions() {
        let error = decode(&altered(alter)).expect_err(field);
        assert_eq!(error, FormatError::Missing { field });
    }
}

#[test]
fn what_no_known_writer_writes_is_refused() {
    for (wanted, change) in [impossible_changes(), impossible_hooks()].concat() {
        let bytes = altered(|record| record.changes = vec![change]);
        assert_eq!(decode(&bytes).expect_err("refused").to_string(), wanted);
    }
}

#[test]
fn bytes_of_a_wrong_length_are_refused() {
    let nonce = decode(&altered(|record| record.nonce = vec![1; 15].into()));
    assert_eq!(
        nonce.expect_err("refused").to_string(),
        "nonce has 15 bytes instead of 16"
    );
    let hash = decode(&altered(|record| record.previous_hash = vec![1; 31].into()));
    assert_eq!(
        hash.expect_err("refused").to_string(),
        "hash of the record before has 31 bytes instead of 32"
    );
}

#[test]
fn only_the_first_record_has_an_origin_and_no_predecessor() {
    let genesis = geneses().remove(0);
    let mut record = stored::Record::decode(encode(&first(&genesis))).expect("it is a record");
    record.revision = 2;
    record.previous_hash = PREVIOUS.to_vec().into();
    let error = decode(&record.encode_to_vec()).expect_err("refused");
    assert_eq!(error, FormatError::Unexpected { field: "origin" });
    let first = decode(&altered(|record| record.revision = 1)).expect_err("refused");
    let field = "hash of the record before";
    assert_eq!(first, FormatError::Unexpected { field });
}

#[test]
fn unknown_fields_are_ignored() {
    let mut bytes = later(&examples::changes()).to_vec();
    let wanted = decode(&bytes).expect("it is a record");
    bytes.extend_from_slice(&[0xfa, 0x3f, 3, b'n', b'e', b'w']);
    assert_eq!(decode(&bytes), Ok(wanted));
}

/// Records as they were first written. `TIDEGATE_WRITE_GOLDEN=1` writes those
/// that are missing; none is ever written anew.
#[test]
fn records_of_every_format_keep_their_meaning() {
    for (name, draft) in golden_drafts(&examples::changes(), &geneses()) {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("golden/journal-v1")
            .join(format!("{name}.bin"));
        if !path.exists() && env::var_os("TIDEGATE_WRITE_GOLDEN").is_some() {
            fs::write(&path, encode(&draft)).expect("write");
        }
        let bytes = fs::read(&path)
            .unwrap_or_else(|error| panic!("{}: {error}; see this test", path.display()));
        let decoded = decode(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(decoded.view, RecordView::from(&draft), "{name}");
        assert_eq!(decoded.genesis.as_ref(), draft.genesis, "{name}");
        let today = without_later_fields(&name, &encode(&draft));
        assert_eq!(today, bytes, "{name} is written differently today");
    }
}

proptest! {
    #[test]
    fn any_change_comes_back_as_it_was_written(
        changes in prop::collection::vec(generated::change(), 0..20),
    ) {
        let decoded = decode(&later(&changes)).expect("it is a record");
        prop_assert_eq!(decoded.view.changes, changes);
    }

    #[test]
    fn bytes_from_anywhere_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = decode(&bytes);
    }

    #[test]
    fn a_damaged_record_never_panics(
        at in any::<prop::sample::Index>(),
        value in any::<u8>(),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = later(&examples::changes()).to_vec();
        let at = at.index(bytes.len());
        bytes[at] = value;
        let _ = decode(&bytes);
        bytes.truncate(cut.index(bytes.len()));
        let _ = decode(&bytes);
    }
}

fn draft(changes: &[Change]) -> RecordDraft<'_> {
    RecordDraft {
        revision: 12,
        at: Timestamp::from_millis(1_700_000_000_123),
        previous: Some(&PREVIOUS),
        nonce: NONCE,
        epoch: 3,
        request: None,
        genesis: None,
        first_index: 40,
        changes,
    }
}

fn first(genesis: &GenesisRecord) -> RecordDraft<'_> {
    RecordDraft {
        revision: 1,
        previous: None,
        epoch: 0,
        genesis: Some(genesis),
        first_index: 2,
        ..draft(&[])
    }
}

fn later(changes: &[Change]) -> bytes::Bytes {
    encode(&draft(changes))
}

fn request() -> RequestStamp {
    RequestStamp {
        id: "7f0c".to_owned(),
        digest: [7; 32],
    }
}

fn geneses() -> Vec<GenesisRecord> {
    let genesis = |kind, source: Option<&str>| GenesisRecord {
        execution: ExecutionId::from("01J0000000000000000000000A"),
        kind,
        created_at: Timestamp::from_millis(1_700_000_000_000),
        origin: Arc::new(Origin {
            plan_revision: 4,
            plan_digest: "sha256:11".to_owned(),
            plan: bytes::Bytes::from_static(b"\x0a\x04shop"),
            source: source.map(ExecutionId::from),
        }),
    };
    vec![
        genesis(Kind::Drill, None),
        genesis(Kind::Recovery, None),
        genesis(Kind::Cleanup, Some("01J00000000000000000000009")),
    ]
}

fn golden_drafts<'a>(
    changes: &'a [Change],
    geneses: &'a [GenesisRecord],
) -> Vec<(String, RecordDraft<'a>)> {
    let origins = geneses.iter().map(|genesis| {
        let name = format!("origin-{:?}", genesis.kind).to_lowercase();
        (name, first(genesis))
    });
    let each = examples::NAMES.iter().map(|name| {
        let from = changes
            .iter()
            .position(|change| examples::name(change) == *name);
        let from = from.expect("there is an example");
        let of_name = changes[from..]
            .iter()
            .take_while(|change| examples::name(change) == *name);
        let to = from + of_name.count();
        ((*name).to_owned(), draft(&changes[from..to]))
    });
    origins.chain(each).collect()
}

/// What a record would be if the fields that were added since its golden file
/// was written did not exist.
fn without_later_fields(name: &str, encoded: &[u8]) -> Vec<u8> {
    let mut record = stored::Record::decode(encoded).expect("it is a record");
    if name == "hook-ended" {
        for change in &mut record.changes {
            if let Some(stored::change::Change::HookEnded(ended)) = &mut change.change {
                ended.set_failure_kind(stored::HookFailureKind::Unspecified);
            }
        }
    }
    record.encode_to_vec()
}

fn failed_hook(kind: i32) -> stored::Change {
    stored::Change {
        change: Some(stored::change::Change::HookEnded(stored::HookEnded {
            outcome: stored::HookOutcome::Failed.into(),
            failure_kind: kind,
            ..stored::HookEnded::default()
        })),
    }
}

fn altered(alter: impl FnOnce(&mut stored::Record)) -> Vec<u8> {
    let bytes = later(&[examples::execution_moved()]);
    let mut record = stored::Record::decode(bytes).expect("it is a record");
    alter(&mut record);
    record.encode_to_vec()
}

type Alter = fn(&mut stored::Record);

fn omissions() -> Vec<(&'static str, Alter)> {
    vec![
        ("format", |record| record.format = 0),
        ("revision", |record| record.revision = 0),
        ("hash of the record before", |record| {
            record.previous_hash.clear();
        }),
        ("origin", |record| {
            record.revision = 1;
            record.previous_hash.clear();
        }),
        ("known change", |record| record.changes[0].change = None),
    ]
}

fn impossible_changes() -> Vec<(&'static str, stored::Change)> {
    use stored::change::Change as Stored;
    let change = |change| stored::Change {
        change: Some(change),
    };
    let moved = |to, reason| Stored::ExecutionMoved(stored::ExecutionMoved { to, reason });
    let reason = |code| {
        let text = String::new();
        Some(stored::Reason { code, text })
    };
    vec![
        (
            "the record has no state of an execution",
            change(moved(0, reason(1))),
        ),
        (
            "99 is not a known state of an execution",
            change(moved(99, reason(1))),
        ),
        ("the record has no reason", change(moved(1, None))),
        (
            "-1 is not a known code of a reason",
            change(moved(1, reason(-1))),
        ),
        (
            "wave 65536 is out of range",
            change(Stored::GateOpened(stored::GateOpened { wave: 65_536 })),
        ),
        (
            "the record has no wave of a hold",
            change(Stored::HoldPlaced(stored::Hold {
                cause: stored::HoldCause::Planned.into(),
                ..stored::Hold::default()
            })),
        ),
        (
            "the record has no state of a launch",
            change(Stored::LaunchMoved(stored::LaunchMoved {
                reason: reason(1),
                ..stored::LaunchMoved::default()
            })),
        ),
        (
            "the record has no target",
            change(Stored::LaunchIntended(stored::LaunchIntended::default())),
        ),
    ]
}

fn impossible_hooks() -> Vec<(&'static str, stored::Change)> {
    let ended = |ended| stored::Change {
        change: Some(stored::change::Change::HookEnded(ended)),
    };
    vec![
        (
            "13 is not a known kind of a hook's failure",
            failed_hook(13),
        ),
        (
            "the record has no kind of a hook's failure",
            ended(stored::HookEnded {
                outcome: stored::HookOutcome::Waived.into(),
                ..stored::HookEnded::default()
            }),
        ),
        (
            "the record has no severity of a finding",
            ended(stored::HookEnded {
                outcome: stored::HookOutcome::Hold.into(),
                evidence: Some(stored::HookEvidence {
                    findings: vec![stored::HookFinding::default()],
                    ..stored::HookEvidence::default()
                }),
                ..stored::HookEnded::default()
            }),
        ),
        (
            "9 is not a known level of a hook's log",
            ended(stored::HookEnded {
                outcome: stored::HookOutcome::Hold.into(),
                evidence: Some(stored::HookEvidence {
                    log: vec![stored::HookLogLine {
                        level: 9,
                        text: String::new(),
                    }],
                    ..stored::HookEvidence::default()
                }),
                ..stored::HookEnded::default()
            }),
        ),
        (
            "42 is not a known outcome of a hook",
            ended(stored::HookEnded {
                outcome: 42,
                ..stored::HookEnded::default()
            }),
        ),
    ]
}
