//! Hooks and endpoints between a plan file and the API's messages.

use std::num::{NonZeroU32, NonZeroU64};

use tidegate_core::plan::HookFailureKind;
use tidegate_proto::v1;

use super::{
    super::{from_api, to_api},
    Endpoint, HookLimits, HookUse, OnHookFailure, Policy, Scheme,
};

/// A use as the API takes it.
pub(in super::super) fn to_use(hook: HookUse) -> v1::HookUse {
    let on_failure = hook.on_failure.unwrap_or_default();
    let answers = on_failure.kinds.into_iter();
    v1::HookUse {
        hook: hook.hook,
        digest: hook.digest.unwrap_or_default(),
        config: hook.config,
        timeout: hook.timeout.map(to_api::duration),
        retries: hook.retries,
        on_failure: on_failure
            .default
            .map_or(v1::HookFailurePolicy::Unspecified, to_policy)
            .into(),
        ports: hook.ports,
        endpoints: hook.endpoints,
        allow_wasi: hook.allow_wasi,
        limits: hook.limits.map(|limits| v1::HookLimits {
            attempt_timeout: limits.attempt_timeout.map(to_api::duration),
            fuel: limits.fuel.map_or(0, NonZeroU64::get),
            memory_mib: limits.memory_mib.map_or(0, NonZeroU32::get),
        }),
        failure_answers: answers
            .map(|(kind, policy)| v1::HookFailureAnswer {
                kind: to_kind(kind).into(),
                policy: to_policy(policy).into(),
            })
            .collect(),
    }
}

/// A use as a file has it.
pub(in super::super) fn from_use(hook: &v1::HookUse) -> HookUse {
    let on_failure = OnHookFailure {
        default: from_policy(hook.on_failure()),
        kinds: answers(&hook.failure_answers).collect(),
    };
    HookUse {
        hook: hook.hook.clone(),
        digest: from_api::text(&hook.digest),
        config: hook.config.clone(),
        ports: hook.ports.clone(),
        endpoints: hook.endpoints.clone(),
        allow_wasi: hook.allow_wasi,
        timeout: from_api::duration(hook.timeout),
        retries: hook.retries,
        limits: hook.limits.map(|limits| HookLimits {
            attempt_timeout: from_api::duration(limits.attempt_timeout),
            fuel: NonZeroU64::new(limits.fuel),
            memory_mib: NonZeroU32::new(limits.memory_mib),
        }),
        on_failure: Some(on_failure).filter(|it| *it != OnHookFailure::default()),
    }
}

/// An endpoint as the API takes it. Its `caFile` was read before.
pub(in super::super) fn to_endpoint(endpoint: Endpoint) -> v1::Endpoint {
    v1::Endpoint {
        name: endpoint.name,
        scheme: match endpoint.scheme {
            Scheme::Tcp => v1::EndpointScheme::Tcp,
            Scheme::Http => v1::EndpointScheme::Http,
            Scheme::Https => v1::EndpointScheme::Https,
        }
        .into(),
        host: endpoint.host,
        port: endpoint.port,
        path_prefix: endpoint.path_prefix.unwrap_or_default(),
        cidrs: endpoint.cidrs,
        ca_pem: endpoint.ca_pem.unwrap_or_default(),
        server_name: endpoint.server_name.unwrap_or_default(),
    }
}

/// An endpoint as a file has it; its authority stands in the file itself.
pub(in super::super) fn from_endpoint(endpoint: &v1::Endpoint) -> Endpoint {
    Endpoint {
        name: endpoint.name.clone(),
        scheme: match endpoint.scheme() {
            // No gateway accepts the first.
            v1::EndpointScheme::Unspecified | v1::EndpointScheme::Tcp => Scheme::Tcp,
            v1::EndpointScheme::Http => Scheme::Http,
            v1::EndpointScheme::Https => Scheme::Https,
        },
        host: endpoint.host.clone(),
        port: endpoint.port,
        path_prefix: from_api::text(&endpoint.path_prefix),
        cidrs: endpoint.cidrs.clone(),
        ca_pem: from_api::text(&endpoint.ca_pem),
        ca_file: None,
        server_name: from_api::text(&endpoint.server_name),
    }
}

/// What failures of single kinds mean. No gateway accepts an answer without
/// its kind; one without a policy is read as *hold*.
pub(in super::super) fn answers(
    answers: &[v1::HookFailureAnswer],
) -> impl Iterator<Item = (HookFailureKind, Policy)> {
    answers.iter().filter_map(|answer| {
        let kind = from_kind(answer.kind())?;
        Some((kind, from_policy(answer.policy()).unwrap_or(Policy::Hold)))
    })
}

/// `None` where the API says nothing.
pub(in super::super) fn from_policy(policy: v1::HookFailurePolicy) -> Option<Policy> {
    match policy {
        v1::HookFailurePolicy::Unspecified => None,
        v1::HookFailurePolicy::Hold => Some(Policy::Hold),
        v1::HookFailurePolicy::Abort => Some(Policy::Abort),
        v1::HookFailurePolicy::Retry => Some(Policy::Retry),
        v1::HookFailurePolicy::Waive => Some(Policy::Waive),
    }
}

fn to_policy(policy: Policy) -> v1::HookFailurePolicy {
    match policy {
        Policy::Hold => v1::HookFailurePolicy::Hold,
        Policy::Abort => v1::HookFailurePolicy::Abort,
        Policy::Retry => v1::HookFailurePolicy::Retry,
        Policy::Waive => v1::HookFailurePolicy::Waive,
    }
}

fn to_kind(kind: HookFailureKind) -> v1::HookFailureKind {
    match kind {
        HookFailureKind::Error => v1::HookFailureKind::Error,
        HookFailureKind::Trap => v1::HookFailureKind::Trap,
        HookFailureKind::Stack => v1::HookFailureKind::Stack,
        HookFailureKind::Fuel => v1::HookFailureKind::Fuel,
        HookFailureKind::Timeout => v1::HookFailureKind::Timeout,
        HookFailureKind::Memory => v1::HookFailureKind::Memory,
        HookFailureKind::Table => v1::HookFailureKind::Table,
        HookFailureKind::BadOutput => v1::HookFailureKind::BadOutput,
        HookFailureKind::ContractMismatch => v1::HookFailureKind::ContractMismatch,
        HookFailureKind::DigestMismatch => v1::HookFailureKind::DigestMismatch,
        HookFailureKind::ProbeDenied => v1::HookFailureKind::ProbeDenied,
        HookFailureKind::Host => v1::HookFailureKind::Host,
    }
}

fn from_kind(kind: v1::HookFailureKind) -> Option<HookFailureKind> {
    HookFailureKind::ALL
        .into_iter()
        .find(|&known| to_kind(known) == kind)
}
