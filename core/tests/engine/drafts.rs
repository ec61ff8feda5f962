//! Short ways to write a plan for a test.

use tidegate_core::{
    Span,
    plan::{
        DraftGroup, DraftHook, DraftRetry, DraftServer, DraftTarget, DraftWave, FailurePolicy,
        HookFailure, HookFailureKind, PlanDraft,
    },
};

pub(crate) fn plan(waves: Vec<DraftWave>) -> PlanDraft {
    PlanDraft {
        name: "shop".into(),
        target: Some(target("us-west-2")),
        waves,
        ..PlanDraft::default()
    }
}

pub(crate) fn target(region: &str) -> DraftTarget {
    account_target("123456789012", region)
}

pub(crate) fn account_target(account: &str, region: &str) -> DraftTarget {
    DraftTarget {
        account: account.into(),
        region: region.into(),
        role: String::new(),
    }
}

/// A wave with servers by number.
pub(crate) fn wave(name: &str, after: &[&str], servers: &[u32]) -> DraftWave {
    DraftWave {
        name: name.into(),
        after: after.iter().map(ToString::to_string).collect(),
        groups: vec![group(servers)],
        ..DraftWave::default()
    }
}

pub(crate) fn tagged(name: &str, after: &[&str], tag: &str) -> DraftWave {
    DraftWave {
        groups: vec![DraftGroup {
            tags: [("tier".to_string(), tag.to_string())].into(),
            ..DraftGroup::default()
        }],
        ..wave(name, after, &[])
    }
}

pub(crate) fn group(servers: &[u32]) -> DraftGroup {
    DraftGroup {
        servers: servers.iter().copied().map(server).collect(),
        ..DraftGroup::default()
    }
}

pub(crate) fn group_at(target: DraftTarget, servers: &[u32]) -> DraftGroup {
    DraftGroup {
        target: Some(target),
        ..group(servers)
    }
}

pub(crate) fn server(number: u32) -> DraftServer {
    DraftServer {
        id: server_id(number),
        ..DraftServer::default()
    }
}

pub(crate) fn server_id(number: u32) -> String {
    format!("s-{number:017x}")
}

pub(crate) fn hook(name: &str) -> DraftHook {
    DraftHook {
        hook: name.into(),
        ..DraftHook::default()
    }
}

pub(crate) fn hook_that(name: &str, on_failure: HookFailure, retries: u32) -> DraftHook {
    DraftHook {
        on_failure: Some(on_failure),
        retries: Some(retries),
        ..hook(name)
    }
}

/// A hook with answers of its own to some kinds of failure.
pub(crate) fn hook_with(name: &str, answers: &[(HookFailureKind, HookFailure)]) -> DraftHook {
    DraftHook {
        failure_answers: answers.to_vec(),
        ..hook(name)
    }
}

pub(crate) fn retry(limit: u32, backoff_secs: u64, max_secs: u64) -> Option<DraftRetry> {
    Some(DraftRetry {
        limit,
        backoff: Some(Span::from_secs(backoff_secs)),
        max_backoff: Some(Span::from_secs(max_secs)),
    })
}

pub(crate) fn on_failure(policy: FailurePolicy, wave: DraftWave) -> DraftWave {
    DraftWave {
        on_failure: Some(policy),
        ..wave
    }
}
