//! `ListPlans`.

use tidegate_core::PlanName;
use tidegate_proto::v1;
use tonic::Status;

use super::{content::shown, page::Page};
use crate::grpc::{argument, page_token::List, services::Services, status};

pub(super) async fn list(
    services: &Services,
    request: &v1::ListPlansRequest,
) -> Result<v1::ListPlansResponse, Status> {
    let size = argument::page_size(request.page_size)?;
    let after = List::Plans.key(&[], &request.page_token)?;
    let after = after.as_deref().map(PlanName::from);
    let page = Page::fill(size, |last, limit| {
        let after = last.map(|last| &last.name).or(after.as_ref());
        services.plans.list(after, limit)
    });
    let page = page.await.map_err(|error| status::from_read(&error))?;
    Ok(v1::ListPlansResponse {
        next_page_token: page
            .goes_on_after()
            .map(|last| List::Plans.token(&[], last.name.as_str()))
            .unwrap_or_default(),
        plans: page.plans.iter().map(shown).collect::<Result<_, _>>()?,
    })
}
