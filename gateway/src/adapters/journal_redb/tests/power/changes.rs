//! Changes of every kind, drawn so that most of them are performed and some
//! are refused.

use std::sync::Arc;

use bytes::Bytes;
use tidegate_core::{
    HookIx, Timestamp, WaveIx,
    engine::{CommandId, Kind},
    plan::HookPhase,
};

use super::{
    super::super::{
        batch::Change,
        hook_rows::{CHUNK_SIZE, tape_key},
    },
    contents::{Contents, Names},
    random::Random,
};
use crate::{
    driver::{Origin, RequestStamp},
    journal_format::{self, GenesisRecord, RecordDraft},
    ports::{
        hook_store::{StoredHook, TapeKey},
        journal::{Append, Claim, HeadUpdate},
        plan_store::StoredPlan,
    },
};

const EXECUTIONS: usize = 5;
const PLANS: usize = 3;
const HOOKS: usize = 3;
/// Few, so that some are asked for twice.
const KEYS: usize = 40;

/// The next change, for a journal that holds this.
pub(super) fn change(random: &mut Random, held: &Contents, names: &mut Names) -> Change {
    match random.below(32) {
        0..18 => Change::Append(append(random, held, names)),
        18..22 => Change::PutPlan {
            plan: plan(random, held, names),
            claim: claim(random, names, Bytes::new()),
            shelf: None,
        },
        22..24 => Change::DeletePlan {
            name: name("plan", random.below(PLANS)).as_str().into(),
            claim: claim(random, names, Bytes::new()),
        },
        24..26 => Change::TakeClaim(taken(random, names, Bytes::new())),
        26..28 => put_hook(random),
        28 => Change::DeleteHook {
            digest: name("hook", random.below(HOOKS)),
            shelf: None,
        },
        _ => put_tape(random, names),
    }
}

/// A change that is performed, whatever is stored, and written.
pub(super) fn certain(random: &mut Random, held: &Contents) -> Change {
    let execution = name("execution", random.below(EXECUTIONS));
    Change::Append(next_record(random, held, &execution))
}

/// The next record of an execution, or one whose position is taken.
fn append(random: &mut Random, held: &Contents, names: &mut Names) -> Append {
    let execution = name("execution", random.below(EXECUTIONS));
    let mut append = next_record(random, held, &execution);
    if append.revision > 1 && random.one_in(16) {
        append.revision -= 1;
    }
    let place = format!("{execution} {}", append.revision);
    append.claim = claim(random, names, place.into());
    append
}

fn next_record(random: &mut Random, held: &Contents, execution: &str) -> Append {
    let log = held.logs.get(execution).map_or(&[][..], Vec::as_slice);
    let revision = log.len() as u64 + 1;
    let previous = log.last().map(|record| journal_format::hash(record));
    let stamp = RequestStamp {
        id: "r".repeat(random.pick(&[1, 80, 400, 3_000])),
        digest: [u8::try_from(random.below(256)).expect("a byte"); 32],
    };
    let genesis = (revision == 1).then(|| genesis(execution));
    let record = journal_format::encode(&RecordDraft {
        revision,
        at: Timestamp::from_millis(revision),
        previous: previous.as_ref(),
        nonce: [7; 16],
        epoch: 1,
        request: Some(&stamp),
        genesis: genesis.as_ref(),
        first_index: revision + 1,
        changes: &[],
    });
    let moves_head = revision == 1 || random.one_in(4);
    Append {
        execution: execution.into(),
        revision,
        record,
        head: moves_head.then(|| HeadUpdate {
            live: !random.one_in(4),
            summary: format!("{execution} {revision}").into(),
        }),
        claim: None,
        holds: None,
    }
}

fn genesis(execution: &str) -> GenesisRecord {
    let origin = Origin {
        plan_revision: 1,
        plan_digest: "digest".to_owned(),
        plan: Bytes::from_static(b"plan"),
        source: None,
    };
    GenesisRecord {
        execution: execution.into(),
        kind: Kind::Drill,
        created_at: Timestamp::from_millis(1),
        origin: Arc::new(origin),
    }
}

fn plan(random: &mut Random, held: &Contents, names: &mut Names) -> StoredPlan {
    let plan = name("plan", random.below(PLANS));
    names.plans.insert(plan.clone());
    let last = held.last_revisions.get(&plan).copied().unwrap_or(0);
    StoredPlan {
        name: plan.as_str().into(),
        revision: last + 1 - u64::from(last > 0 && random.one_in(16)),
        plan: bytes(random, 6_000),
    }
}

fn claim(random: &mut Random, names: &mut Names, value: Bytes) -> Option<Claim> {
    random.one_in(3).then(|| taken(random, names, value))
}

fn taken(random: &mut Random, names: &mut Names, value: Bytes) -> Claim {
    let key = name("key", random.below(KEYS));
    names.claims.insert(key.clone());
    Claim { key, value }
}

/// Of one row, or of several.
fn put_hook(random: &mut Random) -> Change {
    let most = if random.one_in(4) {
        2 * CHUNK_SIZE
    } else {
        20_000
    };
    let bytes = bytes(random, most);
    let hook = StoredHook {
        digest: name("hook", random.below(HOOKS)),
        size: bytes.len() as u64,
        created_at: Timestamp::from_millis(random.below(1_000) as u64),
    };
    Change::PutHook { hook, bytes }
}

fn put_tape(random: &mut Random, names: &mut Names) -> Change {
    let execution = name("execution", random.below(EXECUTIONS));
    names.executions.insert(execution.clone());
    let tape = TapeKey {
        execution: execution.as_str().into(),
        command: CommandId::Hook {
            wave: WaveIx(0),
            phase: HookPhase::PreWave,
            hook: HookIx(0),
            attempt: u32::try_from(random.below(6)).expect("few"),
        },
    };
    Change::PutTape {
        key: tape_key(&tape).expect("a tape is of a hook"),
        bytes: bytes(random, 9_000),
    }
}

/// Some, of which no two drawings are alike.
fn bytes(random: &mut Random, most: usize) -> Bytes {
    let length = 1 + random.below(most);
    let first = u8::try_from(random.below(256)).expect("a byte");
    let step = u8::try_from(random.below(128)).expect("a byte") * 2 + 1;
    let next = |byte: &u8| Some(byte.wrapping_add(step));
    std::iter::successors(Some(first), next)
        .take(length)
        .collect()
}

fn name(kind: &str, number: usize) -> String {
    format!("{kind}-{number}")
}
