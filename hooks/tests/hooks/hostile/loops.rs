//! Guests that do not end.

use std::time::Duration;

use tidegate_hooks::{FailureKind, Limits};

use super::{Case, Ends, run_all};
use crate::{
    guests::{FOREVER, burdened, check, proceeding},
    hosts::{self, World},
};

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = by_itself();
    cases.extend(in_calls());
    cases.extend(in_memory());
    cases.extend(in_instances());
    cases
}

/// Loops of nothing but instructions, wherever the guest can have them.
fn by_itself() -> Vec<Case> {
    let proceed = "(call $proceed)";
    let start = "(func $start (loop $again (br $again))) (start $start)";
    vec![
        Case::new(
            "a busy loop in check",
            check(FOREVER).component(),
            Ends::Late("not waiting for a probe"),
        ),
        Case::new(
            "a busy loop in a start function",
            check(proceed).fields(start).component(),
            Ends::Late("not waiting for a probe"),
        ),
        Case::new(
            "a busy loop in a start function of one of many instances",
            burdened(
                &proceeding(),
                "(module (func $f (loop $again (br $again))) (start $f))",
                3,
            ),
            Ends::Late("not waiting for a probe"),
        ),
        Case::new(
            "a busy loop after the report",
            check(proceed)
                .clean("(loop $again (br $again))")
                .component(),
            Ends::Late("not waiting for a probe"),
        ),
        Case::new(
            "a busy loop in the allocator",
            check(proceed).allocate(FOREVER).component(),
            Ends::Late("not waiting for a probe"),
        ),
        Case::new(
            "a busy loop with few instructions",
            check(FOREVER).component(),
            Ends::In(FailureKind::Fuel, "used up its instructions"),
        )
        .limits(|limits| limits.fuel = 1_000_000),
    ]
}

/// Loops and sleeps in calls of the host.
fn in_calls() -> Vec<Case> {
    vec![
        Case::new(
            "a probe that is never answered",
            check("(drop (call $probe (i32.const 22) (i32.const 0))) (call $proceed)").component(),
            Ends::Late("waiting for a TCP probe of port 22"),
        )
        .world(World::Silent),
        Case::new(
            "a probe that may take longer than the attempt",
            check("(drop (call $probe (i32.const 22) (i32.const -1))) (call $proceed)").component(),
            Ends::Late("waiting for a TCP probe of port 22"),
        )
        .world(World::Silent),
        Case::new(
            "a loop of log lines",
            check(
                "(loop $again
                   (call $log (i32.const 1) (i32.const 1088) (i32.const 7)) (br $again))
                 (unreachable)",
            )
            .component(),
            Ends::Late("not waiting for a probe"),
        ),
        Case::new(
            "a loop of log lines of a megabyte",
            check(
                "(loop $again
                   (call $log (i32.const 1) (i32.const 131072) (i32.const 1000000)) (br $again))
                 (unreachable)",
            )
            .pages(32)
            .component(),
            Ends::Late("not waiting for a probe"),
        ),
        Case::new(
            "a loop of probes beyond the budget",
            check("(loop $again (drop (call $get)) (br $again)) (unreachable)").component(),
            Ends::Late("not waiting for a probe"),
        ),
    ]
}

/// Loops of instructions that take long by themselves.
fn in_memory() -> Vec<Case> {
    vec![
        Case::new(
            "a loop that fills memory",
            check(
                "(loop $again
                   (memory.fill (i32.const 65536) (i32.const 0) (i32.const 16000000))
                   (br $again))
                 (unreachable)",
            )
            .pages(300)
            .component(),
            Ends::Late("not waiting for a probe"),
        )
        .limits(|limits| limits.memory = Limits::DEFAULT.memory),
        Case::new(
            "a loop that asks for memory in vain",
            check("(loop $again (drop (memory.grow (i32.const 60000))) (br $again)) (unreachable)")
                .component(),
            Ends::Late("not waiting for a probe"),
        ),
    ]
}

/// Elements in waiting are set up without costing fuel, in each instance anew:
/// here in all some hundred milliseconds.
fn in_instances() -> Vec<Case> {
    let functions = "$f ".repeat(20_000);
    let module = format!("(module (func $f) (elem func {functions}))");
    let case = Case::new(
        "many instances with many elements in waiting",
        burdened(&proceeding(), &module, 60),
        Ends::Late("not waiting for a probe"),
    );
    vec![case.limits(|limits| limits.wall = Duration::from_millis(2))]
}

#[tokio::test]
async fn a_guest_that_does_not_end_is_stopped_at_its_deadline() {
    run_all(&hosts::host(), &cases()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn busy_guests_do_not_make_others_late() {
    let host = std::sync::Arc::new(hosts::host());
    let names = ["a busy loop in check", "a probe that is never answered"];
    let attempts = (0..6).map(|number| {
        let host = host.clone();
        tokio::spawn(async move {
            let cases = cases();
            let case = cases.iter().find(|case| case.name == names[number % 2]);
            case.expect("there is such a case").run(&host).await
        })
    });
    futures::future::try_join_all(attempts)
        .await
        .expect("none is late");
}
