//! Guests of the WASI profile, which has nothing to give.

use tidegate_hooks::{FailureKind, Level, Limits, Outcome, Tape, Verdict};

use super::{Case, Ends, run_all};
use crate::{
    guests::{Guest, check},
    hosts::{self, World},
};

fn exit(code: u32) -> Guest {
    check(&format!("(call $exit (i32.const {code})) (call $proceed)"))
        .wasi("import wasi:cli/exit@0.2.0;")
        .fields(r#"(import "wasi:cli/exit@0.2.0" "exit" (func $exit (param i32)))"#)
}

/// With `$sleep`, which takes nanoseconds and gives a pollable, and `$block`.
fn sleeper(body: &str) -> Guest {
    check(body)
        .wasi("import wasi:io/poll@0.2.0; import wasi:clocks/monotonic-clock@0.2.0;")
        .fields(
            r#"(import "wasi:clocks/monotonic-clock@0.2.0" "subscribe-duration"
                 (func $sleep (param i64) (result i32)))
               (import "wasi:clocks/monotonic-clock@0.2.0" "now" (func $now (result i64)))
               (import "wasi:io/poll@0.2.0" "[method]pollable.block" (func $block (param i32)))"#,
        )
}

fn writer(body: &str) -> Guest {
    check(body)
        .wasi("import wasi:io/streams@0.2.0; import wasi:cli/stdout@0.2.0;")
        .fields(
            r#"(import "wasi:cli/stdout@0.2.0" "get-stdout" (func $stdout (result i32)))
               (import "wasi:io/streams@0.2.0" "[method]output-stream.blocking-write-and-flush"
                 (func $write (param i32 i32 i32 i32)))"#,
        )
}

fn random() -> Guest {
    check("(call $answer (i32.const 1) (i32.wrap_i64 (call $random)))")
        .wasi("import wasi:random/random@0.2.0;")
        .fields(
            r#"(import "wasi:random/random@0.2.0" "get-random-u64" (func $random (result i64)))"#,
        )
}

fn clock() -> Guest {
    check(
        "(call $wall (i32.const 512))
         (call $answer (i32.const 1) (i32.load (i32.const 512)))",
    )
    .wasi("import wasi:clocks/wall-clock@0.2.0;")
    .fields(r#"(import "wasi:clocks/wall-clock@0.2.0" "now" (func $wall (param i32)))"#)
}

pub(crate) fn cases() -> Vec<Case> {
    let trap = |says| Ends::In(FailureKind::Trap, says);
    vec![
        Case::new("exit(0)", exit(0).component(), trap("called exit(0)")),
        Case::new("exit(1)", exit(1).component(), trap("called exit(1)")),
        Case::new(
            "a sleep",
            sleeper("(call $block (call $sleep (i64.const -1))) (call $proceed)").component(),
            Ends::Late("not waiting for a probe"),
        ),
        Case::new(
            "a loop that reads the clock",
            sleeper("(loop $again (drop (call $now)) (br $again)) (unreachable)").component(),
            Ends::Late("not waiting for a probe"),
        ),
        Case::new(
            "a loop that opens resources",
            sleeper("(loop $again (drop (call $sleep (i64.const 1))) (br $again)) (unreachable)")
                .component(),
            trap("table has no free keys"),
        ),
        Case::new(
            "a loop of output",
            writer(
                "(local.set $i (call $stdout))
                 (loop $again
                   (call $write (local.get $i) (i32.const 65536) (i32.const 4096) (i32.const 512))
                   (br $again))
                 (unreachable)",
            )
            .component(),
            Ends::Late("not waiting for a probe"),
        ),
    ]
}

#[tokio::test]
async fn a_guest_with_wasi_gets_nothing_from_it() {
    run_all(&hosts::host(), &cases()).await;
}

async fn run(guest: Guest, attempt: u32) -> Tape {
    let host = hosts::host();
    let hook = hosts::prepare(&host, "a guest with WASI", &guest.component()).await;
    let mut context = hosts::context();
    context.attempt = attempt;
    let limits = Limits {
        log_lines: 3,
        ..hosts::limits()
    };
    host.check(&hook, &limits, &context, &World::Silent).await
}

fn retry(tape: &Tape) -> u32 {
    let verdict = match &tape.outcome {
        Outcome::Report(report) => report.verdict,
        Outcome::Failure(failure) => panic!("{failure}"),
    };
    match verdict {
        Verdict::Retry(ms) => ms,
        Verdict::Proceed | Verdict::Hold | Verdict::Skip | Verdict::Abort => panic!("{verdict}"),
    }
}

#[tokio::test]
async fn the_clock_stands_at_the_contexts_now() {
    // 2026-11-22T10:00:00Z
    assert_eq!(retry(&run(clock(), 1).await), 1_795_341_600);
}

#[tokio::test]
async fn there_are_no_arguments_no_environment_and_no_directories() {
    // Each gives a list: its length is the word after its address.
    let guest = check(
        "(call $environment (i32.const 512)) (call $arguments (i32.const 520))
         (call $directories (i32.const 528))
         (call $answer (i32.const 1) (i32.add (i32.load (i32.const 516))
           (i32.add (i32.load (i32.const 524)) (i32.load (i32.const 532)))))",
    )
    .wasi("import wasi:cli/environment@0.2.0; import wasi:filesystem/preopens@0.2.0;")
    .fields(
        r#"(import "wasi:cli/environment@0.2.0" "get-environment" (func $environment (param i32)))
           (import "wasi:cli/environment@0.2.0" "get-arguments" (func $arguments (param i32)))
           (import "wasi:filesystem/preopens@0.2.0" "get-directories"
             (func $directories (param i32)))"#,
    );
    assert_eq!(retry(&run(guest, 1).await), 0);
}

#[tokio::test]
async fn randomness_is_equal_in_a_replay_and_another_in_another_attempt() {
    let first = retry(&run(random(), 1).await);
    assert_eq!(first, retry(&run(random(), 1).await));
    assert_ne!(first, retry(&run(random(), 2).await));
}

#[tokio::test]
async fn output_goes_to_the_log_line_by_line() {
    let write = |at: u32, bytes: u32| {
        format!("(call $write (local.get $i) (i32.const {at}) (i32.const {bytes}) (i32.const 512))")
    };
    let guest = writer(&format!(
        "(local.set $i (call $stdout)) {} {} {} {} (call $proceed)",
        write(1088, 3),
        write(1091, 4),
        "(i32.store8 (i32.const 2048) (i32.const 10))",
        write(2048, 1) + &write(1120, 3),
    ));
    let tape = run(guest, 1).await;
    let lines: Vec<_> = tape
        .log
        .iter()
        .map(|line| (line.level, line.message.as_str()))
        .collect();
    assert_eq!(lines, [(Level::Debug, "because"), (Level::Debug, "erp")]);
    assert_eq!(tape.log_dropped, 0);
}
