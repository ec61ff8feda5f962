//! Source servers and recovery instances.

use std::{cmp::Reverse, collections::BTreeMap, net::IpAddr};

use aws_sdk_drs::types::{
    self, DescribeRecoveryInstancesRequestFilters, DescribeSourceServersRequestFilters,
};
use tidegate_core::{InstanceId, JobId, SourceServerId, Span, Timestamp};

use super::{clients::Place, time::timestamp};
use crate::ports::drs::{DrsError, RecoveryInstance, ServerQuery, SourceServer, Staging};

/// Ids that a filter takes. An empty filter means all, so it is never sent.
const IDS_PER_CALL: usize = 200;

/// Source servers that match.
pub(super) async fn source_servers(
    place: &Place,
    query: &ServerQuery,
) -> Result<Vec<SourceServer>, DrsError> {
    let servers = match query {
        ServerQuery::Ids(ids) => describe(place, ids).await?,
        // DRS has no filter for tags.
        ServerQuery::Tags(_) => list(place, None).await?,
    };
    let mut servers: Vec<SourceServer> = servers.iter().filter_map(source_server).collect();
    if let ServerQuery::Tags(tags) = query {
        servers.retain(|server| carries(server, tags));
    }
    Ok(servers)
}

/// Source servers by id, as the SDK has them.
pub(super) async fn describe(
    place: &Place,
    ids: &[SourceServerId],
) -> Result<Vec<types::SourceServer>, DrsError> {
    let mut found = Vec::new();
    for ids in ids.chunks(IDS_PER_CALL) {
        let ids = ids.iter().map(ToString::to_string).collect();
        let filters = DescribeSourceServersRequestFilters::builder();
        let filters = filters.set_source_server_ids(Some(ids)).build();
        found.extend(list(place, Some(filters)).await?);
    }
    Ok(found)
}

async fn list(
    place: &Place,
    filters: Option<DescribeSourceServersRequestFilters>,
) -> Result<Vec<types::SourceServer>, DrsError> {
    place
        .client
        .describe_source_servers()
        .set_filters(filters)
        .into_paginator()
        .items()
        .send()
        .collect::<Result<Vec<_>, _>>()
        .await
        .map_err(|error| place.failed("DescribeSourceServers", &error))
}

fn source_server(server: &types::SourceServer) -> Option<SourceServer> {
    let hints = server
        .source_properties()
        .and_then(|properties| properties.identification_hints());
    let hostname = hints.and_then(|hints| hints.hostname().or(hints.fqdn()));
    let replication = server.data_replication_info();
    let state = replication.and_then(|info| info.data_replication_state());
    let tags = server.tags().into_iter().flatten();
    Some(SourceServer {
        id: SourceServerId::from(server.source_server_id()?),
        hostname: hostname.unwrap_or_default().to_owned(),
        tags: tags.map(|(k, v)| (k.clone(), v.clone())).collect(),
        replication_state: state.map_or("", |state| state.as_str()).to_owned(),
        lag: replication.and_then(|info| lag(info.lag_duration()?)),
        staging: server.staging_area().and_then(staging),
        last_launch: last_launch(server),
    })
}

/// The staging area of a server that is replicated in this account is its own.
fn staging(area: &types::StagingArea) -> Option<Staging> {
    let status = area.status()?;
    if *status == types::ExtensionStatus::NotExtended {
        return None;
    }
    let is_broken = *status == types::ExtensionStatus::ExtensionError;
    let problem = || area.error_message().unwrap_or(status.as_str()).to_owned();
    Some(Staging {
        account: area.staging_account_id().map(ToOwned::to_owned),
        problem: is_broken.then(problem),
    })
}

fn last_launch(server: &types::SourceServer) -> Option<(JobId, Timestamp)> {
    let initiated = server.life_cycle()?.last_launch()?.initiated()?;
    let at = timestamp(initiated.api_call_date_time()?)?;
    Some((JobId::from(initiated.job_id()?), at))
}

