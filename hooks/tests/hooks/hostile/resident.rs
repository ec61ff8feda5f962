//! What the guests that mean harm leave behind.

use std::fs;

use super::{Case, floods, greed, lies, loops, run_all, wasi};
use crate::hosts;

/// Bytes of memory that may be missing afterwards.
const LEFT: i64 = 5 << 20;

fn all() -> Vec<Case> {
    let mut cases = loops::cases();
    cases.extend(greed::cases());
    cases.extend(lies::cases());
    cases.extend(floods::cases());
    cases.extend(wasi::cases());
    cases
}

/// Pages of this process that are in memory, in bytes.
fn resident() -> i64 {
    let statm = fs::read_to_string("/proc/self/statm").expect("Linux says what is resident");
    let pages = statm.split(' ').nth(1).expect("resident is the second");
    let pages: i64 = pages.parse().expect("resident is a number");
    pages * 4096
}

/// In a process of its own: other tests would allocate meanwhile.
#[test]
fn hostile_guests_leave_no_memory_behind() {
    const ALONE: &str = "TIDEGATE_TEST_ALONE";
    if std::env::var_os(ALONE).is_none() {
        let test = "hostile::resident::hostile_guests_leave_no_memory_behind";
        let me = std::env::current_exe().expect("this test is a program");
        let status = std::process::Command::new(me)
            .args(["--exact", test, "--nocapture"])
            .env(ALONE, "1")
            .status()
            .expect("this test can run itself");
        assert!(status.success(), "it failed in a process of its own");
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let host = hosts::host();
        let cases = all();
        run_all(&host, &cases).await;
        let before = resident();
        run_all(&host, &cases).await;
        let left = resident() - before;
        println!("{} guests left {} KiB", cases.len(), left / 1024);
        assert!(left < LEFT, "{left} bytes more are resident");
    });
}
