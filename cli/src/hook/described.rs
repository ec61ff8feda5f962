//! What a hook says about itself, as the API has it and as people read it.

use tidegate_hooks::{Inspection, Manifest, Need, NeedTarget, Phase, ProbeKind, Profile};
use tidegate_proto::v1;

use super::numbers;
use crate::{print::table, time};

/// A component on this machine as the gateway would describe it.
pub(super) fn hook(inspection: &Inspection, size_bytes: u64) -> v1::Hook {
    let Manifest {
        name,
        version,
        description,
        phases,
        profile,
        needs,
    } = inspection.manifest.clone();
    v1::Hook {
        name,
        version,
        digest: inspection.digest.to_string(),
        description,
        phases: phases.into_iter().map(|it| phase(it).into()).collect(),
        needs: needs.into_iter().map(need).collect(),
        wasi: profile == Profile::Wasi,
        contract: format!("tidegate:hooks@{}", inspection.contract.version()),
        imports: inspection.imports.clone(),
        size_bytes,
        create_time: None,
        used_by: Vec::new(),
    }
}

fn phase(phase: Phase) -> v1::HookPhase {
    match phase {
        Phase::PreWave => v1::HookPhase::PreWave,
        Phase::PostWave => v1::HookPhase::PostWave,
    }
}

fn need(need: Need) -> v1::HookNeed {
    let probe = match need.probe {
        ProbeKind::Tcp => v1::ProbeKind::Tcp,
        ProbeKind::Http => v1::ProbeKind::Http,
    };
    let target = match need.target {
        NeedTarget::Port(port) => v1::hook_need::Target::Port(port.into()),
        NeedTarget::PortParameter(name) => v1::hook_need::Target::PortParameter(name),
        NeedTarget::EndpointParameter(name) => v1::hook_need::Target::EndpointParameter(name),
    };
    v1::HookNeed {
        probe: probe.into(),
        target: Some(target),
        reason: need.reason,
    }
}

/// All that is known of a hook.
pub(super) fn as_table(hook: &v1::Hook) -> String {
    let mut rows = vec![
        ("version", hook.version.clone()),
        ("digest", hook.digest.clone()),
        ("contract", hook.contract.clone()),
        ("phases", phases(hook)),
        ("profile", profile(hook).to_owned()),
        ("size", numbers::bytes(hook.size_bytes)),
    ];
    if hook.create_time.is_some() {
        rows.push(("registered", time::instant(hook.create_time)));
        rows.push(("used by", hook.used_by.join(", ")));
    }
    let rows = rows
        .into_iter()
        .map(|(what, value)| [what.to_owned(), value]);
    let mut parts = vec![
        hook.description.clone(),
        table([hook.name.as_str(), ""], rows),
        section("NEEDS", hook.needs.iter().map(needed)),
        section("IMPORTS", hook.imports.iter().cloned()),
    ];
    parts.retain(|part| !part.is_empty());
    parts.join("\n\n")
}

fn section(heading: &str, lines: impl Iterator<Item = String>) -> String {
    let lines: Vec<String> = lines.map(|line| format!("  {line}")).collect();
    let lines = if lines.is_empty() {
        "  nothing".to_owned()
    } else {
        lines.join("\n")
    };
    format!("{heading}\n{lines}")
}

fn needed(need: &v1::HookNeed) -> String {
    let probe = probe(need.probe());
    let target = match &need.target {
        Some(v1::hook_need::Target::Port(port)) => format!("port {port} of the servers"),
        Some(v1::hook_need::Target::PortParameter(name)) => {
            format!("the port of the servers that the parameter {name:?} names")
        }
        Some(v1::hook_need::Target::EndpointParameter(name)) => {
            format!("the endpoint that the parameter {name:?} names")
        }
        None => "something that this version does not know".to_owned(),
    };
    format!("{probe} {target}: {}", need.reason)
}

fn probe(kind: v1::ProbeKind) -> &'static str {
    match kind {
        v1::ProbeKind::Tcp => "tcp",
        v1::ProbeKind::Http => "http",
        v1::ProbeKind::Unspecified => "?",
    }
}

/// Where it can be used, as a manifest says it.
pub(super) fn phases(hook: &v1::Hook) -> String {
    let phases: Vec<&str> = hook.phases().map(phase_name).collect();
    phases.join(", ")
}

/// A phase, as a manifest says it.
pub(super) fn phase_name(phase: v1::HookPhase) -> &'static str {
    match phase {
        v1::HookPhase::PreWave => "pre-wave",
        v1::HookPhase::PostWave => "post-wave",
        v1::HookPhase::Unspecified => "?",
    }
}

/// What it may import, as a manifest says it.
fn profile(hook: &v1::Hook) -> &'static str {
    if hook.wasi {
        "wasi (a plan must allow that)"
    } else {
        "plain"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hook_is_shown_with_what_it_needs_and_why() {
        let hook = v1::Hook {
            name: "db-ready".to_owned(),
            version: "1.2.0".to_owned(),
            digest: "sha256:00".to_owned(),
            description: "The databases answer".to_owned(),
            phases: vec![v1::HookPhase::PostWave.into()],
            needs: vec![v1::HookNeed {
                probe: v1::ProbeKind::Tcp.into(),
                target: Some(v1::hook_need::Target::PortParameter("port".to_owned())),
                reason: "to see whether they listen".to_owned(),
            }],
            contract: "tidegate:hooks@1.0.0".to_owned(),
            size_bytes: 32 << 10,
            ..v1::Hook::default()
        };
        insta::assert_snapshot!(as_table(&hook), @r#"
        The databases answer

        db-ready
        version   1.2.0
        digest    sha256:00
        contract  tidegate:hooks@1.0.0
        phases    post-wave
        profile   plain
        size      32.0 KiB

        NEEDS
          tcp the port of the servers that the parameter "port" names: to see whether they listen

        IMPORTS
          nothing
        "#);
    }
}
