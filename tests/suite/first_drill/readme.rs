//! The README's own way from a plan to a cleanup: its plan is saved, and its
//! blocks are typed from top to bottom on a machine that has nothing but the
//! program.

use std::{fs, os::unix::fs::symlink};

use tidegate_tests::process::{binary, run};

use super::{
    terminal::{Running, Terminal},
    text::{Place, fences},
};

const TEXT: &str = "README.md";
/// The fence of the plan: its language, and the file's name.
const PLAN: &str = "yaml shop.yaml";

#[test]
fn the_readme_goes_from_top_to_bottom() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    for name in ["home", "programs", "scripts"] {
        fs::create_dir(path(name)).expect("a folder");
    }
    symlink(binary(), path("programs/tidegate")).expect("a link");
    let environment = [
        ("HOME", path("home").display().to_string()),
        (
            "PATH",
            format!("{}:/usr/bin:/bin", path("programs").display()),
        ),
        ("LANG", "C.UTF-8".to_owned()),
        // A free port, so that nothing else that runs here is in the way.
        ("TIDEGATE__LISTEN__ADDRESS", "127.0.0.1:0".to_owned()),
    ];
    let environment = environment.map(|(name, value)| (name.to_owned(), value));
    let mut here = Terminal::open(&environment, &path("home"), &path("scripts"));
    let mut gateway: Option<Running> = None;
    let mut said = Vec::new();
    for fence in fences(TEXT) {
        if fence.info == PLAN {
            fs::write(path("home/shop.yaml"), &fence.content).expect("a file");
        }
        let Some(block) = fence.block() else { continue };
        if block.place == Place::Gateway {
            let running = Running::start(&environment, &path("home"), &block);
            here.export("TIDEGATE_ADDRESS", &running.address);
            gateway = Some(running);
        } else {
            assert_eq!(block.place, Place::Here, "line {}", block.line);
            said.push(here.run(&block));
        }
    }

    let gateway = gateway.expect("a block starts one");
    let [validated, drilled] = &said[..] else {
        panic!("other blocks than were there: {said:#?}");
    };
    assert!(validated.contains("plan shop is valid"), "{validated}");
    for part in ["PLANNED (wave web)", "s-10000000000eb0002", "DRILL"] {
        assert!(drilled.contains(part), "{part} in:\n{drilled}");
    }
    assert_eq!(states(&gateway, "drill"), ["SUCCEEDED"], "{drilled}");
    assert_eq!(states(&gateway, "cleanup"), ["SUCCEEDED"], "{drilled}");
    assert_eq!(states(&gateway, "recovery").len(), 1, "{drilled}");
    gateway.interrupt();
}

/// How the executions of a kind stand.
fn states(gateway: &Running, kind: &str) -> Vec<String> {
    let list = ["execution", "list", "--kind", kind, "-o", "jsonl"];
    let output = run(&list, &gateway.address);
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let lines = text.lines().filter(|line| !line.is_empty());
    let state = |line: &str| {
        let execution: serde_json::Value = serde_json::from_str(line).expect("JSON");
        let state = execution["state"].as_str().expect("a state");
        state.trim_start_matches("EXECUTION_STATE_").to_owned()
    };
    lines.map(state).collect()
}
