//! What is served beside the two services: reflection, and the gateway's own
//! description.

use tidegate_proto::v1::gateway_service_client::GatewayServiceClient;
use tonic::Code;
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use tonic_reflection::pb::{v1 as reflection, v1alpha as old_reflection};

use super::*;

const SERVICES: [&str; 4] = [
    "tidegate.v1.ExecutionService",
    "tidegate.v1.GatewayService",
    "tidegate.v1.HookService",
    "tidegate.v1.PlanService",
];

#[tokio::test]
async fn reflection_lists_the_services_in_both_versions() {
    let world = World::start().await;
    let channel = connect(&world.gateway).await;

    let mut client =
        reflection::server_reflection_client::ServerReflectionClient::new(channel.clone());
    let request = reflection::ServerReflectionRequest {
        message_request: Some(
            reflection::server_reflection_request::MessageRequest::ListServices(String::new()),
        ),
        ..reflection::ServerReflectionRequest::default()
    };
    let mut answers = client
        .server_reflection_info(tokio_stream::once(request))
        .await
        .unwrap()
        .into_inner();
    let Some(reflection::server_reflection_response::MessageResponse::ListServicesResponse(listed)) =
        answers.next().await.unwrap().unwrap().message_response
    else {
        panic!("the services are listed");
    };
    let names: Vec<String> = listed.service.into_iter().map(|it| it.name).collect();
    assert!(
        SERVICES
            .iter()
            .all(|name| names.iter().any(|it| it == name)),
        "{names:?}"
    );

    let mut client = old_reflection::server_reflection_client::ServerReflectionClient::new(channel);
    let request = old_reflection::ServerReflectionRequest {
        message_request: Some(
            old_reflection::server_reflection_request::MessageRequest::FileContainingSymbol(
                SERVICES[0].to_owned(),
            ),
        ),
        ..old_reflection::ServerReflectionRequest::default()
    };
    let mut answers = client
        .server_reflection_info(tokio_stream::once(request))
        .await
        .unwrap()
        .into_inner();
    assert!(matches!(
        answers.next().await.unwrap().unwrap().message_response,
        Some(
            old_reflection::server_reflection_response::MessageResponse::FileDescriptorResponse(_)
        )
    ));
}

#[tokio::test]
async fn health_is_told_for_every_service() {
    let world = World::start().await;
    let mut health = HealthClient::new(connect(&world.gateway).await);
    for service in SERVICES {
        let request = HealthCheckRequest {
            service: service.to_owned(),
        };
        let answer = health.check(request).await.unwrap().into_inner();
        assert_eq!(answer.status, tonic_health::ServingStatus::Serving as i32);
    }
}

#[tokio::test]
async fn a_gateway_says_what_it_is() {
    let world = World::start().await;
    let mut client = GatewayServiceClient::new(connect(&world.gateway).await);
    let info = client
        .get_gateway_info(v1::GetGatewayInfoRequest {})
        .await
        .unwrap();
    let info = info.into_inner();
    assert_eq!((info.drs.as_str(), info.journal.as_str()), ("aws", "redb"));
    assert_eq!(info.limits.unwrap().page_size, 1_000);
}

#[tokio::test]
async fn a_request_above_the_limit_is_told_the_limit() {
    let mut world = World::with(|config| {
        config.limits.request_bytes = 1_000.try_into().unwrap();
    })
    .await;
    let large = "x".repeat(1_000);
    let plan = v1::GetPlanRequest {
        name: large.clone(),
        ..v1::GetPlanRequest::default()
    };
    let watch = v1::WatchRequest {
        execution: large,
        ..v1::WatchRequest::default()
    };
    for refused in [
        world.plans.get_plan(plan).await.unwrap_err(),
        world.executions.watch(watch).await.unwrap_err(),
    ] {
        assert_eq!(refused.code(), Code::ResourceExhausted);
        assert_eq!(reason(&refused), "REQUEST_TOO_LARGE");
        assert!(refused.message().contains("1000 bytes"), "{refused}");
    }
}

#[tokio::test]
async fn an_exposed_address_is_refused_before_anything_is_opened() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = config();
    config.listen.address = "0.0.0.0:0".parse().unwrap();
    config.journal.data_dir = dir.path().join("data");
    let refused = Gateway::start(config).await.unwrap_err();
    assert!(
        matches!(refused, crate::StartError::Address(_)),
        "{refused}"
    );
    assert!(!dir.path().join("data").exists());
}
