//! Whether a use of a hook can run: everything that can be wrong with it is
//! found here, when the plan is accepted, and not during a recovery.

use std::time::Duration;

use tidegate_core::{
    engine::CommandId,
    plan::{HookPhase, HookSite, HookUse, Plan},
};
use tidegate_hooks::{Hook, Host, Limits, Manifest, NeedTarget, Profile};

use super::{
    context::phase_of,
    grants::{endpoint, endpoint_parameters, ports},
};
use crate::ports::hooks::{HookCall, Unarmed};

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
            wrong.push(self.unarmed(
                "config",
                format!(
                    "hook {} refuses the parameters: {}",
                    manifest.name, failure.message
                ),
            ));
        }
        wrong
    }

    pub(super) fn unarmed(&self, field: &str, problem: String) -> Unarmed {
        Unarmed {
            field: format!("{}.{field}", self.site.field),
            problem,
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

    /// The plan's own check has found what is wrong with an endpoint's form;
    /// this one knows certificates and what may be reached at all.
    fn check_endpoints(&self, manifest: &Manifest, wrong: &mut Vec<Unarmed>) {
        let used = self.site.hook_use;
        let mut granted = used.endpoints.clone();
        for (parameter, name) in endpoint_parameters(used, manifest) {
            match self.plan.find_endpoint(name) {
                Some(ix) => granted.push(ix),
                None => wrong.push(self.unarmed(
                    &format!("config.{parameter}"),
                    format!("the plan has no endpoint {name:?}; declare it in spec.endpoints"),
                )),
            }
        }
        for ix in granted {
            if let Err(error) = endpoint(self.plan.endpoint(ix)).check() {
                wrong.push(Unarmed {
                    field: format!("spec.endpoints[{}]", ix.0),
                    problem: error.to_string(),
                });
            }
        }
    }
}

fn is_port(text: &str) -> bool {
    text.parse::<u16>().is_ok_and(|port| port > 0)
}
