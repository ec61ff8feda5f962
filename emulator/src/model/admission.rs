//! What DRS accepts: servers that exist, that can be launched, that no live job holds, and that
//! the quotas of the place leave room for.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::chance::Seed;
use super::estate::Estate;
use super::fleet::Quotas;
use super::id::{InstanceId, SnapshotId, SourceServerId};
use super::launch::LaunchRequest;
use super::recovery_instance::RecoveryInstance;
use super::refusal::{Quota, Refusal, ResourceKind};
use super::snapshot::{RecoverySnapshot, snapshots};
use super::source_server::SourceServer;

/// Whether a live job keeps its servers from being launched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hold {
    /// DRS's own rule: one live job per server.
    Kept,
    /// The rule fails.
    Broken,
}

/// The pinned snapshot of each server of an admissible request.
pub(super) fn admit_launch(
    estate: &Estate,
    quotas: Quotas,
    seed: Seed,
    request: &LaunchRequest,
    hold: Hold,
    now: Timestamp,
) -> Result<Vec<Option<RecoverySnapshot>>, Refusal> {
    if request.servers.is_empty() {
        let message = "There is no server to launch.".to_owned();
        return Err(Refusal::Invalid {
            field: "sourceServers",
            message,
        });
    }
    let mut seen = BTreeSet::new();
    let mut pinned = Vec::with_capacity(request.servers.len());
    for launch in &request.servers {
        let server = estate
            .source_server(&launch.server)
            .ok_or_else(|| Refusal::NotFound {
                kind: ResourceKind::SourceServer,
                id: launch.server.to_string(),
            })?;
        if !seen.insert(&launch.server) {
            let message = format!("Source server {} appears more than once.", launch.server);
            return Err(Refusal::Invalid {
                field: "sourceServers",
                message,
            });
        }
        if !server.spec.replication.has_snapshots() {
            let message = format!("Source server {} has no snapshot yet.", launch.server);
            return Err(Refusal::Invalid {
                field: "sourceServers",
                message,
            });
        }
        pinned.push(pinned_snapshot(
            seed,
            server,
            launch.snapshot.as_ref(),
            now,
        )?);
    }
    match hold {
        Hold::Kept => refuse_busy(estate, request.servers.iter().map(|launch| &launch.server))?,
        Hold::Broken => {}
    }
    within_quotas(estate, quotas, request.servers.len())?;
    Ok(pinned)
}

fn pinned_snapshot(
    seed: Seed,
    server: &SourceServer,
    id: Option<&SnapshotId>,
    now: Timestamp,
) -> Result<Option<RecoverySnapshot>, Refusal> {
    let Some(id) = id else { return Ok(None) };
    snapshots(seed, server, now)
        .into_iter()
        .find(|snapshot| snapshot.id == *id)
        .map(Some)
        .ok_or(Refusal::NotFound {
            kind: ResourceKind::RecoverySnapshot,
            id: id.to_string(),
        })
}

/// The instances that an admissible termination means.
pub(super) fn admit_termination(
    estate: &Estate,
    quotas: Quotas,
    ids: &[InstanceId],
) -> Result<Vec<RecoveryInstance>, Refusal> {
    let instances = named(estate, ids)?;
    refuse_busy(
        estate,
        instances.iter().map(|instance| &instance.source_server),
    )?;
    within_quotas(estate, quotas, instances.len())?;
    Ok(instances)
}

fn named(estate: &Estate, ids: &[InstanceId]) -> Result<Vec<RecoveryInstance>, Refusal> {
    if ids.is_empty() {
        let message = "There is no instance to terminate.".to_owned();
        return Err(Refusal::Invalid {
            field: "recoveryInstanceIDs",
            message,
        });
    }
    let mut seen = BTreeSet::new();
    ids.iter()
        .map(|id| {
            if !seen.insert(id) {
                let message = format!("Recovery instance {id} appears more than once.");
                return Err(Refusal::Invalid {
                    field: "recoveryInstanceIDs",
                    message,
                });
            }
            let kind = ResourceKind::RecoveryInstance;
            let missing = || Refusal::NotFound {
                kind,
                id: id.to_string(),
            };
            estate.recovery_instance(id).cloned().ok_or_else(missing)
        })
        .collect()
}

/// Refuses servers that a live job holds.
fn refuse_busy<'a>(
    estate: &Estate,
    servers: impl Iterator<Item = &'a SourceServerId>,
) -> Result<(), Refusal> {
    for id in servers {
        if let Some(job) = estate
            .source_server(id)
            .and_then(|server| server.live_job.clone())
        {
            return Err(Refusal::ServerBusy {
                server: id.clone(),
                job,
            });
        }
    }
    Ok(())
}

/// Refuses a job of so many servers if a quota forbids it.
fn within_quotas(estate: &Estate, quotas: Quotas, servers: usize) -> Result<(), Refusal> {
    let live = estate.live_jobs().count();
    let held: usize = estate.live_jobs().map(|job| job.participants.len()).sum();
    let checks = [
        (Quota::ServersPerJob, quotas.servers_per_job, servers),
        (Quota::ConcurrentJobs, quotas.concurrent_jobs, live + 1),
        (
            Quota::ServersInAllJobs,
            quotas.servers_in_all_jobs,
            held + servers,
        ),
    ];
    for (quota, limit, requested) in checks {
        if requested > limit {
            return Err(Refusal::QuotaExceeded {
                quota,
                limit,
                requested,
            });
        }
    }
    Ok(())
}
