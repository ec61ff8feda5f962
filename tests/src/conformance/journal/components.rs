//! Components of hooks.

use bytes::Bytes;
use futures::future::join_all;
use tidegate_core::Timestamp;
use tidegate_gateway::ports::hook_store::{HookStore, StoredHook};

use super::Subject;

/// A component's row and bytes. No two digests have the same bytes.
pub(super) fn component(digest: &str, size: usize, millis: u64) -> (StoredHook, Bytes) {
    let bytes: Vec<u8> = digest.bytes().chain(0..=250).cycle().take(size).collect();
    let hook = StoredHook {
        digest: digest.to_owned(),
        size: size as u64,
        created_at: Timestamp::from_millis(millis),
    };
    (hook, bytes.into())
}

/// Deletes a component that nobody uses; says whether there was one.
pub(super) async fn delete(hooks: &dyn HookStore, digest: &str) -> bool {
    let shelf = hooks.shelf().await.unwrap();
    hooks.delete(digest, shelf).await.unwrap()
}

async fn put(hooks: &dyn HookStore, digest: &str, size: usize, millis: u64) -> bool {
    let (hook, bytes) = component(digest, size, millis);
    hooks.put(hook, bytes).await.unwrap()
}

/// Asserts that exactly these components are stored, each as it was put.
async fn assert_stored(hooks: &dyn HookStore, expected: &[(&str, usize, u64)]) {
    let expected: Vec<_> = expected
        .iter()
        .map(|&(digest, size, millis)| component(digest, size, millis))
        .collect();
    let listed: Vec<_> = expected.iter().map(|(hook, _)| hook.clone()).collect();
    assert_eq!(hooks.list().await.unwrap(), listed);
    for (hook, bytes) in expected {
        let found = hooks.get(&hook.digest).await.unwrap();
        assert!(found == Some(bytes), "the bytes of {:?}", hook.digest);
    }
}

/// What comes back is what was put, however it is cut inside.
pub async fn components_of_any_size_come_back_whole(subject: &mut impl Subject) {
    let hooks = subject.open().await.hooks;
    assert_stored(&*hooks, &[]).await;
    assert_eq!(hooks.get("a").await.unwrap(), None);
    let sizes = [
        ("a", 0),
        ("b", 1),
        ("c", 262_143),
        ("d", 262_144),
        ("e", 262_145),
        ("f", 9_000_000),
    ];
    for (digest, size) in sizes.into_iter().rev() {
        assert!(put(&*hooks, digest, size, 7).await);
    }
    let expected = sizes.map(|(digest, size)| (digest, size, 7));
    assert_stored(&*hooks, &expected).await;
}

/// To put it again is not to store it later.
pub async fn a_component_that_is_put_again_keeps_its_first_instant(subject: &mut impl Subject) {
    let hooks = subject.open().await.hooks;
    assert!(put(&*hooks, "a", 600_000, 5).await);
    for millis in [9, 1] {
        assert!(!put(&*hooks, "a", 600_000, millis).await);
    }
    assert_stored(&*hooks, &[("a", 600_000, 5)]).await;
}

/// Of those that put the same at once, one is told that it was new.
pub async fn of_concurrent_puts_of_a_component_exactly_one_is_the_first(
    subject: &mut impl Subject,
) {
    let hooks = subject.open().await.hooks;
    let puts = (0..8).map(|_| put(&*hooks, "a", 300_000, 5));
    let new = join_all(puts).await.into_iter().filter(|new| *new);
    assert_eq!(new.count(), 1);
    assert_stored(&*hooks, &[("a", 300_000, 5)]).await;
}

/// Deleting takes all of one component, and nothing of others.
pub async fn a_deleted_component_is_gone_until_it_is_put_again(subject: &mut impl Subject) {
    let hooks = subject.open().await.hooks;
    assert!(!delete(&*hooks, "b").await);
    for digest in ["a", "b", "c"] {
        put(&*hooks, digest, 600_000, 5).await;
    }

    assert!(delete(&*hooks, "b").await);

    assert!(!delete(&*hooks, "b").await);
    assert_eq!(hooks.get("b").await.unwrap(), None);
    let others = [("a", 600_000, 5), ("c", 600_000, 5)];
    assert_stored(&*hooks, &others).await;
    assert!(put(&*hooks, "b", 10, 8).await);
    assert_stored(&*hooks, &[others[0], ("b", 10, 8), others[1]]).await;
}

/// No digest's bytes lie among another's.
pub async fn components_of_unusual_digests_stay_apart(subject: &mut impl Subject) {
    let hooks = subject.open().await.hooks;
    let digests = ["", "\0", "\0\0\0\0", "a", "a\0\0\0\0", "aa", "é"];
    for digest in digests {
        assert!(put(&*hooks, digest, 300_000, 1).await);
    }
    let expected = digests.map(|digest| (digest, 300_000, 1));
    assert_stored(&*hooks, &expected).await;
    for digest in digests {
        assert!(delete(&*hooks, digest).await);
    }
    assert_stored(&*hooks, &[]).await;
}
