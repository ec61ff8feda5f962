//! What must hold of hooks. That a wave goes on only past hooks that proceed
//! or whose failure is waived, and that a waiver is shown, are rules of the
//! state; see `violations`.

use std::{collections::BTreeMap, sync::Arc};

use tidegate_core::{
    HookIx, Timestamp, WaveIx,
    engine::{
        Change, Event, Execution, FAILURE_DELAY, FINDINGS_KEPT, HookAnswer, HookEvidence,
        HookOutcome, HookRun, HookStatus, HookVerdict, RETRY_FLOOR, Severity, Stage,
    },
    plan::{HookFailure, HookFailureKind, HookPhase, HookUse},
};

use super::{
    laws::{check, is_ending},
    world::World,
};

/// Checks one change between the state before it and the state after it.
pub(crate) fn of_a_change(world: &World, next: &Execution, change: &Change, event: &Event) {
    let Change::HookEnded {
        wave,
        outcome,
        evidence,
        ..
    } = change
    else {
        return;
    };
    let law = |holds: bool, law: &str| check(world, holds, law);
    let before = world.execution.wave(*wave);
    let Stage::Hook(step) = before.stage() else {
        return law(false, "only a hook ends");
    };
    law(
        matches!(step.status, HookStatus::Running { .. }),
        "only what runs ends",
    );
    let plan = world.execution.plan().wave(*wave);
    let hook = plan.hook(step.phase, step.hook).expect("it is planned");
    law(
        follows(*outcome, hook, step.phase, said(event), world.now),
        "what came of a hook follows from what it said, or from time",
    );
    let run = next.wave(*wave).hook_run(step.phase, step.hook);
    let run = run.expect("what ended has begun");
    law(
        run.outcome == Some(*outcome) && keeps(run, evidence),
        "the state keeps the worst of what a hook has found",
    );
    if let Some(answer) = said(event)
        && *outcome != HookOutcome::Dropped
        && !is_timed_out(*outcome)
    {
        law(
            Arc::ptr_eq(&answer.evidence, evidence),
            "what a hook has found is recorded",
        );
    }
}

/// Checks one step.
pub(crate) fn of_a_step(world: &World, before: &Execution, changes: &[Change], event: &Event) {
    let after = &world.execution;
    if let Event::HookAnswered { command, answer } = event {
        let bare = HookAnswer::bare(answer.verdict, Arc::clone(&answer.message));
        let again = Event::HookAnswered {
            command: *command,
            answer: bare,
        };
        let decided = before.decide(again, world.now).expect("no request");
        check(
            world,
            unevidenced(&decided) == unevidenced(changes),
            "evidence decides nothing",
        );
    }
    for wave in (0..world.wave_count()).map(WaveIx) {
        let earlier = after
            .wave(wave)
            .earlier_hooks(HookPhase::PreWave, HookIx(9));
        let order: Vec<HookIx> = earlier.map(|run| run.hook).collect();
        check(
            world,
            order.is_sorted(),
            "earlier hooks are told in the order of the plan",
        );
        gate(world, wave);
    }
}

/// Nothing runs or is waited for beyond the time of its phase, which is never
/// longer ahead than the plan says.
fn gate(world: &World, wave: WaveIx) {
    let execution = &world.execution;
    let Stage::Hook(step) = execution.wave(wave).stage() else {
        return;
    };
    if !execution.holds().is_empty() || is_ending(execution) {
        return;
    }
    let law = |holds: bool, law: &str| check(world, holds, law);
    let deadline = execution.gate_deadline(wave).expect("a hook has begun");
    if let HookStatus::Delayed { until } = step.status {
        law(
            until < deadline,
            "a hook is asked again only while its phase has time",
        );
    }
    if let HookStatus::Running { .. } = step.status {
        let gate = execution.plan().wave(wave).gate_timeout;
        // A new owner's clock may be behind what is recorded.
        let newest = world.journal.iter().map(|(at, _)| *at).max();
        let latest = newest.expect("something has happened") + gate;
        law(
            deadline > world.now && deadline <= latest,
            "a hook that runs has time left, and no more than its phase has",
        );
    }
}

