//! DescribeRecoveryInstances.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::answer::{Call, Reply};
use super::check::Fields;
use super::error::ServiceError;
use super::page::Pager;
use super::shape::page::{PageShape, listing};
use super::shape::recovery_instance::RecoveryInstanceShape;
use crate::model::{InstanceId, RecoveryInstance, SourceServerId};

const IDS: usize = 200;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    filters: Option<Filters>,
    max_results: Option<i64>,
    next_token: Option<String>,
}

#[derive(Default, Deserialize, Serialize)]
struct Filters {
    #[serde(rename = "recoveryInstanceIDs")]
    recovery_instance_ids: Option<Vec<String>>,
    #[serde(rename = "sourceServerIDs")]
    source_server_ids: Option<Vec<String>>,
}

pub(super) fn perform(call: &mut Call<'_>) -> Result<Reply, ServiceError> {
    let request: Request = call.request()?;
    let filters = request.filters.unwrap_or_default();
    let mut fields = Fields::default();
    let texts = filters.recovery_instance_ids.as_deref().unwrap_or_default();
    let instances = fields.list("filters.recoveryInstanceIDs", texts, IDS, InstanceId::parse);
    let instances: BTreeSet<InstanceId> = instances.into_iter().collect();
    // The service model bounds the other list, but not this one.
    let texts = filters.source_server_ids.as_deref().unwrap_or_default();
    let servers = fields.list(
        "filters.sourceServerIDs",
        texts,
        usize::MAX,
        SourceServerId::parse,
    );
    let servers: BTreeSet<SourceServerId> = servers.into_iter().collect();
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
    let wanted = |instance: &RecoveryInstance| {
        (instances.is_empty() || instances.contains(&instance.id))
            && (servers.is_empty() || servers.contains(&instance.source_server))
    };
    let estate = call
        .model
        .estate(&call.place)
        .map_err(|refusal| call.refused(&refusal))?;
    let told = call
        .model
        .told_recovery_instances(&call.place)
        .map_err(|refusal| call.refused(&refusal))?;
    let found = told.filter(|instance| wanted(instance));
    let (items, next_token) = pager.cut(found.map(|found| (found.id.to_string(), found)));
    let shape = |instance: &RecoveryInstance| {
        let server = estate.source_server(&instance.source_server);
        RecoveryInstanceShape::of(call.model.seed(), instance, server, &call.place)
    };
    let items = items.iter().map(|instance| shape(instance)).collect();
    Ok(Reply::ok(&PageShape { items, next_token }))
}
