//! Components and tapes in the file.

use std::pin::pin;

use bytes::Bytes;
use redb::Database;
use tidegate_core::{HookIx, Timestamp, WaveIx, engine::CommandId, plan::HookPhase};

use super::{disk::Switches, files::Place, first_record, open_on};
use crate::{
    adapters::journal_redb::{
        hook_rows::chunk_key,
        tables::{HOOK_CHUNKS, HOOKS, TAPES},
    },
    ports::{
        hook_store::{HookStore, HookStoreError, StoredHook, TapeKey},
        journal::{Journal, ReadError},
    },
};

#[tokio::test]
async fn a_component_without_a_part_is_damaged_until_it_is_put_again() {
    let place = Place::new();
    let journal = place.open().unwrap();
    let (hook, bytes) = component();
    HookStore::put(&journal, hook.clone(), bytes.clone())
        .await
        .unwrap();
    drop(journal);
    change(&place, |transaction| {
        let mut chunks = transaction.open_table(HOOK_CHUNKS).unwrap();
        let second = chunk_key(&hook.digest, 1);
        assert!(chunks.remove(second.as_slice()).unwrap().is_some());
    });

    let journal = place.open().unwrap();
    let read = HookStore::get(&journal, &hook.digest).await;
    let Err(ReadError::Damaged(reason)) = read else {
        panic!("{read:?}");
    };
    assert!(reason.contains(&hook.digest), "{reason}");

    let later = StoredHook {
        created_at: Timestamp::from_millis(9),
        ..hook.clone()
    };
    assert!(
        !HookStore::put(&journal, later, bytes.clone())
            .await
            .unwrap()
    );
    let healed = HookStore::get(&journal, &hook.digest).await.unwrap();
    assert!(healed == Some(bytes));
    assert_eq!(HookStore::list(&journal).await.unwrap(), [hook]);
}

#[tokio::test]
async fn a_file_from_before_hooks_is_given_room_for_them() {
    let place = Place::new();
    let journal = place.open().unwrap();
    journal.append(first_record("execution")).await.unwrap();
    drop(journal);
    change(&place, |transaction| {
        for table in [HOOKS, HOOK_CHUNKS, TAPES] {
            assert!(transaction.delete_table(table).unwrap());
        }
    });

    let journal = place.open().unwrap();

    assert_eq!(HookStore::list(&journal).await.unwrap(), []);
    assert!(journal.tapes(&"execution".into()).await.unwrap().is_empty());
    assert_eq!(HookStore::get(&journal, "sha256:00").await.unwrap(), None);
    let (hook, bytes) = component();
    assert!(HookStore::put(&journal, hook, bytes).await.unwrap());
    let records = journal.read(&"execution".into(), 0, 10).await.unwrap();
    assert_eq!(records.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_caller_commits_a_component_or_a_tape_by_itself() {
    let switches = Switches::default();
    let journal = open_on(&switches).unwrap();
    let (hook, bytes) = component();
    // With the disk held, a caller that committed would not come back.
    switches.hold_syncs();
    let mut put = pin!(HookStore::put(&journal, hook.clone(), bytes));
    assert!(futures::poll!(put.as_mut()).is_pending());
    switches.release_syncs();
    assert!(put.await.unwrap());

    switches.hold_syncs();
    let mut taped = pin!(journal.put_tape(tape(), "tape".into()));
    assert!(futures::poll!(taped.as_mut()).is_pending());
    switches.release_syncs();
    taped.await.unwrap();

    switches.hold_syncs();
    let mut deleted = pin!(HookStore::delete(&journal, &hook.digest, 0));
    assert!(futures::poll!(deleted.as_mut()).is_pending());
    switches.release_syncs();
    assert!(deleted.await.unwrap());
}

#[tokio::test]
async fn after_a_failed_sync_nobody_knows_what_is_stored() {
    let switches = Switches::default();
    let journal = open_on(&switches).unwrap();
    switches.fail_syncs();
    let (hook, bytes) = component();

    let put = HookStore::put(&journal, hook, bytes).await;
    let taped = journal.put_tape(tape(), "tape".into()).await;

    assert!(matches!(put, Err(HookStoreError::Unknown(_))), "{put:?}");
    assert!(matches!(taped, Err(HookStoreError::Unknown(_))));
    let failure = journal.fatal().await.to_string();
    assert!(failure.contains("the disk is broken"), "{failure}");
}

/// Three parts, the last of them not full.
pub(super) fn component() -> (StoredHook, Bytes) {
    let bytes: Vec<u8> = (0..=250).cycle().take(600_000).collect();
    let hook = StoredHook {
        digest: "sha256:c0ffee".to_owned(),
        size: 600_000,
        created_at: Timestamp::from_millis(5),
    };
    (hook, bytes.into())
}

pub(super) fn tape() -> TapeKey {
    TapeKey {
        execution: "execution".into(),
        command: CommandId::Hook {
            wave: WaveIx(0),
            phase: HookPhase::PreWave,
            hook: HookIx(0),
            attempt: 1,
        },
    }
}

/// Changes the file of a closed journal.
fn change(place: &Place, change: impl FnOnce(&redb::WriteTransaction)) {
    let database = Database::open(place.file()).unwrap();
    let transaction = database.begin_write().unwrap();
    change(&transaction);
    transaction.commit().unwrap();
}
