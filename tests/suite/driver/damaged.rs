//! Stored records that are records, follow the one before, and make no sense.

use std::slice;

use tidegate_core::{
    ExecutionId, HookIx, LaunchIx, ServerIx, Timestamp, WaveIx,
    engine::{Hold, Reason, ServerState},
    plan::HookPhase,
};
use tidegate_gateway::{
    driver::Listed,
    journal_format::{self, RecordDraft},
    ports::journal::{Append, HeadUpdate},
};

use super::*;

#[tokio::test]
async fn a_change_that_does_not_fit_its_plan_is_damage_and_says_what_does_not_fit() {
    for (change, says) in misfits() {
        let world = World::new(FakeDrs::manual());
        let id = world.started("db", "r1").await;
        let forged = world.forge(&id, slice::from_ref(&change)).await;

        let driver = world.driver().await;
        let error = driver.view(&id).await.unwrap_err();

        let DriverError::Damaged(why) = error else {
            panic!("{change:?} is {error}");
        };
        let begins = format!("record {} of {id} does not fit: its change ", forged.0);
        assert!(why.starts_with(&begins), "{why}");
        let name = change.name();
        assert!(why.ends_with(&format!(", {name}: {says}")), "{why}");
        let refused = driver.request(&id, pause(), None).await.unwrap_err();
        assert!(matches!(refused, DriverError::Damaged(_)), "{refused}");
        driver.stop().await;
    }
}

#[tokio::test]
async fn a_damaged_execution_is_listed_and_keeps_no_other_from_going_on() {
    let world = World::new(FakeDrs::manual());
    let driver = world.driver().await;
    let damaged = driver.start_execution(order("db", "r1")).await.unwrap();
    let other = driver.start_execution(order("#7 x", "r2")).await.unwrap();
    world.drs.called(2).await;
    driver.stop().await;
    let ids = [damaged.execution.id(), other.execution.id()];
    world.forge(ids[0], &[misfits().remove(0).0]).await;

    let driver = world.driver().await;

    let listed = driver.list(None, 10).await.unwrap();
    let [Listed::Live(live), Listed::Damaged { head, why }] = &listed[..] else {
        panic!("{listed:?}");
    };
    assert_eq!([&head.execution, live.execution.id()], ids);
    assert!(why.contains("the plan has no wave 9"), "{why}");
    let ended = world.settle(&driver, &other).await;
    assert_eq!(ended.execution.state(), ExecutionState::Succeeded);
    // What is damaged is left as it is.
    let stored = world.journal.read(ids[0], 0, 100).await.unwrap();
    let newest = journal_format::decode(&stored.last().unwrap().record).unwrap();
    assert_eq!(newest.nonce, FORGED);
}

#[tokio::test]
async fn changes_that_are_counted_wrongly_are_damage() {
    let world = World::new(FakeDrs::manual());
    let id = world.started("db", "r1").await;
    let (revision, first) = world.forge_from(&id, 1, &[]).await;

    let error = world.driver().await.view(&id).await.unwrap_err();

    let says = format!(
        "the journal is damaged: record {revision} of {id} does not fit: \
         its changes are counted from {} instead of {first}",
        first + 1
    );
    assert_eq!(error.to_string(), says);
}

#[tokio::test]
async fn a_log_that_begins_as_another_execution_is_damage() {
    let world = World::new(FakeDrs::manual());
    let id = world.started("db", "r1").await;
    let records = world.journal.read(&id, 0, 1).await.unwrap();
    let copy = ExecutionId::from("01zz0000000000000000000000");
    let append = Append {
        execution: copy.clone(),
        revision: 1,
        record: records[0].record.clone(),
        head: Some(HeadUpdate {
            live: true,
            summary: Bytes::new(),
        }),
        claim: None,
        holds: None,
    };
    world.journal.append(append).await.unwrap();

    let error = world.driver().await.view(&copy).await.unwrap_err();

    let says = format!("the journal is damaged: the first record of {copy} is one of {id}");
    assert_eq!(error.to_string(), says);
}

/// By which the tests know their own record again.
const FORGED: journal_format::Nonce = [0xfe; 16];

/// Changes that no engine decides after the launch of `db`, and why.
fn misfits() -> Vec<(Change, &'static str)> {
    let (wave, far) = (WaveIx(0), WaveIx(9));
    let reason = Reason::none();
    let hold = |cause| Hold {
        cause,
        detail: "".into(),
    };
    let started = |hook, attempt| Change::HookStarted {
        wave,
        phase: HookPhase::PostWave,
        hook: HookIx(hook),
        attempt,
    };
    let moved = |launch, to| Change::LaunchMoved {
        wave,
        launch: LaunchIx(launch),
        to,
        reason: reason.clone(),
    };
    vec![
        (Change::GateOpened { wave: far }, "the plan has no wave 9"),
        (
            Change::HoldPlaced(hold(HoldCause::Hook(far))),
            "the plan has no wave 9",
        ),
        (
            Change::HoldLifted(hold(HoldCause::Operator)),
            "there is no hold Operator",
        ),
        (started(3, 1), "wave 0 has no verify hook 3"),
        (
            Change::ServerMoved {
                wave,
                server: ServerIx(4),
                to: ServerState::Launched,
                instance: None,
                reason: reason.clone(),
            },
            "wave 0 has no server 4",
        ),
        (moved(2, LaunchState::Refused), "wave 0 has no launch 2"),
        (
            moved(0, LaunchState::Queued { attempt: u32::MAX }),
            "launch 0 of wave 0 is asked for no more",
        ),
        (
            Change::AttemptStarted { wave, attempt: 7 },
            "the attempts of wave 0 stood at 1, and it says 7",
        ),
        (
            Change::OwnerChanged {
                epoch: u64::MAX,
                owner: OwnerId::from("x"),
            },
            "the count of owners stood at 0, and it says 18446744073709551615",
        ),
    ]
}

impl World {
    /// An execution whose launch was accepted, and which nobody drives.
    async fn started(&self, line: &str, request: &str) -> ExecutionId {
        let driver = self.driver().await;
        let started = driver.start_execution(order(line, request)).await;
        let started = started.expect("it starts");
        self.drs.called(1).await;
        driver.stop().await;
        started.execution.id().clone()
    }

    async fn forge(&self, id: &ExecutionId, changes: &[Change]) -> (u64, u64) {
        self.forge_from(id, 0, changes).await
    }

    /// Writes a record that follows the newest one, counted on from beyond
    /// it; gives its revision, and the first index that would be right.
    async fn forge_from(&self, id: &ExecutionId, beyond: u64, changes: &[Change]) -> (u64, u64) {
        let stored = self.journal.read(id, 0, 1_000).await;
        let stored = stored.expect("it can be read");
        let newest = &stored.last().expect("it has begun").record;
        let before = journal_format::decode(newest).expect("a record");
        let first = before.view.first_index + before.view.changes.len() as u64;
        let revision = before.view.revision + 1;
        let record = journal_format::encode(&RecordDraft {
            revision,
            at: Timestamp::from_millis(before.view.at.as_millis() + 1),
            previous: Some(&journal_format::hash(newest)),
            nonce: FORGED,
            epoch: before.epoch,
            request: None,
            genesis: None,
            first_index: first + beyond,
            changes,
        });
        let append = Append {
            execution: id.clone(),
            revision,
            record,
            head: None,
            claim: None,
            holds: None,
        };
        let written = self.journal.append(append).await;
        written.expect("it is the next one");
        (revision, first)
    }
}
