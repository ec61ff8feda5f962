//! What an attempt may reach, from the plan, the hook's own description and
//! the addresses that DRS reports.

use std::collections::BTreeMap;

use tidegate_core::{
    WaveIx,
    engine::CommandId,
    plan::{EndpointPlan, HookUse, Plan, Scheme},
};
use tidegate_hooks::{Endpoint, Grants, Manifest, NeedTarget};

use crate::ports::hooks::HookCall;

/// Everything that this attempt may probe.
pub(super) fn grants(call: &HookCall, manifest: &Manifest) -> Grants {
    let plan = call.state.plan();
    Grants {
        servers: match call.command {
            CommandId::Hook { wave, .. } => servers(call, wave),
            CommandId::Select { .. }
            | CommandId::Admit { .. }
            | CommandId::Launch { .. }
            | CommandId::Look { .. }
            | CommandId::Follow { .. } => BTreeMap::new(),
        },
        ports: ports(&call.hook, manifest),
        endpoints: endpoints(plan, &call.hook, manifest)
            .map(|plan| (plan.name.to_string(), endpoint(plan)))
            .collect(),
    }
}

/// The ports that a use grants: those that it lists, and those that it sets
/// as a parameter which the hook declares to be a port.
pub(super) fn ports(used: &HookUse, manifest: &Manifest) -> Vec<u16> {
    let named = manifest.needs.iter().filter_map(|need| match &need.target {
        NeedTarget::PortParameter(name) => used.config.get(name)?.parse().ok(),
        NeedTarget::Port(_) | NeedTarget::EndpointParameter(_) => None,
    });
    used.ports.iter().copied().chain(named).collect()
}

/// The endpoints that a use grants, likewise.
fn endpoints<'a>(
    plan: &'a Plan,
    used: &'a HookUse,
    manifest: &'a Manifest,
) -> impl Iterator<Item = &'a EndpointPlan> {
    let listed = used.endpoints.iter().copied();
    let named =
        endpoint_parameters(used, manifest).filter_map(|(_, name)| plan.find_endpoint(name));
    listed.chain(named).map(|ix| plan.endpoint(ix))
}

/// The parameters that a use sets and that the hook declares to name an
/// endpoint, with the names that they set.
pub(super) fn endpoint_parameters<'a>(
    used: &'a HookUse,
    manifest: &'a Manifest,
) -> impl Iterator<Item = (&'a str, &'a str)> {
    manifest.needs.iter().filter_map(|need| match &need.target {
        NeedTarget::EndpointParameter(name) => {
            Some((name.as_str(), used.config.get(name)?.as_str()))
        }
        NeedTarget::Port(_) | NeedTarget::PortParameter(_) => None,
    })
}

/// An endpoint as the host of hooks knows it.
pub(super) fn endpoint(plan: &EndpointPlan) -> Endpoint {
    Endpoint {
        scheme: match plan.scheme {
            Scheme::Tcp => tidegate_hooks::Scheme::Tcp,
            Scheme::Http => tidegate_hooks::Scheme::Http,
            Scheme::Https => tidegate_hooks::Scheme::Https,
        },
        host: plan.host.clone(),
        port: plan.port,
        // A plan's prefix is `/` where nothing is written, also of a scheme
        // that has no paths.
        path_prefix: match plan.scheme {
            Scheme::Tcp => String::new(),
            Scheme::Http | Scheme::Https => plan.path_prefix.clone(),
        },
        cidrs: plan.cidrs.iter().map(ToString::to_string).collect(),
        ca_pem: plan.ca_pem.clone().unwrap_or_default(),
        server_name: plan.server_name.clone().unwrap_or_default(),
    }
}

fn servers(call: &HookCall, wave: WaveIx) -> BTreeMap<String, Vec<std::net::IpAddr>> {
    let mut waves = call.state.plan().upstream(wave);
    waves.insert(wave);
    waves
        .into_iter()
        .flat_map(|wave| call.state.wave(wave).servers())
        .map(|run| {
            let known = call.servers.get(&run.selected.id);
            let addresses = known.map(|facts| facts.addresses.clone());
            (run.selected.id.to_string(), addresses.unwrap_or_default())
        })
        .collect()
}
