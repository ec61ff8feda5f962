//! The same request again: later, and while it is still under way.

use std::sync::atomic::{AtomicBool, Ordering};

use futures::future::{BoxFuture, FutureExt};
use tidegate_core::PlanName;
use tokio::sync::Notify;

use super::*;
use crate::{
    adapters::journal_memory::MemoryJournal,
    ports::{
        journal::{Claim, ReadError},
        plan_store::{PlanStore, PlanStoreError, StoredPlan},
    },
};

/// Plans of which one read is slow: it waits until somebody else has written.
#[derive(Default)]
struct SlowRead {
    stored: MemoryJournal,
    hold: AtomicBool,
    written: Notify,
}

impl SlowRead {
    /// The next read is slow.
    fn hold(&self) {
        // What was written before does not count.
        let _ = self.written.notified().now_or_never();
        self.hold.store(true, Ordering::SeqCst);
    }
}

impl PlanStore for SlowRead {
    fn put(
        &self,
        plan: StoredPlan,
        claim: Option<Claim>,
        shelf: Option<u64>,
    ) -> BoxFuture<'_, Result<(), PlanStoreError>> {
        async move {
            self.stored.put(plan, claim, shelf).await?;
            self.written.notify_one();
            Ok(())
        }
        .boxed()
    }

    fn get(
        &self,
        name: &PlanName,
        revision: Option<u64>,
    ) -> BoxFuture<'_, Result<Option<StoredPlan>, ReadError>> {
        let name = name.clone();
        async move {
            if self.hold.swap(false, Ordering::SeqCst) {
                self.written.notified().await;
            }
            self.stored.get(&name, revision).await
        }
        .boxed()
    }

    fn last_revision(&self, name: &PlanName) -> BoxFuture<'_, Result<u64, ReadError>> {
        self.stored.last_revision(name)
    }

    fn list(
        &self,
        after: Option<&PlanName>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<StoredPlan>, ReadError>> {
        self.stored.list(after, limit)
    }

    fn revisions(
        &self,
        name: &PlanName,
        before: Option<u64>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<StoredPlan>, ReadError>> {
        self.stored.revisions(name, before, limit)
    }

    fn delete(
        &self,
        name: &PlanName,
        claim: Option<Claim>,
    ) -> BoxFuture<'_, Result<bool, PlanStoreError>> {
        self.stored.delete(name, claim)
    }

    fn take_claim(&self, claim: Claim) -> BoxFuture<'_, Result<(), PlanStoreError>> {
        self.stored.take_claim(claim)
    }
}

/// A gateway, and the plans of which one read can be slow.
async fn world() -> (World, Arc<SlowRead>) {
    let plans = Arc::new(SlowRead::default());
    let ports = Ports {
        journal: Arc::new(plans.stored.clone()),
        plans: Arc::clone(&plans) as Arc<dyn PlanStore>,
        ..Ports::in_memory(Arc::new(CalmDrs::default()))
    };
    (World::on(ports, |_| {}).await, plans)
}

fn described(description: &str, revision: u64) -> v1::Plan {
    let mut plan = fixtures::shop();
    plan.revision = revision;
    plan.spec.as_mut().unwrap().description = description.to_owned();
    plan
}

fn update(plan: v1::Plan, id: &str) -> v1::UpdatePlanRequest {
    v1::UpdatePlanRequest {
        plan: Some(plan),
        request_id: id.to_owned(),
        ..v1::UpdatePlanRequest::default()
    }
}

fn delete(id: &str, allow_missing: bool) -> v1::DeletePlanRequest {
    v1::DeletePlanRequest {
        name: "shop".to_owned(),
        allow_missing,
        request_id: id.to_owned(),
    }
}

async fn newest(world: &mut World) -> v1::Plan {
    let request = v1::GetPlanRequest {
        name: "shop".to_owned(),
        revision: 0,
    };
    let found = world.plans.get_plan(request).await.unwrap();
    found.into_inner().plan.unwrap()
}

#[tokio::test]
async fn an_update_that_changed_nothing_undoes_nothing_when_it_is_asked_again() {
    let mut world = World::start().await;
    world.store(described("mine", 0)).await;
    let request = update(described("mine", 0), "mine");
    let first = world.plans.update_plan(request.clone()).await.unwrap();
    let first = first.into_inner();
    assert!(!first.changed);
    let theirs = world.store(described("theirs", 0)).await;

    let again = world.plans.update_plan(request).await.unwrap();

    assert_eq!(again.into_inner(), first);
    assert_eq!(newest(&mut world).await, theirs);
}

#[tokio::test]
async fn a_deletion_of_nothing_deletes_nothing_when_it_is_asked_again() {
    let mut world = World::start().await;
    world.plans.delete_plan(delete("mine", true)).await.unwrap();
    let theirs = world.store(described("theirs", 0)).await;

    world.plans.delete_plan(delete("mine", true)).await.unwrap();

    assert_eq!(newest(&mut world).await, theirs);
    let reused = world.plans.delete_plan(delete("mine", false)).await;
    assert_eq!(reason(&reused.unwrap_err()), "REQUEST_ID_REUSED");
}

#[tokio::test]
async fn a_deletion_that_was_refused_may_be_asked_again() {
    let mut world = World::start().await;
    let request = delete("mine", false);
    let refused = world.plans.delete_plan(request.clone()).await.unwrap_err();
    assert_eq!(reason(&refused), "PLAN_NOT_FOUND");
    world.store(fixtures::shop()).await;

    world.plans.delete_plan(request.clone()).await.unwrap();

    world.plans.delete_plan(request).await.unwrap();
}

#[tokio::test]
async fn a_creation_asked_twice_at_once_is_answered_once() {
    let (world, plans) = world().await;
    plans.hold();
    let create = || {
        let mut client = world.plans.clone();
        let request = v1::CreatePlanRequest {
            plan: Some(fixtures::shop()),
            request_id: "mine".to_owned(),
        };
        async move { client.create_plan(request).await }
    };

    let (one, other) = tokio::join!(create(), create());

    let one = one.unwrap().into_inner();
    assert_eq!(other.unwrap().into_inner(), one);
    assert_eq!(one.plan.unwrap().revision, 1);
}

#[tokio::test]
async fn an_update_asked_twice_at_once_is_answered_once() {
    let (mut world, plans) = world().await;
    let mut revision = world.store(fixtures::shop()).await.revision;
    // On whatever is newest, and on what the caller saw.
    for (id, expected) in [("any", 0), ("seen", 2)] {
        plans.hold();
        let ask = || {
            let mut client = world.plans.clone();
            let request = update(described(id, expected), id);
            async move { client.update_plan(request).await }
        };

        let (one, other) = tokio::join!(ask(), ask());

        let one = one.unwrap().into_inner();
        assert_eq!(other.unwrap().into_inner(), one);
        revision += 1;
        assert!(one.changed);
        assert_eq!(one.plan.unwrap().revision, revision);
    }
}
