//! What is mounted: our services, health and reflection.

use std::sync::Arc;

use tidegate_proto::v1::{
    gateway_service_server::GatewayServiceServer, hook_service_server::HookServiceServer,
    plan_service_server::PlanServiceServer,
};
use tonic::{server::NamedService, service::Routes};
use tonic_health::{ServingStatus, server::HealthReporter};

use crate::grpc::{ExecutionServer, GatewayInfo, Hooks, Plans, Services};

/// Everything that is served, and the handle on its health.
#[derive(Clone, Debug)]
pub struct Mounted {
    /// The services.
    pub routes: Routes,
    /// What health checks hear.
    pub health: Health,
}

/// What health checks hear: of the whole gateway and of each service.
#[derive(Clone, Debug)]
pub struct Health(HealthReporter);

impl Health {
    /// Load balancers stop sending requests.
    pub async fn not_serving(&self) {
        self.report(ServingStatus::NotServing).await;
    }

    async fn report(&self, status: ServingStatus) {
        let names = [
            "",
            ExecutionServer::NAME,
            <PlanServiceServer<Plans> as NamedService>::NAME,
            <HookServiceServer<Hooks> as NamedService>::NAME,
            <GatewayServiceServer<GatewayInfo> as NamedService>::NAME,
        ];
        for name in names {
            self.0.set_service_status(name, status).await;
        }
    }
}

/// Mounts the services.
///
/// # Errors
/// The embedded descriptors cannot be read, which is a bug.
pub async fn mount(
    services: &Arc<Services>,
    request_bytes: usize,
) -> Result<Mounted, tonic_reflection::server::Error> {
    let (reporter, health_service) = tonic_health::server::health_reporter();
    let health = Health(reporter);
    health.report(ServingStatus::Serving).await;
    let reflected = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(tidegate_proto::DESCRIPTORS)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    let plans = PlanServiceServer::new(Plans(Arc::clone(services)));
    let hooks = HookServiceServer::new(Hooks(Arc::clone(services)));
    let info = GatewayServiceServer::new(GatewayInfo(Arc::clone(services)));
    let routes = Routes::new(ExecutionServer::new(Arc::clone(services), request_bytes))
        .add_service(plans.max_decoding_message_size(request_bytes))
        .add_service(hooks.max_decoding_message_size(request_bytes))
        .add_service(info.max_decoding_message_size(request_bytes))
        .add_service(health_service)
        .add_service(reflected().build_v1()?)
        .add_service(reflected().build_v1alpha()?)
        .prepare();
    Ok(Mounted { routes, health })
}
