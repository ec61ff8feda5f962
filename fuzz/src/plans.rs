//! Plans that choices describe, and executions of them. The first choice is
//! always the plainest.

use std::sync::Arc;

use tidegate_core::{
    ExecutionId, Span, Timestamp,
    engine::{Genesis, Kind, Settings},
    plan::{
        DraftGroup, DraftHook, DraftRetry, DraftServer, DraftTarget, DraftWave, FailurePolicy,
        HookFailure, HookFailureKind, Limits, Plan, PlanDraft, UnknownLaunch,
    },
};

use crate::choices::Choices;

const REGIONS: [&str; 2] = ["us-west-2", "eu-west-1"];

const BEGINNING: Timestamp = Timestamp::from_millis(1_000_000_000);

/// An execution before its first change; `None` where the choices make no
/// plan.
pub(crate) fn genesis(choices: &mut Choices<'_>) -> Option<(Genesis, Settings)> {
    let kind = choices.one_of(&[Kind::Drill, Kind::Recovery, Kind::Cleanup]);
    let settings = Settings {
        servers_per_job: 1 + u16::from(choices.byte() % 4),
        servers: 24,
        ..Settings::default()
    };
    let plan = Plan::check(&draft(choices), &Limits::default()).ok()?;
    let genesis = Genesis {
        id: ExecutionId::from("01jd0000000000000000000000"),
        kind,
        plan: Arc::new(plan),
        created_at: BEGINNING,
    };
    Some((genesis, settings))
}

fn draft(choices: &mut Choices<'_>) -> PlanDraft {
    let waves = 1 + choices.below(5);
    PlanDraft {
        name: "shop".to_owned(),
        target: Some(target(REGIONS[0])),
        timeout: span(choices, 20),
        unknown_launch: choices.one_of(&[
            None,
            Some(UnknownLaunch::AskAgain),
            Some(UnknownLaunch::AskPerson),
        ]),
        waves: (0..waves).map(|ix| wave(ix, choices)).collect(),
        ..PlanDraft::default()
    }
}

pub(crate) fn server_id(number: usize) -> String {
    format!("s-{number:017x}")
}

fn target(region: &str) -> DraftTarget {
    DraftTarget {
        account: "123456789012".to_owned(),
        region: region.to_owned(),
        role: String::new(),
    }
}

/// Often none.
fn span(choices: &mut Choices<'_>, secs: u64) -> Option<Span> {
    let byte = choices.byte();
    (byte > 160).then(|| Span::from_secs(u64::from(byte) * secs))
}

fn wave(ix: usize, choices: &mut Choices<'_>) -> DraftWave {
    let after = choices.byte();
    let on_failure = [
        FailurePolicy::Stop,
        FailurePolicy::Continue,
        FailurePolicy::Pause,
    ];
    DraftWave {
        name: format!("w{ix}"),
        after: (0..ix)
            .filter(|dep| after >> dep & 1 == 1)
            .map(|dep| format!("w{dep}"))
            .collect(),
        groups: groups(ix, choices),
        pause_before: choices.chance(40),
        on_failure: Some(choices.one_of(&on_failure)),
        tolerance: u32::from(choices.byte() / 100),
        retry: Some(DraftRetry {
            limit: u32::from(choices.byte() % 3),
            backoff: Some(Span::from_secs(5)),
            max_backoff: Some(Span::from_secs(15)),
        }),
        timeout: span(choices, 4),
        check: hooks(choices),
        verify: hooks(choices),
        gate_timeout: span(choices, 1),
        ..DraftWave::default()
    }
}

fn groups(ix: usize, choices: &mut Choices<'_>) -> Vec<DraftGroup> {
    let shape = choices.byte();
    let named = |from: usize, count: usize, optional: bool| {
        let one = |number| DraftServer {
            id: server_id(number),
            optional,
            snapshot: String::new(),
        };
        (from..from + count).map(one).collect()
    };
    let first = ix * 8;
    let mut groups = vec![DraftGroup::default()];
    if shape % 4 == 3 {
        groups[0].tags = [("tier".to_owned(), ix.to_string())].into();
        groups[0].optional = shape > 200;
    } else {
        groups[0].servers = named(first, 1 + usize::from(shape / 4 % 4), shape > 220);
    }
    if shape % 8 == 5 {
        groups.push(DraftGroup {
            target: Some(target(REGIONS[1])),
            servers: named(first + 5, 2, false),
            ..DraftGroup::default()
        });
    }
    groups
}

fn hooks(choices: &mut Choices<'_>) -> Vec<DraftHook> {
    let count = usize::from(choices.byte() / 100);
    (0..count).map(|ix| hook(ix, choices)).collect()
}

fn hook(ix: usize, choices: &mut Choices<'_>) -> DraftHook {
    let answers = [
        HookFailure::Hold,
        HookFailure::Abort,
        HookFailure::Retry,
        HookFailure::Waive,
    ];
    let kinds = HookFailureKind::ALL;
    let of_kind = choices.below(kinds.len());
    let answer = choices.one_of(&answers);
    DraftHook {
        hook: format!("hook-{ix}"),
        retries: Some(u32::from(choices.byte() % 3)),
        on_failure: Some(choices.one_of(&answers[..3])),
        failure_answers: kinds[of_kind..]
            .iter()
            .map(|&kind| (kind, answer))
            .filter(|(kind, answer)| kind.is_waivable() || *answer != HookFailure::Waive)
            .collect(),
        timeout: span(choices, 1),
        ..DraftHook::default()
    }
}
