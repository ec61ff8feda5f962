//! The real binary as processes: started, found by what it prints, hindered,
//! killed.

use std::{
    env, fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::{Mutex, mpsc},
    thread,
    time::Duration,
};

use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};

/// How long a process may take to say where it listens.
const START: Duration = Duration::from_secs(30);

/// How long a process may take to end by itself; a gateway drains first.
const END: Duration = Duration::from_secs(120);

/// Where a process listens, or, once it has ended, all that it said.
type Said = Result<String, String>;

/// Memory of a process, in bytes.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    /// Resident now.
    pub resident: u64,
    /// The most that was resident since its start.
    pub peak: u64,
}

/// A running `tidegate` that listens. Killed when dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    address: String,
    /// In a lock only so that a process can be shared.
    said: Mutex<mpsc::Receiver<Said>>,
}

impl Process {
    /// Starts `tidegate ARGS` with these environment variables besides the
    /// test's own, and waits until it says where it listens.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn start(args: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut command = tidegate();
        command
            .args(args)
            .stderr(Stdio::piped())
            .stdout(Stdio::null());
        command.envs(variables.iter().copied());
        let mut child = command.spawn().expect("tidegate starts");
        let stderr = child.stderr.take().expect("stderr is a pipe");
        let (found, said) = mpsc::channel();
        // Reads to the end, so that the process never waits for its log.
        thread::spawn(move || {
            let mut lines = Vec::new();
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                if let Some((_, address)) = line.split_once("listening on ") {
                    let _ = found.send(Ok(address.trim().to_owned()));
                }
                lines.push(line);
            }
            let _ = found.send(Err(lines.join("\n")));
        });
        match said.recv_timeout(START) {
            Ok(Ok(address)) => Self {
                child,
                address,
                said: Mutex::new(said),
            },
            Ok(Err(log)) => panic!("tidegate {args:?} ended:\n{log}"),
            Err(_) => panic!("tidegate {args:?} does not say where it listens"),
        }
    }

    /// Where it listens, for example `http://127.0.0.1:7070`.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// What it takes of memory now, as the operating system says.
    ///
    /// # Panics
    /// If the process is gone.
    #[must_use]
    pub fn memory(&self) -> Memory {
        let path = format!("/proc/{}/status", self.child.id());
        let status = fs::read_to_string(path).expect("the process runs");
        let bytes = |field: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(field));
            let number = line.and_then(|line| line.split_whitespace().next());
            let kibibytes = number.and_then(|number| number.parse::<u64>().ok());
            kibibytes.expect("Linux tells it in kB") << 10
        };
        Memory {
            resident: bytes("VmRSS:"),
            peak: bytes("VmHWM:"),
        }
    }

    /// From now on, no file that it writes to may reach beyond so many bytes.
    ///
    /// # Panics
    /// If the operating system does not allow it.
    pub fn limit_files(&self, bytes: u64) {
        let limit = Rlimit {
            current: Some(bytes),
            maximum: Some(bytes),
        };
        let process = Some(Pid::from_child(&self.child));
        prlimit(process, Resource::Fsize, limit).expect("a limit can be lowered");
    }

    /// Asks it to end, as a service manager would.
    ///
    /// # Panics
    /// If the operating system does not allow it.
    pub fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Stops it where it stands, as a machine that hangs would.
    ///
    /// # Panics
    /// If the operating system does not allow it.
    pub fn hang(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on after [`Process::hang`].
    ///
    /// # Panics
    /// If the operating system does not allow it.
    pub fn wake(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("a child takes signals");
    }

    /// Waits until it ends by itself; how it ended, and all that it said on
    /// the standard error.
    ///
    /// # Panics
    /// If it goes on.
    #[must_use]
    pub fn ended(mut self) -> (ExitStatus, String) {
        let said = self.said.get_mut().expect("nobody panicked with it");
        let log = match said.recv_timeout(END) {
            Ok(Err(log)) => log,
            other => panic!("the process does not end: {other:?}"),
        };
        (self.child.wait().expect("the process ends"), log)
    }

    /// Asks it to end, and waits until it has; see [`Process::ended`].
    ///
    /// # Panics
    /// If it goes on.
    #[must_use]
    pub fn stop(self) -> (ExitStatus, String) {
        self.terminate();
        self.ended()
    }

    /// Kills it without warning, and waits until it is gone.
    ///
    /// # Panics
    /// If the operating system does not allow it.
    pub fn kill(mut self) {
        self.child.kill().expect("the process can be killed");
        self.child.wait().expect("the process ends");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs `tidegate ARGS` to its end.
///
/// # Panics
/// If it cannot be run.
#[must_use]
pub fn run(args: &[&str], address: &str) -> Output {
    tidegate()
        .args(args)
        .env("TIDEGATE_ADDRESS", address)
        .stdin(Stdio::null())
        .output()
        .expect("tidegate runs")
}

/// Runs `tidegate ARGS`, which must succeed, and returns the last line that it
/// prints.
///
/// # Panics
/// If it fails.
#[must_use]
pub fn last_line(args: &[&str], address: &str) -> String {
    let output = run(args, address);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "tidegate {args:?}: {stderr}");
    let stdout = String::from_utf8_lossy(&output.stdout);
    stdout.lines().last().unwrap_or_default().to_owned()
}

/// A sample plan of the project.
#[must_use]
pub fn sample(name: &str) -> String {
    let plans = Path::new(env!("CARGO_MANIFEST_DIR")).join("../cli/plans");
    plans.join(name).display().to_string()
}

/// `tidegate`, as a test calls it.
///
/// # Panics
/// If it was not built.
#[must_use]
pub fn tidegate() -> Command {
    let mut command = Command::new(binary());
    // What the machine has set must not reach AWS, or colour the output.
    for (name, _) in env::vars().filter(|(name, _)| name.starts_with("AWS_")) {
        command.env_remove(name);
    }
    command.env("NO_COLOR", "1");
    command
}

/// The real binary.
///
/// # Panics
/// If it was not built.
#[must_use]
pub fn binary() -> PathBuf {
    let tests = env::current_exe().expect("the test knows where it is");
    let profile = tests.ancestors().nth(2).expect("target/PROFILE/deps/test");
    let binary = profile.join("tidegate");
    let release = if profile.ends_with("release") {
        " --release"
    } else {
        ""
    };
    assert!(
        binary.exists(),
        "{} is missing; build it with `cargo build --package tidegate{release}`",
        binary.display()
    );
    binary
}
