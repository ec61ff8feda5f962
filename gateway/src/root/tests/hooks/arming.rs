//! Plans whose hooks are pinned, made ready, and gone again.

use super::*;
use crate::ports::hooks::Fault;

#[tokio::test]
async fn a_stored_plan_says_which_bytes_it_runs_until_it_is_applied_again() {
    let mut shelf = Shelf::start().await;
    let old = shelf.fake.add("tcp/1");
    let plan = fixtures::verified_shop(&["tcp"]);
    let pinned = |answer: &v1::UpdatePlanResponse| {
        let spec = answer.plan.as_ref().unwrap().spec.as_ref().unwrap();
        spec.waves[1].verify[0].digest.clone()
    };
    let first = shelf.apply(plan.clone()).await.unwrap();
    assert_eq!((first.changed, pinned(&first)), (true, old));
    let same = shelf.apply(plan.clone()).await.unwrap();
    assert_eq!((same.changed, same.plan), (false, first.plan));

    let new = shelf.fake.add("tcp/2");
    let second = shelf.apply(plan).await.unwrap();
    assert_eq!((second.changed, pinned(&second)), (true, new));
    assert_eq!(second.plan.unwrap().revision, 2);
}

#[tokio::test]
async fn a_plan_with_an_unknown_hook_is_refused_by_whoever_checks_it() {
    let mut shelf = Shelf::start().await;
    let plan = fixtures::verified_shop(&["dns"]);
    let field = "spec.waves[1].verify[0].hook";
    let create = v1::CreatePlanRequest {
        plan: Some(plan.clone()),
        request_id: String::new(),
    };
    for refused in [
        shelf.world.plans.create_plan(create).await.unwrap_err(),
        shelf.apply(plan.clone()).await.unwrap_err(),
    ] {
        assert_eq!(reason(&refused), "INVALID_PLAN");
        let bad = refused.get_details_bad_request().unwrap();
        assert_eq!(bad.field_violations[0].field, format!("plan.{field}"));
    }
    let request = v1::ValidatePlanRequest {
        plan: Some(plan.clone()),
    };
    let checked = shelf.world.plans.validate_plan(request.clone()).await;
    let checked = checked.unwrap().into_inner();
    assert_eq!(checked.violations[0].field, field);

    shelf.fake.add("dns");
    let checked = shelf.world.plans.validate_plan(request).await;
    let checked = checked.unwrap().into_inner();
    let applied = shelf.apply(plan).await.unwrap().plan.unwrap();
    assert_eq!((applied.revision, applied.digest), (1, checked.digest));
}

#[tokio::test]
async fn a_plan_whose_hook_is_gone_is_not_started_and_not_ready() {
    let mut shelf = Shelf::start().await;
    let tcp = shelf.fake.add("tcp");
    shelf
        .apply(fixtures::verified_shop(&["tcp"]))
        .await
        .unwrap();
    let first = shelf.world.start_drill("shop", "first").await.unwrap();
    assert!(shelf.fake.lose(&tcp));

    let refused = shelf.world.start_drill("shop", "second").await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    assert_eq!(reason(&refused), "PLAN_NOT_ARMED");
    let field = "spec.waves[1].verify[0].hook";
    let failure = refused.get_details_precondition_failure().unwrap();
    assert_eq!(failure.violations[0].subject, format!("plan.{field}"));
    assert_eq!(failure.violations[0].description, "hook tcp is gone");
    assert!(
        refused.message().contains("tidegate hook push"),
        "{refused}"
    );

    let again = shelf.world.start_drill("shop", "first").await.unwrap();
    assert_eq!(again.id, first.id, "an answered request is answered again");

    let request = v1::CheckReadinessRequest {
        name: "shop".to_owned(),
        revision: 0,
    };
    let readiness = shelf.world.plans.check_readiness(request).await.unwrap();
    let readiness = readiness.into_inner();
    let mut findings = readiness.findings.iter();
    let found = findings.find(|it| it.code == "HOOK_NOT_ARMED").unwrap();
    assert_eq!((found.wave.as_str(), readiness.ready), ("web", false));
}

