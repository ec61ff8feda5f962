//! Everything that makes the program end with another exit code than 0.

mod status;

use std::{fmt, io};

use tidegate_plan_file::InvalidPlan;
use tidegate_proto::v1;
use tonic::{Code, Status};

use crate::{command_line::CommandLine, names};

/// Exit codes. They are part of the interface: see [`Exit::TABLE`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    Ok = 0,
    Error = 1,
    Failed = 3,
    Cancelled = 4,
    Warnings = 5,
    Paused = 6,
    Unreachable = 7,
    NotFound = 8,
    State = 9,
    Invalid = 10,
    TimedOut = 11,
    Differs = 12,
    Detached = 130,
}

impl Exit {
    /// The documentation of the exit codes, for `--help`.
    pub(crate) const TABLE: &str = "\
Exit codes:
    0  done; the execution SUCCEEDED
    1  any other error
    2  the command line is wrong
    3  the execution FAILED
    4  the execution was CANCELLED
    5  the execution SUCCEEDED_WITH_WARNINGS
    6  the execution is paused, and --fail-on-pause was given
    7  the gateway cannot be reached
    8  there is no such plan, hook or execution
    9  the state forbids it, or it exists already
   10  the plan, the hook or the request is invalid
   11  --timeout passed
   12  a difference: in plan diff --exit-code, hook test or hook replay; or hook
       sensitivity found a hook that nothing moves
  130  detached with Ctrl-C; the execution goes on";

    /// The code for an execution that is over.
    pub(crate) fn of(state: v1::ExecutionState) -> Self {
        match state {
            v1::ExecutionState::Succeeded => Self::Ok,
            v1::ExecutionState::SucceededWithWarnings => Self::Warnings,
            v1::ExecutionState::Cancelled => Self::Cancelled,
            v1::ExecutionState::Failed
            | v1::ExecutionState::Unspecified
            | v1::ExecutionState::Pending
            | v1::ExecutionState::Running
            | v1::ExecutionState::Pausing
            | v1::ExecutionState::Paused
            | v1::ExecutionState::Cancelling => Self::Failed,
        }
    }
}

/// Why a verb did not do what was asked.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A plan file is wrong; the text shows where.
    InvalidPlan(String),
    /// The gateway answered no.
    Refused {
        /// Its answer.
        status: Box<Status>,
        /// Spells the commands that may be typed next.
        commands: CommandLine,
    },
    /// The gateway did not answer.
    Unreachable {
        /// Where it was looked for.
        address: String,
        /// What happened.
        reason: String,
    },
    /// The execution is paused and the caller does not want to wait for that.
    Paused {
        /// Why it is paused, one line each.
        holds: Vec<String>,
        /// The commands for it, of which one may be typed.
        next: Vec<String>,
    },
    /// `--timeout` passed.
    TimedOut(String),
    /// A confirmation is missing or wrong, or arguments contradict each other.
    Invalid(String),
    /// The standard output cannot be written to.
    Output(io::Error),
    /// Something else; the text says what and what to do.
    Other(String),
}

impl Failure {
    /// The code that the program ends with.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::InvalidPlan(_) | Self::Invalid(_) => Exit::Invalid,
            Self::Refused { status, .. } => exit_of(status.code()),
            Self::Unreachable { .. } => Exit::Unreachable,
            Self::Paused { .. } => Exit::Paused,
            Self::TimedOut(_) => Exit::TimedOut,
            // A reader that went away has read what it wanted.
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Ok,
            Self::Output(_) | Self::Other(_) => Exit::Error,
        }
    }

    /// Whether there is nobody left to tell.
    pub(crate) fn is_silent(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

fn exit_of(code: Code) -> Exit {
    match code {
        Code::NotFound => Exit::NotFound,
        Code::FailedPrecondition | Code::AlreadyExists | Code::Aborted => Exit::State,
        Code::InvalidArgument | Code::OutOfRange => Exit::Invalid,
        Code::Unavailable => Exit::Unreachable,
        Code::DeadlineExceeded => Exit::TimedOut,
        Code::Ok
        | Code::Cancelled
        | Code::Unknown
        | Code::PermissionDenied
        | Code::ResourceExhausted
        | Code::Unimplemented
        | Code::Internal
        | Code::DataLoss
        | Code::Unauthenticated => Exit::Error,
    }
}

impl From<InvalidPlan> for Failure {
    fn from(invalid: InvalidPlan) -> Self {
        Self::InvalidPlan(invalid.to_string())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidPlan(text) | Self::Invalid(text) | Self::Other(text) => f.write_str(text),
            Self::TimedOut(text) => f.write_str(text),
            Self::Refused { status, commands } => f.write_str(&status::render(status, commands)),
            Self::Unreachable { address, reason } => write!(
                f,
                "no gateway answers at {address}: {reason}\n  \
                 tidegate serve starts one; --address or TIDEGATE_ADDRESS says where it is"
            ),
            Self::Paused { holds, next } => {
                f.write_str("the execution is paused")?;
                for hold in holds {
                    write!(f, "\n  {hold}")?;
                }
                for command in next {
                    write!(f, "\n  next: {command}")?;
                }
                Ok(())
            }
            Self::Output(error) => write!(f, "cannot write to the standard output: {error}"),
        }
    }
}

impl std::error::Error for Failure {}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

/// The sentence for an execution that is over.
pub(crate) fn ended(id: &str, state: v1::ExecutionState, detail: &str) -> String {
    let state = names::execution_state(state);
    if detail.is_empty() {
        format!("execution {id} ended: {state}")
    } else {
        format!("execution {id} ended: {state} ({detail})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_success_is_zero() {
        assert_eq!(Exit::of(v1::ExecutionState::Succeeded), Exit::Ok);
        for state in [
            v1::ExecutionState::SucceededWithWarnings,
            v1::ExecutionState::Cancelled,
            v1::ExecutionState::Failed,
            v1::ExecutionState::Running,
        ] {
            assert_ne!(Exit::of(state), Exit::Ok);
        }
    }

    #[test]
    fn a_closed_pipe_is_no_error() {
        let failure = Failure::Output(io::Error::from(io::ErrorKind::BrokenPipe));
        assert!(failure.is_silent());
        assert_eq!(failure.exit(), Exit::Ok);
    }
}
