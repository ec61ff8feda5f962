//! Looking for a launch whose answer was lost, until it is found or DRS has
//! had time enough to show it.

use std::sync::Arc;

use tidegate_core::{LaunchIx, WaveIx, engine::Event};
use tokio::sync::mpsc;

use super::{Shared, actor::Message, backoff::Backoff};
use crate::ports::drs::LookOrder;

/// Looks again and again; the engine decides when *nothing* is an answer.
/// Ends by being dropped, when the look is not outstanding any more.
pub(super) async fn look(
    shared: &Arc<Shared>,
    order: Option<LookOrder>,
    (wave, launch): (WaveIx, LaunchIx),
    mailbox: &mpsc::Sender<Message>,
) {
    let Some(order) = order else {
        return;
    };
    let mut backoff = Backoff::new(&shared.settings);
    loop {
        match shared.ports.drs.look(order.clone()).await {
            Ok(found) => {
                backoff.reset();
                let event = Event::LaunchLooked {
                    wave,
                    launch,
                    found,
                };
                if mailbox.send(Message::Heard(event)).await.is_err() {
                    return;
                }
                shared.wait(shared.settings.look_interval).await;
            }
            Err(error) => {
                tracing::warn!(key = order.key, %error, "cannot look for a launch; trying again");
                shared.wait(backoff.next(&error)).await;
            }
        }
    }
}
