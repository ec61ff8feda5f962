//! Where gateways are to be found, and how long one is waited for.

use std::time::Duration;

use tokio::sync::watch;
use tonic::Status;

use super::dice::Dice;

/// Between two tries, unless the doors change.
const AGAIN: Duration = Duration::from_millis(50);

/// The gateways that somebody may go to. Whether one answers is found out by
/// trying.
#[derive(Clone, Debug)]
pub(super) struct Doors {
    addresses: watch::Receiver<Vec<String>>,
    dice: Dice,
    patience: Duration,
}

impl Doors {
    pub(super) fn new(
        addresses: watch::Receiver<Vec<String>>,
        dice: &mut Dice,
        patience: Duration,
    ) -> Self {
        Self {
            addresses,
            dice: Dice::new(dice.next()),
            patience,
        }
    }

    /// The same doors, for somebody who draws his own.
    pub(super) fn for_another(&mut self) -> Self {
        Self::new(self.addresses.clone(), &mut self.dice, self.patience)
    }

    /// Any of them.
    pub(super) fn next(&mut self) -> String {
        let addresses = self.addresses.borrow_and_update();
        addresses[self.dice.below(addresses.len())].clone()
    }

    /// Every door as it is now.
    pub(super) fn all(&self) -> Vec<String> {
        self.addresses.borrow().clone()
    }

    /// Waits for other doors, or a little.
    pub(super) async fn wait(&mut self) {
        let _ = tokio::time::timeout(AGAIN, self.addresses.changed()).await;
    }

    /// Waits for a gateway no longer than one is worth waiting for.
    pub(super) async fn within<T>(
        &self,
        work: impl Future<Output = Result<T, Status>>,
    ) -> Result<T, Status> {
        let silent = |_| Err(Status::unavailable("this gateway says nothing"));
        let answer = tokio::time::timeout(self.patience, work).await;
        answer.unwrap_or_else(silent)
    }
}
