//! Random plans, and the servers that they recover. A plan is stored as the
//! number that it is made from.

use std::{collections::BTreeMap, sync::Arc};

use jiff::SignedDuration;
use tidegate_core::{
    Span,
    plan::{
        DraftGroup, DraftHook, DraftRetry, DraftServer, DraftTarget, DraftWave, FailurePolicy,
        HookFailure, Limits, Plan, PlanDraft, UnknownLaunch,
    },
};
use tidegate_emulator::model::{
    AccountId, Effect, Fleet, Outcome, Place, Quotas, Region, Seed, ServerSpec, SourceServerId,
    Timings,
};

use crate::chance::Chance;

const ACCOUNT: &str = "123456789012";
const REGIONS: [&str; 2] = ["us-west-2", "eu-west-1"];
/// Servers that there are.
pub(crate) const SERVERS: u64 = 24;
/// Servers that one plan begins behind the one before: plans share some.
const STRIDE: u64 = 7;

pub(crate) fn server_id(number: u64) -> String {
    format!("s-{number:017x}")
}

/// Where a server is.
fn region(number: u64) -> usize {
    usize::from(number % 5 == 4)
}

/// Servers that one tag selects: those of the first Region among three.
fn tier(number: u64) -> String {
    format!("t{}", number / 3)
}

/// The bytes under which a plan is stored.
pub(crate) fn encoded(number: u64) -> Vec<u8> {
    number.to_be_bytes().to_vec()
}

/// The plan that these bytes stand for.
pub(crate) fn decode(bytes: &[u8]) -> Result<Plan, String> {
    let bytes: [u8; 8] = bytes.try_into().map_err(|_| "not a plan".to_owned())?;
    Plan::check(&draft(u64::from_be_bytes(bytes)), &Limits::default())
        .map_err(|mistakes| format!("{mistakes:?}"))
}

pub(crate) fn plan(number: u64) -> Arc<Plan> {
    Arc::new(decode(&encoded(number)).expect("the plan has no mistakes"))
}

/// A plan that is not random: a wave of one server, and beside it one whose
/// server is checked after its launch.
pub(crate) const CHECKED: u64 = u64::MAX;

fn checked() -> PlanDraft {
    let wave = |name: &str, number| DraftWave {
        name: name.to_owned(),
        groups: by_id(&mut Chance::of(0, 0), number, 1),
        ..DraftWave::default()
    };
    let hook = DraftHook {
        hook: "h0".to_owned(),
        ..DraftHook::default()
    };
    PlanDraft {
        name: "shop".to_owned(),
        waves: vec![
            wave("slow", 0),
            DraftWave {
                verify: vec![hook],
                ..wave("checked", 1)
            },
        ],
        ..PlanDraft::default()
    }
}

fn draft(number: u64) -> PlanDraft {
    if number == CHECKED {
        return checked();
    }
    let mut chance = Chance::of(number, 1);
    let mut next = (number % 3) * STRIDE;
    let count = chance.between(1, 4);
    let waves = (0..count).map(|ix| wave(&mut chance, ix, &mut next));
    PlanDraft {
        name: "shop".to_owned(),
        target: Some(target(0)),
        waves: waves.collect(),
        timeout: chance.percent(10).then(|| secs(&mut chance, 120, 900)),
        unknown_launch: chance.pick(&[
            None,
            Some(UnknownLaunch::AskAgain),
            Some(UnknownLaunch::AskPerson),
        ]),
        ..PlanDraft::default()
    }
}

fn target(region: usize) -> DraftTarget {
    DraftTarget {
        account: ACCOUNT.to_owned(),
        region: REGIONS[region].to_owned(),
        role: String::new(),
    }
}

fn secs(chance: &mut Chance, first: u64, last: u64) -> Span {
    Span::from_secs(chance.between(first, last))
}

