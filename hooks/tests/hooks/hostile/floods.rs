//! Guests that say or ask too much.

use tidegate_hooks::{FailureKind, Outcome, Problem, Verdict};

use super::{Case, Ends, run_all};
use crate::{
    guests::check,
    hosts::{self, World},
};

/// Does this 10,000 times and proceeds.
fn many(this: &str) -> Vec<u8> {
    check(&format!(
        "(loop $again {this}
           (local.set $i (i32.add (local.get $i) (i32.const 1)))
           (br_if $again (i32.lt_u (local.get $i) (i32.const 10000))))
         (call $proceed)"
    ))
    .component()
}

fn log_lines() -> Case {
    let line = "(call $log (i32.const 1) (i32.const 1088) (i32.const 7))";
    Case::new("10,000 log lines", many(line), Ends::With(Verdict::Proceed))
}

fn probes() -> Case {
    Case::new(
        "10,000 probes",
        many("(drop (call $probe (i32.const 22) (i32.const 0)))"),
        Ends::With(Verdict::Proceed),
    )
}

pub(crate) fn cases() -> Vec<Case> {
    let denied = |name, end: &str| {
        let check = check(&format!(
            "(drop (call $probe (i32.const 22) (i32.const 0))) {end}"
        ));
        let says = "port 22 of \"s-11111111111111111\" was denied: rule 7";
        Case::new(
            name,
            check.component(),
            Ends::In(FailureKind::ProbeDenied, says),
        )
        .world(World::Fails(Problem::Denied))
    };
    vec![
        log_lines(),
        probes(),
        denied(
            "a denied probe, and proceed all the same",
            "(call $proceed)",
        ),
        denied("a denied probe, and a trap", "(unreachable)"),
        denied(
            "a denied probe, and no end",
            "(loop $again (br $again)) (unreachable)",
        )
        .limits(|limits| limits.fuel = 1_000_000),
    ]
}

#[tokio::test]
async fn what_is_too_much_is_counted_and_dropped() {
    run_all(&hosts::host(), &cases()).await;
}

#[tokio::test]
async fn lines_beyond_the_budget_are_counted() {
    let tape = log_lines().run(&hosts::host()).await;
    assert_eq!((tape.log.len(), tape.log_dropped), (500, 9500));
    let mut bytes = log_lines();
    bytes.limits.log_bytes = 70;
    let tape = bytes.run(&hosts::host()).await;
    assert_eq!((tape.log.len(), tape.log_dropped), (10, 9990));
}

#[tokio::test]
async fn probes_beyond_the_budget_are_counted_and_not_made() {
    let tape = probes().run(&hosts::host()).await;
    assert_eq!((tape.exchanges.len(), tape.usage.probes), (200, 10_000));
}

#[tokio::test]
async fn a_probe_beyond_the_budget_is_answered_so() {
    let ask = "(local.set $i (call $probe (i32.const 22) (i32.const 0)))";
    let budget = "(i32.load8_u (i32.const 516))";
    let guest = check(&format!(
        "{ask} {ask} {ask} (call $answer (i32.const 1) {budget})"
    ));
    let mut case = Case::new(
        "three probes",
        guest.component(),
        Ends::With(Verdict::Retry(1)),
    );
    // One server, for which there are two whatever the limit is.
    case.limits.probes = 1;
    let tape = case.run(&hosts::host()).await;
    assert!(matches!(tape.outcome, Outcome::Report(_)));
    assert_eq!(tape.exchanges.len(), 2);
}
