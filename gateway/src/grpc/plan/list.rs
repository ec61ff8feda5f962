//! `ListPlans`.

use tidegate_core::PlanName;
use tidegate_proto::v1;
use tonic::Status;

use super::content::shown;
use crate::grpc::{argument, page_token::List, services::Services, status};

pub(super) async fn list(
    services: &Services,
    request: &v1::ListPlansRequest,
) -> Result<v1::ListPlansResponse, Status> {
    let size = argument::page_size(request.page_size)?;
    let after = List::Plans.key(&[], &request.page_token)?;
    let after = after.as_deref().map(PlanName::from);
    let mut found = services
        .plans
        .list(after.as_ref(), size + 1)
        .await
        .map_err(|error| status::from_read(&error))?;
    let more = found.len() > size;
    found.truncate(size);
    let last = found.last().filter(|_| more);
    Ok(v1::ListPlansResponse {
        next_page_token: last
            .map(|last| List::Plans.token(&[], last.name.as_str()))
            .unwrap_or_default(),
        plans: found.iter().map(shown).collect::<Result<_, _>>()?,
    })
}
