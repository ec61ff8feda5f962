//! From a plan file to the API's message. Names that the file leaves out stay
//! unset: their meaning is the API's.

use std::time::Duration;

use tidegate_proto::v1;

use super::{
    duration::PlanDuration,
    hooks::api,
    servers::ServerEntry,
    syntax::{
        Group, Objectives, OnFailure, PlanFile, Priority, Retry, Spec, Target, UnknownLaunch, Wave,
    },
};

/// The API's message for a file.
pub(crate) fn plan(file: PlanFile) -> v1::Plan {
    v1::Plan {
        name: file.metadata.name,
        labels: file.metadata.labels.into_iter().collect(),
        spec: Some(spec(file.spec)),
        ..v1::Plan::default()
    }
}

fn spec(spec: Spec) -> v1::PlanSpec {
    v1::PlanSpec {
        description: spec.description.unwrap_or_default(),
        objectives: spec.objectives.map(objectives),
        target: spec.target.map(target),
        waves: spec.waves.into_iter().map(wave).collect(),
        endpoints: spec.endpoints.into_iter().map(api::to_endpoint).collect(),
        timeout: spec.timeout.map(duration),
        unknown_launch: match spec.unknown_launch {
            None => v1::UnknownLaunchPolicy::Unspecified,
            Some(UnknownLaunch::AskAgain) => v1::UnknownLaunchPolicy::AskAgain,
            Some(UnknownLaunch::AskPerson) => v1::UnknownLaunchPolicy::AskPerson,
        }
        .into(),
        priority: match spec.priority {
            None => v1::Priority::Unspecified,
            Some(Priority::Low) => v1::Priority::Low,
            Some(Priority::Normal) => v1::Priority::Normal,
            Some(Priority::High) => v1::Priority::High,
        }
        .into(),
    }
}

fn objectives(objectives: Objectives) -> v1::Objectives {
    v1::Objectives {
        rto: objectives.rto.map(duration),
        rpo: objectives.rpo.map(duration),
    }
}

fn target(target: Target) -> v1::Target {
    v1::Target {
        account: target.account.unwrap_or_default(),
        region: target.region.unwrap_or_default(),
        role_arn: target.role.unwrap_or_default(),
    }
}

fn wave(wave: Wave) -> v1::WaveSpec {
    v1::WaveSpec {
        name: wave.name,
        after: wave.after,
        servers: wave.servers.0.into_iter().map(group).collect(),
        target: wave.target.map(target),
        check: wave.check.into_iter().map(api::to_use).collect(),
        verify: wave.verify.into_iter().map(api::to_use).collect(),
        pause_before: wave.pause_before,
        on_failure: match wave.on_failure {
            None => v1::FailurePolicy::Unspecified,
            Some(OnFailure::Stop) => v1::FailurePolicy::Stop,
            Some(OnFailure::Continue) => v1::FailurePolicy::Continue,
            Some(OnFailure::Pause) => v1::FailurePolicy::Pause,
        }
        .into(),
        tolerance: wave.tolerance,
        retry: wave.retry.map(retry),
        timeout: wave.timeout.map(duration),
        gate_timeout: wave.gate_timeout.map(duration),
    }
}

fn group(group: Group) -> v1::ServerGroup {
    v1::ServerGroup {
        target: group.target.map(target),
        servers: group.ids.into_iter().map(server).collect(),
        tags: group.tags.into_iter().collect(),
        optional: group.optional,
    }
}

fn server(entry: ServerEntry) -> v1::ServerRef {
    v1::ServerRef {
        id: entry.id,
        optional: entry.optional,
        snapshot_id: entry.snapshot.unwrap_or_default(),
    }
}

fn retry(retry: Retry) -> v1::RetryPolicy {
    v1::RetryPolicy {
        limit: retry.limit,
        backoff: retry.backoff.map(duration),
        max_backoff: retry.max_backoff.map(duration),
    }
}

/// What the API takes for a duration of a file.
pub(super) fn duration(PlanDuration(duration): PlanDuration) -> prost_types::Duration {
    prost_types::Duration::try_from(duration).unwrap_or_else(|_| longest())
}

/// What does not fit is far above every bound, and refused for that.
fn longest() -> prost_types::Duration {
    prost_types::Duration {
        seconds: i64::MAX,
        nanos: 0,
    }
}

/// The file's form of an API duration, rounded up to its finest unit, as a
/// gateway reads it: the shortest one must not become none. Negative ones do
/// not occur.
pub(super) fn plan_duration(duration: prost_types::Duration) -> PlanDuration {
    let exact = Duration::try_from(duration).unwrap_or_default();
    let millis = exact.as_nanos().div_ceil(1_000_000);
    PlanDuration(Duration::from_millis(
        u64::try_from(millis).unwrap_or(u64::MAX),
    ))
}
