//! Terminals in which a reader types: a shell that goes on from block to block,
//! and programs that go on running.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read, Write as _},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process_group};

use super::text::Block;

/// How long a block may take, or a program until it listens.
const PATIENCE: Duration = Duration::from_secs(90);

/// Ends what a block says. The number behind it is how it ended.
const END: &str = "end of the block: ";

/// The first command that fails ends the shell, and is told.
const BEGIN: &str = "set -Eeuo pipefail; exec 2>&1; trap 'echo \"failed: $BASH_COMMAND\"' ERR\n";

/// A shell. It is killed when dropped.
#[derive(Debug)]
pub(super) struct Terminal {
    child: Child,
    input: ChildStdin,
    said: Receiver<String>,
    scripts: PathBuf,
}

impl Terminal {
    /// Opens a shell in a folder. Blocks are kept in `scripts`.
    pub(super) fn open(environment: &[(String, String)], folder: &Path, scripts: &Path) -> Self {
        let mut child = shell(environment, folder)
            .arg("-s")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("bash starts; it is needed to run what the text says");
        let output = child.stdout.take().expect("a pipe");
        let mut input = child.stdin.take().expect("a pipe");
        input.write_all(BEGIN.as_bytes()).expect("it reads");
        Self {
            said: lines_of(output),
            child,
            input,
            scripts: scripts.to_owned(),
        }
    }

    /// Types a block; what it says.
    pub(super) fn run(&mut self, block: &Block) -> String {
        let script = self.scripts.join(format!("{}.sh", block.line));
        fs::write(&script, &block.commands).expect("a file");
        // What the block starts must not read what is typed next.
        let line = format!("source '{}' </dev/null", script.display());
        self.type_in(&line, block.line)
    }

    /// Sets a variable, as the reader did where it is not said.
    pub(super) fn export(&mut self, name: &str, value: &str) {
        let _ = self.type_in(&format!("export {name}='{value}'"), 0);
    }

    /// The folder in which the shell is.
    pub(super) fn folder(&mut self) -> PathBuf {
        PathBuf::from(self.type_in("pwd", 0).trim_end())
    }

    fn type_in(&mut self, line: &str, number: usize) -> String {
        let typed = format!("{line}\nprintf '%s\\n' '{END}{number}'\n");
        self.input.write_all(typed.as_bytes()).expect("it reads");
        let mut text = String::new();
        loop {
            match self.said.recv_timeout(PATIENCE) {
                Ok(said) if said == format!("{END}{number}") => return text,
                Ok(said) => text = text + &said + "\n",
                Err(why) => {
                    panic!("the block in line {number} ({line}) does not end: {why}\n{text}")
                }
            }
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A block that goes on running, and listens. It is killed when dropped.
#[derive(Debug)]
pub(super) struct Running {
    child: Child,
    pub(super) address: String,
    said: Receiver<String>,
}

impl Running {
    /// Starts it, and waits until it says where it listens.
    pub(super) fn start(environment: &[(String, String)], folder: &Path, block: &Block) -> Self {
        let mut child = shell(environment, folder)
            .args(["-ec", &block.commands])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .expect("bash starts");
        let said = lines_of(child.stderr.take().expect("a pipe"));
        let mut running = Self {
            child,
            address: String::new(),
            said,
        };
        let mut log = Vec::new();
        loop {
            let line = running.said.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|why| {
                panic!(
                    "the block in line {} does not listen: {why}\n{log:#?}",
                    block.line
                )
            });
            if let Some((_, address)) = line.split_once("listening on ") {
                running.address = address.trim().to_owned();
                return running;
            }
            log.push(line);
        }
    }

    /// Types Ctrl-C, and waits until everything has ended, and well.
    pub(super) fn interrupt(mut self) {
        self.signal(Signal::INT);
        let log: Vec<String> = self.said.iter().collect();
        let status = self.child.wait().expect("it ends");
        assert!(status.success(), "{status}: {log:#?}");
    }

    fn signal(&self, signal: Signal) {
        // It may be gone already.
        let _ = kill_process_group(Pid::from_child(&self.child), signal);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            self.signal(Signal::KILL);
            let _ = self.child.wait();
        }
    }
}

fn shell(environment: &[(String, String)], folder: &Path) -> Command {
    let mut command = Command::new("bash");
    command
        .args(["--noprofile", "--norc"])
        .env_clear()
        .envs(environment.iter().cloned())
        .current_dir(folder);
    command
}

/// Reads to the end, so that nobody waits for a reader.
fn lines_of(output: impl Read + Send + 'static) -> Receiver<String> {
    let (tell, said) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            let _ = tell.send(line);
        }
    });
    said
}
