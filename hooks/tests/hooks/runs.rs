//! Guests that mean no harm.

use std::{sync::Arc, time::Duration};

use tidegate_hooks::{
    Answer, Context, Entries, Exchange, FailureKind, Host, Level, Limits, LogLine, Outcome, Probe,
    Problem, Request, Server, Tape, Target, Verdict,
};

use crate::{
    guests::{check, proceeding},
    hosts::{self, World},
};

async fn run(component: &[u8], world: World) -> Tape {
    let host = hosts::host();
    let hook = hosts::prepare(&host, "a guest", component).await;
    let limits = hosts::limits();
    host.check(&hook, &limits, &hosts::context(), &world).await
}

fn verdict(tape: &Tape) -> Verdict {
    match &tape.outcome {
        Outcome::Report(report) => report.verdict,
        Outcome::Failure(failure) => panic!("{failure}"),
    }
}

#[tokio::test]
async fn each_verdict_arrives() {
    for (case, ms, expected) in [
        (0, 0, Verdict::Proceed),
        (1, 7000, Verdict::Retry(7000)),
        (2, 0, Verdict::Hold),
        (3, 0, Verdict::Skip),
        (4, 0, Verdict::Abort),
    ] {
        let guest = check(&format!(
            "(call $answer (i32.const {case}) (i32.const {ms}))"
        ));
        let tape = run(&guest.component(), World::Silent).await;
        assert_eq!(verdict(&tape), expected);
    }
}

/// Proceeds if port 5432 of the server is open, and asks again else.
pub(crate) fn gate() -> Vec<u8> {
    check(
        "(call $log (i32.const 2) (i32.const 1088) (i32.const 7))
         (call $answer (call $probe (i32.const 5432) (i32.const 500)) (i32.const 1000))",
    )
    .component()
}

#[tokio::test]
async fn a_probe_and_its_answer_are_on_the_tape() {
    let tape = run(&gate(), World::Connects).await;
    assert_eq!(verdict(&tape), Verdict::Proceed);
    let server = "s-11111111111111111".to_owned();
    let expected = Exchange {
        probe: Probe {
            target: Target::Server { server, port: 5432 },
            timeout_ms: 500,
            request: Request::Tcp,
        },
        answer: Answer::Connected { elapsed_ms: 3 },
    };
    assert_eq!(tape.exchanges, [expected]);
    let expected = LogLine {
        level: Level::Warning,
        message: "because".to_owned(),
    };
    assert_eq!(tape.log, [expected]);
    assert_eq!(tape.usage.probes, 1);
    assert!(tape.usage.fuel > 0);
    let tape = run(&gate(), World::Fails(Problem::Refused)).await;
    assert_eq!(verdict(&tape), Verdict::Retry(1000));
}

#[tokio::test]
async fn a_probe_ends_when_the_time_that_the_guest_gave_it_does() {
    let tape = run(&gate(), World::Silent).await;
    assert_eq!(verdict(&tape), Verdict::Retry(1000));
    let [Exchange { answer, .. }] = tape.exchanges.as_slice() else {
        panic!("one probe was made");
    };
    assert!(
        matches!(answer, Answer::Failed(failure) if failure.problem == Problem::TimedOut),
        "{answer:?}"
    );
}

/// Probes until it is told that it may not any more, and says how often it was
/// answered.
pub(crate) fn counter() -> Vec<u8> {
    check(
        "(loop $again
           (if (i32.eqz (call $probe (i32.const 5432) (i32.const 0)))
             (then (local.set $i (i32.add (local.get $i) (i32.const 1))) (br $again))))
         (call $answer (i32.const 1) (local.get $i))",
    )
    .component()
}

/// So many of its own, and so many of waves upstream.
pub(crate) fn servers(own: usize, upstream: usize) -> Context {
    let mut context = hosts::context();
    let some = |number| Server {
        id: format!("s-{number:017x}"),
        ..context.servers[0].clone()
    };
    let all: Vec<Server> = (0..own + upstream).map(some).collect();
    context.servers = all[..own].to_vec();
    context.upstream = all[own..].to_vec();
    context
}

#[tokio::test]
async fn the_budget_of_probes_follows_the_servers_that_may_be_probed() {
    let host = hosts::host();
    let hook = hosts::prepare(&host, "a counter", &counter()).await;
    for (own, upstream, budget) in [
        (1, 0, 200),
        (100, 0, 200),
        (101, 0, 202),
        (50, 100, 300),
        (1_000, 0, 2_000),
        (1_000, 500, 3_000),
    ] {
        let context = servers(own, upstream);
        let tape = host
            .check(&hook, &Limits::DEFAULT, &context, &World::Connects)
            .await;
        assert_eq!(verdict(&tape), Verdict::Retry(budget), "{own}, {upstream}");
        assert_eq!(tape.limits.probes, budget);
        assert_eq!(tape.exchanges.len(), budget as usize);
        assert_eq!(tape.usage.probes, budget + 1);
    }
}

