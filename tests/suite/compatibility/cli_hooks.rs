//! The author of a hook at a shell: from nothing to a decision that can be
//! shown again. No gateway is asked.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::LazyLock,
};

use serde_json::Value;
use tempfile::TempDir;
use tidegate_tests::process::run;

use super::stack::{stderr, stdout};

/// Nothing listens there.
const NOWHERE: &str = "http://127.0.0.1:1";
const TARGET: &str = "wasm32-unknown-unknown";
/// The bytes that every core module begins with, and an empty one consists of.
const CORE_MODULE: &[u8] = b"\0asm\x01\0\0\0";

/// The folder of a Rust hook, begun and built as its author would.
static HOOK: LazyLock<PathBuf> = LazyLock::new(|| {
    assert_target_is_installed();
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let folder = target.join("cli-hook");
    if folder.exists() {
        fs::remove_dir_all(&folder).expect("it can be removed");
    }
    let lang = ["--lang", "rust", "--dir", text(&folder)];
    let begun = hook(&[&["new", "db-ready"], &lang[..]].concat());
    assert_code(&begun, 0);
    for next in ["rustup target add", "tidegate hook build"] {
        assert!(stdout(&begun).contains(next), "{begun:?}");
    }
    // What does not depend on the hook is compiled once, which takes minutes.
    let kept = target.join("cli-hook-target");
    fs::create_dir_all(&kept).expect("it can be made");
    std::os::unix::fs::symlink(kept, folder.join("target")).expect("it can be linked");
    let built = hook(&["build", text(&folder)]);
    assert_code(&built, 0);
    assert!(stdout(&built).contains("db-ready.wasm"), "{built:?}");
    assert!(stdout(&built).contains("sha256:"), "{built:?}");
    folder
});

#[test]
fn a_new_hook_is_built_and_described() {
    let shown = hook(&["inspect", &component()]);
    assert_code(&shown, 0);
    for part in ["tidegate:hooks@1.0.0", "post-wave", "plain", "\"port\""] {
        assert!(stdout(&shown).contains(part), "{part}: {shown:?}");
    }
    let described = json(&hook(&["inspect", &component(), "-o", "json"]));
    assert_eq!(described["name"], "db-ready");
    assert_eq!(described["needs"][0]["portParameter"], "port");
    let name = hook(&["inspect", text(&HOOK), "-o", "name"]);
    assert_eq!(stdout(&name), "db-ready\n");
    let digest = described["digest"].as_str().expect("a digest");
    let again = json(&hook(&["build", text(&HOOK), "-o", "json"]));
    assert_eq!(again["digest"], digest, "the same source, the same bytes");
}

#[test]
fn a_new_hook_holds_its_vectors_and_other_vectors_fail_readably() {
    let held = hook(&["test", &component()]);
    assert_code(&held, 0);
    assert!(stdout(&held).contains("4 of 4 vectors hold"), "{held:?}");
    let tested = json(&hook(&["test", &component(), "-o", "json"]));
    assert_eq!(tested["failed"], 0);
    assert_eq!(tested["headroom"][2]["servers"], 300);
    assert_eq!(tested["headroom"][2]["probes"]["most"], 300);
    assert_eq!(tested["headroom"][2]["probes"]["limit"], 600);

    let folder = tempfile::tempdir().expect("a folder");
    let vectors = fs::read_to_string(HOOK.join("vectors.yaml")).expect("it has vectors");
    let wrong = vectors.replace("verdict: proceed", "verdict: hold");
    let file = write(&folder, "wrong.yaml", wrong.as_bytes());
    let failed = hook(&["test", &component(), "--vectors", &file]);
    assert_code(&failed, 12);
    let said = stdout(&failed);
    assert!(said.contains("expected hold, found proceed"), "{said}");
    assert!(said.contains("3 of 4 vectors hold"), "{said}");
}

#[test]
fn a_live_decision_is_recorded_and_made_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
    let tape = folder.path().join("tape.json").display().to_string();
    let ran = live(&listener, &["--allow-loopback", "--tape", &tape]);
    assert_code(&ran, 0);
    assert!(stdout(&ran).starts_with("proceed"), "{ran:?}");

    // The listener is gone, the answer is on the tape.
    drop(listener);
    let component = component();
    let subject = ["--tape", &tape, "--component", &component];
    let again = hook(&[&["replay"], &subject[..]].concat());
    assert_code(&again, 0);
    assert!(stdout(&again).contains("verdict and fuel"), "{again:?}");
    let gate = hook(&[&["sensitivity"], &subject[..]].concat());
    assert_code(&gate, 0);
    assert!(stdout(&gate).contains("db-ready: a gate"), "{gate:?}");

    let recorded = fs::read_to_string(&tape).expect("a tape");
    let mut forged: Value = serde_json::from_str(&recorded).expect("JSON");
    forged["outcome"]["report"]["verdict"] = "hold".into();
    let forged = write(&folder, "forged.json", forged.to_string().as_bytes());
    let subject = ["--tape", &forged, "--component", &component];
    let differs = hook(&[&["replay"], &subject[..]].concat());
    assert_code(&differs, 12);
    let said = stdout(&differs);
    assert!(
        said.contains("the verdict was hold, now it is proceed"),
        "{said}"
    );
}

#[test]
fn this_machine_is_not_probed_without_a_word() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
    let denied = live(&listener, &[]);
    assert_code(&denied, 1);
    assert!(stdout(&denied).contains("probe-denied"), "{denied:?}");
}

