//! DescribeJobLogItems: the oldest first.

use serde::Deserialize;

use super::answer::{Call, Reply};
use super::check::Fields;
use super::error::ServiceError;
use super::page::{Pager, key};
use super::shape::job_log::JobLogShape;
use super::shape::page::PageShape;
use crate::model::{JobId, Refusal, ResourceKind};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    #[serde(rename = "jobID")]
    job_id: Option<String>,
    max_results: Option<i64>,
    next_token: Option<String>,
}

pub(super) fn perform(call: &mut Call<'_>) -> Result<Reply, ServiceError> {
    let request: Request = call.request()?;
    let mut fields = Fields::default();
    let id = fields.required("jobID", request.job_id.as_ref(), JobId::parse);
    let listing = request.job_id.unwrap_or_default();
    let token = request.next_token.as_deref();
    let pager = Pager::of(
        call.operation,
        &listing,
        request.max_results,
        token,
        &mut fields,
    );
    fields.finish()?;
    let missing = || Refusal::NotFound {
        kind: ResourceKind::Job,
        id: listing.clone(),
    };
    let job = id
        .map_or(Ok(None), |id| call.model.told_job(&call.place, &id))
        .and_then(|job| job.ok_or_else(missing))
        .map_err(|refusal| call.refused(&refusal))?;
    let log = job
        .log
        .iter()
        .enumerate()
        .map(|(number, item)| (key(number), item));
    let (items, next_token) = pager.cut(log);
    let items = items.into_iter().map(JobLogShape::of).collect();
    Ok(Reply::ok(&PageShape { items, next_token }))
}
