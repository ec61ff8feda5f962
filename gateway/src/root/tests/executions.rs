//! Starting and steering executions.

use tonic::Code;
use tonic_types::StatusExt;

use super::*;

#[tokio::test]
async fn the_same_request_starts_one_execution_and_another_is_refused() {
    let mut world = World::start().await;
    let first = world.drill().await;
    let again = world.start_drill("shop", "first").await.unwrap();
    assert_eq!(again.id, first.id);

    let mut bank = fixtures::shop();
    bank.name = "bank".to_owned();
    world.store(bank).await;
    let reused = world.start_drill("bank", "first").await.unwrap_err();
    assert_eq!(reason(&reused), "REQUEST_ID_REUSED");
    let busy = world.start_drill("bank", "second").await.unwrap_err();
    assert_eq!(busy.code(), Code::FailedPrecondition);
    let info = busy.get_details_error_info().unwrap();
    assert_eq!(
        (info.reason.as_str(), &info.metadata["execution"]),
        ("SERVER_BUSY", &first.id)
    );
}

#[tokio::test]
async fn a_request_is_answered_again_although_its_plan_was_deleted() {
    let mut world = World::start().await;
    let first = world.drill().await;
    world.until(&first.id, v1::ExecutionState::Paused).await;
    world.resume(&first.id).await.unwrap();
    world.until(&first.id, v1::ExecutionState::Succeeded).await;
    let request = v1::DeletePlanRequest {
        name: "shop".to_owned(),
        ..v1::DeletePlanRequest::default()
    };
    world.plans.delete_plan(request).await.unwrap();

    let again = world.start_drill("shop", "first").await.unwrap();
    assert_eq!((again.id, again.revision), (first.id, first.revision));
    let unknown = world.start_drill("bank", "first").await.unwrap_err();
    assert_eq!(reason(&unknown), "REQUEST_ID_REUSED");
    let unused = world.start_drill("shop", "second").await.unwrap_err();
    assert_eq!(reason(&unused), "PLAN_NOT_FOUND");
}

#[tokio::test]
async fn a_forbidden_transition_says_what_is_allowed() {
    let mut world = World::start().await;
    let execution = world.drill().await;
    world.until(&execution.id, v1::ExecutionState::Paused).await;
    let request = v1::RetryWaveRequest {
        execution: execution.id.clone(),
        wave: "web".to_owned(),
        request_id: String::new(),
    };

    let refused = world
        .executions
        .retry_wave(request.clone())
        .await
        .unwrap_err();

    assert_eq!(refused.code(), Code::FailedPrecondition);
    let info = refused.get_details_error_info().unwrap();
    assert_eq!(info.metadata["state"], "PAUSED");
    assert!(
        info.metadata["allowed_actions"].contains("RESUME"),
        "{info:?}"
    );

    let unknown = v1::RetryWaveRequest {
        wave: "wbe".to_owned(),
        ..request
    };
    let refused = world.executions.retry_wave(unknown).await.unwrap_err();
    assert_eq!(refused.code(), Code::NotFound);
}

#[tokio::test]
async fn what_a_drill_launched_is_cleaned_up() {
    let mut world = World::start().await;
    let drill = world.drill().await;
    let request = v1::CleanUpRequest {
        execution: drill.id.clone(),
        request_id: "clean".to_owned(),
        ..v1::CleanUpRequest::default()
    };
    let early = world
        .executions
        .clean_up(request.clone())
        .await
        .unwrap_err();
    assert_eq!(reason(&early), "TRANSITION_FORBIDDEN");
    world.until(&drill.id, v1::ExecutionState::Paused).await;
    world.resume(&drill.id).await.unwrap();
    world.until(&drill.id, v1::ExecutionState::Succeeded).await;

    let cleanup = world.executions.clean_up(request.clone()).await.unwrap();
    let cleanup = cleanup.into_inner().execution.unwrap();

    assert_eq!(cleanup.kind(), v1::ExecutionKind::Cleanup);
    assert_eq!(cleanup.source_execution, drill.id);
    assert_eq!(cleanup.waves[0].name, "cleanup");
    assert_eq!(cleanup.waves[0].servers.len(), 3);
    world
        .until(&cleanup.id, v1::ExecutionState::Succeeded)
        .await;
    let again = world
        .executions
        .clean_up(request)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(again.execution.unwrap().id, cleanup.id);
}

/// The log of a drill ends with its instances launched; the API does not.
#[tokio::test]
async fn what_was_cleaned_up_is_shown_as_gone_and_not_cleaned_up_again() {
    let mut world = World::start().await;
    let drill = world.drill().await;
    world.until(&drill.id, v1::ExecutionState::Paused).await;
    world.resume(&drill.id).await.unwrap();
    world.until(&drill.id, v1::ExecutionState::Succeeded).await;
    let before = world.get(&drill.id).await;
    assert_eq!(before.allowed_actions[0].action(), v1::Action::CleanUp);
    let request = |request_id: &str| v1::CleanUpRequest {
        execution: drill.id.clone(),
        request_id: request_id.to_owned(),
        ..v1::CleanUpRequest::default()
    };
    let cleanup = world.executions.clean_up(request("clean")).await.unwrap();
    let cleanup = cleanup.into_inner().execution.unwrap();
    world
        .until(&cleanup.id, v1::ExecutionState::Succeeded)
        .await;

    let after = world.get(&drill.id).await;

    let servers = after.waves.iter().flat_map(|wave| &wave.servers);
    for server in servers {
        assert_eq!(server.state(), v1::ServerState::Terminated);
        assert_eq!(server.detail, format!("by cleanup {}", cleanup.id));
    }
    assert_eq!(after.allowed_actions, []);
    assert_eq!(after.revision, before.revision, "its log is as it was");
    let refused = world.executions.clean_up(request("again")).await;
    let refused = refused.unwrap_err();
    assert_eq!(reason(&refused), "TRANSITION_FORBIDDEN");
    let info = refused.get_details_error_info().unwrap();
    assert_eq!(info.metadata["allowed_actions"], "");

    let listed = v1::ListExecutionsRequest::default();
    let listed = world.executions.list_executions(listed).await.unwrap();
    let newest = listed.into_inner().executions.remove(0);
    assert_eq!((newest.id, newest.source_execution), (cleanup.id, drill.id));
}

#[tokio::test]
async fn lists_go_on_where_their_pages_end() {
    let mut world = World::start().await;
    let drill = world.drill().await;
    world.until(&drill.id, v1::ExecutionState::Paused).await;
    world.resume(&drill.id).await.unwrap();
    world.until(&drill.id, v1::ExecutionState::Succeeded).await;
    let second = world.start_drill("shop", "second").await.unwrap();

    let mut request = v1::ListExecutionsRequest {
        page_size: 1,
        ..v1::ListExecutionsRequest::default()
    };
    let mut listed = Vec::new();
    loop {
        let page = world.executions.list_executions(request.clone()).await;
        let page = page.unwrap().into_inner();
        listed.extend(page.executions.into_iter().map(|it| it.id));
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    let expected = std::collections::BTreeSet::from([second.id, drill.id.clone()]);
    assert_eq!(listed.len(), 2);
    assert_eq!(
        listed
            .into_iter()
            .collect::<std::collections::BTreeSet<_>>(),
        expected
    );

    request.page_token = String::new();
    request.filter = Some(v1::ExecutionFilter {
        states: vec![v1::ExecutionState::Succeeded.into()],
        ..v1::ExecutionFilter::default()
    });
    let page = world
        .executions
        .list_executions(request)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(page.executions[0].id, drill.id);
}
