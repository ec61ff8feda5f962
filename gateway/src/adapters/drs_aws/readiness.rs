//! What only a look ahead asks: which jobs run, and how servers are launched.

use aws_sdk_drs::types::{DescribeJobsRequestFilters, JobStatus, LaunchDisposition};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use tidegate_core::{JobId, SourceServerId, Timestamp};

use super::{clients::Place, look::date, observe};
use crate::ports::drs::{DrsError, LaunchSettings, LiveJob};

/// DRS tells the settings of one server in a call, and throttles an account's
/// calls together.
const SERVERS_AT_ONCE: usize = 4;

/// Jobs since then that have not ended. DRS has no filter for that.
pub(super) async fn live_jobs(place: &Place, since: Timestamp) -> Result<Vec<LiveJob>, DrsError> {
    let filters = DescribeJobsRequestFilters::builder().from_date(date(since).to_string());
    let jobs = observe::list(place, filters.build()).await?;
    let live = jobs
        .into_iter()
        .filter(|job| matches!(job.status(), Some(JobStatus::Pending | JobStatus::Started)));
    let live = live.map(|job| {
        let servers = job.participating_servers().iter();
        LiveJob {
            job: JobId::from(job.job_id()),
            servers: servers
                .filter_map(|server| server.source_server_id())
                .map(SourceServerId::from)
                .collect(),
        }
    });
    Ok(live.collect())
}

/// Launch settings of servers.
pub(super) async fn launch_settings(
    place: &Place,
    servers: Vec<SourceServerId>,
) -> Result<Vec<LaunchSettings>, DrsError> {
    let asked = stream::iter(servers).map(async |server| {
        let configuration = place
            .client
            .get_launch_configuration()
            .source_server_id(server.as_str())
            .send()
            .await
            .map_err(|error| place.failed("GetLaunchConfiguration", &error))?;
        let disposition = configuration.launch_disposition();
        Ok(LaunchSettings {
            server,
            stays_stopped: disposition == Some(&LaunchDisposition::Stopped),
        })
    });
    asked.buffered(SERVERS_AT_ONCE).try_collect().await
}
