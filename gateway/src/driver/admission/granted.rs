//! Quotas as AWS says that an account has them: when it is asked, and what
//! its answer changes.
//!
//! It is asked when the first launch at a place wants its turn. Until it has
//! answered, the place gives no turns, but never for longer than
//! [`PATIENCE`]: a recovery does not depend on Service Quotas. Later answers
//! change limits, and hold nobody up. No answer changes nothing.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures::{
    StreamExt as _,
    future::{Either, select},
    stream::FuturesUnordered,
};
use tidegate_core::{Span, Timestamp, plan::Target};
use tokio_util::sync::CancellationToken;

use super::{Admission, limits::Place};
use crate::ports::{
    clock::Clock,
    drs::{Drs, GrantedQuotas},
};

/// The longest that AWS may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long it is not asked again, whatever it said. Quotas change when
/// somebody has asked AWS for others, which takes days.
const HOLDS: Span = Span::from_secs(4 * 3_600);

/// What AWS says, or why that is not known.
type Answer = Result<GrantedQuotas, String>;

/// Of which places AWS was asked, and is to be.
#[derive(Debug, Default)]
pub(super) struct Inquiries {
    made: BTreeMap<Place, Made>,
    /// At most one for each place.
    due: BTreeMap<Place, Arc<Target>>,
}

#[derive(Debug)]
struct Made {
    at: Timestamp,
    is_failure_told: bool,
}

impl Inquiries {
    /// A launch at a place wants its turn. Answers whether AWS is to be asked,
    /// which is then done as whoever launches there.
    pub(super) fn want(&mut self, place: &Place, target: &Arc<Target>, now: Timestamp) -> bool {
        let made = self.made.get_mut(place);
        match made {
            Some(made) if now < made.at + HOLDS => return false,
            Some(made) => made.at = now,
            None => {
                let made = Made {
                    at: now,
                    is_failure_told: false,
                };
                self.made.insert(place.clone(), made);
            }
        }
        self.due.insert(place.clone(), Arc::clone(target));
        true
    }

    fn take_due(&mut self) -> BTreeMap<Place, Arc<Target>> {
        std::mem::take(&mut self.due)
    }

    /// Tells a failure, the first one at each place.
    fn tell_failure(&mut self, place: &Place, why: &str) {
        if let Some(made) = self.made.get_mut(place)
            && !std::mem::replace(&mut made.is_failure_told, true)
        {
            tracing::warn!(
                account = place.account,
                region = place.region,
                why,
                "the quotas of DRS could not be read from Service Quotas; those of the settings hold"
            );
        }
    }
}

impl Admission {
    fn due(&self) -> BTreeMap<Place, Arc<Target>> {
        self.lock().inquiries.take_due()
    }

    /// AWS was asked about a place, which gives turns from now on.
    fn answered(&self, place: &Place, answer: Answer, now: Timestamp) {
        let mut hall = self.lock();
        let limits = match answer {
            Ok(granted) => Some(self.quotas.of(place, &granted)),
            Err(why) => {
                hall.inquiries.tell_failure(place, &why);
                None
            }
        };
        let Some(ledger) = hall.ledgers.get_mut(place) else {
            return;
        };
        if let Some(limits) = limits
            && ledger.limit(limits)
        {
            tracing::info!(
                account = place.account,
                region = place.region,
                jobs = limits.jobs,
                servers = limits.servers,
                servers_per_job = limits.servers_per_job,
                "quotas of DRS, as Service Quotas and the settings say"
            );
        }
        ledger.open();
        let mut woken = ledger.give_turns(now);
        woken.extend(ledger.too_large());
        hall.wake(&woken);
        drop(hall);
        self.changed.notify_one();
    }
}

/// Asks AWS wherever that is due, everywhere at the same time; until the
/// driver stops.
pub(in crate::driver) async fn ask_aws(
    admission: Arc<Admission>,
    drs: Arc<dyn Drs>,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
) {
    let mut asked = FuturesUnordered::new();
    loop {
        for (place, target) in admission.due() {
            asked.push(ask(&*drs, &*clock, place, target));
        }
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            Some((place, answer)) = asked.next() => {
                admission.answered(&place, answer, clock.now());
            }
            () = admission.inquired.notified() => {}
        }
    }
}

async fn ask(
    drs: &dyn Drs,
    clock: &dyn Clock,
    place: Place,
    target: Arc<Target>,
) -> (Place, Answer) {
    let answer = match select(drs.quotas(target), clock.sleep(PATIENCE)).await {
        Either::Left((answer, _)) => answer.map_err(|error| error.to_string()),
        Either::Right(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
    };
    (place, answer)
}
