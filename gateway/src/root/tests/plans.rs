//! Plans, as a client stores them.

use tonic::Code;
use tonic_types::StatusExt;

use super::*;

fn create(id: &str) -> v1::CreatePlanRequest {
    v1::CreatePlanRequest {
        plan: Some(fixtures::shop()),
        request_id: id.to_owned(),
    }
}

fn update(revision: u64, description: &str) -> v1::UpdatePlanRequest {
    let mut plan = fixtures::shop();
    plan.revision = revision;
    plan.spec.as_mut().unwrap().description = description.to_owned();
    v1::UpdatePlanRequest {
        plan: Some(plan),
        ..v1::UpdatePlanRequest::default()
    }
}

fn delete(allow_missing: bool) -> v1::DeletePlanRequest {
    v1::DeletePlanRequest {
        name: "shop".to_owned(),
        allow_missing,
        request_id: String::new(),
    }
}

#[tokio::test]
async fn a_plan_is_created_once_and_the_same_request_gets_the_first_answer() {
    let mut world = World::start().await;
    let first = world
        .plans
        .create_plan(create("a"))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(first.plan.as_ref().unwrap().revision, 1);

    let again = world
        .plans
        .create_plan(create("a"))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(again, first);

    let other = world.plans.create_plan(create("b")).await.unwrap_err();
    assert_eq!(other.code(), Code::AlreadyExists);
    let mut reused = create("a");
    reused.plan.as_mut().unwrap().labels.clear();
    let reused = world.plans.create_plan(reused).await.unwrap_err();
    assert_eq!(reason(&reused), "REQUEST_ID_REUSED");
}

#[tokio::test]
async fn an_update_adds_a_revision_only_for_new_content_and_only_on_the_newest() {
    let mut world = World::start().await;
    let missing = world.plans.update_plan(update(0, "x")).await.unwrap_err();
    assert_eq!(missing.code(), Code::NotFound);
    let first = world.store(fixtures::shop()).await;

    let same = world
        .plans
        .update_plan(update(0, "The shop"))
        .await
        .unwrap()
        .into_inner();
    assert_eq!((same.changed, same.plan), (false, Some(first)));

    let second = world
        .plans
        .update_plan(update(1, "new"))
        .await
        .unwrap()
        .into_inner();
    assert!(second.changed);
    assert_eq!(second.plan.unwrap().revision, 2);

    let stale = world
        .plans
        .update_plan(update(1, "newer"))
        .await
        .unwrap_err();
    assert_eq!(stale.code(), Code::Aborted);
    let info = stale.get_details_error_info().unwrap();
    assert_eq!(info.metadata["newest_revision"], "2");

    let request = v1::ListPlanRevisionsRequest {
        name: "shop".to_owned(),
        page_size: 1,
        ..v1::ListPlanRevisionsRequest::default()
    };
    let page = world
        .plans
        .list_plan_revisions(request.clone())
        .await
        .unwrap()
        .into_inner();
    assert_eq!(page.plans[0].revision, 2);
    let request = v1::ListPlanRevisionsRequest {
        page_token: page.next_page_token,
        ..request
    };
    let page = world
        .plans
        .list_plan_revisions(request)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (page.plans[0].revision, page.next_page_token.as_str()),
        (1, "")
    );
}

#[tokio::test]
async fn a_plan_is_kept_while_an_execution_of_it_is_not_over() {
    let mut world = World::start().await;
    let drill = world.drill().await;
    world.until(&drill.id, v1::ExecutionState::Paused).await;

    let refused = world.plans.delete_plan(delete(false)).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    let info = refused.get_details_error_info().unwrap();
    assert_eq!(info.metadata["execution"], drill.id);

    world.resume(&drill.id).await.unwrap();
    world.until(&drill.id, v1::ExecutionState::Succeeded).await;
    world.plans.delete_plan(delete(false)).await.unwrap();
    let gone = world.plans.delete_plan(delete(false)).await.unwrap_err();
    assert_eq!(gone.code(), Code::NotFound);
    world.plans.delete_plan(delete(true)).await.unwrap();
    // What can be no name is missing just as well.
    for (allow_missing, code) in [(false, Code::NotFound), (true, Code::Ok)] {
        let request = v1::DeletePlanRequest {
            name: "No_Such".to_owned(),
            ..delete(allow_missing)
        };
        let answer = world.plans.delete_plan(request).await;
        let told = answer.map_or_else(|status| status.code(), |_| Code::Ok);
        assert_eq!(told, code);
    }

    let anew = world.store(fixtures::shop()).await;
    assert_eq!(anew.revision, 2, "a name's revisions never start anew");
}

#[tokio::test]
async fn a_plan_with_hooks_that_nobody_can_run_is_refused() {
    let mut world = World::start().await;
    let mut plan = fixtures::shop();
    plan.spec.as_mut().unwrap().waves[0].check = vec![v1::HookUse {
        hook: "tcp-reachable".to_owned(),
        ..v1::HookUse::default()
    }];
    let request = v1::ValidatePlanRequest {
        plan: Some(plan.clone()),
    };
    let found = world
        .plans
        .validate_plan(request)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(found.violations[0].field, "spec.waves[0].check[0].hook");

    let request = v1::CreatePlanRequest {
        plan: Some(plan),
        request_id: String::new(),
    };
    let refused = world.plans.create_plan(request).await.unwrap_err();
    assert_eq!(reason(&refused), "INVALID_PLAN");
    let bad = refused.get_details_bad_request().unwrap();
    assert_eq!(
        bad.field_violations[0].field,
        "plan.spec.waves[0].check[0].hook"
    );
}

#[tokio::test]
async fn a_plan_with_hundreds_of_mistakes_is_refused_with_those_that_fit() {
    let mut world = World::start().await;
    let mut plan = fixtures::shop();
    let wrong = |n| v1::ServerRef {
        id: format!("wrong-{n}"),
        ..v1::ServerRef::default()
    };
    plan.spec.as_mut().unwrap().waves[1].servers[0].servers = (0..300).map(wrong).collect();
    let request = v1::CreatePlanRequest {
        plan: Some(plan),
        request_id: String::new(),
    };

    let refused = world.plans.create_plan(request).await.unwrap_err();

    assert_eq!(reason(&refused), "INVALID_PLAN");
    assert_eq!(refused.message(), "the plan has 300 mistakes");
    let bad = refused.get_details_bad_request().unwrap();
    let (last, listed) = bad.field_violations.split_last().unwrap();
    assert!(!listed.is_empty());
    let left = 300 - listed.len();
    let expected = format!("and {left} more; ValidatePlan lists all");
    assert_eq!(last.description, expected);
}

#[tokio::test]
async fn readiness_asks_drs_and_knows_what_is_busy() {
    let mut world = World::start().await;
    world.store(fixtures::shop()).await;
    let request = v1::CheckReadinessRequest {
        name: "shop".to_owned(),
        revision: 0,
    };
    let ready = world
        .plans
        .check_readiness(request.clone())
        .await
        .unwrap()
        .into_inner();
    assert!(ready.ready, "{ready:?}");
    assert_eq!(ready.server_count, 3);

    let drill = world.start_drill("shop", "first").await.unwrap();
    world.until(&drill.id, v1::ExecutionState::Paused).await;
    let busy = world
        .plans
        .check_readiness(request)
        .await
        .unwrap()
        .into_inner();
    assert!(!busy.ready);
    assert_eq!(busy.findings[0].code, "SERVER_BUSY");
}
