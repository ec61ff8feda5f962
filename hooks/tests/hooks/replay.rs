//! Tapes played again.

use std::time::Duration;

use tidegate_hooks::{
    Answer, Difference, Extent, Hook, Host, Limits, Outcome, Problem, Standing, Tape, Verdict,
    replay, sensitivity,
};

use crate::{
    guests::{FOREVER, check, proceeding},
    hosts::{self, World},
    runs::{counter, gate, servers},
};

async fn recorded(component: &[u8], limits: &Limits, world: World) -> (Host, Hook, Tape) {
    let host = hosts::host();
    let hook = hosts::prepare(&host, "a guest", component).await;
    let tape = host.check(&hook, limits, &hosts::context(), &world).await;
    (host, hook, tape)
}

#[tokio::test]
async fn a_tape_played_again_is_equal_even_after_it_was_written_and_read() {
    for world in [
        World::Connects,
        World::Fails(Problem::Refused),
        World::Fails(Problem::Denied),
    ] {
        let (host, hook, tape) = recorded(&gate(), &hosts::limits(), world).await;
        let written = serde_json::to_string(&tape).expect("a tape can be written");
        let tape: Tape = serde_json::from_str(&written).expect("a tape can be read");
        let played = replay(&host, &hook, &tape).await;
        assert_eq!(played.extent, Extent::Whole);
        assert!(played.is_equal(), "{world:?}: {:?}", played.differences);
        let again = played.again.expect("it was played to its end");
        assert_eq!(again.usage.fuel, tape.usage.fuel);
    }
}

#[tokio::test]
async fn a_tape_is_played_under_the_budget_that_it_had() {
    let host = hosts::host();
    let hook = hosts::prepare(&host, "a counter", &counter()).await;
    let context = servers(300, 0);
    let check = host.check(&hook, &Limits::DEFAULT, &context, &World::Connects);
    let mut tape = check.await;
    let played = replay(&host, &hook, &tape).await;
    assert!(played.is_equal(), "{:?}", played.differences);

    // As one of a host that gave no room for servers.
    tape.limits.probes = 200;
    tape.exchanges.truncate(200);
    let played = replay(&host, &hook, &tape).await;
    let question = |it: &Difference| matches!(it, Difference::Question { .. });
    assert!(!played.differences.iter().any(question), "{played:?}");
    match played.again.expect("it was played to its end").outcome {
        Outcome::Report(report) => assert_eq!(report.verdict, Verdict::Retry(200)),
        Outcome::Failure(failure) => panic!("{failure}"),
    }
}

#[tokio::test]
async fn a_tape_that_was_cut_is_told_to_be_unplayable_and_nothing_else() {
    let (host, hook, tape) = recorded(&gate(), &hosts::limits(), World::Connects).await;
    let cut = tape.clone().shortened("too large".to_owned());
    assert!(tape.is_whole() && !cut.is_whole());
    assert_eq!((&cut.outcome, cut.usage), (&tape.outcome, tape.usage));
    let written = serde_json::to_string(&cut).expect("a tape can be written");
    let read: Tape = serde_json::from_str(&written).expect("a tape can be read");
    assert_eq!(read, cut);

    let played = replay(&host, &hook, &cut).await;

    assert_eq!(played.extent, Extent::Nothing);
    assert!(played.is_equal() && played.again.is_none());
}

#[tokio::test]
async fn whatever_is_changed_on_a_tape_is_named() {
    let (host, hook, tape) = recorded(&gate(), &hosts::limits(), World::Connects).await;
    let mut named = Vec::new();
    let mut play = async |change: fn(&mut Tape)| {
        let mut changed = tape.clone();
        change(&mut changed);
        let played = replay(&host, &hook, &changed).await;
        let first = played.differences.first().expect("the change is seen");
        named.push(first.to_string());
        played
    };
    play(|tape| tape.exchanges[0].answer = World::Fails(Problem::Refused).answer()).await;
    play(|tape| tape.exchanges[0].probe.timeout_ms = 1).await;
    play(|tape| tape.exchanges.push(tape.exchanges[0].clone())).await;
    play(|tape| tape.exchanges.clear()).await;
    play(|tape| tape.log.clear()).await;
    play(|tape| tape.usage.fuel += 1).await;
    play(|tape| tape.usage.peak_memory += 1).await;
    let fuel = tape.usage.fuel;
    let memory = tape.usage.peak_memory;
    assert_eq!(
        named,
        [
            "the verdict was proceed, now it is retry after 1000 ms".to_owned(),
            "question 1 is another".to_owned(),
            "question 2 was not asked".to_owned(),
            "question 1 is another".to_owned(),
            "the log is another (0 lines then, 1 now)".to_owned(),
            format!("it used {} instructions, now {fuel}", fuel + 1),
            format!("it used {} bytes of memory, now {memory}", memory + 1),
        ]
    );
}

