//! What `tidegate serve` and `tidegate emulator` refuse before they listen, and
//! say when they do.

use std::{process::Output, sync::mpsc, thread, time::Duration};

use tidegate_tests::process::{Process, run};

use super::stack::{Stack, stderr};

/// How long a refusal may take.
const PATIENCE: Duration = Duration::from_secs(30);

#[test]
fn a_data_directory_has_one_gateway() {
    let stack = Stack::start("shop");
    let data = stack.data();
    let said = refusal(&["--listen", "127.0.0.1:0", "--data-dir", &data]);
    assert!(said.contains(&data), "{said}");
    assert!(said.contains("another"), "{said}");
    let info = stack.run(&["info"]);
    assert!(info.status.success(), "the first one is served as before");
}

#[test]
fn an_address_that_others_reach_wants_tls_or_a_word() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data").display().to_string();
    let said = refusal(&["--listen", "0.0.0.0:0", "--data-dir", &data]);
    assert!(said.contains("--insecure"), "{said}");
    assert!(said.to_lowercase().contains("tls"), "{said}");
    assert!(!said.contains("listening on"), "{said}");
    assert!(!said.contains("EMULATED"), "{said}");
}

#[test]
fn an_emulator_that_others_reach_wants_a_word() {
    let said = ended(&["emulator", "--listen", "0.0.0.0:0"]);
    assert!(said.contains("0.0.0.0:0 is reachable"), "{said}");
    assert!(said.contains("--insecure"), "{said}");
    assert!(!said.contains("listening on"), "{said}");
}

#[test]
fn an_emulator_says_what_hooks_need_to_reach_its_servers() {
    let listen = ["emulator", "--listen", "127.0.0.1:0"];
    let (_, said) = Process::start(&listen, &[]).stop();
    let setting = "TIDEGATE__HOOKS__ALLOW_LOOPBACK=true";
    assert!(said.contains(setting), "{said}");
    assert!(!said.contains("INSECURE"), "{said}");
    let (_, said) = Process::start(&[&listen[..], &["--no-workloads"]].concat(), &[]).stop();
    assert!(!said.contains(setting), "{said}");
}

#[test]
fn an_emulated_drs_says_that_it_ends_with_its_gateway() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data").display().to_string();
    let serve = ["serve", "--drs", "emulator", "--listen", "127.0.0.1:0"];
    let (_, said) = Process::start(&[&serve[..], &["--data-dir", &data]].concat(), &[]).stop();
    assert!(said.contains("it ends with this gateway"), "{said}");
    assert!(said.contains("tidegate emulator"), "{said}");
    assert!(said.contains("--drs aws"), "{said}");
}

#[test]
fn settings_that_are_not_known_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("tidegate.toml");
    std::fs::write(&file, "lisen = \"127.0.0.1:0\"\n").expect("the folder can be written to");
    let said = refusal(&["--config", &file.display().to_string()]);
    assert!(said.contains("lisen"), "{said}");
}

/// What `tidegate serve ARGS` says when it ends by itself, which it must.
fn refusal(args: &[&str]) -> String {
    ended(&[&["serve", "--drs", "emulator"], args].concat())
}

/// What `tidegate ARGS` says when it ends by itself and not well, as it must.
fn ended(args: &[&str]) -> String {
    let args: Vec<String> = args.iter().map(ToString::to_string).collect();
    let (sender, ended) = mpsc::channel();
    thread::spawn(move || {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let _ = sender.send(run(&args, ""));
    });
    let output: Output = ended.recv_timeout(PATIENCE).expect("it is refused");
    assert!(!output.status.success(), "{output:?}");
    stderr(&output)
}