#[tokio::test]
async fn a_fault_of_the_hooks_host_is_no_mistake_in_a_plan() {
    let mut shelf = Shelf::start().await;
    shelf.fake.add("tcp");
    let plan = fixtures::verified_shop(&["tcp"]);
    shelf.apply(plan.clone()).await.unwrap();
    let mut changed = plan.clone();
    changed.labels.insert("env".to_owned(), "test".to_owned());
    for (fault, code, why) in [
        (Fault::Host, Code::Unavailable, "HOOKS_UNAVAILABLE"),
        (
            Fault::Exhausted,
            Code::ResourceExhausted,
            "HOOK_HOST_EXHAUSTED",
        ),
    ] {
        shelf.fake.fail(Some(fault));
        let validate = v1::ValidatePlanRequest {
            plan: Some(plan.clone()),
        };
        let validated = shelf.world.plans.validate_plan(validate).await;
        for refused in [
            shelf.apply(changed.clone()).await.unwrap_err(),
            validated.unwrap_err(),
            shelf.world.start_drill("shop", "first").await.unwrap_err(),
        ] {
            assert_eq!((refused.code(), &*reason(&refused)), (code, why));
            assert!(refused.get_details_bad_request().is_none(), "{refused}");
            let message = refused.message();
            let place = "spec.waves[1].verify[0].digest: hook tcp does not compile now";
            assert!(message.contains(place), "{message}");
            assert!(message.contains("try again"), "{message}");
        }
        let request = v1::CheckReadinessRequest {
            name: "shop".to_owned(),
            revision: 0,
        };
        let readiness = shelf.world.plans.check_readiness(request).await.unwrap();
        let mut findings = readiness.into_inner().findings.into_iter();
        assert!(findings.any(|it| it.code == "HOOK_HOST_UNAVAILABLE"));
    }

    shelf.fake.fail(None);
    assert!(shelf.apply(changed).await.unwrap().changed);
    shelf.world.start_drill("shop", "first").await.unwrap();
}

#[tokio::test]
async fn a_hook_that_is_deleted_while_a_plan_is_checked_is_missed_before_it_is_stored() {
    let mut shelf = Shelf::start().await;
    let tcp = shelf.fake.add("tcp");
    let arms = *shelf.fake.arms.borrow();
    let every = shelf.fake.armings.available_permits();
    shelf.fake.armings.forget_permits(every);
    let mut plans = shelf.world.plans.clone();
    let applying = tokio::spawn(async move {
        let plan = fixtures::verified_shop(&["tcp"]);
        plans.update_plan(apply(plan)).await
    });
    let mut heard = shelf.fake.arms.subscribe();
    heard.wait_for(|it| *it > arms).await.unwrap();

    shelf.delete(&tcp).await.unwrap();
    shelf.fake.armings.add_permits(2);

    let refused = applying.await.unwrap().unwrap_err();
    assert_eq!(reason(&refused), "INVALID_PLAN");
    let missing = v1::GetPlanRequest {
        name: "shop".to_owned(),
        revision: 0,
    };
    let missing = shelf.world.plans.get_plan(missing).await.unwrap_err();
    assert_eq!(missing.code(), Code::NotFound);
}

#[tokio::test]
async fn a_gateway_that_starts_makes_the_hooks_of_every_plan_ready() {
    let mut before = Shelf::start().await;
    before.fake.add("tcp");
    before
        .apply(fixtures::verified_shop(&["tcp"]))
        .await
        .unwrap();
    let arms = *before.fake.arms.borrow();
    let stored = before
        .world
        .plans
        .list_plans(v1::ListPlansRequest::default());
    let stored = stored.await.unwrap().into_inner().plans.remove(0);
    let plans = crate::adapters::journal_memory::MemoryJournal::new();
    let put = crate::ports::plan_store::StoredPlan {
        name: "shop".into(),
        revision: 1,
        plan: prost::Message::encode_to_vec(&stored).into(),
    };
    crate::ports::plan_store::PlanStore::put(&plans, put, None, None)
        .await
        .unwrap();

    let fake = Arc::clone(&before.fake);
    let _after = Shelf::on(fake, |ports| ports.plans = Arc::new(plans)).await;

    let mut heard = before.fake.arms.subscribe();
    heard.wait_for(|it| *it > arms).await.unwrap();
}
