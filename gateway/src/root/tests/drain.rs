//! Limits and ends of streams, as a client sees them.

use tidegate_proto::v1::{self, watch_response::Message};
use tokio_stream::StreamExt;
use tonic::Code;
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

use super::*;

#[tokio::test]
async fn a_gateway_with_open_streams_shuts_down_and_each_stream_gets_its_cursor() {
    let mut world = World::start().await;
    let execution = world.drill().await;
    world.until(&execution.id, v1::ExecutionState::Paused).await;
    let mut one = world.watch(&execution.id, None).await;
    let request = v1::WatchAllRequest::default();
    let mut all = world
        .executions
        .watch_all(request)
        .await
        .unwrap()
        .into_inner();
    let Some(Message::Header(header)) = one.next().await.unwrap().unwrap().message else {
        panic!("a stream begins with its header");
    };
    all.next().await.unwrap().unwrap();

    // tonic's own shutdown would wait here for ever.
    world.gateway.shut_down().await;

    let Some(Message::End(end)) = one.next().await.unwrap().unwrap().message else {
        panic!("a stream ends with its cursor");
    };
    assert_eq!(end.reason(), v1::WatchEndReason::Shutdown);
    assert_eq!(end.revision, header.revision);
    assert!(one.next().await.is_none());
    let last = all.next().await.unwrap().unwrap();
    assert!(matches!(
        last.message,
        Some(v1::watch_all_response::Message::End(_))
    ));
    assert!(!last.cursor.is_empty());
}

#[tokio::test]
async fn health_checks_hear_of_the_end() {
    let world = World::start().await;
    let mut health = HealthClient::new(connect(&world.gateway).await);
    let request = HealthCheckRequest::default();
    let mut stream = health.watch(request.clone()).await.unwrap().into_inner();
    let serving = tonic_health::ServingStatus::Serving;
    assert_eq!(stream.next().await.unwrap().unwrap().status, serving as i32);

    world.gateway.shut_down().await;

    let not_serving = tonic_health::ServingStatus::NotServing;
    assert_eq!(
        stream.next().await.unwrap().unwrap().status,
        not_serving as i32
    );
    let end = stream.next().await.unwrap().unwrap_err();
    assert_eq!(end.code(), Code::Unavailable);
    assert!(health.check(request).await.is_err());
}

#[tokio::test]
async fn an_expired_deadline_of_a_stream_is_deadline_exceeded() {
    let mut world = World::start().await;
    let execution = world.drill().await;
    world.until(&execution.id, v1::ExecutionState::Paused).await;
    let mut request = tonic::Request::new(v1::WatchRequest {
        execution: execution.id,
        after_revision: None,
    });
    request.set_timeout(Duration::from_millis(300));
    let mut stream = world.executions.watch(request).await.unwrap().into_inner();

    let error = loop {
        if let Err(error) = stream.next().await.expect("the deadline is told") {
            break error;
        }
    };

    assert_eq!(error.code(), Code::DeadlineExceeded);
    assert_eq!(reason(&error), "DEADLINE_EXCEEDED");
}

#[tokio::test]
async fn streams_on_one_connection_are_bounded() {
    let mut world = World::with(|config| {
        config.limits.streams_per_connection = 2.try_into().unwrap();
    })
    .await;
    let execution = world.drill().await;
    world.until(&execution.id, v1::ExecutionState::Paused).await;
    let first = world.watch(&execution.id, None).await;
    let _second = world.watch(&execution.id, None).await;
    let mut client = world.executions.clone();
    let request = v1::GetExecutionRequest {
        execution: execution.id.clone(),
    };
    let mut third = tokio::spawn({
        let request = request.clone();
        async move { client.get_execution(request).await }
    });

    // Another connection is served meanwhile, and then again.
    for _ in 0..3 {
        let mut other = ExecutionServiceClient::new(connect(&world.gateway).await);
        other.get_execution(request.clone()).await.unwrap();
    }
    assert!(futures::poll!(&mut third).is_pending());

    drop(first);
    third.await.unwrap().unwrap();
}

#[tokio::test]
async fn streams_over_all_connections_are_bounded() {
    let mut world = World::with(|config| config.watch.streams = 1.try_into().unwrap()).await;
    let execution = world.drill().await;
    let _only = world.watch(&execution.id, None).await;
    let request = v1::WatchAllRequest::default();
    let refused = world.executions.watch_all(request).await.unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted);
    assert_eq!(reason(&refused), "TOO_MANY_STREAMS");
}
