//! ListTagsForResource.

use serde::Serialize;

use super::answer::{Call, Reply};
use super::error::ServiceError;
use crate::model::Tags;

#[derive(Serialize)]
struct Response {
    tags: Tags,
}

pub(super) fn perform(call: &mut Call<'_>) -> Result<Reply, ServiceError> {
    let tags = call
        .model
        .tags(&call.place, call.arn)
        .map_err(|refusal| call.refused(&refusal))?;
    Ok(Reply::ok(&Response { tags }))
}
