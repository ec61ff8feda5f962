//! Having a hook ready to run, or knowing who can do something about it.

use std::io;

use tidegate_hooks::{CompileError, Digest, Failure, FailureKind, Hook, PrepareError};

use super::WasmHooks;
use crate::ports::{hooks::Fault, journal::ReadError};

/// Why a hook is not to be had.
#[derive(Debug)]
pub(super) struct Unready {
    /// What it means for an attempt.
    pub(super) failure: Failure,
    /// Who can put it right.
    pub(super) fault: Fault,
}

impl From<Unready> for Failure {
    fn from(unready: Unready) -> Self {
        unready.failure
    }
}

impl WasmHooks {
    /// The hook of this digest, compiled: from memory, from the cache, or
    /// from its stored bytes.
    pub(super) async fn prepared(&self, digest: &str) -> Result<Hook, Unready> {
        if let Some(ready) = self.catalogue.ready(digest) {
            return Ok(ready);
        }
        let stored = self.parts.store.get(digest).await;
        let bytes = stored
            .map_err(|error| unread(digest, &error))?
            .ok_or_else(|| {
                let text = format!("hook {digest} is not registered here; register it again");
                Unready {
                    failure: Failure::new(FailureKind::Host, text),
                    fault: Fault::Plan,
                }
            })?;
        if Digest::of(&bytes).to_string() != digest {
            let text = format!("the stored bytes of hook {digest} are damaged; register it again");
            return Err(Unready {
                failure: Failure::new(FailureKind::DigestMismatch, text),
                fault: Fault::Plan,
            });
        }
        let prepared = self.parts.host.prepare(&bytes).await;
        let hook = prepared.map_err(|error| unprepared(&error))?;
        if !self.catalogue.contains(digest) {
            // Somebody else registered it, or a plan would compile it again
            // and again.
            let learned = self.catalogue.refresh(&*self.parts.store).await;
            learned.map_err(|error| unread(digest, &error))?;
        }
        self.catalogue.keep(digest, hook.clone());
        Ok(hook)
    }
}

fn unread(digest: &str, error: &ReadError) -> Unready {
    let (text, fault) = match error {
        ReadError::Unavailable(_) => (error.to_string(), Fault::Host),
        ReadError::Damaged(_) => {
            let text = format!("{error}; register hook {digest} again");
            (text, Fault::Plan)
        }
    };
    Unready {
        failure: Failure::new(FailureKind::Host, text),
        fault,
    }
}

/// A registered component was compiled here once, so a compilation that fails
/// now says nothing of the plan.
fn unprepared(error: &PrepareError) -> Unready {
    let (kind, fault) = match error {
        PrepareError::Inspect(_) | PrepareError::Link(_) => {
            (FailureKind::ContractMismatch, Fault::Plan)
        }
        PrepareError::Compile(error) => (FailureKind::Host, fault_of_compiler(error)),
        PrepareError::Load(_) => (FailureKind::Host, Fault::Host),
    };
    Unready {
        failure: Failure::new(kind, error.to_string()),
        fault,
    }
}

fn fault_of_compiler(error: &CompileError) -> Fault {
    match error {
        CompileError::Refused(_) => Fault::Plan,
        CompileError::Start { source, .. } | CompileError::Wait(source) if is_want(source) => {
            Fault::Exhausted
        }
        CompileError::TooLong { .. }
        | CompileError::TooMuchMemory { .. }
        | CompileError::ArtifactTooLarge { .. } => Fault::Exhausted,
        CompileError::Start { .. } | CompileError::Wait(_) | CompileError::Died { .. } => {
            Fault::Host
        }
    }
}

/// Whether the system has no more of something to give.
fn is_want(error: &io::Error) -> bool {
    const ENFILE: i32 = 23;
    const EMFILE: i32 = 24;
    let files = matches!(error.raw_os_error(), Some(ENFILE | EMFILE));
    // A process that cannot be forked is EAGAIN, `WouldBlock`.
    files
        || matches!(
            error.kind(),
            io::ErrorKind::WouldBlock
                | io::ErrorKind::OutOfMemory
                | io::ErrorKind::StorageFull
                | io::ErrorKind::QuotaExceeded
        )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn start(raw: i32) -> CompileError {
        CompileError::Start {
            program: "tidegate".into(),
            source: io::Error::from_raw_os_error(raw),
        }
    }

    #[test]
    fn what_the_machine_lacks_is_told_apart_from_what_the_plan_lacks() {
        let (enoent, eagain, enomem, emfile, enospc) = (2, 11, 12, 24, 28);
        let after = Duration::from_secs(60);
        for (error, fault) in [
            (start(enoent), Fault::Host),
            (start(eagain), Fault::Exhausted),
            (start(enomem), Fault::Exhausted),
            (start(emfile), Fault::Exhausted),
            (start(enospc), Fault::Exhausted),
            (CompileError::TooLong { after }, Fault::Exhausted),
            (CompileError::TooMuchMemory { most: 1 }, Fault::Exhausted),
            (
                CompileError::Refused("not a component".to_owned()),
                Fault::Plan,
            ),
        ] {
            let unready = unprepared(&PrepareError::Compile(error));
            assert_eq!(unready.fault, fault, "{}", unready.failure.message);
            assert_eq!(unready.failure.kind, FailureKind::Host);
        }
        let unlinked = unprepared(&PrepareError::Link("an import".to_owned()));
        assert_eq!(unlinked.fault, Fault::Plan);
        assert_eq!(unlinked.failure.kind, FailureKind::ContractMismatch);
    }

    #[test]
    fn a_store_that_cannot_be_read_is_not_the_plans_fault() {
        let unread = |error| unread("sha256:0", &error);
        let away = unread(ReadError::Unavailable("the disk is gone".to_owned()));
        assert_eq!(away.fault, Fault::Host);
        let damaged = unread(ReadError::Damaged("it has 3 bytes of 4".to_owned()));
        assert_eq!(damaged.fault, Fault::Plan);
        let said = damaged.failure.message;
        assert!(said.ends_with("register hook sha256:0 again"), "{said}");
    }
}
