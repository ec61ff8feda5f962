//! Compiles components in a child process, because a compiler that is fed
//! hostile input may use any amount of time and memory, and dies of it. The
//! child limits itself before it reads a byte; the parent stops it by the
//! clock, bounds what it says, and kills it when nobody waits any more.

mod child;
mod error;
mod pipes;

use std::{ffi::OsString, path::PathBuf, process::Stdio, sync::Arc, time::Duration};

use tokio::{
    process::{Child, Command},
    sync::Semaphore,
    time::timeout,
};

use self::pipes::Said;
pub use self::{child::compile_child, error::CompileError};

/// How much one compilation may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompileLimits {
    /// By the clock, from the start of the child. Processor time is held to
    /// the same, in whole seconds rounded up.
    pub wall: Duration,
    /// Bytes of address space beyond what the child starts with.
    pub memory: u64,
    /// Bytes of the artifact.
    pub artifact: usize,
}

impl CompileLimits {
    /// What a compilation gets if nobody says otherwise. With an optimised
    /// compiler the largest guests in use (12 to 18 MB) take about 6 s.
    pub const DEFAULT: Self = Self {
        wall: Duration::from_secs(60),
        memory: 1 << 30,
        artifact: 256 << 20,
    };
}

impl Default for CompileLimits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Compiles components, a few at a time. Clones share the count.
#[derive(Clone, Debug)]
pub struct Compiler {
    program: PathBuf,
    arguments: Vec<OsString>,
    limits: CompileLimits,
    turns: Arc<Semaphore>,
}

impl Compiler {
    /// A compiler that runs this program, which does nothing but call
    /// [`compile_child`]. One compilation runs at a time.
    #[must_use]
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            arguments: Vec::new(),
            limits: CompileLimits::DEFAULT,
            turns: Arc::new(Semaphore::new(1)),
        }
    }

    /// With these arguments to the program.
    #[must_use]
    pub fn arguments(mut self, arguments: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        self.arguments = arguments.into_iter().map(Into::into).collect();
        self
    }

    /// With other limits.
    #[must_use]
    pub const fn limits(mut self, limits: CompileLimits) -> Self {
        self.limits = limits;
        self
    }

    /// With this many compilations at a time, at least one. The others wait
    /// for their turn; waiting does not count against their time.
    #[must_use]
    pub fn parallel(mut self, compilations: usize) -> Self {
        self.turns = Arc::new(Semaphore::new(compilations.max(1)));
        self
    }

    /// Compiles a component and gives the serialized artifact. Dropping the
    /// future kills the child.
    pub async fn compile(&self, component: &[u8]) -> Result<Vec<u8>, CompileError> {
        let _turn = self.turns.acquire().await.expect("it is never closed");
        let mut child = self.start()?;
        let talk = pipes::converse(&mut child, component, self.limits.artifact);
        let said = timeout(self.limits.wall, talk).await;
        let Ok(said) = said else {
            // Waits until it is gone, so that the next turn has the memory.
            child.kill().await.map_err(CompileError::Wait)?;
            return Err(self.too_long());
        };
        self.judge(said?)
    }

    fn start(&self) -> Result<Child, CompileError> {
        Command::new(&self.program)
            .args(&self.arguments)
            .env_clear()
            .envs(child::environment(&self.limits))
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|source| CompileError::Start {
                program: self.program.clone(),
                source,
            })
    }

    fn judge(&self, said: Said) -> Result<Vec<u8>, CompileError> {
        if said.artifact.len() > self.limits.artifact {
            return Err(CompileError::ArtifactTooLarge {
                most: self.limits.artifact,
            });
        }
        match error::ending(&said.status, &said.reason) {
            error::Ending::Good if said.artifact.is_empty() => Err(CompileError::Died {
                how: "it ended well and gave no artifact".to_owned(),
                said: said.reason,
            }),
            error::Ending::Good => Ok(said.artifact),
            error::Ending::Refused => Err(CompileError::Refused(said.reason)),
            error::Ending::Memory => Err(CompileError::TooMuchMemory {
                most: self.limits.memory,
            }),
            error::Ending::Time => Err(self.too_long()),
            error::Ending::Died(how) => Err(CompileError::Died {
                how,
                said: said.reason,
            }),
        }
    }

    fn too_long(&self) -> CompileError {
        CompileError::TooLong {
            after: self.limits.wall,
        }
    }
}
