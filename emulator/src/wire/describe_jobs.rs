//! DescribeJobs: the newest first.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::answer::{Call, Reply};
use super::check::Fields;
use super::error::ServiceError;
use super::page::{Pager, descending_key};
use super::shape::job::JobShape;
use super::shape::page::{PageShape, listing};
use crate::model::{Job, JobId};

const JOB_IDS: usize = 1_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    filters: Option<Filters>,
    max_results: Option<i64>,
    next_token: Option<String>,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Filters {
    #[serde(rename = "jobIDs")]
    job_ids: Option<Vec<String>>,
    from_date: Option<String>,
    to_date: Option<String>,
}

pub(super) fn perform(call: &mut Call<'_>) -> Result<Reply, ServiceError> {
    let request: Request = call.request()?;
    let filters = request.filters.unwrap_or_default();
    let mut fields = Fields::default();
    let texts = filters.job_ids.as_deref().unwrap_or_default();
    let ids = fields.list("filters.jobIDs", texts, JOB_IDS, JobId::parse);
    let ids: BTreeSet<JobId> = ids.into_iter().collect();
    let from = fields.time("filters.fromDate", filters.from_date.as_ref());
    let to = fields.time("filters.toDate", filters.to_date.as_ref());
    let token = request.next_token.as_deref();
    let listing = listing(&filters);
    let pager = Pager::of(
        call.operation,
        &listing,
        request.max_results,
        token,
        &mut fields,
    );
    fields.finish()?;
    let wanted = |job: &Job| {
        (ids.is_empty() || ids.contains(&job.id))
            && from.is_none_or(|from| job.created_at >= from)
            && to.is_none_or(|to| job.created_at <= to)
    };
    let jobs = call
        .model
        .told_jobs(&call.place)
        .map_err(|refusal| call.refused(&refusal))?;
    let named = call.model.names_recovery_instances();
    let jobs = jobs.rev().filter(|(_, job)| wanted(job));
    let (items, next_token) = pager.cut(jobs.map(|(number, job)| (descending_key(number), job)));
    let items = items
        .into_iter()
        .map(|job| JobShape::of(&job, &call.place, named))
        .collect();
    Ok(Reply::ok(&PageShape { items, next_token }))
}
