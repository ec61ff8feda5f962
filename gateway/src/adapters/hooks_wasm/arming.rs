//! Whether a use of a hook can run: everything that can be wrong with it is
//! found here, when the plan is accepted, and not during a recovery.

use std::time::Duration;

use tidegate_core::{
    engine::CommandId,
    plan::{HookPhase, HookSite, HookUse, Plan},
};
use tidegate_hooks::{
    FailureKind, Hook, Host, Limits, Manifest, NeedTarget, Profile, Setting, Unreachable,
};

use super::{
    context::phase_of,
    grants::{endpoint, endpoint_parameters, ports},
};
use crate::ports::hooks::{Fault, HookCall, Unarmed};

/// One use, and where the plan has it.
pub(super) struct Used<'a> {
    pub(super) plan: &'a Plan,
    pub(super) site: HookSite<'a>,
}

/// What one attempt may use. It ends with the wave's gate at the latest.
pub(super) fn limits(call: &HookCall) -> Limits {
    let mut limits = planned(&call.hook);
    if let CommandId::Hook { wave, .. } = call.command
        && let Some(end) = call.state.gate_deadline(wave)
    {
        let left = Duration::from_millis(end.since(call.now).as_millis());
        limits.wall = limits.wall.min(left);
    }
    limits
}

/// What the plan lets an attempt of this use have.
fn planned(used: &HookUse) -> Limits {
    Limits {
        wall: Duration::from_millis(used.attempt_timeout.as_millis()),
        fuel: used.fuel,
        memory: usize::try_from(used.memory_mib).unwrap_or(usize::MAX) << 20,
        ..Limits::DEFAULT
    }
}

impl Used<'_> {
    /// Everything that is wrong with this use of this hook.
    pub(super) async fn check(&self, host: &Host, hook: &Hook) -> Vec<Unarmed> {
        let manifest = hook.manifest();
        let mut wrong = Vec::new();
        self.check_place(manifest, &mut wrong);
        self.check_needs(manifest, &mut wrong);
        self.check_endpoints(manifest, &mut wrong);
        let used = self.site.hook_use;
        let accepted = host.accepts(hook, &planned(used), &used.config).await;
        if let Err(failure) = accepted {
            let name = &manifest.name;
            let said = failure.message;
            wrong.push(if failure.kind == FailureKind::Host {
                Unarmed {
                    fault: Fault::Host,
                    ..self.unarmed("config", format!("hook {name} cannot be asked: {said}"))
                }
            } else {
                let problem = format!("hook {name} refuses the parameters: {said}");
                self.unarmed("config", problem)
            });
        }
        wrong
    }

    pub(super) fn unarmed(&self, field: &str, problem: String) -> Unarmed {
        Unarmed {
            field: format!("{}.{field}", self.site.field),
            problem,
            fault: Fault::Plan,
        }
    }

    fn check_place(&self, manifest: &Manifest, wrong: &mut Vec<Unarmed>) {
        if manifest.name != self.site.hook_use.hook.as_str() {
            wrong.push(self.unarmed(
                "digest",
                format!(
                    "is of hook {:?}, not of {:?}",
                    manifest.name, self.site.hook_use.hook
                ),
            ));
        }
        if !manifest.phases.contains(&phase_of(self.site.phase)) {
            let (here, there) = match self.site.phase {
                HookPhase::PreWave => ("before the launch", "verify"),
                HookPhase::PostWave => ("after the launch", "check"),
            };
            wrong.push(self.unarmed(
                "hook",
                format!(
                    "hook {} cannot run {here}; use it in {there:?}",
                    manifest.name
                ),
            ));
        }
        if manifest.profile == Profile::Wasi && !self.site.hook_use.allow_wasi {
            wrong.push(self.unarmed(
                "allow_wasi",
                format!("hook {} imports WASI; set this to allow it", manifest.name),
            ));
        }
    }

    fn check_needs(&self, manifest: &Manifest, wrong: &mut Vec<Unarmed>) {
        let granted = ports(self.site.hook_use, manifest);
        for need in &manifest.needs {
            match &need.target {
                NeedTarget::Port(port) if !granted.contains(port) => wrong.push(self.unarmed(
                    "ports",
                    format!(
                        "hook {} needs port {port} ({}); add it",
                        manifest.name, need.reason
                    ),
                )),
                NeedTarget::PortParameter(name) => {
                    let set = self.site.hook_use.config.get(name);
                    if let Some(value) = set.filter(|value| !is_port(value)) {
                        wrong.push(self.unarmed(
                            &format!("config.{name}"),
                            format!("{value:?} is no port; write a number from 1 to 65535"),
                        ));
                    }
                }
                NeedTarget::Port(_) | NeedTarget::EndpointParameter(_) => {}
            }
        }
    }

    fn check_endpoints(&self, manifest: &Manifest, wrong: &mut Vec<Unarmed>) {
        for (parameter, name) in endpoint_parameters(self.site.hook_use, manifest) {
            if self.plan.find_endpoint(name).is_none() {
                wrong.push(self.unarmed(
                    &format!("config.{parameter}"),
                    format!("the plan has no endpoint {name:?}; declare it in spec.endpoints"),
                ));
            }
        }
    }
}

