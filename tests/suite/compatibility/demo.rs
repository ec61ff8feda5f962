//! The demo from its first line to its last, as whoever runs it sees it; and
//! what the script before it says if something is missing.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read},
    os::unix::fs::{PermissionsExt as _, symlink},
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{self, Receiver, Sender},
    thread,
    time::{Duration, Instant},
};

use tidegate_tests::{
    control::control,
    process::{run, tidegate},
};

use super::{installed::in_checkout, stack::stderr};

/// Emulated seconds a second: a job takes less than one.
const SPEED: &str = "600";
/// How long the demo may say nothing that is waited for.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long all of it may take, on a machine that does much else.
const WHOLE: Duration = Duration::from_secs(120);

#[test]
fn the_demo_launches_all_servers_and_says_what_to_try_next() {
    let began = Instant::now();
    let mut demo = Demo::start();
    // The first pause is left to it: it repairs the server, and resumes.
    demo.until("the check holds the wave until somebody repairs the server");
    let curl = demo.until("curl -d");
    assert!(curl.contains("/_emulator/workloads/s-10000000000aa0003"));
    demo.until("otherwise the demo does both in 6 seconds");
    demo.until("the plan pauses here for a person");
    demo.resume();
    let (status, said) = demo.ended();

    assert_eq!(status.code(), Some(0), "{said}");
    for part in [
        "emulated DRS    http://",
        "hook            tcp-reachable sha256:",
        "hook            http-healthy sha256:",
        "plan            shop revision 1, 3 waves",
        "ended: SUCCEEDED",
        "servers launched   60 of 60",
        "to try next",
        "tidegate demo --keep",
        "tidegate serve --speed 60",
    ] {
        assert!(said.contains(part), "{part} in:\n{said}");
    }
    assert!(began.elapsed() < WHOLE, "{said}");
}

#[test]
fn a_demo_whose_drill_fails_ends_with_the_code_that_says_so() {
    let mut demo = Demo::start();
    let line = demo.until("emulated DRS ");
    let drs = line.split_whitespace().find(|it| it.starts_with("http://"));
    let drs = drs.expect("an address").to_owned();
    demo.until("the check holds the wave");
    let faults = r#"{"rules": [{"name": "no-web",
        "match": {"operations": ["StartRecovery"], "servers": ["s-10000000000eb"]},
        "then": {"job": {"effect": "failLaunch"}}}]}"#;
    let _ = control(&drs, "PUT", "faults", faults);
    let repaired = r#"{"healthy": true}"#;
    let _ = control(&drs, "POST", "workloads/s-10000000000aa0003", repaired);
    demo.resume();
    demo.until("the plan pauses here for a person");
    demo.resume();
    let (status, said) = demo.ended();

    assert_eq!(status.code(), Some(3), "{said}");
    assert!(said.contains("ended: FAILED"), "{said}");
    assert!(said.contains("servers launched   36 of 60"), "{said}");
}

#[test]
fn what_is_missing_is_named_with_its_remedy_before_anything_is_built() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path();
    for (program, place) in [("bash", "/bin/bash"), ("dirname", "/usr/bin/dirname")] {
        symlink(place, path.join(program)).expect("a link");
    }
    for (missing, remedy) in [
        ("cc", "apt-get install build-essential"),
        ("rustup", "https://rustup.rs"),
    ] {
        let said = without_means(path);
        assert!(said.starts_with(&format!("{missing} is missing")), "{said}");
        assert!(said.contains(remedy), "{said}");
        pretend(&path.join(missing));
    }
    // With both it goes on to what only a real one can do.
    assert!(!without_means(path).contains("is missing"));
}

/// What the script says where nothing is but the programs of this folder.
fn without_means(programs: &Path) -> String {
    let output = Command::new("/bin/bash")
        .arg(in_checkout("demo"))
        .env_clear()
        .env("PATH", programs)
        .stdin(Stdio::null())
        .output()
        .expect("bash runs");
    assert!(!output.status.success(), "{output:?}");
    stderr(&output)
}

/// A program that does nothing, and not well.
fn pretend(program: &Path) {
    fs::write(program, "#!/bin/bash\nexit 1\n").expect("a file");
    fs::set_permissions(program, fs::Permissions::from_mode(0o755)).expect("it is ours");
}

/// A demo that runs. Killed when dropped.
struct Demo {
    child: Child,
    lines: Receiver<String>,
    said: String,
}

impl Demo {
    fn start() -> Self {
        let mut child = tidegate()
            .args(["demo", "--speed", SPEED])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("tidegate starts");
        let (tell, lines) = mpsc::channel();
        tell_lines(child.stdout.take().expect("a pipe"), tell.clone());
        tell_lines(child.stderr.take().expect("a pipe"), tell);
        Self {
            child,
            lines,
            said: String::new(),
        }
    }

    /// Reads until a line has these words; that line.
    fn until(&mut self, words: &str) -> String {
        loop {
            let line = self.lines.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|why| {
                panic!("the demo does not say {words:?}: {why}\n{}", self.said)
            });
            self.said += &line;
            self.said.push('\n');
            if line.contains(words) {
                return line;
            }
        }
    }

    /// Types the command that it says next.
    fn resume(&mut self) {
        let line = self.until("tidegate execution resume");
        let command: Vec<&str> = line.split_whitespace().skip(1).collect();
        let resumed = run(&command, "");
        assert!(resumed.status.success(), "{}", stderr(&resumed));
    }

    /// Reads to its end; how it ended, and all that it said.
    fn ended(mut self) -> (ExitStatus, String) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) => self.said = std::mem::take(&mut self.said) + &line + "\n",
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
                Err(mpsc::RecvTimeoutError::Timeout) => panic!("it goes on:\n{}", self.said),
            }
        }
        let status = self.child.wait().expect("it ends");
        (status, std::mem::take(&mut self.said))
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Tells every line to the end, so that the demo never waits for a reader.
fn tell_lines(output: impl Read + Send + 'static, tell: Sender<String>) {
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            let _ = tell.send(line);
        }
    });
}