#[test]
fn what_a_hook_cannot_work_with_is_refused_before_anything_is_probed() {
    let component = component();
    let about = ["run", &component, "--server", "s-1=127.0.0.1"];
    let refused = hook(&[&about[..], &["--param", "port=https"]].concat());
    assert_code(&refused, 10);
    let said = stderr(&refused);
    assert!(said.contains("refuses the parameters"), "{said}");
    let early = hook(&[&about[..], &["--phase", "pre-wave"]].concat());
    assert_code(&early, 10);
    assert!(stderr(&early).contains("--phase post-wave"), "{early:?}");
}

#[test]
fn a_bench_measures() {
    let measured = json(&hook(&["bench", &component(), "--runs", "5", "-o", "json"]));
    assert_eq!(measured["runs"], 5);
    for figure in ["artifact-bytes", "compile-us", "check-p99-us", "fuel"] {
        assert!(measured[figure].as_u64() > Some(0), "{figure}: {measured}");
    }
}

#[test]
fn what_is_no_component_is_refused_for_what_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let whole = fs::read(component()).expect("a component");
    for (name, content, problem) in [
        ("empty.wasm", &b""[..], "empty"),
        ("script.wasm", b"#!/bin/sh\n", "not WebAssembly"),
        ("core.wasm", CORE_MODULE, "core module"),
        ("half.wasm", &whole[..whole.len() / 2], "truncated"),
    ] {
        let file = write(&folder, name, content);
        for verb in ["inspect", "test", "bench", "push"] {
            let refused = hook(&[verb, &file]);
            assert_code(&refused, 10);
            assert_eq!(stdout(&refused), "");
            let said = stderr(&refused);
            assert!(said.contains(problem), "{verb} {name}: {said}");
            assert!(said.contains(name), "{verb} {name}: {said}");
        }
    }
    let missing = hook(&["inspect", "no/such.wasm"]);
    assert_code(&missing, 10);
    assert!(stderr(&missing).contains("no/such.wasm"), "{missing:?}");
}

#[test]
fn a_folder_in_use_and_an_unknown_language_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let unknown = hook(&["new", "a", "--lang", "cobol"]);
    assert_code(&unknown, 2);
    assert!(stderr(&unknown).contains("python"), "{unknown:?}");
    write(&folder, "README.md", b"mine");
    let dir = ["--dir", text(folder.path())];
    let used = hook(&[&["new", "a", "--lang", "c"], &dir[..]].concat());
    assert_code(&used, 10);
    assert!(stderr(&used).contains("not empty"), "{used:?}");
    let entries = fs::read_dir(folder.path()).expect("it is there");
    assert_eq!(entries.count(), 1, "nothing was written");
}

#[test]
fn a_missing_tool_is_named_with_the_command_that_installs_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let project = "[hook]\nname = \"a\"\nversion = \"1\"\nphases = [\"pre-wave\"]\n\
        [build]\ncommand = [\"no-such-tool\", \"go\"]\noutput = \"a.wasm\"\n\
        install = \"pip install a-tool\"\n";
    write(&folder, "hook.toml", project.as_bytes());
    let refused = hook(&["build", text(folder.path())]);
    assert_code(&refused, 1);
    let said = stderr(&refused);
    assert!(said.contains("no-such-tool cannot be run"), "{said}");
    assert!(
        said.contains("install it with: pip install a-tool"),
        "{said}"
    );
    let bare = tempfile::tempdir().expect("a folder");
    let nothing = hook(&["build", text(bare.path())]);
    assert_code(&nothing, 10);
    assert!(
        stderr(&nothing).contains("tidegate hook new"),
        "{nothing:?}"
    );
}

#[test]
fn the_compiler_refuses_what_is_no_component() {
    // Its input is closed at once: the harness gives it none.
    let compiled = run(&["hook-compiler"], NOWHERE);
    assert!(!compiled.status.success(), "{compiled:?}");
    assert_eq!(stdout(&compiled), "");
}

/// Asks the hook about one server on this machine, where this port is open.
fn live(listener: &TcpListener, more: &[&str]) -> Output {
    let port = listener.local_addr().expect("an address").port();
    let port = format!("port={port}");
    let component = component();
    let subject = [
        "run",
        &component,
        "--server",
        "s-1=127.0.0.1",
        "--param",
        &port,
    ];
    hook(&[&subject, more].concat())
}

fn hook(args: &[&str]) -> Output {
    run(&[&["hook"], args].concat(), NOWHERE)
}

fn component() -> String {
    HOOK.join("db-ready.wasm").display().to_string()
}

fn text(path: &Path) -> &str {
    path.to_str().expect("the folder's name is text")
}

fn write(folder: &TempDir, name: &str, content: &[u8]) -> String {
    let file = folder.path().join(name);
    fs::write(&file, content).expect("the folder can be written to");
    file.display().to_string()
}

fn json(output: &Output) -> Value {
    assert_code(output, 0);
    serde_json::from_slice(&output.stdout).expect("the output is JSON and nothing else")
}

fn assert_code(output: &Output, code: i32) {
    let said = (stdout(output), stderr(output));
    assert_eq!(output.status.code(), Some(code), "{}\n{}", said.0, said.1);
}

fn assert_target_is_installed() {
    let sysroot = Command::new("rustc").args(["--print", "sysroot"]).output();
    let sysroot = sysroot.expect("rustc runs");
    let folder = Path::new(stdout(&sysroot).trim())
        .join("lib/rustlib")
        .join(TARGET);
    assert!(
        folder.is_dir(),
        "{TARGET} is missing: rustup target add {TARGET}"
    );
}
