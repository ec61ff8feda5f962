//! Guests that want more than they may have.

use tidegate_hooks::{FailureKind, Verdict};

use super::{Case, Ends, run_all};
use crate::{
    guests::{burdened, check, proceeding},
    hosts,
};

/// Grows until it cannot, and touches what it got.
const BOMB: &str = "
    (loop $again
      (local.set $i (memory.grow (i32.const 1)))
      (if (i32.ne (local.get $i) (i32.const -1))
        (then
          (i32.store (i32.mul (local.get $i) (i32.const 65536)) (i32.const 1))
          (br $again))))";

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = memory();
    cases.extend(tables());
    cases.extend(instances());
    cases
}

fn memory() -> Vec<Case> {
    use FailureKind::{Memory, Stack};
    vec![
        Case::new(
            "a memory bomb that traps",
            check(&format!("{BOMB} (unreachable)")).component(),
            Ends::In(
                Memory,
                "more than its 4194304 bytes of memory; it ended with",
            ),
        ),
        Case::new(
            "a guest that makes do with the memory that it has",
            check(&format!("{BOMB} (call $proceed)")).component(),
            Ends::With(Verdict::Proceed),
        ),
        Case::new(
            "a guest that says itself that it has no memory",
            check(&format!(
                "{BOMB} (drop (call $proceed)) (i32.store8 (i32.const 256) (i32.const 1))
                 (i32.store (i32.const 260) (i32.const 1088))
                 (i32.store (i32.const 264) (i32.const 7)) (i32.const 256)"
            ))
            .component(),
            Ends::In(Memory, "it answered: because"),
        ),
        Case::new(
            "more memory at the start than allowed",
            check("(call $proceed)").pages(65).component(),
            Ends::In(Memory, "more than its 4194304 bytes of memory"),
        ),
        Case::new(
            "several memories, together more than allowed",
            burdened(&proceeding(), "(module (memory 20))", 4),
            Ends::In(Memory, "more than its 4194304 bytes of memory"),
        ),
        Case::new(
            "more than there are addresses",
            check("(drop (memory.grow (i32.const -1))) (unreachable)").component(),
            Ends::In(Memory, "more than its 4194304 bytes of memory"),
        ),
        Case::new(
            "recursion without an end",
            check("(call $deep (i32.const 0))")
                .fields(
                    "(func $deep (param i32) (result i32)
                       (i32.add (i32.const 1) (call $deep (local.get 0))))",
                )
                .component(),
            Ends::In(Stack, "stack is exhausted"),
        ),
    ]
}

fn tables() -> Vec<Case> {
    let table = "(table $table 1 funcref)";
    let grow = "(drop (table.grow $table (ref.null func) (i32.const 5000)))";
    vec![
        Case::new(
            "a table that grows beyond what is allowed, and a trap",
            check(&format!("{grow} (unreachable)"))
                .fields(table)
                .component(),
            Ends::In(FailureKind::Table, "more than its 1000 table entries"),
        ),
        Case::new(
            "a guest that makes do with the table that it has",
            check(&format!("{grow} (call $proceed)"))
                .fields(table)
                .component(),
            Ends::With(Verdict::Proceed),
        ),
        Case::new(
            "more table at the start than allowed",
            burdened(&proceeding(), "(module (table 2000 funcref))", 1),
            Ends::In(FailureKind::Table, "more than its 1000 table entries"),
        ),
    ]
}

fn instances() -> Vec<Case> {
    use FailureKind::Memory;
    // Where an element goes is computed anew in each instance if it is more
    // than a constant.
    let slow = format!(
        "(module (table 1 funcref) (func $f) {})",
        "(elem (offset (i32.sub (i32.const 1) (i32.const 1))) func $f)".repeat(4000)
    );
    vec![
        Case::new(
            "more instances than allowed",
            burdened(&proceeding(), "(module)", 200),
            Ends::In(Memory, "instance count too high"),
        ),
        Case::new(
            "more memories than allowed",
            burdened(&proceeding(), "(module (memory 0))", 50),
            Ends::In(Memory, "memory count too high"),
        ),
        Case::new(
            "many instances that are slow to set up",
            burdened(&proceeding(), &slow, 60),
            Ends::With(Verdict::Proceed),
        ),
    ]
}

#[tokio::test]
async fn a_guest_gets_no_more_than_it_may_have() {
    run_all(&hosts::host(), &cases()).await;
}

#[tokio::test]
async fn the_peak_of_memory_is_reported() {
    let case = &memory()[1];
    let tape = case.run(&hosts::host()).await;
    assert_eq!(tape.usage.peak_memory, 4 << 20);
}