/// Everything that is wrong with a plan's endpoints, used or not. The plan's
/// own check has found what is wrong with their form; this one knows
/// certificates and what may be reached at all.
pub(super) fn unusable_endpoints(plan: &Plan, setting: Setting) -> Vec<Unarmed> {
    let mut wrong = Vec::new();
    for (ix, planned) in plan.endpoints().iter().enumerate() {
        let mut add = |field: &str, problem| {
            wrong.push(Unarmed {
                field: format!("spec.endpoints[{ix}]{field}"),
                problem,
                fault: Fault::Plan,
            });
        };
        match endpoint(planned).check() {
            Ok(checked) => {
                for vain in checked.unreachable(setting) {
                    let field = match &vain {
                        Unreachable::Host { .. } => ".host".to_owned(),
                        Unreachable::Cidr { index, .. } => format!(".cidrs[{index}]"),
                    };
                    add(&field, vain.to_string());
                }
            }
            Err(error) => add("", error.to_string()),
        }
    }
    wrong
}

fn is_port(text: &str) -> bool {
    text.parse::<u16>().is_ok_and(|port| port > 0)
}

#[cfg(test)]
mod tests {
    use prost::Message as _;
    use tidegate_proto::v1;

    use super::*;
    use crate::grpc::{fixtures, pinned_plan};

    fn endpoint(name: &str, host: &str, cidrs: &[&str]) -> v1::Endpoint {
        v1::Endpoint {
            name: name.to_owned(),
            scheme: v1::EndpointScheme::Tcp.into(),
            host: host.to_owned(),
            port: 443,
            cidrs: cidrs.iter().map(ToString::to_string).collect(),
            ..v1::Endpoint::default()
        }
    }

    fn found(setting: Setting, endpoints: Vec<v1::Endpoint>) -> Vec<(String, String)> {
        let mut plan = fixtures::shop();
        plan.spec.as_mut().unwrap().endpoints = endpoints;
        let plan = pinned_plan(&plan.encode_to_vec()).unwrap();
        let found = unusable_endpoints(&plan, setting).into_iter();
        found
            .inspect(|it| assert_eq!(it.fault, Fault::Plan))
            .map(|it| (it.field, it.problem))
            .collect()
    }

    #[test]
    fn an_endpoint_that_is_never_probed_is_found_with_its_field_and_rule() {
        let endpoints = vec![
            endpoint("good", "crm.internal", &["10.0.0.0/8"]),
            endpoint("metadata", "169.254.169.254", &[]),
            endpoint("mixed", "erp.internal", &["10.0.0.0/8", "127.0.0.0/8"]),
            endpoint("here", "127.0.0.1", &[]),
        ];

        let production = found(Setting::Production, endpoints.clone());

        let rules = [
            ("spec.endpoints[1].host", "(rule metadata)"),
            ("spec.endpoints[2].cidrs[1]", "(rule loopback)"),
            ("spec.endpoints[3].host", "(rule loopback)"),
        ];
        assert_eq!(production.len(), rules.len(), "{production:?}");
        for ((field, problem), (place, rule)) in production.iter().zip(rules) {
            assert_eq!(field, place);
            assert!(problem.contains(rule), "{problem}");
        }
        let development = found(Setting::Development, endpoints);
        assert_eq!(development.len(), 1, "{development:?}");
        assert_eq!(development[0].0, "spec.endpoints[1].host");
    }
}
