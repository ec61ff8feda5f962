//! What is known from what was heard anyway: replication lag and recovery
//! points of servers, and instances of drills that nobody has terminated.
//!
//! It is forgotten when it is old, and it is bounded: it says what was heard,
//! and not what is.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use tidegate_core::{
    ExecutionId, InstanceId, SourceServerId, Span, Timestamp,
    engine::{Execution, Kind, ServerState, WaveRun},
    plan::Target,
};

use crate::ports::drs::{RecoveryInstance, SourceServer};

/// How long what was heard of a server counts.
const FRESH: Span = Span::from_secs(3_600);
/// Servers, and instances, of which something is remembered.
const REMEMBERED: usize = 100_000;

/// Account and Region.
pub(super) type Place = (String, String);

/// What was heard.
#[derive(Debug, Default)]
pub(super) struct Heard(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    lag: BTreeMap<SourceServerId, (Place, Span, Timestamp)>,
    snapshots: BTreeMap<SourceServerId, (Place, Timestamp, Timestamp)>,
    left: BTreeMap<InstanceId, Left>,
    gone: BTreeSet<InstanceId>,
    examined: BTreeSet<ExecutionId>,
}

#[derive(Debug)]
struct Left {
    place: Place,
    server: SourceServerId,
    since: Timestamp,
}

impl Heard {
    /// What DRS said of source servers.
    pub(super) fn servers(&self, target: &Target, servers: &[SourceServer], now: Timestamp) {
        let mut inner = self.lock();
        for server in servers {
            if let Some(lag) = server.lag
                && has_room(&inner.lag, &server.id)
            {
                let heard = (place(target), lag, now);
                inner.lag.insert(server.id.clone(), heard);
            }
        }
    }

    /// The newest recovery points that DRS has.
    pub(super) fn snapshots(
        &self,
        target: &Target,
        newest: &[(SourceServerId, Timestamp)],
        now: Timestamp,
    ) {
        let mut inner = self.lock();
        for (server, taken) in newest {
            if has_room(&inner.snapshots, server) {
                let heard = (place(target), *taken, now);
                inner.snapshots.insert(server.clone(), heard);
            }
        }
    }

    /// DRS was asked for the instances of these servers and named these: what
    /// it does not name is gone, whoever terminated it.
    pub(super) fn instances(&self, asked: &[SourceServerId], there: &[RecoveryInstance]) {
        let asked: BTreeSet<&SourceServerId> = asked.iter().collect();
        let there: BTreeSet<&InstanceId> = there.iter().map(|it| &it.instance).collect();
        let mut inner = self.lock();
        let is_left =
            |id: &InstanceId, left: &mut Left| !asked.contains(&left.server) || there.contains(id);
        inner.left.retain(is_left);
    }

    /// Whether an execution that is over was not examined yet.
    pub(super) fn is_news(&self, execution: &ExecutionId) -> bool {
        !self.lock().examined.contains(execution)
    }

    /// What an execution that is over has left behind, or has taken away.
    pub(super) fn ended(&self, execution: &Execution) {
        let mut inner = self.lock();
        if inner.examined.len() < REMEMBERED {
            inner.examined.insert(execution.id().clone());
        }
        for server in execution.waves().flat_map(WaveRun::servers) {
            let Some(instance) = &server.instance else {
                continue;
            };
            if server.state == ServerState::Terminated {
                inner.left.remove(instance);
                if inner.gone.len() < REMEMBERED {
                    inner.gone.insert(instance.clone());
                }
            } else if server.state == ServerState::Launched
                && execution.kind() == Kind::Drill
                && !inner.gone.contains(instance)
                && has_room(&inner.left, instance)
            {
                let left = Left {
                    place: place(&server.selected.target),
                    server: server.selected.id.clone(),
                    since: server.state_at,
                };
                inner.left.insert(instance.clone(), left);
            }
        }
    }

    /// The longest fresh lag of each place.
    pub(super) fn lag(&self, now: Timestamp) -> BTreeMap<Place, Span> {
        let inner = self.lock();
        let fresh = inner
            .lag
            .values()
            .filter(|(.., at)| now.since(*at) <= FRESH);
        longest(fresh.map(|(place, lag, _)| (place.clone(), *lag)))
    }

    /// The oldest of the newest recovery points of each place.
    pub(super) fn recovery_points(&self, now: Timestamp) -> BTreeMap<Place, Span> {
        let inner = self.lock();
        let heard = inner.snapshots.values();
        let fresh = heard.filter(|(.., at)| now.since(*at) <= FRESH);
        longest(fresh.map(|(place, taken, _)| (place.clone(), now.since(*taken))))
    }

    /// How many instances are left in each place, and how old the oldest is.
    pub(super) fn left(&self, now: Timestamp) -> BTreeMap<Place, (u64, Span)> {
        let mut places: BTreeMap<Place, (u64, Span)> = BTreeMap::new();
        for left in self.lock().left.values() {
            let (count, oldest) = places.entry(left.place.clone()).or_default();
            *count += 1;
            *oldest = (*oldest).max(now.since(left.since));
        }
        places
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn has_room<K: Ord, V>(map: &BTreeMap<K, V>, key: &K) -> bool {
    map.len() < REMEMBERED || map.contains_key(key)
}

fn longest(spans: impl Iterator<Item = (Place, Span)>) -> BTreeMap<Place, Span> {
    let mut longest: BTreeMap<Place, Span> = BTreeMap::new();
    for (place, span) in spans {
        let kept = longest.entry(place).or_default();
        *kept = (*kept).max(span);
    }
    longest
}

fn place(target: &Target) -> Place {
    (target.account.clone(), target.region.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target() -> Target {
        Target {
            account: "123456789012".to_owned(),
            region: "us-west-2".to_owned(),
            role: None,
        }
    }

    fn server(id: &str, lag: u64) -> SourceServer {
        SourceServer {
            id: id.into(),
            hostname: String::new(),
            tags: BTreeMap::new(),
            replication_state: "CONTINUOUS".to_owned(),
            lag: Some(Span::from_secs(lag)),
            staging: None,
            last_launch: None,
        }
    }

    fn hour(hours: u64) -> Timestamp {
        Timestamp::from_millis(hours * 3_600_000)
    }

    #[test]
    fn the_longest_lag_counts_until_it_is_old() {
        let heard = Heard::default();
        let servers = [server("s-1", 5), server("s-2", 70), server("s-3", 20)];
        heard.servers(&target(), &servers, hour(1));
        let place = place(&target());
        assert_eq!(
            heard.lag(hour(2)),
            BTreeMap::from([(place, Span::from_secs(70))])
        );
        assert!(heard.lag(hour(3)).is_empty());
    }

    #[test]
    fn an_instance_that_drs_does_not_name_any_more_is_not_left() {
        let heard = Heard::default();
        for instance in ["i-1", "i-2"] {
            let left = Left {
                place: place(&target()),
                server: "s-1".into(),
                since: hour(1),
            };
            heard.lock().left.insert(instance.into(), left);
        }
        let there = RecoveryInstance {
            instance: "i-2".into(),
            server: "s-1".into(),
            is_drill: true,
            job: None,
            snapshot_time: None,
            addresses: Vec::new(),
        };
        heard.instances(&["s-2".into()], &[]);
        assert_eq!(heard.left(hour(2)).values().next().unwrap().0, 2);
        heard.instances(&["s-1".into()], &[there]);
        let (count, oldest) = heard.left(hour(26))[&place(&target())];
        assert_eq!((count, oldest), (1, Span::from_secs(25 * 3_600)));
    }
}
