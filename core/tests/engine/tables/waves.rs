//! States of a wave × events: the changes.

use tidegate_core::{
    LaunchIx, OwnerId, ServerIx, Span, WaveIx,
    engine::{
        CommandId, Event, HookAnswer, HookVerdict, JobReport, LaunchAnswer, Looked, ServerState,
    },
    plan::{HookFailureKind, HookPhase},
};

use super::stations;
use crate::{
    lines::lines,
    run::{
        Run, admitted, cancel, deferral, failing, hook_answered, job_id, launch_answered,
        over_quota, pause, proceed, refusal, retry, skip, too_large, unknown,
    },
};

#[test]
fn every_event_in_every_state_of_a_wave() {
    let mut table = String::new();
    for (name, run) in stations::of_waves() {
        table += &format!("{name}\n");
        let mut without = Vec::new();
        for (event, heard, now) in events(&run) {
            match run.execution.decide(heard, now) {
                Ok(changes) if changes.is_empty() => without.push(event),
                Ok(changes) => {
                    let changes = lines(&changes).join("; ");
                    table += &format!("  {event}: {changes}\n");
                }
                Err(rejection) => table += &format!("  {event}: refused, {:?}\n", rejection.why),
            }
        }
        table += &format!("  without consequence: {}\n", without.join(", "));
    }
    insta::with_settings!({omit_expression => true, prepend_module_to_snapshot => false}, {
        insta::assert_snapshot!("wave_states_and_events", table);
    });
}

fn events(run: &Run) -> Vec<(&'static str, Event, tidegate_core::Timestamp)> {
    let now = run.now;
    let settled = now + Span::from_secs(120);
    let mut events: Vec<_> = requests().into_iter().chain(hooks(run)).collect();
    events.extend(launches(run));
    let mut events: Vec<_> = events
        .into_iter()
        .map(|(name, event)| (name, event, now))
        .collect();
    events.push((
        "no trace, settled",
        looked(settled, Looked::Nothing),
        settled,
    ));
    events.push(("a minute later", Event::Tick, now + Span::from_secs(60)));
    let gate = now + Span::from_secs(900);
    events.push(("a quarter of an hour later", Event::Tick, gate));
    events.push(("an hour later", Event::Tick, now + Span::from_secs(3_600)));
    events
}

fn requests() -> Vec<(&'static str, Event)> {
    vec![
        ("start", Event::Start),
        ("pause", pause()),
        ("resume", Event::Resume),
        ("cancel", cancel()),
        ("retry", retry(0)),
        ("skip", skip(0)),
        ("owner changed", Event::OwnerChanged(OwnerId::from("b"))),
    ]
}

/// Answers of the hook that runs; where none does, of the first check.
fn hooks(run: &Run) -> Vec<(&'static str, Event)> {
    let running = run
        .execution
        .outstanding()
        .into_iter()
        .find(|command| matches!(command, CommandId::Hook { .. }));
    let heard = |answer| match running {
        Some(command) => Event::HookAnswered { command, answer },
        None => hook_answered(0, HookPhase::PreWave, 1, answer),
    };
    vec![
        ("hook proceeds", heard(proceed())),
        ("hook retries", heard(stations::later())),
        ("hook holds", heard(said(HookVerdict::Hold))),
        ("hook skips", heard(said(HookVerdict::Skip))),
        ("hook aborts", heard(said(HookVerdict::Abort))),
        ("hook fails", heard(failing(HookFailureKind::Trap, "said"))),
        (
            "hook fails, retried",
            heard(failing(HookFailureKind::Fuel, "said")),
        ),
        (
            "hook fails, waived",
            heard(failing(HookFailureKind::Memory, "said")),
        ),
        (
            "hook fails, fatal",
            heard(failing(HookFailureKind::Host, "said")),
        ),
    ]
}

fn said(verdict: HookVerdict) -> HookAnswer {
    HookAnswer::bare(verdict, "said")
}

fn launches(run: &Run) -> Vec<(&'static str, Event)> {
    let accepted = LaunchAnswer::Accepted(report());
    let found = Looked::Found {
        report: report(),
        duplicates: Vec::new(),
    };
    let answer = Ok(Vec::new());
    vec![
        (
            "selected",
            Event::Selected {
                wave: WaveIx(0),
                answer,
            },
        ),
        ("its turn", admitted(0, 0, 1)),
        ("too large", too_large(0, 0, 1, 1)),
        ("over quota", launch_answered(0, 0, 1, over_quota())),
        ("accepted", launch_answered(0, 0, 1, accepted)),
        ("refused", launch_answered(0, 0, 1, refusal())),
        ("deferred", launch_answered(0, 0, 1, deferral())),
        ("unknown", launch_answered(0, 0, 1, unknown())),
        ("found", looked(run.now, found)),
        ("no trace", looked(run.now, Looked::Nothing)),
        ("job runs", observed(false, ServerState::Conversion)),
        ("job ends, launched", observed(true, ServerState::Launched)),
        ("job ends, failed", observed(true, ServerState::Failed)),
        ("job ends, silent", observed(true, ServerState::Pending)),
    ]
}

fn looked(began: tidegate_core::Timestamp, found: Looked) -> Event {
    Event::LaunchLooked {
        wave: WaveIx(0),
        launch: LaunchIx(0),
        began,
        found,
    }
}

fn observed(ended: bool, state: ServerState) -> Event {
    let run = stations::recovering();
    Event::JobObserved {
        wave: WaveIx(0),
        launch: LaunchIx(0),
        report: run.report(0, 0, ended, &[(ServerIx(0), state)]),
    }
}

fn report() -> JobReport {
    JobReport {
        job: job_id(0, 0),
        ended: false,
        servers: Vec::new(),
    }
}
