//! What must hold of every change and of every step, whatever happens.

use std::collections::BTreeSet;

use tidegate_core::{
    WaveIx,
    engine::{
        Action, Change, Closing, CommandId, Event, Execution, ExecutionState, HoldCause, Kind,
        Reason, ReasonCode, WaveState,
    },
    plan::{FailurePolicy, Plan},
};

use super::{hook_laws, verdict, world::World};

/// Checks one change between the state before it and the state after it.
pub(crate) fn of_a_change(world: &World, next: &Execution, change: &Change, event: &Event) {
    let before = &world.execution;
    let law = |holds: bool, law: &str| check(world, holds, law);
    law(
        !before.state().is_terminal(),
        "a terminal state is terminal",
    );
    let held = !before.holds().is_empty() && !next.holds().is_empty();
    if held || is_ending(before) {
        let known: BTreeSet<CommandId> = before.outstanding().into_iter().collect();
        let mut wanted = next.outstanding().into_iter();
        law(
            wanted.all(|command| known.contains(&command) || command.is_observation()),
            "nothing new is offered while the execution is held or ending",
        );
    }
    if let Change::HoldLifted(hold) = change {
        law(
            may_lift(before, hold.cause, event),
            "a hold is lifted by those who may",
        );
    }
    if let Change::WaveMoved { wave, to, reason } = change {
        of_a_wave(world, *wave, *to, reason, event);
    }
    hook_laws::of_a_change(world, next, change, event);
}

fn of_a_wave(world: &World, wave: WaveIx, to: WaveState, reason: &Reason, event: &Event) {
    let before = &world.execution;
    let law = |holds: bool, law: &str| check(world, holds, law);
    let run = before.wave(wave);
    let begins =
        run.state() == WaveState::Waiting && matches!(to, WaveState::Gated | WaveState::Checking);
    law(
        !begins || is_ready(before, wave),
        "a wave starts only when its dependencies are satisfied",
    );
    let gated = before.plan().wave(wave).pause_before && begins;
    law(!gated || to == WaveState::Gated, "a planned pause is kept");
    let decided = matches!(event, Event::RetryWave(w) | Event::SkipWave(w) if *w == wave);
    law(
        !run.state().is_settled() || (run.state() == WaveState::Failed && decided),
        "a settled wave moves only on a person's word",
    );
    let judged = to == WaveState::Verifying || reason.code == ReasonCode::ServersFailed;
    let open = run
        .servers()
        .iter()
        .any(|server| !server.state.is_settled());
    law(
        !judged || !(open || run.has_launch_in_flight()),
        "a wave is judged when every server has settled",
    );
}

/// Checks one step between the states before and after all of its changes.
pub(crate) fn of_a_step(world: &World, before: &Execution, changes: &[Change], event: &Event) {
    let after = &world.execution;
    let law = |holds: bool, law: &str| check(world, holds, law);
    let violations = after.violations();
    law(violations.is_empty(), &format!("{violations:?}"));
    let again = before.decide(event.clone(), world.now);
    law(
        again.as_deref() == Ok(changes),
        "the same question gets the same answer",
    );
    if is_answer(event) {
        law(
            is_quiet(world, event.clone()),
            "a duplicate changes nothing",
        );
    }
    law(is_quiet(world, Event::Tick), "nothing is due after a step");
    let due_now = before
        .next_deadline()
        .is_some_and(|due| due.at <= world.now);
    law(
        *event != Event::Tick || due_now || changes.is_empty(),
        "time decides only at a deadline",
    );
    hook_laws::of_a_step(world, before, changes, event);
    holds(world, changes);
    due(world);
    requests(world);
    if after.state().is_terminal() {
        over(world);
    }
}

pub(crate) fn check(world: &World, holds: bool, law: &str) {
    assert!(
        holds,
        "broken: {law}\nplan {:#?}\n{}\nthen {:#?}",
        world.execution.plan().waves(),
        world.trace.join("\n"),
        world.execution.waves().collect::<Vec<_>>(),
    );
}

pub(crate) fn is_ending(execution: &Execution) -> bool {
    matches!(
        execution.closing(),
        Some((Closing::Cancel | Closing::Timeout, _))
    )
}

/// A dependency is satisfied when it succeeded, when its failure is to be
/// passed over, or when it was skipped and its own dependencies are satisfied.
fn is_ready(execution: &Execution, wave: WaveIx) -> bool {
    let plan: &Plan = execution.plan();
    plan.wave(wave)
        .after
        .iter()
        .all(|&dep| match execution.wave(dep).state() {
            WaveState::Succeeded | WaveState::SucceededWithWarnings => true,
            WaveState::Failed => plan.wave(dep).on_failure == FailurePolicy::Continue,
            WaveState::Skipped => is_ready(execution, dep),
            WaveState::Waiting
            | WaveState::Gated
            | WaveState::Checking
            | WaveState::Launching
            | WaveState::Recovering
            | WaveState::Verifying
            | WaveState::Cancelled => false,
        })
}