#[tokio::test]
async fn a_tape_of_another_engine_says_so_and_its_fuel_is_not_compared() {
    let (host, hook, mut tape) = recorded(&gate(), &hosts::limits(), World::Connects).await;
    tape.engine = "wasmtime 47.0.0".to_owned();
    tape.usage.fuel += 1;
    let played = replay(&host, &hook, &tape).await;
    assert!(played.is_equal(), "{:?}", played.differences);
    assert_eq!(played.other_engine.as_deref(), Some("wasmtime 47.0.0"));
}

#[tokio::test]
async fn a_tape_of_another_component_says_so() {
    let (host, _, tape) = recorded(&gate(), &hosts::limits(), World::Connects).await;
    let other = hosts::prepare(&host, "another guest", &proceeding()).await;
    let played = replay(&host, &other, &tape).await;
    assert!(matches!(
        played.differences.first(),
        Some(Difference::Component { .. })
    ));
}

#[tokio::test]
async fn a_tape_that_was_cut_off_is_played_as_far_as_it_goes() {
    let limits = Limits {
        wall: Duration::from_millis(30),
        ..hosts::limits()
    };
    let waiting = check("(drop (call $probe (i32.const 1) (i32.const 0))) (call $proceed)");
    let (host, hook, tape) = recorded(&waiting.component(), &limits, World::Silent).await;
    let played = replay(&host, &hook, &tape).await;
    assert_eq!(played.extent, Extent::UntilStopped);
    assert!(played.is_equal() && played.again.is_none(), "{played:?}");

    let denied = check(
        "(drop (call $probe (i32.const 1) (i32.const 0)))
        (loop $again (br $again)) (unreachable)",
    );
    let (host, hook, tape) =
        recorded(&denied.component(), &limits, World::Fails(Problem::Denied)).await;
    let played = replay(&host, &hook, &tape).await;
    assert_eq!(played.extent, Extent::UntilStopped);
    assert!(played.is_equal(), "{played:?}");

    let computing = check(FOREVER).component();
    let limits = Limits {
        wall: Duration::from_millis(30),
        ..Limits::CEILING
    };
    let (host, hook, tape) = recorded(&computing, &limits, World::Silent).await;
    let played = replay(&host, &hook, &tape).await;
    assert_eq!(played.extent, Extent::UntilStopped);
    assert!(played.is_equal() && played.again.is_some(), "{played:?}");
}

#[tokio::test]
async fn a_gate_is_moved_by_its_probe() {
    for (world, flips) in [
        (World::Connects, [true, true]),
        (World::Fails(Problem::Refused), [true, true]),
    ] {
        let (host, hook, tape) = recorded(&gate(), &hosts::limits(), world).await;
        let found = sensitivity(&host, &hook, &tape).await;
        assert_eq!(found.standing(), Standing::Moved);
        let moved: Vec<_> = found.probes[0]
            .flips
            .iter()
            .map(|flip| flip.moved)
            .collect();
        assert_eq!(moved, flips);
    }
}

#[tokio::test]
async fn a_hook_that_nothing_moves_is_found_out() {
    let deaf = check("(drop (call $probe (i32.const 5432) (i32.const 0))) (call $proceed)");
    let (host, hook, tape) = recorded(&deaf.component(), &hosts::limits(), World::Connects).await;
    let found = sensitivity(&host, &hook, &tape).await;
    assert_eq!(found.standing(), Standing::Unmoved);
    assert!(!found.probes[0].moves());
}

#[tokio::test]
async fn a_hook_that_asks_nothing_is_told_apart() {
    let (host, hook, tape) = recorded(&proceeding(), &hosts::limits(), World::Connects).await;
    let found = sensitivity(&host, &hook, &tape).await;
    assert_eq!(found.standing(), Standing::AsksNothing);
}

#[tokio::test]
async fn one_of_two_that_must_answer_is_moved_by_both_together() {
    // Proceeds unless both fail.
    let quorum = check(
        "(call $answer
           (i32.and (call $probe (i32.const 1) (i32.const 0)) (call $probe (i32.const 2) (i32.const 0)))
           (i32.const 5))",
    );
    let (host, hook, tape) = recorded(&quorum.component(), &hosts::limits(), World::Connects).await;
    let found = sensitivity(&host, &hook, &tape).await;
    assert_eq!(found.standing(), Standing::MovedTogether);
}

#[tokio::test]
async fn a_question_that_only_a_flip_raises_is_answered_as_unreachable() {
    // Asks port 2 only if port 1 is closed, and then says what that gave.
    let asks = check(
        "(if (result i32) (call $probe (i32.const 1) (i32.const 0))
           (then (drop (call $probe (i32.const 2) (i32.const 0)))
             (call $answer (i32.const 1) (i32.load8_u (i32.const 516))))
           (else (call $proceed)))",
    );
    let (host, hook, tape) = recorded(&asks.component(), &hosts::limits(), World::Connects).await;
    let found = sensitivity(&host, &hook, &tape).await;
    // `unreachable` is the fifth of the contract's problems.
    let outcome = found.probes[0].flips[0].outcome.to_string();
    assert_eq!(outcome, "retry after 4 ms");
    assert!(matches!(tape.exchanges[0].answer, Answer::Connected { .. }));
}
