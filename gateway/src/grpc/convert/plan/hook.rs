//! Uses of hooks in a plan, and the endpoints that they may be granted.

use tidegate_core::plan::{DraftEndpoint, DraftHook, HookFailure, HookFailureKind, Scheme};
use tidegate_proto::v1;

use super::Reader;

const POLICIES: &str = "HOLD, ABORT, RETRY or WAIVE";

impl Reader {
    pub(super) fn hooks(&mut self, path: &str, hooks: &[v1::HookUse]) -> Vec<DraftHook> {
        hooks
            .iter()
            .enumerate()
            .map(|(ix, hook)| self.hook(&format!("{path}[{ix}]"), hook))
            .collect()
    }

    fn hook(&mut self, path: &str, hook: &v1::HookUse) -> DraftHook {
        let limits = hook.limits.unwrap_or_default();
        DraftHook {
            hook: hook.hook.clone(),
            digest: hook.digest.clone(),
            config: hook.config.clone(),
            timeout: self.span(&format!("{path}.timeout"), hook.timeout.as_ref()),
            retries: hook.retries,
            on_failure: self.hook_failure(&format!("{path}.on_failure"), hook.on_failure),
            failure_answers: self.failure_answers(path, &hook.failure_answers),
            ports: hook.ports.clone(),
            endpoints: hook.endpoints.clone(),
            allow_wasi: hook.allow_wasi,
            attempt_timeout: self.span(
                &format!("{path}.limits.attempt_timeout"),
                limits.attempt_timeout.as_ref(),
            ),
            fuel: Some(limits.fuel).filter(|&fuel| fuel > 0),
            memory_mib: Some(limits.memory_mib).filter(|&memory| memory > 0),
        }
    }

    fn hook_failure(&mut self, path: &str, value: i32) -> Option<HookFailure> {
        match v1::HookFailurePolicy::try_from(value) {
            Ok(v1::HookFailurePolicy::Unspecified) => None,
            Ok(v1::HookFailurePolicy::Hold) => Some(HookFailure::Hold),
            Ok(v1::HookFailurePolicy::Abort) => Some(HookFailure::Abort),
            Ok(v1::HookFailurePolicy::Retry) => Some(HookFailure::Retry),
            Ok(v1::HookFailurePolicy::Waive) => Some(HookFailure::Waive),
            Err(_) => self.unknown(path, value, POLICIES),
        }
    }

    /// None at all if the kind of one is unknown: the positions of the others
    /// would be wrong in what is said of them.
    fn failure_answers(
        &mut self,
        path: &str,
        answers: &[v1::HookFailureAnswer],
    ) -> Vec<(HookFailureKind, HookFailure)> {
        let mut read = Vec::with_capacity(answers.len());
        for (ix, answer) in answers.iter().enumerate() {
            let path = format!("{path}.failure_answers[{ix}]");
            let kind = self.failure_kind(&format!("{path}.kind"), answer.kind);
            let policy = self.hook_failure(&format!("{path}.policy"), answer.policy);
            read.push(kind.map(|kind| (kind, policy.unwrap_or_default())));
        }
        read.into_iter().collect::<Option<_>>().unwrap_or_default()
    }

    fn failure_kind(&mut self, path: &str, value: i32) -> Option<HookFailureKind> {
        use v1::HookFailureKind as K;
        Some(match K::try_from(value) {
            Ok(K::Unspecified) => return self.missing(path),
            Ok(K::Error) => HookFailureKind::Error,
            Ok(K::Trap) => HookFailureKind::Trap,
            Ok(K::Stack) => HookFailureKind::Stack,
            Ok(K::Fuel) => HookFailureKind::Fuel,
            Ok(K::Timeout) => HookFailureKind::Timeout,
            Ok(K::Memory) => HookFailureKind::Memory,
            Ok(K::Table) => HookFailureKind::Table,
            Ok(K::BadOutput) => HookFailureKind::BadOutput,
            Ok(K::ContractMismatch) => HookFailureKind::ContractMismatch,
            Ok(K::DigestMismatch) => HookFailureKind::DigestMismatch,
            Ok(K::ProbeDenied) => HookFailureKind::ProbeDenied,
            Ok(K::Host) => HookFailureKind::Host,
            Err(_) => return self.unknown(path, value, "a kind of 1 to 12"),
        })
    }

