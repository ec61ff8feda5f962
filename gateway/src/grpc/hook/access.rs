//! Who may do what to hooks at a time.
//!
//! A hook that a plan or an execution uses is not deleted. Between looking a
//! hook up and storing what uses it, and between finding a hook unused and
//! deleting it, nobody else may come; so the former share a lock that the
//! latter has to itself. It is held while something is stored, and never
//! while something is compiled or run.

use std::sync::Arc;

use tokio::sync::{
    OwnedSemaphorePermit, RwLock, RwLockReadGuard, RwLockWriteGuard, Semaphore, TryAcquireError,
};
use tonic::Status;

use crate::grpc::status;

/// Transfers in one direction at a time, each of which may hold
/// [`super::upload::MAX_BYTES`] in memory.
const TRANSFERS: usize = 4;

/// Who may do what to hooks at a time.
#[derive(Debug)]
pub struct HookAccess {
    uses: RwLock<()>,
    /// Which components there are.
    shelf: RwLock<()>,
    uploads: Arc<Semaphore>,
    downloads: Arc<Semaphore>,
}

/// While it lives, no hook is deleted.
#[derive(Debug)]
pub(in crate::grpc) struct Kept<'a>(
    #[expect(dead_code, reason = "held until it is dropped")] RwLockReadGuard<'a, ()>,
);

/// While it lives, nothing begins to use a hook, and none is registered.
#[derive(Debug)]
pub(super) struct Deleting<'a> {
    #[expect(dead_code, reason = "held, never read")]
    uses: RwLockWriteGuard<'a, ()>,
    #[expect(dead_code, reason = "held, never read")]
    shelf: RwLockWriteGuard<'a, ()>,
}

impl Default for HookAccess {
    fn default() -> Self {
        Self {
            uses: RwLock::default(),
            shelf: RwLock::default(),
            uploads: Arc::new(Semaphore::new(TRANSFERS)),
            downloads: Arc::new(Semaphore::new(TRANSFERS)),
        }
    }
}

impl HookAccess {
    /// Keeps every hook from being deleted.
    pub(in crate::grpc) async fn keep(&self) -> Kept<'_> {
        Kept(self.uses.read().await)
    }

    /// Keeps every hook from being deleted while one is registered, which
    /// takes as long as its compilation; plans and executions do not wait for
    /// it.
    pub(super) async fn registering(&self) -> RwLockReadGuard<'_, ()> {
        self.shelf.read().await
    }

    /// Waits until it is the only one. What waits here before it has the
    /// shelf keeps nobody from starting an execution.
    pub(super) async fn deleting(&self) -> Deleting<'_> {
        let shelf = self.shelf.write().await;
        let uses = self.uses.write().await;
        Deleting { uses, shelf }
    }

    /// A place for an upload.
    pub(super) fn upload(&self) -> Result<OwnedSemaphorePermit, Status> {
        place(&self.uploads, "TOO_MANY_UPLOADS", "uploads")
    }

    /// A place for a download.
    pub(super) fn download(&self) -> Result<OwnedSemaphorePermit, Status> {
        place(&self.downloads, "TOO_MANY_DOWNLOADS", "downloads")
    }
}

fn place(
    places: &Arc<Semaphore>,
    reason: &str,
    what: &str,
) -> Result<OwnedSemaphorePermit, Status> {
    let place = Arc::clone(places).try_acquire_owned();
    place.map_err(|error| match error {
        TryAcquireError::NoPermits => {
            let message = format!("{TRANSFERS} {what} of hooks are under way; that is the limit");
            status::exhausted(reason, &format!("hook_{what}"), message)
        }
        TryAcquireError::Closed => status::shutting_down(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_deletion_waits_for_whoever_keeps_hooks_and_the_other_way_round() {
        let access = HookAccess::default();
        let kept = access.keep().await;
        let mut deleting = Box::pin(access.deleting());
        assert!(futures::poll!(&mut deleting).is_pending());
        drop(kept);
        let deleting = deleting.await;

        let mut kept = Box::pin(access.keep());
        assert!(futures::poll!(&mut kept).is_pending());
        drop(deleting);
        kept.await;
    }

    #[tokio::test]
    async fn a_deletion_that_waits_for_a_registration_holds_up_nobody_else() {
        let access = HookAccess::default();
        let registering = access.registering().await;
        let mut deleting = Box::pin(access.deleting());
        assert!(futures::poll!(&mut deleting).is_pending());

        access.keep().await;

        drop(registering);
        deleting.await;
    }

    #[test]
    fn what_is_above_the_number_of_transfers_is_refused_until_one_ends() {
        let access = HookAccess::default();
        let mut places: Vec<_> = (0..TRANSFERS).map(|_| access.upload().unwrap()).collect();
        let refused = access.upload().unwrap_err();
        assert_eq!(refused.code(), tonic::Code::ResourceExhausted);
        assert!(access.download().is_ok(), "they are counted apart");
        places.pop();
        assert!(access.upload().is_ok());
    }
}
