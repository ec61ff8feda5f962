//! `ListPlanRevisions`.

use tidegate_proto::v1;
use tonic::Status;

use super::{content::shown, page::Page};
use crate::grpc::{argument, page_token::List, services::Services, status};

pub(super) async fn list(
    services: &Services,
    request: &v1::ListPlanRevisionsRequest,
) -> Result<v1::ListPlanRevisionsResponse, Status> {
    let name = argument::plan_name("name", &request.name)?;
    let size = argument::page_size(request.page_size)?;
    let scope = name.as_str().as_bytes();
    let before = List::PlanRevisions.number(scope, &request.page_token)?;
    let page = Page::fill(size, |last, limit| {
        let before = last.map(|last| last.revision).or(before);
        services.plans.revisions(&name, before, limit)
    });
    let page = page.await.map_err(|error| status::from_read(&error))?;
    if page.plans.is_empty() && before.is_none() {
        return Err(status::plan_not_found(&name, None));
    }
    Ok(v1::ListPlanRevisionsResponse {
        next_page_token: page
            .goes_on_after()
            .map(|last| List::PlanRevisions.token(scope, &last.revision.to_string()))
            .unwrap_or_default(),
        plans: page.plans.iter().map(shown).collect::<Result<_, _>>()?,
    })
}