/// Whoever is to look is waited for, unless the execution ends.
fn holds(world: &World, changes: &[Change]) {
    let after = &world.execution;
    for cause in changes.iter().filter_map(|change| wanted(after, change)) {
        let placed = after.holds().iter().any(|hold| hold.cause == cause);
        let ending = is_ending(after) || after.state().is_terminal();
        check(world, placed || ending, "whoever is to look is waited for");
    }
}

/// The hold that a change asks for.
fn wanted(after: &Execution, change: &Change) -> Option<HoldCause> {
    if let Change::HookEnded { wave, outcome, .. } = change {
        return hook_laws::waits(after, *wave, *outcome).then_some(HoldCause::Hook(*wave));
    }
    let Change::WaveMoved { wave, to, .. } = change else {
        return None;
    };
    let pauses = after.plan().wave(*wave).on_failure == FailurePolicy::Pause;
    if *to == WaveState::Failed && pauses {
        return Some(HoldCause::WaveFailed(*wave));
    }
    (*to == WaveState::Gated).then_some(HoldCause::Planned(*wave))
}

/// The approval of a launch is settled by an answer, too; every other hold
/// only by a person, or when the execution ends.
fn may_lift(before: &Execution, cause: HoldCause, event: &Event) -> bool {
    let not_reached = matches!(cause, HoldCause::Planned(_)) && before.closing().is_some();
    let over = not_reached || before.waves().all(|wave| wave.state().is_settled());
    let person = match (event, cause) {
        (Event::RetryWave(at) | Event::SkipWave(at), _) => cause.wave() == Some(*at),
        (Event::Resume, _) => !matches!(cause, HoldCause::WaveFailed(_)),
        (_, cause) => matches!(cause, HoldCause::Approval(_)),
    };
    person || over || is_ending(before)
}

fn is_answer(event: &Event) -> bool {
    match event {
        Event::Selected { .. }
        | Event::HookAnswered { .. }
        | Event::Admitted { .. }
        | Event::TooLarge { .. }
        | Event::LaunchAnswered { .. }
        | Event::LaunchLooked { .. }
        | Event::JobObserved { .. }
        | Event::Tick => true,
        Event::Start
        | Event::OwnerChanged(_)
        | Event::Pause { .. }
        | Event::Resume
        | Event::Cancel { .. }
        | Event::RetryWave(_)
        | Event::SkipWave(_) => false,
    }
}

fn is_quiet(world: &World, event: Event) -> bool {
    world.execution.decide(event, world.now).as_deref() == Ok(&[])
}

/// A deadline lies ahead, something is decided at it, and it does not come
/// back.
fn due(world: &World) {
    let Some(deadline) = world.execution.next_deadline() else {
        return;
    };
    check(world, deadline.at > world.now, "a deadline lies ahead");
    let changes = world.execution.decide(Event::Tick, deadline.at);
    let changes = changes.expect("time is never refused");
    check(
        world,
        !changes.is_empty(),
        "a deadline has something to decide",
    );
    let mut next = world.execution.clone();
    for change in &changes {
        next.apply(change, deadline.at);
    }
    check(
        world,
        next.next_deadline() != Some(deadline),
        "a deadline does not come back",
    );
}

/// What is allowed is accepted, and nothing else is.
fn requests(world: &World) {
    let allowed = world.execution.allowed_actions();
    for action in world.every_action() {
        let comment = std::sync::Arc::from("");
        let event = match action {
            Action::Pause => Event::Pause { comment },
            Action::Resume => Event::Resume,
            Action::Cancel => Event::Cancel { comment },
            Action::RetryWave(wave) => Event::RetryWave(wave),
            Action::SkipWave(wave) => Event::SkipWave(wave),
            Action::CleanUp => continue,
        };
        let answer = world.execution.decide(event, world.now);
        check(
            world,
            answer.is_ok() == allowed.contains(&action),
            "what is allowed is accepted, and nothing else is",
        );
        if let Err(rejection) = answer {
            check(
                world,
                rejection.allowed == allowed,
                "a rejection says what is allowed",
            );
        }
    }
}

/// What an execution leaves behind.
fn over(world: &World) {
    let execution = &world.execution;
    let law = |holds: bool, law: &str| check(world, holds, law);
    let mut servers = execution.waves().flat_map(|wave| wave.servers());
    law(
        servers.all(|server| server.state.is_settled()),
        "no server is left open",
    );
    law(execution.holds().is_empty(), "nobody is waited for");
    law(
        world.drs.jobs().iter().all(|job| job.ended),
        "every job was followed to its end",
    );
    if execution.kind() != Kind::Cleanup {
        let listed: BTreeSet<_> = execution.launched().map(|(id, _)| id.clone()).collect();
        law(
            listed == world.drs.launched(),
            "every launched instance is listed",
        );
    }
    let state: ExecutionState = execution.state();
    law(
        state == verdict::of(world),
        &format!("{:?} is implied by the record", verdict::of(world)),
    );
}
