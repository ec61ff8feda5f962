//! `ListPlanRevisions`.

use tidegate_proto::v1;
use tonic::Status;

use super::content::shown;
use crate::grpc::{argument, page_token::List, services::Services, status};

pub(super) async fn list(
    services: &Services,
    request: &v1::ListPlanRevisionsRequest,
) -> Result<v1::ListPlanRevisionsResponse, Status> {
    let name = argument::plan_name("name", &request.name)?;
    let size = argument::page_size(request.page_size)?;
    let scope = name.as_str().as_bytes();
    let before = List::PlanRevisions.key(scope, &request.page_token)?;
    let before = before.and_then(|text| text.parse().ok());
    let mut found = services
        .plans
        .revisions(&name, before, size + 1)
        .await
        .map_err(|error| status::from_read(&error))?;
    if found.is_empty() && before.is_none() {
        return Err(status::plan_not_found(&name, None));
    }
    let more = found.len() > size;
    found.truncate(size);
    let last = found.last().filter(|_| more);
    Ok(v1::ListPlanRevisionsResponse {
        next_page_token: last
            .map(|last| List::PlanRevisions.token(scope, &last.revision.to_string()))
            .unwrap_or_default(),
        plans: found.iter().map(shown).collect::<Result<_, _>>()?,
    })
}
