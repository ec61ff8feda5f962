//! A gateway that ends and starts again on what it recorded.

use tidegate_proto::v1::{watch_all_response, watch_response::Message};

use super::*;
use crate::adapters::journal_redb::{DataDir, RedbJournal, Settings};
use crate::{
    adapters::{no_hooks::NoHooks, system_clock::SystemClock},
    ports::{hook_store::HookStore, journal::Journal, plan_store::PlanStore},
};

/// Ports on the journal in a directory, with a DRS that lives longer.
fn ports(dir: &Path, drs: &Arc<CalmDrs>) -> Ports {
    let directory = Arc::new(DataDir::open(dir.join("data")).unwrap());
    let journal = RedbJournal::open(directory, &Settings::default()).unwrap();
    let store = Arc::new(journal);
    Ports {
        journal: Arc::clone(&store) as Arc<dyn Journal>,
        plans: Arc::clone(&store) as Arc<dyn PlanStore>,
        hook_store: store as Arc<dyn HookStore>,
        cluster: None,
        drs: Arc::clone(drs) as Arc<_>,
        clock: Arc::new(SystemClock),
        hooks: Arc::new(NoHooks),
        fatal: Box::pin(std::future::pending()),
    }
}

#[tokio::test]
async fn cursors_are_good_for_the_next_gateway_on_the_same_journal() {
    let dir = tempfile::tempdir().unwrap();
    let drs = Arc::new(CalmDrs::default());
    let mut world = World::on(ports(dir.path(), &drs), |_| {}).await;
    let drill = world.drill().await;
    world.until(&drill.id, v1::ExecutionState::Paused).await;
    let mut one = world.watch(&drill.id, None).await;
    let Some(Message::Header(header)) = one.next().await.unwrap().unwrap().message else {
        panic!("a stream begins with its header");
    };
    let request = v1::WatchAllRequest::default();
    let mut all = world
        .executions
        .watch_all(request)
        .await
        .unwrap()
        .into_inner();
    let cursor = all.next().await.unwrap().unwrap().cursor;
    let World {
        gateway,
        plans,
        executions,
    } = world;
    gateway.shut_down().await;
    // The clients' connections hold nothing of the gateway.
    drop((plans, executions, one, all));

    let mut world = World::on(ports(dir.path(), &drs), |_| {}).await;
    let again = world.start_drill("shop", "first").await.unwrap();
    assert_eq!(again.id, drill.id, "the same request, after a restart");
    let mut one = world.watch(&drill.id, Some(header.revision)).await;
    let Some(Message::Header(resumed)) = one.next().await.unwrap().unwrap().message else {
        panic!("a stream begins with its header");
    };
    assert_eq!(resumed.change_index, header.change_index);
    assert_eq!(
        resumed.snapshot.unwrap().waves,
        header.snapshot.unwrap().waves
    );
    let Some(Message::Commit(commit)) = one.next().await.unwrap().unwrap().message else {
        panic!("the new owner's first record follows");
    };
    assert_eq!(commit.revision, header.revision + 1);
    assert!(matches!(
        commit.changes[0].kind,
        Some(v1::change::Kind::Owner(_))
    ));

    let request = v1::WatchAllRequest {
        filter: None,
        cursor,
    };
    let mut all = world
        .executions
        .watch_all(request)
        .await
        .unwrap()
        .into_inner();
    let first = all.next().await.unwrap().unwrap().message;
    let Some(watch_all_response::Message::Commit(of_all)) = first else {
        panic!("it goes on with a commit: {first:?}");
    };
    assert_eq!(of_all.commit, Some(commit));
    world.gateway.shut_down().await;
}
