//! Guests that break the contract.

use tidegate_hooks::{FailureKind, Limits, Phase};

use super::{Case, Ends, run_all};
use crate::{
    guests::{Guest, check},
    hosts,
};

/// Stores a word into the report before it is returned.
fn report(at: u32, word: i32) -> Guest {
    check(&format!(
        "(local.set $i (call $proceed)) (i32.store (i32.const {at}) (i32.const {word}))
         (local.get $i)"
    ))
}

/// Returns so many findings, all of zeros but for a code of one byte.
fn findings(count: u32) -> Guest {
    check(&format!(
        "(local.set $i (i32.const 0))
         (loop $again
           (i32.store (i32.add (i32.const 131072) (i32.mul (local.get $i) (i32.const 36)))
             (i32.const 1088))
           (i32.store (i32.add (i32.const 131076) (i32.mul (local.get $i) (i32.const 36)))
             (i32.const 1))
           (local.set $i (i32.add (local.get $i) (i32.const 1)))
           (br_if $again (i32.lt_u (local.get $i) (i32.const {count}))))
         (drop (call $proceed))
         (i32.store (i32.const 276) (i32.const 131072))
         (i32.store (i32.const 280) (i32.const {count}))
         (i32.const 256)"
    ))
    .pages(3 + count * 36 / 65536)
}

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = values();
    cases.extend(addresses());
    cases.extend(sizes());
    cases.extend(ends());
    cases
}

fn values() -> Vec<Case> {
    let bad = |says| Ends::In(FailureKind::BadOutput, says);
    vec![
        Case::new(
            "an unknown verdict",
            report(260, 9).component(),
            bad("discriminant"),
        ),
        Case::new(
            "an unknown result",
            report(256, 7).component(),
            bad("discriminant"),
        ),
        Case::new(
            "a reason that is not UTF-8",
            {
                check(
                    "(drop (call $proceed)) (i32.store (i32.const 268) (i32.const 1152))
                   (i32.store (i32.const 272) (i32.const 3)) (i32.const 256)",
                )
                .component()
            },
            bad("utf-8"),
        ),
        Case::new(
            "a skip after the launch",
            check("(call $answer (i32.const 3) (i32.const 0))").component(),
            bad("a skip after the wave's launch"),
        )
        .phase(Phase::PostWave),
        Case::new(
            "a level of log that there is not",
            check("(call $log (i32.const 7) (i32.const 1088) (i32.const 7)) (call $proceed)")
                .component(),
            bad("discriminant"),
        ),
    ]
}

/// Pointers to where nothing is, or nothing can be.
fn addresses() -> Vec<Case> {
    let bad = |says| Ends::In(FailureKind::BadOutput, says);
    vec![
        Case::new(
            "a reason out of memory",
            report(268, -16).component(),
            bad("out of bounds"),
        ),
        Case::new(
            "findings at an odd address",
            {
                check(
                    "(drop (call $proceed)) (i32.store (i32.const 276) (i32.const 1025))
                   (i32.store (i32.const 280) (i32.const 1)) (i32.const 256)",
                )
                .component()
            },
            bad("align"),
        ),
        Case::new(
            "a report at an odd address",
            check("(i32.const 257)").component(),
            bad("align"),
        ),
        Case::new(
            "a report out of memory",
            check("(i32.const -16)").component(),
            bad("bounds"),
        ),
        Case::new(
            "an allocator that points out of memory",
            check("(call $proceed)")
                .allocate("(i32.const -65536)")
                .component(),
            bad("beyond end of memory"),
        ),
        Case::new(
            "an allocator that points to an odd address",
            check("(call $proceed)")
                .allocate("(i32.const 65537)")
                .component(),
            bad("align"),
        ),
    ]
}

fn sizes() -> Vec<Case> {
    let bad = |says| Ends::In(FailureKind::BadOutput, says);
    let roomy = |limits: &mut Limits| limits.memory = Limits::DEFAULT.memory;
    let path = |bytes: u32| {
        format!(
            "(call $http (i32.const 1) (i32.const 1120) (i32.const 3) (i32.const 0)
               (i32.const 0) (i32.const 131072) (i32.const {bytes}) (i32.const 0) (i32.const 512))
             (call $proceed)"
        )
    };
    vec![
        Case::new(
            "a reason of 8 MiB",
            report(272, 8 << 20).pages(200).component(),
            bad("too much data"),
        )
        .limits(roomy),
        Case::new(
            "a log line of 8 MiB",
            check(
                "(call $log (i32.const 1) (i32.const 131072) (i32.const 8388608)) (call $proceed)",
            )
            .pages(200)
            .component(),
            bad("too much data"),
        )
        .limits(roomy),
        Case::new(
            "200,000 findings",
            findings(200_000).component(),
            bad("too much data"),
        )
        .limits(roomy),
        Case::new(
            "501 findings",
            findings(501).component(),
            bad("501 findings; at most 500"),
        ),
        Case::new(
            "a path of 9,000 bytes",
            check(&path(9000)).component(),
            bad("a probed path of 9000 bytes"),
        ),
    ]
}

/// Ends that are no answers.
fn ends() -> Vec<Case> {
    vec![
        Case::new(
            "a panic",
            check("(unreachable)").component(),
            Ends::In(FailureKind::Trap, "`unreachable` instruction"),
        ),
        Case::new(
            "a bad access",
            check("(i32.load (i32.const -4))").component(),
            Ends::In(FailureKind::Trap, "out of bounds memory access"),
        ),
        Case::new(
            "a division by zero",
            check("(i32.div_u (i32.const 1) (i32.const 0))").component(),
            Ends::In(FailureKind::Trap, "divide by zero"),
        ),
        Case::new(
            "a trap in the start function",
            check("(call $proceed)")
                .fields("(func $start (unreachable)) (start $start)")
                .component(),
            Ends::In(FailureKind::Trap, "`unreachable` instruction"),
        ),
        Case::new(
            "a trap after the report",
            check("(call $proceed)").clean("(unreachable)").component(),
            Ends::In(FailureKind::Trap, "`unreachable` instruction"),
        ),
        Case::new(
            "a probe after the report",
            check("(call $proceed)")
                .clean("(drop (call $probe (i32.const 22) (i32.const 0)))")
                .component(),
            Ends::In(FailureKind::Trap, "cannot leave component instance"),
        ),
        Case::new(
            "an error of the guest's own",
            check(
                "(drop (call $proceed)) (i32.store8 (i32.const 256) (i32.const 1))
                 (i32.store (i32.const 260) (i32.const 1088))
                 (i32.store (i32.const 264) (i32.const 7)) (i32.const 256)",
            )
            .component(),
            Ends::In(FailureKind::Error, "because"),
        ),
    ]
}

#[tokio::test]
async fn what_breaks_the_contract_is_no_verdict() {
    run_all(&hosts::host(), &cases()).await;
}
