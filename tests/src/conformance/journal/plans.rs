//! Plans and their revisions.

use futures::future::join_all;
use tidegate_core::PlanName;
use tidegate_gateway::ports::plan_store::{PlanStore, PlanStoreError};

use super::{Subject, newest_plan, plan, put_first};

async fn assert_refused(plans: &dyn PlanStore, name: &str, asked: u64, expected: u64) {
    match plans.put(plan(name, asked), None, None).await {
        Err(PlanStoreError::Taken { revision, newest }) => {
            assert_eq!((revision, newest), (asked, expected));
        }
        other => panic!("{other:?} instead of a taken revision"),
    }
}

/// Revisions count from 1, and each is written once.
pub async fn plan_revisions_are_dense(subject: &mut impl Subject) {
    let plans = subject.open().await.plans;
    let name = PlanName::from("p");
    for revision in [0, 2, u64::MAX] {
        assert_refused(&*plans, "p", revision, 0).await;
    }
    assert_eq!(plans.last_revision(&name).await.unwrap(), 0);
    assert_eq!(newest_plan(&*plans, "p").await, None);
    for revision in 1..=3 {
        let rivals = (0..8).map(|_| plans.put(plan("p", revision), None, None));
        let answers = join_all(rivals).await;
        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
        assert_refused(&*plans, "p", revision, revision).await;
    }
    assert_eq!(plans.last_revision(&name).await.unwrap(), 3);
    assert_eq!(newest_plan(&*plans, "p").await, Some(plan("p", 3)));
    for revision in 1..=3 {
        let stored = plans.get(&name, Some(revision)).await.unwrap();
        assert_eq!(stored, Some(plan("p", revision)));
    }
    assert_eq!(plans.get(&name, Some(4)).await.unwrap(), None);
}

/// A revision number never comes to mean another plan.
pub async fn plan_revisions_go_on_after_a_plan_was_deleted(subject: &mut impl Subject) {
    let plans = subject.open().await.plans;
    let name = PlanName::from("p");
    for round in [1, 3, 5] {
        plans.put(plan("p", round), None, None).await.unwrap();
        plans.put(plan("p", round + 1), None, None).await.unwrap();
        assert!(plans.delete(&name, None).await.unwrap());
        assert_eq!(plans.last_revision(&name).await.unwrap(), round + 1);
        assert_refused(&*plans, "p", 1, round + 1).await;
    }
}

/// Deleting takes every revision, and nothing of other plans.
pub async fn a_deleted_plan_is_gone_until_it_is_created_again(subject: &mut impl Subject) {
    let plans = subject.open().await.plans;
    let name = PlanName::from("p");
    assert!(!plans.delete(&name, None).await.unwrap());
    put_first(&*plans, &["o", "p", "pp"]).await;
    plans.put(plan("p", 2), None, None).await.unwrap();

    assert!(plans.delete(&name, None).await.unwrap());

    assert!(!plans.delete(&name, None).await.unwrap());
    for revision in [None, Some(1), Some(2)] {
        assert_eq!(plans.get(&name, revision).await.unwrap(), None);
    }
    assert!(plans.revisions(&name, None, 10).await.unwrap().is_empty());
    let others = [plan("o", 1), plan("pp", 1)];
    assert_eq!(plans.list(None, 10).await.unwrap(), others);

    plans.put(plan("p", 3), None, None).await.unwrap();
    assert_eq!(newest_plan(&*plans, "p").await, Some(plan("p", 3)));
    assert_eq!(plans.get(&name, Some(2)).await.unwrap(), None);
    let revisions = plans.revisions(&name, None, 10).await.unwrap();
    assert_eq!(revisions, [plan("p", 3)]);
}

/// The list has one entry per plan, its newest.
pub async fn plans_are_listed_by_name_and_page_by_page(subject: &mut impl Subject) {
    let plans = subject.open().await.plans;
    assert!(plans.list(None, 10).await.unwrap().is_empty());
    put_first(&*plans, &["c", "a", "e", "b", "d"]).await;
    plans.put(plan("b", 2), None, None).await.unwrap();
    plans.delete(&"d".into(), None).await.unwrap();

    let all = [plan("a", 1), plan("b", 2), plan("c", 1), plan("e", 1)];
    assert_eq!(plans.list(None, 10).await.unwrap(), all);
    assert_eq!(plans.list(None, 2).await.unwrap(), all[..2]);
    let after = |name: &'static str, limit| {
        let plans = plans.clone();
        async move { plans.list(Some(&name.into()), limit).await.unwrap() }
    };
    assert_eq!(after("b", 2).await, all[2..]);
    assert_eq!(after("d", 9).await, all[3..]);
    assert_eq!(after("bb", 1).await, all[2..3]);
    assert!(after("e", 9).await.is_empty());
    assert!(plans.list(None, 0).await.unwrap().is_empty());
}

/// History goes back in time.
pub async fn revisions_are_listed_newest_first_and_page_by_page(subject: &mut impl Subject) {
    let plans = subject.open().await.plans;
    let name = PlanName::from("p");
    assert!(plans.revisions(&name, None, 10).await.unwrap().is_empty());
    put_first(&*plans, &["o", "pp"]).await;
    for revision in 1..=5 {
        plans.put(plan("p", revision), None, None).await.unwrap();
    }
    let cases = [
        (None, 10, vec![5, 4, 3, 2, 1]),
        (None, 2, vec![5, 4]),
        (Some(4), 2, vec![3, 2]),
        (Some(2), 2, vec![1]),
        (Some(1), 2, vec![]),
        (Some(0), 2, vec![]),
        (Some(100), 1, vec![5]),
        (None, 0, vec![]),
    ];
    for (before, limit, expected) in cases {
        let page = plans.revisions(&name, before, limit).await.unwrap();
        let expected: Vec<_> = expected.into_iter().map(|n| plan("p", n)).collect();
        assert_eq!(page, expected, "{limit} before {before:?}");
    }
}

/// Names that contain, extend or look like each other's keys.
pub async fn plans_of_unusual_names_stay_apart(subject: &mut impl Subject) {
    let plans = subject.open().await.plans;
    let mut names = [
        "",
        "\0",
        "a",
        "a\0",
        "a\0\0\0\0\0\0\0\u{1}",
        "aa",
        "ä",
        "計画",
    ];
    put_first(&*plans, &names).await;
    plans.put(plan("a", 2), None, None).await.unwrap();
    plans.delete(&"a".into(), None).await.unwrap();
    plans.put(plan("a", 3), None, None).await.unwrap();

    names.sort_unstable();
    let expected = names.map(|name| plan(name, if name == "a" { 3 } else { 1 }));
    assert_eq!(plans.list(None, 100).await.unwrap(), expected);
    for newest in expected {
        let revisions = plans.revisions(&newest.name, None, 10).await.unwrap();
        assert_eq!(revisions, [newest]);
    }
}
