//! `GatewayService`.

use std::sync::Arc;

use tidegate_proto::v1::{self, gateway_service_server::GatewayService};
use tonic::{Request, Response, Status};

use super::services::Services;

/// The service.
#[derive(Clone, Debug)]
pub struct GatewayInfo(pub Arc<Services>);

#[tonic::async_trait]
impl GatewayService for GatewayInfo {
    async fn get_gateway_info(
        &self,
        _: Request<v1::GetGatewayInfoRequest>,
    ) -> Result<Response<v1::GetGatewayInfoResponse>, Status> {
        Ok(Response::new(self.0.settings.info.clone()))
    }
}