fn carries(server: &SourceServer, tags: &BTreeMap<String, String>) -> bool {
    tags.iter()
        .all(|(key, value)| server.tags.get(key) == Some(value))
}

/// An ISO 8601 duration; DRS writes `P0D` and `P2DT1H32M12.136909S`.
fn lag(text: &str) -> Option<Span> {
    let span: jiff::Span = text.parse().ok()?;
    let days = jiff::SpanRelativeTo::days_are_24_hours();
    let millis = span.to_duration(days).ok()?.as_millis();
    u64::try_from(millis).ok().map(Span::from_millis)
}

/// Recovery instances of source servers, without those that EC2 has
/// terminated.
pub(super) async fn recovery_instances(
    place: &Place,
    servers: &[SourceServerId],
) -> Result<Vec<RecoveryInstance>, DrsError> {
    let mut found = Vec::new();
    for ids in servers.chunks(IDS_PER_CALL) {
        let ids = ids.iter().map(ToString::to_string).collect();
        let filters = DescribeRecoveryInstancesRequestFilters::builder();
        let filters = filters.set_source_server_ids(Some(ids)).build();
        found.extend(list_instances(place, Some(filters)).await?);
    }
    Ok(found)
}

/// Every recovery instance of the place, without those that EC2 has
/// terminated.
pub(super) async fn every_recovery_instance(
    place: &Place,
) -> Result<Vec<RecoveryInstance>, DrsError> {
    list_instances(place, None).await
}

async fn list_instances(
    place: &Place,
    filters: Option<DescribeRecoveryInstancesRequestFilters>,
) -> Result<Vec<RecoveryInstance>, DrsError> {
    let instances = place
        .client
        .describe_recovery_instances()
        .set_filters(filters)
        .into_paginator()
        .items()
        .send()
        .collect::<Result<Vec<_>, _>>()
        .await
        .map_err(|error| place.failed("DescribeRecoveryInstances", &error))?;
    Ok(instances.iter().filter_map(recovery_instance).collect())
}

fn recovery_instance(instance: &types::RecoveryInstance) -> Option<RecoveryInstance> {
    let state = instance.ec2_instance_state().map(|state| state.as_str());
    if matches!(state, Some("TERMINATED" | "NOT_FOUND")) {
        return None;
    }
    // The id of a recovery instance is that of its EC2 instance.
    let id = instance
        .ec2_instance_id()
        .or(instance.recovery_instance_id())?;
    Some(RecoveryInstance {
        instance: InstanceId::from(id),
        server: SourceServerId::from(instance.source_server_id()?),
        is_drill: instance.is_drill().unwrap_or_default(),
        job: instance.job_id().map(JobId::from),
        snapshot_time: instance
            .point_in_time_snapshot_date_time()
            .and_then(timestamp),
        addresses: addresses(instance, id),
    })
}

fn addresses(instance: &types::RecoveryInstance, id: &str) -> Vec<IpAddr> {
    let properties = instance.recovery_instance_properties();
    let interfaces = properties.map_or(&[][..], |properties| properties.network_interfaces());
    let mut interfaces: Vec<_> = interfaces.iter().collect();
    interfaces.sort_by_key(|interface| Reverse(interface.is_primary().unwrap_or_default()));
    let texts = interfaces
        .into_iter()
        .flat_map(types::NetworkInterface::ips);
    texts
        .filter_map(|text| {
            let address = text.parse().ok();
            if address.is_none() {
                tracing::debug!(instance = id, text, "DRS told an address that is none");
            }
            address
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lags_are_read_as_drs_writes_them() {
        assert_eq!(lag("P0D"), Some(Span::ZERO));
        assert_eq!(lag("PT1H0.25S"), Some(Span::from_millis(3_600_250)));
        let days = 2 * 86_400_000 + 5_532_136;
        assert_eq!(lag("P2DT1H32M12.136909S"), Some(Span::from_millis(days)));
        assert_eq!(lag("-PT1S"), None);
        assert_eq!(lag("soon"), None);
    }
}