#[tokio::test]
async fn the_same_attempt_uses_the_same_fuel() {
    let first = run(&gate(), World::Connects).await;
    for _ in 0..3 {
        let again = run(&gate(), World::Connects).await;
        assert_eq!(again.usage.fuel, first.usage.fuel);
        assert_eq!(again.usage.peak_memory, first.usage.peak_memory);
    }
}

#[tokio::test]
async fn fuel_is_the_same_however_often_the_guest_gave_way() {
    // Some 50 million instructions: several portions of fuel.
    let body = "(local.set $i (i32.const 10000000))
        (loop $again
          (br_if $again (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))
        (call $proceed)";
    let component = check(body).component();
    let (first, second) = (
        run(&component, World::Silent).await,
        run(&component, World::Silent).await,
    );
    assert!(first.usage.fuel > 40_000_000, "{}", first.usage.fuel);
    assert_eq!(first.usage.fuel, second.usage.fuel);
}

#[tokio::test]
async fn nothing_of_an_attempt_is_left_in_the_next() {
    let guest = check(
        "(i32.store (i32.const 3000) (i32.add (i32.load (i32.const 3000)) (i32.const 1)))
         (call $answer (i32.const 1) (i32.load (i32.const 3000)))",
    );
    let host = hosts::host();
    let hook = hosts::prepare(&host, "a guest that counts", &guest.component()).await;
    for _ in 0..3 {
        let (limits, context) = (hosts::limits(), hosts::context());
        let tape = host.check(&hook, &limits, &context, &World::Silent);
        assert_eq!(verdict(&tape.await), Verdict::Retry(1));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_attempts_run_at_once() {
    let host = Arc::new(hosts::host());
    let hook = hosts::prepare(&host, "a gate", &gate()).await;
    let attempts = (0..200).map(|number| {
        let (host, hook) = (Arc::clone(&host), hook.clone());
        tokio::spawn(async move {
            let world = match number % 2 {
                0 => World::Connects,
                _ => World::Fails(Problem::Refused),
            };
            let context = hosts::context();
            let tape = host.check(&hook, &Limits::DEFAULT, &context, &world);
            verdict(&tape.await)
        })
    });
    let verdicts = futures::future::try_join_all(attempts).await;
    let verdicts = verdicts.expect("no attempt panics");
    for (number, verdict) in verdicts.into_iter().enumerate() {
        let expected = match number % 2 {
            0 => Verdict::Proceed,
            _ => Verdict::Retry(1000),
        };
        assert_eq!(verdict, expected);
    }
}

async fn accepts(body: &str, limits: &Limits) -> Result<(), tidegate_hooks::Failure> {
    let host: Host = hosts::host();
    let guest = check("(call $proceed)").accepts(body).component();
    let hook = hosts::prepare(&host, "a guest", &guest).await;
    let parameters = Entries::from([("port".to_owned(), "5432".to_owned())]);
    host.accepts(&hook, limits, &parameters).await
}

#[tokio::test]
async fn parameters_are_accepted_or_not_in_the_hooks_own_words() {
    // An entry is a name and a value; it wants one, whose value is 4 long.
    let wants = "(i32.store8 (i32.const 256) (i32.or
          (i32.ne (local.get $count) (i32.const 1))
          (i32.ne (i32.load (i32.add (local.get $list) (i32.const 12))) (i32.const 4))))
        (i32.store (i32.const 260) (i32.const 1088))
        (i32.store (i32.const 264) (i32.const 7))
        (i32.const 256)";
    let limits = hosts::limits();
    assert_eq!(accepts(wants, &limits).await, Ok(()));
    let refuses = wants.replace("(i32.const 4)", "(i32.const 5)");
    let failure = accepts(&refuses, &limits).await.expect_err("it refuses");
    assert_eq!(failure.kind, FailureKind::Error);
    assert_eq!(failure.message, "because");
}

#[tokio::test]
async fn accepting_is_bounded_as_a_check_is() {
    let limits = Limits {
        wall: Duration::from_millis(50),
        ..Limits::CEILING
    };
    let ended = accepts("(loop $again (br $again)) (unreachable)", &limits).await;
    assert_eq!(ended.expect_err("it has no end").kind, FailureKind::Timeout);
    let probing = "(drop (call $probe (i32.const 22) (i32.const 0)))
        (i32.store8 (i32.const 256) (i32.const 0)) (i32.const 256)";
    let ended = accepts(probing, &hosts::limits()).await;
    assert_eq!(
        ended.expect_err("it may not").kind,
        FailureKind::ProbeDenied
    );
}

#[tokio::test]
async fn a_context_whose_now_is_no_time_is_the_hosts_failure() {
    let host = hosts::host();
    let hook = hosts::prepare(&host, "a guest", &proceeding()).await;
    let mut context = hosts::context();
    context.now = "noon".to_owned();
    let tape = host
        .check(&hook, &hosts::limits(), &context, &World::Silent)
        .await;
    match tape.outcome {
        Outcome::Failure(failure) => assert_eq!(failure.kind, FailureKind::Host),
        Outcome::Report(report) => panic!("{}", report.verdict),
    }
}
