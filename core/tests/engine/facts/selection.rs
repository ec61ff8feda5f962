//! Selection by tags: looked up once when the wave starts, used as a whole.

use tidegate_core::{
    WaveIx,
    engine::{Event, ExecutionState, Kind, Settings, WaveState},
    plan::{FailurePolicy, PlanDraft},
};

use crate::{
    drafts::{on_failure, plan, tagged, wave},
    run::{Run, pause, retry},
};

#[test]
fn servers_are_selected_once_and_then_frozen() {
    let mut run = Run::new(&plan(vec![tagged("db", &[], "db")]));
    assert_eq!(
        run.hear(Event::Start),
        ["execution Running", "w0 Checking", "w0 selecting"]
    );
    assert_eq!(run.wants(), ["select/0"]);
    assert_eq!(
        run.select(0, &[1, 2])[..2],
        ["w0 selected 2 servers", "w0 Launching"]
    );
    assert!(run.select(0, &[3]).is_empty());
    assert_eq!(run.servers(0).len(), 2);
}

#[test]
fn no_match_fails_the_wave() {
    let mut run = Run::started(&plan(vec![tagged("db", &[], "db")]));
    assert_eq!(
        run.select(0, &[])[0],
        "w0 Failed (servers could not be selected: no server matches)"
    );
    assert_eq!(run.state(), ExecutionState::Failed);
}

#[test]
fn a_failed_selection_is_looked_up_again_on_a_retry() {
    let mut run = Run::started(&plan(vec![on_failure(
        FailurePolicy::Pause,
        tagged("db", &[], "db"),
    )]));
    let answer = Err("access denied".to_string());
    let wave = WaveIx(0);
    run.hear(Event::Selected { wave, answer });
    assert_eq!(
        run.hear(retry(0))[1..],
        [
            "w0 Checking (requested by an operator)",
            "w0 selecting",
            "execution Running"
        ]
    );
}

#[test]
fn a_server_of_another_wave_is_refused_also_before_that_wave_begins() {
    let mut run = Run::started(&overlapping());
    assert_eq!(
        run.select(0, &[1, 7])[0],
        "w0 Failed (servers could not be selected: s-00000000000000007 is already in wave web)"
    );
}

#[test]
fn a_server_is_not_selected_twice() {
    let mut run = Run::started(&overlapping());
    assert_eq!(
        run.select(0, &[1, 1])[0],
        "w0 Failed (servers could not be selected: s-00000000000000001 is selected twice)"
    );
}

#[test]
fn servers_that_later_waves_name_count_to_the_limit_before_those_waves_begin() {
    let limited = |servers| Settings {
        servers,
        ..Settings::default()
    };
    let mut run = Run::of(Kind::Drill, &overlapping(), limited(3));
    run.hear(Event::Start);
    let selected = run.select(0, &[1, 2]);
    assert_eq!(selected[0], "w0 selected 2 servers");

    let mut run = Run::of(Kind::Drill, &overlapping(), limited(3));
    run.hear(Event::Start);
    let refused = "servers could not be selected: more than 3 servers in one execution";
    assert_eq!(
        run.select(0, &[1, 2, 3])[0],
        format!("w0 Failed ({refused})")
    );
}

#[test]
fn a_selection_under_way_is_heard_while_paused() {
    let mut run = Run::started(&overlapping());
    run.hear(pause());
    assert_eq!(run.state(), ExecutionState::Pausing);
    assert_eq!(
        run.select(0, &[1]),
        [
            "w0 selected 1 servers",
            "execution Paused (requested by an operator)"
        ]
    );
    assert_eq!(run.waves()[0], WaveState::Checking);
}

fn overlapping() -> PlanDraft {
    plan(vec![tagged("db", &[], "db"), wave("web", &["db"], &[7])])
}
