//! Tools that `.ci/install` installs into the checkout.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// The Python that has the packages of `.ci/requirements.txt`.
pub(crate) fn python() -> Command {
    let mut command = Command::new(installed(".venv/bin/python"));
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

/// The protobuf tool.
pub(crate) fn buf() -> Command {
    Command::new(installed("node_modules/.bin/buf"))
}

/// A file of this checkout.
pub(crate) fn in_checkout(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// Sees from what a script of checks printed that there were some and that all
/// of them passed.
pub(crate) fn assert_all_passed(output: &Output) {
    let stdout = String::from_utf8_lossy(&output.stdout);
    let last = stdout.lines().last().unwrap_or_default();
    let passed = last.strip_suffix(" passed, 0 failed");
    let count = passed.and_then(|count| count.parse().ok()).unwrap_or(0_u32);
    assert!(
        output.status.success() && count > 0,
        "{stdout}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

fn installed(path: &str) -> PathBuf {
    let path = in_checkout(path);
    assert!(
        path.exists(),
        "{} is missing: run .ci/install",
        path.display()
    );
    path
}
