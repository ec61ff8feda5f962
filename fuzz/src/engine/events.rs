//! Events that choices describe: answers to what was asked, and anything else.

use std::{collections::BTreeMap, sync::Arc};

use tidegate_core::{
    HookIx, InstanceId, JobId, LaunchIx, SourceServerId, Span, Timestamp, WaveIx,
    engine::{
        CommandId, Event, Execution, Finding, HookAnswer, HookEvidence, HookVerdict, JobReport,
        LaunchAnswer, Looked, Quota, SelectedServer, ServerReport, ServerState, Severity,
    },
    plan::{HookFailureKind, HookPhase, Target},
};

use crate::{choices::Choices, plans::server_id};

const STATES: [ServerState; 9] = [
    ServerState::Launched,
    ServerState::Failed,
    ServerState::Requested,
    ServerState::Snapshot,
    ServerState::Conversion,
    ServerState::Launch,
    ServerState::Terminated,
    ServerState::Skipped,
    ServerState::Pending,
];
const QUOTAS: [Quota; 4] = [
    Quota::Jobs,
    Quota::Servers,
    Quota::ServersPerJob,
    Quota::Unnamed,
];
const SEVERITIES: [Severity; 3] = [Severity::Info, Severity::Warning, Severity::Error];

/// A wave of the plan, or of another one.
pub(crate) fn wave(choices: &mut Choices<'_>) -> WaveIx {
    WaveIx(u16::from(choices.byte() % 7))
}

/// An answer to a command that was given.
pub(crate) fn answer(
    execution: &Execution,
    command: CommandId,
    now: Timestamp,
    choices: &mut Choices<'_>,
) -> Event {
    match command {
        CommandId::Select { wave } => selected(execution, wave, choices),
        CommandId::Hook { .. } => Event::HookAnswered {
            command,
            answer: verdict(choices),
        },
        CommandId::Launch { wave, launch, .. } => Event::LaunchAnswered {
            command,
            answer: launch_answer(report(Some(execution), wave, launch, choices), choices),
        },
        CommandId::Admit { .. } if choices.chance(24) => Event::TooLarge {
            command,
            most: 1 + u16::from(choices.byte() % 3),
        },
        CommandId::Admit { .. } => Event::Admitted { command },
        CommandId::Look { wave, launch, .. } => Event::LaunchLooked {
            wave,
            launch,
            began: now,
            found: looked(report(Some(execution), wave, launch, choices), choices),
        },
        CommandId::Follow { wave, launch } => Event::JobObserved {
            wave,
            launch,
            report: report(Some(execution), wave, launch, choices),
        },
    }
}

/// An answer to anything at all.
pub(crate) fn any(now: Timestamp, choices: &mut Choices<'_>) -> Event {
    let wave = wave(choices);
    let launch = LaunchIx(u16::from(choices.byte() % 5));
    let attempt = u32::from(choices.byte() % 4);
    let command = match choices.byte() % 5 {
        0 => CommandId::Launch {
            wave,
            launch,
            attempt,
        },
        1 => CommandId::Hook {
            wave,
            phase: choices.one_of(&[HookPhase::PreWave, HookPhase::PostWave]),
            hook: HookIx(u16::from(choices.byte() % 3)),
            attempt,
        },
        2 => CommandId::Follow { wave, launch },
        3 => CommandId::Admit {
            wave,
            launch,
            attempt,
        },
        _ => CommandId::Select { wave },
    };
    match choices.byte() % 7 {
        0 => Event::LaunchAnswered {
            command,
            answer: launch_answer(report(None, wave, launch, choices), choices),
        },
        1 => Event::HookAnswered {
            command,
            answer: verdict(choices),
        },
        2 => Event::LaunchLooked {
            wave,
            launch,
            began: now,
            found: looked(report(None, wave, launch, choices), choices),
        },
        3 => Event::JobObserved {
            wave,
            launch,
            report: report(None, wave, launch, choices),
        },
        4 => Event::Admitted { command },
        5 => Event::TooLarge {
            command,
            most: u16::from(choices.byte() % 4),
        },
        _ => Event::Selected {
            wave,
            answer: Ok(servers(choices, &target_of(wave))),
        },
    }
}

fn selected(execution: &Execution, wave: WaveIx, choices: &mut Choices<'_>) -> Event {
    let target = &execution.plan().wave(wave).groups[0].target;
    let answer = if choices.chance(12) {
        Err("access denied".to_owned())
    } else {
        Ok(servers(choices, &Arc::new(target.clone())))
    };
    Event::Selected { wave, answer }
}