    pub(super) fn endpoints(&mut self, endpoints: &[v1::Endpoint]) -> Vec<DraftEndpoint> {
        endpoints
            .iter()
            .enumerate()
            .map(|(ix, endpoint)| DraftEndpoint {
                name: endpoint.name.clone(),
                scheme: self.scheme(&format!("spec.endpoints[{ix}].scheme"), endpoint),
                host: endpoint.host.clone(),
                port: endpoint.port,
                path_prefix: endpoint.path_prefix.clone(),
                cidrs: endpoint.cidrs.clone(),
                ca_pem: endpoint.ca_pem.clone(),
                server_name: endpoint.server_name.clone(),
            })
            .collect()
    }

    /// The scheme; where it says none that is known, the one under which the
    /// rest can be checked without a mistake that only follows from this one.
    fn scheme(&mut self, path: &str, endpoint: &v1::Endpoint) -> Scheme {
        let read = match v1::EndpointScheme::try_from(endpoint.scheme) {
            Ok(v1::EndpointScheme::Unspecified) => self.missing(path),
            Ok(v1::EndpointScheme::Tcp) => Some(Scheme::Tcp),
            Ok(v1::EndpointScheme::Http) => Some(Scheme::Http),
            Ok(v1::EndpointScheme::Https) => Some(Scheme::Https),
            Err(_) => self.unknown(path, endpoint.scheme, "TCP, HTTP or HTTPS"),
        };
        let guess = if endpoint.ca_pem.is_empty() {
            Scheme::Http
        } else {
            Scheme::Https
        };
        read.unwrap_or(guess)
    }
}

#[cfg(test)]
mod tests {
    use tidegate_core::{
        EndpointIx, Span,
        plan::{HookUse, Limits, Plan},
    };

    use super::super::{draft, violation};
    use super::*;
    use crate::grpc::fixtures;

    fn ledger() -> v1::Endpoint {
        v1::Endpoint {
            name: "ledger".to_owned(),
            scheme: v1::EndpointScheme::Http.into(),
            host: "ledger.example.com".to_owned(),
            port: 8080,
            path_prefix: "/health".to_owned(),
            cidrs: vec!["10.1.0.0/16".to_owned()],
            ..v1::Endpoint::default()
        }
    }

    fn answer(kind: v1::HookFailureKind, policy: v1::HookFailurePolicy) -> v1::HookFailureAnswer {
        v1::HookFailureAnswer {
            kind: kind.into(),
            policy: policy.into(),
        }
    }

    fn plan_with(endpoint: v1::Endpoint, hook: v1::HookUse) -> v1::Plan {
        let mut plan = fixtures::shop();
        let spec = plan.spec.as_mut().unwrap();
        spec.endpoints = vec![endpoint];
        spec.waves[0].verify = vec![v1::HookUse {
            hook: "ledger-up".to_owned(),
            ..hook
        }];
        plan
    }

    fn checked(hook: v1::HookUse) -> HookUse {
        let (draft, violations) = draft(&plan_with(ledger(), hook));
        assert_eq!(violations, []);
        let plan = Plan::check(&draft, &Limits::default()).unwrap();
        plan.waves()[0].verify[0].clone()
    }

    fn violations(endpoint: v1::Endpoint, hook: v1::HookUse) -> Vec<v1::FieldViolation> {
        draft(&plan_with(endpoint, hook)).1
    }