/// Whether a person is waited for: after *hold*, and after a failure for
/// which the plan does not want the wave to fail.
pub(crate) fn waits(after: &Execution, wave: WaveIx, outcome: HookOutcome) -> bool {
    match outcome {
        HookOutcome::Hold => true,
        HookOutcome::Failed { .. } => !after.wave(wave).state().is_settled(),
        HookOutcome::Proceed
        | HookOutcome::Retry { .. }
        | HookOutcome::Skip
        | HookOutcome::Abort
        | HookOutcome::Waived { .. }
        | HookOutcome::Dropped => false,
    }
}

fn said(event: &Event) -> Option<&HookAnswer> {
    let Event::HookAnswered { answer, .. } = event else {
        return None;
    };
    Some(answer)
}

fn is_timed_out(outcome: HookOutcome) -> bool {
    let kind = HookFailureKind::Timeout;
    outcome == HookOutcome::Failed { kind } || outcome == HookOutcome::Waived { kind }
}

/// By other means than the engine's: what each outcome needs.
fn follows(
    outcome: HookOutcome,
    hook: &HookUse,
    phase: HookPhase,
    said: Option<&HookAnswer>,
    now: Timestamp,
) -> bool {
    let verdict = said.map(|answer| answer.verdict);
    let failed_as = |kind| {
        let itself = verdict == Some(HookVerdict::Failed { kind });
        let misplaced = verdict == Some(HookVerdict::Skip) && phase == HookPhase::PostWave;
        itself
            || kind == HookFailureKind::Timeout
            || (misplaced && kind == HookFailureKind::BadOutput)
    };
    let planned = |kind| hook.on_failure.kinds.get(&kind).copied();
    match outcome {
        HookOutcome::Proceed => verdict == Some(HookVerdict::Proceed),
        HookOutcome::Hold => verdict == Some(HookVerdict::Hold),
        HookOutcome::Skip => verdict == Some(HookVerdict::Skip) && phase == HookPhase::PreWave,
        HookOutcome::Abort => verdict == Some(HookVerdict::Abort),
        HookOutcome::Waived { kind } => {
            let never = [
                HookFailureKind::ContractMismatch,
                HookFailureKind::DigestMismatch,
            ];
            failed_as(kind) && planned(kind) == Some(HookFailure::Waive) && !never.contains(&kind)
        }
        HookOutcome::Failed { kind } => {
            failed_as(kind) && planned(kind) != Some(HookFailure::Waive)
        }
        HookOutcome::Retry { at } => match verdict {
            Some(HookVerdict::Retry { .. }) => at >= now + RETRY_FLOOR,
            Some(HookVerdict::Failed { .. } | HookVerdict::Skip) => at == now + FAILURE_DELAY,
            Some(HookVerdict::Proceed | HookVerdict::Hold | HookVerdict::Abort) | None => false,
        },
        HookOutcome::Dropped => true,
    }
}

fn keeps(run: &HookRun, evidence: &HookEvidence) -> bool {
    let mut count: BTreeMap<Severity, usize> = BTreeMap::new();
    for finding in &evidence.findings {
        *count.entry(finding.severity).or_default() += 1;
    }
    let severities: Vec<Severity> = run.findings.iter().map(|found| found.severity).collect();
    let worst_first = count
        .iter()
        .rev()
        .flat_map(|(severity, count)| std::iter::repeat_n(*severity, *count))
        .take(FINDINGS_KEPT);
    severities.into_iter().eq(worst_first)
        && run.finding_count as usize
            == evidence.findings.len() + evidence.findings_dropped as usize
        && run.fuel == evidence.fuel
}

fn unevidenced(changes: &[Change]) -> Vec<Change> {
    let mut changes = changes.to_vec();
    for change in &mut changes {
        if let Change::HookEnded { evidence, .. } = change {
            *evidence = Arc::default();
        }
    }
    changes
}