/// A target, which need not be the wave's.
pub(crate) fn target_of(wave: WaveIx) -> Arc<Target> {
    let region = ["us-west-2", "eu-west-1"][usize::from(wave.0 % 2)];
    Arc::new(Target {
        account: "123456789012".to_owned(),
        region: region.to_owned(),
        role: None,
    })
}

/// Some servers, now and then the same one twice, or one of another wave.
pub(crate) fn servers(choices: &mut Choices<'_>, target: &Arc<Target>) -> Vec<SelectedServer> {
    let count = choices.below(6);
    let one = |_| SelectedServer {
        id: server(choices),
        hostname: Arc::from(""),
        target: Arc::clone(target),
        optional: choices.chance(40),
        snapshot: None,
        instance: choices.chance(120).then(|| InstanceId::from("i-1")),
    };
    (0..count).map(one).collect()
}

fn server(choices: &mut Choices<'_>) -> SourceServerId {
    SourceServerId::new(server_id(choices.below(32)))
}

fn launch_answer(report: JobReport, choices: &mut Choices<'_>) -> LaunchAnswer {
    let reason = Arc::from("");
    match choices.byte() % 10 {
        0..=3 => LaunchAnswer::Accepted(report),
        8 => LaunchAnswer::OverQuota {
            quota: choices.one_of(&QUOTAS),
            reason,
        },
        9 => LaunchAnswer::NothingLeft,
        4 => LaunchAnswer::Refused { reason },
        5 | 6 => LaunchAnswer::Unknown { reason },
        _ => LaunchAnswer::Deferred {
            reason,
            after: choices.chance(100).then(|| Span::from_secs(7)),
        },
    }
}

fn looked(report: JobReport, choices: &mut Choices<'_>) -> Looked {
    match choices.byte() % 3 {
        0 => Looked::Nothing,
        1 => Looked::Found {
            report,
            duplicates: Vec::new(),
        },
        _ => Looked::Found {
            report,
            duplicates: vec![JobId::from("job-x"), JobId::from("job-x")],
        },
    }
}

/// What DRS says of a job: of the servers of the launch, if it is known, and
/// now and then of others.
fn report(
    execution: Option<&Execution>,
    wave: WaveIx,
    launch: LaunchIx,
    choices: &mut Choices<'_>,
) -> JobReport {
    let mut named: Vec<SourceServerId> = Vec::new();
    if let Some(execution) = execution
        && let Some(asked) = execution.wave(wave).launch(launch)
    {
        let run = execution.wave(wave);
        let ids = asked.servers.iter();
        named.extend(ids.map(|ix| run.servers()[ix.index()].selected.id.clone()));
    }
    for _ in 0..choices.byte() / 90 {
        named.push(server(choices));
    }
    let job = match choices.byte() {
        0..=200 => JobId::new(format!("job-{}-{}", wave.0, launch.0)),
        other => JobId::new(format!("job-{}", other % 4)),
    };
    JobReport {
        job,
        ended: choices.chance(90),
        servers: named
            .into_iter()
            .map(|server| ServerReport {
                server,
                state: choices.one_of(&STATES),
                instance: choices.chance(128).then(|| InstanceId::from("i-1")),
                detail: Arc::from(""),
                warnings: warnings(choices),
            })
            .collect(),
    }
}

fn warnings(choices: &mut Choices<'_>) -> Vec<Arc<str>> {
    let count = usize::from(choices.byte() / 110);
    vec![Arc::from("USING_PREVIOUS_SNAPSHOT"); count]
}

fn verdict(choices: &mut Choices<'_>) -> HookAnswer {
    let verdict = match choices.byte() % 8 {
        0..=2 => HookVerdict::Proceed,
        3 => HookVerdict::Retry {
            after: Span::from_secs(u64::from(choices.byte())),
        },
        4 => HookVerdict::Hold,
        5 => HookVerdict::Skip,
        6 => HookVerdict::Abort,
        _ => HookVerdict::Failed {
            kind: choices.one_of(&HookFailureKind::ALL),
        },
    };
    HookAnswer {
        evidence: Arc::new(evidence(choices)),
        ..HookAnswer::bare(verdict, "")
    }
}

fn evidence(choices: &mut Choices<'_>) -> HookEvidence {
    let count = choices.below(24);
    let finding = |_| Finding {
        code: Arc::from("code"),
        severity: choices.one_of(&SEVERITIES),
        subject: Arc::from(""),
        message: Arc::from(""),
        evidence: BTreeMap::new(),
    };
    HookEvidence {
        findings: (0..count).map(finding).collect(),
        ..HookEvidence::default()
    }
}
