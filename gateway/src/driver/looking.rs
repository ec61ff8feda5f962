//! Looking for a launch whose answer was lost, until it is found or DRS has
//! had time enough to show it.

use std::{sync::Arc, time::Duration};

use tidegate_core::{
    ExecutionId, JobId, LaunchIx, Span, WaveIx,
    engine::{Event, Looked},
};

use super::{
    Shared,
    backoff::Backoff,
    mailbox::{Mailbox, Message},
    reads::Purpose,
};
use crate::ports::drs::LookOrder;

/// Looks again and again; the engine decides when *nothing* is an answer.
/// Ends by being dropped, when the look is not outstanding any more.
pub(super) async fn look(
    shared: &Arc<Shared>,
    order: Option<LookOrder>,
    (execution, wave, launch): (ExecutionId, WaveIx, LaunchIx),
    mailbox: &Mailbox,
) {
    let Some(order) = order else {
        return;
    };
    let waiting = shared.waits.enter((execution, wave, launch));
    let mut backoff = Backoff::new(&shared.settings, shared.jitter(&order.key));
    let mut jitter = shared.jitter(&order.key);
    let purpose = Purpose::Look;
    loop {
        let began = shared.ports.clock.now();
        let ask = shared.ports.drs.look(order.clone());
        match shared.reads.ask(&order.target, purpose, ask).await {
            Ok(found) => {
                backoff.reset();
                alarm_of_duplicates(&order, &found);
                let event = Event::LaunchLooked {
                    wave,
                    launch,
                    began,
                    found,
                };
                if mailbox.tell(Message::Heard(event)).await.is_err() {
                    return;
                }
                let wait = jitter.shortened(shared.settings.look_interval);
                waiting.until(shared.ports.clock.now() + span(wait));
                shared.wait(wait).await;
            }
            Err(error) => {
                shared
                    .wait_after(&order.target, purpose, &error, &mut backoff)
                    .await;
            }
        }
    }
}

/// Nothing is terminated because of it: a person must look.
fn alarm_of_duplicates(order: &LookOrder, found: &Looked) {
    let Looked::Found { report, duplicates } = found else {
        return;
    };
    if duplicates.is_empty() {
        return;
    }
    let duplicates: Vec<&str> = duplicates.iter().map(JobId::as_str).collect();
    tracing::error!(
        key = order.key,
        target = %format_args!("{}/{}", order.target.account, order.target.region),
        adopted = %report.job,
        duplicates = duplicates.join(", "),
        "DRS has several jobs for one launch; the earliest is adopted, and a person must look at \
         the others"
    );
}

fn span(wait: Duration) -> Span {
    Span::from_millis(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX))
}
