//! TagResource.

use serde::Deserialize;

use super::answer::{Call, Reply};
use super::check::Fields;
use super::error::ServiceError;
use crate::model::Tags;

#[derive(Deserialize)]
struct Request {
    tags: Option<Tags>,
}

pub(super) fn perform(call: &mut Call<'_>) -> Result<Reply, ServiceError> {
    let request: Request = call.request()?;
    let mut fields = Fields::default();
    let tags = request.tags.unwrap_or_else(|| {
        fields.problem("tags", "Member must not be null");
        Tags::new()
    });
    fields.tags("tags", &tags);
    fields.finish()?;
    call.model
        .tag(&call.place, call.arn, &tags)
        .map_err(|refusal| ServiceError::refused(call.operation, &refusal))?;
    Ok(Reply::empty())
}
