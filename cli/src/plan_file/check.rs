//! The core's checks on a plan that came from a file.

use std::time::Duration;

use tidegate_core::{
    Span,
    plan::{
        DraftGroup, DraftHook, DraftRetry, DraftServer, DraftTarget, DraftWave, FailurePolicy,
        HookFailure, Limits, Plan, PlanDraft, PlanError, UnknownLaunch,
    },
};
use tidegate_proto::v1;

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
    DraftHook {
        hook: hook.hook.clone(),
        digest: hook.digest.clone(),
        config: hook.config.clone().into_iter().collect(),
        timeout: span(hook.timeout),
        retries: hook.retries,
        on_failure: match hook.on_failure() {
            v1::HookFailurePolicy::Unspecified => None,
            v1::HookFailurePolicy::Hold => Some(HookFailure::Hold),
            v1::HookFailurePolicy::Abort => Some(HookFailure::Abort),
        },
    }
}
