//! DescribeSourceServers.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::answer::{Call, Reply};
use super::check::Fields;
use super::error::ServiceError;
use super::page::Pager;
use super::shape::page::{PageShape, listing};
use super::shape::source_server::SourceServerShape;
use crate::model::{AccountId, SourceServer, SourceServerId};

const IDS: usize = 200;

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
    #[serde(rename = "sourceServerIDs")]
    source_server_ids: Option<Vec<String>>,
    hardware_id: Option<String>,
    #[serde(rename = "stagingAccountIDs")]
    staging_account_ids: Option<Vec<String>>,
}

pub(super) fn perform(call: &mut Call<'_>) -> Result<Reply, ServiceError> {
    let request: Request = call.request()?;
    let filters = request.filters.unwrap_or_default();
    let mut fields = Fields::default();
    let texts = filters.source_server_ids.as_deref().unwrap_or_default();
    let ids = fields.list("filters.sourceServerIDs", texts, IDS, SourceServerId::parse);
    let ids: BTreeSet<SourceServerId> = ids.into_iter().collect();
    let texts = filters.staging_account_ids.as_deref().unwrap_or_default();
    let staging = fields.list("filters.stagingAccountIDs", texts, IDS, AccountId::parse);
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
    let servers = call
        .model
        .told_source_servers(&call.place)
        .map_err(|refusal| call.refused(&refusal))?;
    let servers = servers.filter(|server| {
        // No server of this model is extended from a staging account.
        staging.is_empty() && (ids.is_empty() || ids.contains(&server.spec.id))
    });
    let shape = |server: &SourceServer| {
        SourceServerShape::of(
            call.model.seed(),
            server,
            &call.place,
            call.model.told_now(),
        )
    };
    let hardware = filters.hardware_id.as_deref();
    let servers = servers.filter(|server| hardware.is_none_or(|id| shape(server).has_hardware(id)));
    let (items, next_token) = pager.cut(servers.map(|server| (server.spec.id.to_string(), server)));
    let items = items.iter().map(|server| shape(server)).collect();
    Ok(Reply::ok(&PageShape { items, next_token }))
}
