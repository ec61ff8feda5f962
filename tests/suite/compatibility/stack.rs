//! A gateway and the DRS that it calls, each a process of its own, as people
//! run them.

use std::{fs, process::Output};

use tempfile::TempDir;
use tidegate_tests::process::{Process, last_line, run};

/// Emulated seconds per second: a DRS job takes between two and three seconds.
const SPEED: &str = "200";

/// Two servers, a planned pause, one server.
pub(super) const TWO_TIERS: &str = include_str!("plans/two-tiers.yaml");
/// One server and no pause.
pub(super) const ALONE: &str = include_str!("plans/alone.yaml");

/// A running gateway with a folder of its own.
pub(super) struct Stack {
    // Dropped first: nothing asks a DRS that is gone.
    gateway: Process,
    _emulator: Process,
    folder: TempDir,
}

impl Stack {
    /// Starts a gateway whose DRS has this scenario.
    pub(super) fn start(scenario: &str) -> Self {
        let listen = ["--listen", "127.0.0.1:0"];
        let world = ["--scenario", scenario, "--speed", SPEED];
        let emulator = Process::start(&[&["emulator"], &listen[..], &world].concat(), &[]);
        let folder = tempfile::tempdir().expect("a folder");
        let data = data(&folder);
        let serve = ["serve", "--drs", "aws", "--data-dir", &data];
        let gateway = Process::start(
            &[&serve[..], &listen].concat(),
            &[
                ("AWS_ENDPOINT_URL_DRS", emulator.address()),
                ("AWS_ACCESS_KEY_ID", "123456789012"),
                ("AWS_SECRET_ACCESS_KEY", "none"),
                ("AWS_REGION", "us-west-2"),
                ("AWS_EC2_METADATA_DISABLED", "true"),
                ("TIDEGATE__DRS__POLL_INTERVAL", "100ms"),
            ],
        );
        Self {
            gateway,
            _emulator: emulator,
            folder,
        }
    }

    /// The gateway's address, for example `http://127.0.0.1:7070`.
    pub(super) fn address(&self) -> &str {
        self.gateway.address()
    }

    /// The same without its scheme.
    pub(super) fn authority(&self) -> &str {
        let (_, authority) = self.address().split_once("://").expect("a URL");
        authority
    }

    /// The gateway's data directory.
    pub(super) fn data(&self) -> String {
        data(&self.folder)
    }

    /// Runs `tidegate ARGS` to its end.
    pub(super) fn run(&self, args: &[&str]) -> Output {
        run(args, self.address())
    }

    /// Runs `tidegate ARGS`, which must succeed; the last line of its output.
    pub(super) fn last_line(&self, args: &[&str]) -> String {
        last_line(args, self.address())
    }

    /// Writes a plan file and applies it.
    pub(super) fn apply(&self, plan: &str) {
        let file = self.folder.path().join("plan.yaml");
        fs::write(&file, plan).expect("the folder can be written to");
        let _ = self.last_line(&["plan", "apply", &file.display().to_string()]);
    }

    /// Starts a drill of a plan; its id.
    pub(super) fn drill(&self, plan: &str) -> String {
        self.last_line(&["drill", "start", plan, "-o", "name"])
    }
}

/// What a process said on the standard error.
pub(super) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// What a process printed.
pub(super) fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn data(folder: &TempDir) -> String {
    folder.path().join("data").display().to_string()
}
