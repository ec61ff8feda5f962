//! Random plans. Zero is always the simplest choice, so that a failing case
//! shrinks towards a plan of plain waves.

use proptest::prelude::*;
use tidegate_core::{
    Span,
    engine::{Kind, Settings},
    plan::{
        DraftHook, DraftWave, FailurePolicy, HookFailure, HookFailureKind, PlanDraft, UnknownLaunch,
    },
};

use crate::drafts::{group, group_at, hook_that, plan, retry, tagged, target, wave};

/// Everything that is fixed before an execution begins.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    pub(crate) kind: Kind,
    pub(crate) draft: PlanDraft,
    pub(crate) settings: Settings,
}

pub(crate) fn setting() -> impl Strategy<Value = Setting> {
    let kind = prop_oneof![
        4 => Just(Kind::Drill),
        3 => Just(Kind::Recovery),
        1 => Just(Kind::Cleanup),
    ];
    let unknown = prop_oneof![
        Just(None),
        Just(Some(UnknownLaunch::AskAgain)),
        Just(Some(UnknownLaunch::AskPerson)),
    ];
    let waves = prop::collection::vec(any::<[u8; 13]>(), 1..=8);
    (kind, unknown, waves, 1..4_u16, any::<u8>()).prop_map(
        |(kind, unknown_launch, genes, servers_per_job, timeout)| {
            let waves = genes.iter().enumerate().map(|(ix, gene)| one(ix, gene));
            Setting {
                kind,
                draft: PlanDraft {
                    unknown_launch,
                    timeout: (timeout > 200).then(|| Span::from_secs(u64::from(timeout) * 20)),
                    ..plan(waves.collect())
                },
                settings: Settings {
                    servers_per_job,
                    ..Settings::default()
                },
            }
        },
    )
}

pub(crate) fn name(ix: usize) -> String {
    format!("w{ix}")
}

fn one(ix: usize, gene: &[u8; 13]) -> DraftWave {
    let [
        after,
        shape,
        count,
        pause,
        policy,
        tolerance,
        retries,
        timeout,
        check,
        verify,
        check_answers,
        verify_answers,
        gate,
    ] = *gene;
    let after: Vec<String> = (0..ix)
        .filter(|dep| after >> dep & 1 == 1)
        .map(name)
        .collect();
    let after: Vec<&str> = after.iter().map(String::as_str).collect();
    let first = u32::try_from(ix).expect("few waves") * 10;
    let named: Vec<u32> = (first..=first + u32::from(count % 4)).collect();
    let mut draft = match shape % 8 {
        6 | 7 => tagged(&name(ix), &after, &first.to_string()),
        _ => wave(&name(ix), &after, &named),
    };
    if shape % 8 == 5 {
        draft.groups = vec![group(&named), group_at(target("eu-west-1"), &[first + 8])];
    }
    if shape % 8 == 4 {
        draft.groups[0].servers[0].optional = true;
    }
    DraftWave {
        pause_before: pause > 200,
        on_failure: Some(match policy % 3 {
            0 => FailurePolicy::Stop,
            1 => FailurePolicy::Continue,
            _ => FailurePolicy::Pause,
        }),
        tolerance: u32::from(tolerance > 200),
        retry: retry(u32::from(retries % 3), 5, 15),
        timeout: (timeout > 160).then(|| Span::from_secs(u64::from(timeout) * 4)),
        check: hooks(check, check_answers),
        verify: hooks(verify, verify_answers),
        gate_timeout: (gate > 120).then(|| Span::from_secs(u64::from(gate - 120))),
        ..draft
    }
}

fn hooks(gene: u8, answers: u8) -> Vec<DraftHook> {
    let failure = match gene % 7 {
        0..=2 => HookFailure::Hold,
        3 | 4 => HookFailure::Abort,
        _ => HookFailure::Retry,
    };
    let count = usize::from(gene / 86);
    let names = ["first", "second"].into_iter().take(count);
    names
        .map(|name| DraftHook {
            failure_answers: failure_answers(answers),
            timeout: (gene % 5 == 4).then(|| Span::from_secs(u64::from(gene))),
            ..hook_that(name, failure, u32::from(gene % 3))
        })
        .collect()
}

/// An answer of its own for some kinds of failure: the more, the larger the
/// gene.
fn failure_answers(gene: u8) -> Vec<(HookFailureKind, HookFailure)> {
    let answers = [
        HookFailure::Waive,
        HookFailure::Retry,
        HookFailure::Hold,
        HookFailure::Abort,
    ];
    let count = usize::from(gene / 20);
    let kinds = HookFailureKind::ALL.into_iter().enumerate().take(count);
    kinds
        .map(|(ix, kind)| (kind, answers[(ix + usize::from(gene)) % answers.len()]))
        .filter(|(kind, answer)| kind.is_waivable() || *answer != HookFailure::Waive)
        .collect()
}
