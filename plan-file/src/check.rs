//! The core's checks on a plan that came from a file.

use std::time::Duration;

use tidegate_core::{
    Span,
    plan::{
        DraftEndpoint, DraftGroup, DraftHook, DraftRetry, DraftServer, DraftTarget, DraftWave,
        FailurePolicy, HookFailure, Limits, Plan, PlanDraft, PlanError, Priority, Scheme,
        UnknownLaunch,
    },
};
use tidegate_proto::v1;

use super::hooks::{Policy, api};

/// Every mistake in a plan, in the order of its fields.
pub(super) fn mistakes(plan: &v1::Plan) -> Vec<PlanError> {
    Plan::check(&draft(plan), &Limits::default())
        .err()
        .unwrap_or_default()
}

fn draft(plan: &v1::Plan) -> PlanDraft {
    let spec = plan.spec.clone().unwrap_or_default();
    PlanDraft {
        name: plan.name.clone(),
        labels: plan.labels.clone().into_iter().collect(),
        description: spec.description.clone(),
        rto: spec.objectives.and_then(|objectives| span(objectives.rto)),
        rpo: spec.objectives.and_then(|objectives| span(objectives.rpo)),
        target: spec.target.as_ref().map(target),
        waves: spec.waves.iter().map(wave).collect(),
        timeout: span(spec.timeout),
        unknown_launch: match spec.unknown_launch() {
            v1::UnknownLaunchPolicy::Unspecified => None,
            v1::UnknownLaunchPolicy::AskAgain => Some(UnknownLaunch::AskAgain),
            v1::UnknownLaunchPolicy::AskPerson => Some(UnknownLaunch::AskPerson),
        },
        priority: match spec.priority() {
            v1::Priority::Unspecified => None,
            v1::Priority::Low => Some(Priority::Low),
            v1::Priority::Normal => Some(Priority::Normal),
            v1::Priority::High => Some(Priority::High),
        },
        endpoints: spec.endpoints.iter().map(endpoint).collect(),
    }
}

fn span(duration: Option<prost_types::Duration>) -> Option<Span> {
    let duration = Duration::try_from(duration?).unwrap_or_default();
    Some(Span::from_millis(
        u64::try_from(duration.as_millis()).unwrap_or(u64::MAX),
    ))
}

fn target(target: &v1::Target) -> DraftTarget {
    DraftTarget {
        account: target.account.clone(),
        region: target.region.clone(),
        role: target.role_arn.clone(),
    }
}

fn wave(wave: &v1::WaveSpec) -> DraftWave {
    DraftWave {
        name: wave.name.clone(),
        after: wave.after.clone(),
        groups: wave.servers.iter().map(group).collect(),
        target: wave.target.as_ref().map(target),
        check: wave.check.iter().map(hook).collect(),
        verify: wave.verify.iter().map(hook).collect(),
        pause_before: wave.pause_before,
        on_failure: match wave.on_failure() {
            v1::FailurePolicy::Unspecified => None,
            v1::FailurePolicy::Stop => Some(FailurePolicy::Stop),
            v1::FailurePolicy::Continue => Some(FailurePolicy::Continue),
            v1::FailurePolicy::Pause => Some(FailurePolicy::Pause),
        },
        tolerance: wave.tolerance,
        retry: wave.retry.as_ref().map(|retry| DraftRetry {
            limit: retry.limit,
            backoff: span(retry.backoff),
            max_backoff: span(retry.max_backoff),
        }),
        timeout: span(wave.timeout),
        gate_timeout: span(wave.gate_timeout),
    }
}

fn group(group: &v1::ServerGroup) -> DraftGroup {
    DraftGroup {
        target: group.target.as_ref().map(target),
        servers: group
            .servers
            .iter()
            .map(|server| DraftServer {
                id: server.id.clone(),
                optional: server.optional,
                snapshot: server.snapshot_id.clone(),
            })
            .collect(),
        tags: group.tags.clone().into_iter().collect(),
        optional: group.optional,
    }
}

fn hook(hook: &v1::HookUse) -> DraftHook {
    let limits = hook.limits.unwrap_or_default();
    let answers = api::answers(&hook.failure_answers);
    DraftHook {
        hook: hook.hook.clone(),
        digest: hook.digest.clone(),
        config: hook.config.clone(),
        timeout: span(hook.timeout),
        retries: hook.retries,
        on_failure: api::from_policy(hook.on_failure()).map(failure),
        failure_answers: answers
            .map(|(kind, policy)| (kind, failure(policy)))
            .collect(),
        ports: hook.ports.clone(),
        endpoints: hook.endpoints.clone(),
        allow_wasi: hook.allow_wasi,
        attempt_timeout: span(limits.attempt_timeout),
        fuel: Some(limits.fuel).filter(|&fuel| fuel > 0),
        memory_mib: Some(limits.memory_mib).filter(|&memory| memory > 0),
    }
}

fn failure(policy: Policy) -> HookFailure {
    match policy {
        Policy::Hold => HookFailure::Hold,
        Policy::Abort => HookFailure::Abort,
        Policy::Retry => HookFailure::Retry,
        Policy::Waive => HookFailure::Waive,
    }
}

fn endpoint(endpoint: &v1::Endpoint) -> DraftEndpoint {
    DraftEndpoint {
        name: endpoint.name.clone(),
        scheme: match endpoint.scheme() {
            // A file always says which.
            v1::EndpointScheme::Unspecified | v1::EndpointScheme::Tcp => Scheme::Tcp,
            v1::EndpointScheme::Http => Scheme::Http,
            v1::EndpointScheme::Https => Scheme::Https,
        },
        host: endpoint.host.clone(),
        port: endpoint.port,
        path_prefix: endpoint.path_prefix.clone(),
        cidrs: endpoint.cidrs.clone(),
        ca_pem: endpoint.ca_pem.clone(),
        server_name: endpoint.server_name.clone(),
    }
}