    #[test]
    fn a_use_is_granted_what_the_plan_says() {
        use v1::{HookFailureKind as K, HookFailurePolicy as P};
        let hook = checked(v1::HookUse {
            ports: vec![5432, 22],
            endpoints: vec!["ledger".to_owned()],
            allow_wasi: true,
            limits: Some(v1::HookLimits {
                attempt_timeout: Some(prost_types::Duration {
                    seconds: 0,
                    nanos: 250_000_000,
                }),
                fuel: 7,
                memory_mib: 128,
            }),
            on_failure: P::Retry.into(),
            failure_answers: vec![
                answer(K::Timeout, P::Waive),
                answer(K::ProbeDenied, P::Abort),
                answer(K::Host, P::Unspecified),
            ],
            ..v1::HookUse::default()
        });

        assert_eq!(hook.ports, [5432, 22]);
        assert_eq!(hook.endpoints, [EndpointIx(0)]);
        assert!(hook.allow_wasi);
        assert_eq!(hook.attempt_timeout, Span::from_millis(250));
        assert_eq!((hook.fuel, hook.memory_mib), (7, 128));
        let answers = [
            (HookFailureKind::Timeout, HookFailure::Waive),
            (HookFailureKind::ProbeDenied, HookFailure::Abort),
            (HookFailureKind::Host, HookFailure::Hold),
        ];
        assert_eq!(hook.on_failure.default, HookFailure::Retry);
        assert_eq!(hook.on_failure.kinds, answers.into());
    }

    #[test]
    fn zero_fuel_and_memory_are_the_defaults() {
        let unset = checked(v1::HookUse::default());
        let zero = checked(v1::HookUse {
            limits: Some(v1::HookLimits::default()),
            ..v1::HookUse::default()
        });
        assert_eq!(zero, unset);
        assert_eq!((zero.fuel, zero.memory_mib), (5_000_000_000, 64));
    }

    #[test]
    fn an_endpoint_is_checked_as_it_is_written() {
        let (draft, _) = draft(&plan_with(ledger(), v1::HookUse::default()));
        let plan = Plan::check(&draft, &Limits::default()).unwrap();
        let [endpoint] = plan.endpoints() else {
            panic!("there is one");
        };
        assert_eq!(endpoint.scheme, Scheme::Http);
        assert_eq!(endpoint.path_prefix, "/health");
        assert_eq!(endpoint.cidrs[0].to_string(), "10.1.0.0/16");
    }

    #[test]
    fn a_gate_has_the_time_that_the_wave_gives_it() {
        let mut plan = fixtures::shop();
        let waves = &mut plan.spec.as_mut().unwrap().waves;
        waves[0].gate_timeout = Some(prost_types::Duration {
            seconds: 90,
            nanos: 0,
        });
        let (draft, _) = draft(&plan);
        let plan = Plan::check(&draft, &Limits::default()).unwrap();
        assert_eq!(plan.waves()[0].gate_timeout, Span::from_secs(90));
    }

    #[test]
    fn what_no_gateway_knows_is_a_violation_with_its_path() {
        let endpoint = v1::Endpoint {
            scheme: 9,
            ..ledger()
        };
        let hook = v1::HookUse {
            on_failure: 9,
            limits: Some(v1::HookLimits {
                attempt_timeout: Some(prost_types::Duration {
                    seconds: -1,
                    nanos: 0,
                }),
                ..v1::HookLimits::default()
            }),
            failure_answers: vec![
                v1::HookFailureAnswer {
                    kind: 13,
                    policy: -1,
                },
                v1::HookFailureAnswer::default(),
            ],
            ..v1::HookUse::default()
        };
        let all = violations(endpoint, hook);
        let fields: Vec<&str> = all.iter().map(|it| it.field.as_str()).collect();
        assert_eq!(
            fields,
            [
                "spec.waves[0].verify[0].on_failure",
                "spec.waves[0].verify[0].failure_answers[0].kind",
                "spec.waves[0].verify[0].failure_answers[0].policy",
                "spec.waves[0].verify[0].failure_answers[1].kind",
                "spec.waves[0].verify[0].limits.attempt_timeout",
                "spec.endpoints[0].scheme",
            ]
        );
    }

    #[test]
    fn an_endpoint_without_a_scheme_has_no_other_mistake_for_that() {
        let endpoint = v1::Endpoint {
            scheme: v1::EndpointScheme::Unspecified.into(),
            ..ledger()
        };
        let (draft, violations) = draft(&plan_with(endpoint, v1::HookUse::default()));
        assert_eq!(
            violations,
            [violation("spec.endpoints[0].scheme", "must be given")]
        );
        assert!(Plan::check(&draft, &Limits::default()).is_ok());
    }
}
