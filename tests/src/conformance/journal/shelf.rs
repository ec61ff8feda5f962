//! What keeps hooks and the plans that use them together.

use futures::future::join_all;
use tidegate_core::PlanName;
use tidegate_gateway::ports::{
    hook_store::{HookStore, HookStoreError},
    plan_store::{PlanStore, PlanStoreError},
};

use super::{Subject, claim, components::component, newest_plan, plan};

async fn store(hooks: &dyn HookStore, digest: &str) {
    let (hook, bytes) = component(digest, 600_000, 5);
    assert!(hooks.put(hook, bytes).await.unwrap());
}

/// Stores a plan, as one that uses hooks found on a shelf with this number.
async fn use_some(plans: &dyn PlanStore, revision: u64, shelf: u64) -> Result<(), PlanStoreError> {
    plans.put(plan("p", revision), None, Some(shelf)).await
}

/// Plans that use no hooks, and hooks that come, concern nobody.
pub async fn the_shelf_moves_with_what_may_not_meet(subject: &mut impl Subject) {
    let stores = subject.open().await;
    let (plans, hooks) = (stores.plans, stores.hooks);
    let first = hooks.shelf().await.unwrap();
    store(&*hooks, "a").await;
    plans.put(plan("o", 1), None, None).await.unwrap();
    assert!(!hooks.delete("b", first).await.unwrap());
    assert_eq!(hooks.shelf().await.unwrap(), first);

    use_some(&*plans, 1, first).await.unwrap();
    let second = hooks.shelf().await.unwrap();
    assert_ne!(second, first);
    assert!(hooks.delete("a", second).await.unwrap());
    let third = hooks.shelf().await.unwrap();
    assert!(third != second && third != first);
}

/// A plan that may use it was stored since it was found unused.
pub async fn a_hook_is_kept_where_a_plan_came_meanwhile(subject: &mut impl Subject) {
    let stores = subject.open().await;
    let (plans, hooks) = (stores.plans, stores.hooks);
    store(&*hooks, "a").await;
    let shelf = hooks.shelf().await.unwrap();
    use_some(&*plans, 1, shelf).await.unwrap();

    let refused = hooks.delete("a", shelf).await;
    assert!(
        matches!(refused, Err(HookStoreError::Outdated)),
        "{refused:?}"
    );
    let (hook, bytes) = component("a", 600_000, 5);
    assert_eq!(hooks.list().await.unwrap(), [hook]);
    assert!(hooks.get("a").await.unwrap() == Some(bytes));
    // There is none, and that is no matter of the shelf.
    assert!(!hooks.delete("b", shelf).await.unwrap());
}

/// A hook that it may use was deleted since it was found there; and nothing is
/// written, the claim included.
pub async fn a_plan_is_refused_where_a_hook_went_meanwhile(subject: &mut impl Subject) {
    let stores = subject.open().await;
    let (plans, hooks) = (stores.plans, stores.hooks);
    store(&*hooks, "a").await;
    let shelf = hooks.shelf().await.unwrap();
    assert!(hooks.delete("a", shelf).await.unwrap());

    let refused = plans.put(plan("p", 1), claim("key", ""), Some(shelf)).await;
    assert!(
        matches!(refused, Err(PlanStoreError::Outdated)),
        "{refused:?}"
    );
    assert_eq!(newest_plan(&*plans, "p").await, None);
    assert_eq!(plans.last_revision(&"p".into()).await.unwrap(), 0);
    assert_eq!(stores.journal.claim("key").await.unwrap(), None);
    // Which revision is next matters first.
    let refused = use_some(&*plans, 7, shelf).await;
    assert!(
        matches!(refused, Err(PlanStoreError::Taken { .. })),
        "{refused:?}"
    );

    let shelf = hooks.shelf().await.unwrap();
    let put = plans.put(plan("p", 1), claim("key", ""), Some(shelf));
    put.await.unwrap();
}

/// However close they come.
pub async fn of_a_plan_and_deletions_at_once_exactly_one_is_first(subject: &mut impl Subject) {
    let stores = subject.open().await;
    let (plans, hooks) = (stores.plans, stores.hooks);
    for round in 0..5 {
        let digests = ["a", "b", "c"];
        for digest in digests {
            store(&*hooks, digest).await;
        }
        let shelf = hooks.shelf().await.unwrap();
        let name = PlanName::from("p");
        let next = plans.last_revision(&name).await.unwrap() + 1;
        let deletions = join_all(digests.map(|digest| hooks.delete(digest, shelf)));
        let (put, deleted) = tokio::join!(use_some(&*plans, next, shelf), deletions);
        let gone = deleted.iter().filter(|it| it.is_ok()).count();
        let first = usize::from(put.is_ok()) + gone;
        assert_eq!(first, 1, "round {round}: {put:?}, {deleted:?}");
        assert_eq!(hooks.list().await.unwrap().len(), 3 - gone);
        for digest in digests {
            super::components::delete(&*hooks, digest).await;
        }
    }
}

/// A number from before is as good, or as old, as it was.
pub async fn the_shelf_is_where_it_was_after_reopening(subject: &mut impl Subject) {
    let stores = subject.open().await;
    store(&*stores.hooks, "a").await;
    let first = stores.hooks.shelf().await.unwrap();
    use_some(&*stores.plans, 1, first).await.unwrap();
    let second = stores.hooks.shelf().await.unwrap();
    drop(stores);
    subject.close().await;

    let hooks = subject.open().await.hooks;
    assert_eq!(hooks.shelf().await.unwrap(), second);
    let refused = hooks.delete("a", first).await;
    assert!(
        matches!(refused, Err(HookStoreError::Outdated)),
        "{refused:?}"
    );
    assert!(hooks.delete("a", second).await.unwrap());
}