fn wave(chance: &mut Chance, ix: u64, next: &mut u64) -> DraftWave {
    let after = (0..ix)
        .filter(|_| chance.percent(55))
        .map(|dep| format!("w{dep}"));
    let after = after.collect();
    let tagged = chance.percent(15);
    let count = chance.between(1, 3);
    let groups = if tagged {
        *next = next.next_multiple_of(3);
        vec![by_tag(*next)]
    } else {
        by_id(chance, *next, count)
    };
    *next += if tagged { 3 } else { count };
    DraftWave {
        name: format!("w{ix}"),
        after,
        groups,
        check: hooks(chance, 25),
        verify: hooks(chance, 35),
        pause_before: chance.percent(12),
        on_failure: Some(chance.pick(&[
            FailurePolicy::Stop,
            FailurePolicy::Continue,
            FailurePolicy::Pause,
        ])),
        tolerance: u32::from(chance.percent(20)),
        retry: Some(DraftRetry {
            limit: chance.pick(&[0, 0, 1, 2]),
            backoff: Some(Span::from_secs(5)),
            max_backoff: Some(Span::from_secs(15)),
        }),
        timeout: chance.percent(15).then(|| secs(chance, 30, 400)),
        gate_timeout: chance.percent(30).then(|| secs(chance, 20, 200)),
        ..DraftWave::default()
    }
}

fn by_tag(first: u64) -> DraftGroup {
    DraftGroup {
        tags: [("tier".to_owned(), tier(first))].into(),
        ..DraftGroup::default()
    }
}

/// One group for each Region.
fn by_id(chance: &mut Chance, first: u64, count: u64) -> Vec<DraftGroup> {
    let mut groups: BTreeMap<usize, DraftGroup> = BTreeMap::new();
    for number in first..first + count {
        let region = region(number);
        let group = groups.entry(region).or_insert_with(|| DraftGroup {
            target: Some(target(region)),
            ..DraftGroup::default()
        });
        group.servers.push(DraftServer {
            id: server_id(number),
            optional: chance.percent(10),
            ..DraftServer::default()
        });
    }
    groups.into_values().collect()
}

fn hooks(chance: &mut Chance, percent: u64) -> Vec<DraftHook> {
    let mut hooks = Vec::new();
    while hooks.len() < 2 && chance.percent(percent) {
        hooks.push(DraftHook {
            hook: format!("h{}", hooks.len()),
            timeout: chance.percent(30).then(|| secs(chance, 10, 120)),
            retries: Some(chance.pick(&[1, 3])),
            on_failure: Some(chance.pick(&[
                HookFailure::Hold,
                HookFailure::Abort,
                HookFailure::Retry,
            ])),
            ..DraftHook::default()
        });
    }
    hooks
}

/// The servers of the world: some fast, some slow, some that fail.
pub(crate) fn fleet(chance: &mut Chance) -> Fleet {
    let mut servers: BTreeMap<Place, Vec<ServerSpec>> = BTreeMap::new();
    for number in 0..SERVERS {
        let spec = server(chance, number);
        servers.entry(place(region(number))).or_default().push(spec);
    }
    Fleet {
        seed: Seed(chance.next()),
        quotas: Quotas {
            concurrent_jobs: usize::try_from(chance.between(1, 6)).expect("few"),
            ..Quotas::default()
        },
        names_recovery_instances: chance.percent(50),
        loopback: None,
        servers,
    }
}

pub(crate) fn place(region: usize) -> Place {
    Place {
        account: AccountId::parse(ACCOUNT).expect("twelve digits"),
        region: Region::parse(REGIONS[region]).expect("a Region"),
    }
}

fn server(chance: &mut Chance, number: u64) -> ServerSpec {
    let id = SourceServerId::parse(&server_id(number)).expect("an id");
    let mut spec = ServerSpec::new(id, format!("host-{number}"));
    spec.tags = [("tier".to_owned(), tier(number))].into();
    spec.timings = timings(chance);
    spec.outcome = chance.percent(25).then(|| Outcome {
        effect: chance.pick(&[
            Effect::FailSnapshot,
            Effect::FailConversion,
            Effect::FailLaunch,
            Effect::PreviousSnapshot,
            Effect::Skip,
            Effect::FailCleanup,
        ]),
        launches: chance.pick(&[Some(1), Some(1), Some(2), None]),
    });
    spec
}

fn timings(chance: &mut Chance) -> Timings {
    let factor = chance.weighted(&[(3, 1), (4, 8), (2, 40)]);
    let millis = |base: i64| SignedDuration::from_millis(base * factor);
    Timings {
        job_start: millis(100),
        cleanup: millis(500),
        snapshot_wait: millis(50),
        snapshot: millis(100),
        conversion_wait: millis(200),
        conversion: millis(800),
        launch_wait: millis(50),
        launch: millis(1_000),
        job_end: millis(150),
        job_end_log: millis(10),
        jitter: 0.2,
    }
}
