//! Launch and fence, model-checked: every interleaving of two processes that
//! drive one execution, of the journal, and of a DRS without client token,
//! within the bounds of a [`Setting`].
//!
//! The model is not the code. Each rule in it names the code or the section
//! of the design that it stands for, and the property tests, the conformance
//! suites and the scenarios hold the code to the same rules.
//!
//! What is proven, and under which assumption:
//!
//! - Always, however late anything comes: each position of the log has one
//!   writer, a process that lost the fence writes nothing, DRS is called once
//!   for each record that says so, and, by DRS's own rule, a server is in one
//!   live job of ours at most.
//! - *Effectively once*: a launch has one job at most, whatever is lost,
//!   doubled or killed, if everything is *timely*: from the record of an
//!   attempt until its settle window has passed, a call that is made arrives
//!   or never does, and its job can be seen; and no copy of a call arrives
//!   after the job has ended, or after DRS has answered another copy "not
//!   now". Then, without copies, DRS's rule is not even needed.
//! - Without that, a second job can follow the first when that has ended. A
//!   test shows how.
//! - A look counts from when it was begun: one that saw DRS before the window
//!   had passed, and is heard after it, says nothing of what DRS shows by then.
//!   The engine knows only when it is heard, so that the window must be longer
//!   by the time that a look can take until then. A test shows why.
//! - Every run ends, with the launch over or a person asked, if somebody lives
//!   in the end.

mod around;
mod explore;
mod owner;
mod rules;
mod steps;
mod world;

use self::{
    explore::{Explored, explore},
    rules::{ONE_JOB, ONE_LIVE_JOB, ONE_WRITER},
    steps::Step,
    world::{Answer, Lost, Nothing, Setting},
};

/// As it is meant to be.
const PROMISED: Setting = Setting {
    fence: true,
    lost: Lost::Looked,
    nothing: Nothing::BegunAfter,
    asks_person: false,
    timely: true,
    one_live_job: true,
    attempts: 4,
    starts: 1,
    mishaps: 2,
    duplicates: 1,
    approvals: 0,
};

/// What a control takes something away from.
const CONTROL: Setting = Setting {
    attempts: 2,
    mishaps: 1,
    duplicates: 0,
    ..PROMISED
};

/// Nothing is broken, and every run ends.
fn holds(name: &str, setting: Setting) -> Explored<Step> {
    let found = search(name, setting, &[]);
    assert!(found.broken.is_empty(), "{:#?}", found.broken);
    assert!(!found.has_circle, "a run might never end");
    assert!(found.ends > 0);
    found
}

/// A way to break each of these rules is found.
#[expect(clippy::print_stdout, reason = "figures for whoever runs it")]
fn breaks(name: &str, setting: Setting, rules: &[&'static str]) {
    let found = search(name, setting, rules);
    for rule in rules {
        let way = found.broken.get(rule);
        let way = way.unwrap_or_else(|| panic!("nothing breaks: {rule}"));
        println!("  {rule}: broken by {way:?}");
    }
}

#[expect(clippy::print_stdout, reason = "figures for whoever runs it")]
fn search(name: &str, setting: Setting, until: &[&'static str]) -> Explored<Step> {
    let found = explore(&setting, until);
    println!(
        "{name}: {} states, {} steps, {} ends, {} deep, {:?}",
        found.states, found.steps, found.ends, found.depth, found.took
    );
    found
}

#[test]
fn whatever_is_lost_doubled_or_killed_a_launch_has_one_job_and_ends() {
    let found = holds("promised", PROMISED);
    // That it can happen at all is what makes the proof worth something.
    let happened = |step: Step| assert!(found.happened.contains(&step), "{step:?}");
    happened(Step::Adopts(1, 0));
    happened(Step::HearsItIsFenced(0));
    happened(Step::ReadsAgain(0));
    happened(Step::CallsLate(0, 1));
    happened(Step::Calls(1, 2));
    happened(Step::Conflict(1));
    happened(Step::HearsAnswer(0, Answer::Accepted(0)));
}

#[test]
fn a_person_who_is_asked_first_changes_none_of_it() {
    let setting = Setting {
        asks_person: true,
        approvals: 1,
        mishaps: 1,
        ..PROMISED
    };
    let found = holds("a person is asked", setting);
    assert!(found.happened.contains(&Step::Resumes(0)));
}

#[test]
fn in_time_one_job_a_launch_needs_no_help_of_drs() {
    let setting = Setting {
        one_live_job: false,
        duplicates: 0,
        ..PROMISED
    };
    holds("without the rule of DRS", setting);
}

#[test]
fn late_calls_and_lists_break_one_job_a_launch_but_never_one_live_job_a_server() {
    let late = Setting {
        timely: false,
        ..CONTROL
    };
    let found = search("late", late, &[]);
    let broken: Vec<_> = found.broken.keys().copied().collect();
    assert_eq!(broken, [ONE_JOB]);
    assert!(!found.has_circle);
    let alone = Setting {
        one_live_job: false,
        ..late
    };
    breaks("late, without the rule of DRS", alone, &[ONE_LIVE_JOB]);
}

/// The first control.
#[test]
fn without_the_fence_a_launch_can_have_two_jobs() {
    let setting = Setting {
        fence: false,
        ..CONTROL
    };
    breaks("without the fence", setting, &[ONE_JOB, ONE_WRITER]);
}

/// The second control.
#[test]
fn with_a_blind_retry_a_launch_can_have_two_jobs() {
    let setting = Setting {
        lost: Lost::AskedAgain,
        ..CONTROL
    };
    breaks("with a blind retry", setting, &[ONE_JOB]);
}

/// The third: why it matters when a look was begun.
#[test]
fn with_a_look_that_began_too_early_a_launch_can_have_two_jobs() {
    let setting = Setting {
        nothing: Nothing::HeardAfter,
        ..CONTROL
    };
    breaks("with looks that began too early", setting, &[ONE_JOB]);
}
