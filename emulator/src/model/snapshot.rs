//! Recovery snapshots: a function of the time, the server and the point-in-time policy.
//!
//! The policy is the one that DRS begins with: every 10 minutes for an hour, every hour for a day,
//! every day for a week. Nothing is stored: a snapshot exists while the policy keeps it.

use jiff::{SignedDuration, Timestamp};

use super::chance::Seed;
use super::id::{SnapshotId, SourceServerId};
use super::source_server::SourceServer;

/// A point-in-time snapshot of a source server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecoverySnapshot {
    /// Its id.
    pub id: SnapshotId,
    /// The server.
    pub source_server: SourceServerId,
    /// When it was due.
    pub expected_at: Timestamp,
    /// When it was taken.
    pub taken_at: Timestamp,
}

const RULES: [(i64, i64); 3] = [(600, 3_600), (3_600, 86_400), (86_400, 604_800)];

/// The snapshots of a server that exist now, oldest first.
pub(super) fn snapshots(
    seed: Seed,
    server: &SourceServer,
    now: Timestamp,
) -> Vec<RecoverySnapshot> {
    if !server.spec.replication.has_snapshots() {
        return Vec::new();
    }
    // A lagging server has no snapshot of what has not arrived.
    let newest = (now - server.spec.lag).as_second();
    let mut due: Vec<i64> = RULES
        .iter()
        .flat_map(|&(every, keep)| {
            let last = newest.div_euclid(every);
            let first = (now.as_second() - keep).div_euclid(every) + 1;
            (first..=last).map(move |n| n * every)
        })
        .filter(|&second| second >= server.first_byte_at().as_second())
        .collect();
    due.sort_unstable();
    due.dedup();
    due.into_iter()
        .filter_map(|second| snapshot(seed, server, second, now))
        .collect()
}

/// The newest snapshot that is there now.
pub(super) fn newest(
    seed: Seed,
    server: &SourceServer,
    now: Timestamp,
) -> Option<RecoverySnapshot> {
    snapshots(seed, server, now).pop()
}

fn snapshot(
    seed: Seed,
    server: &SourceServer,
    second: i64,
    now: Timestamp,
) -> Option<RecoverySnapshot> {
    let expected_at = Timestamp::from_second(second).ok()?;
    let id = server.spec.id.as_str();
    let when = second.to_string();
    let delay = seed.draw(&["snapshot delay", id, &when]) % 2_000_000;
    let taken_at = expected_at + SignedDuration::from_micros(delay as i64);
    (taken_at <= now).then(|| RecoverySnapshot {
        id: seed.snapshot_id(&["snapshot", id, &when]),
        source_server: server.spec.id.clone(),
        expected_at,
        taken_at,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::fleet::{Replication, ServerSpec};

    fn server(replication: Replication) -> SourceServer {
        let id = SourceServerId::parse("s-00000000000000001").unwrap();
        let spec = ServerSpec {
            replication,
            ..ServerSpec::new(id, "db")
        };
        SourceServer::new(spec, start())
    }

    fn start() -> Timestamp {
        "2026-03-01T12:34:56Z".parse().unwrap()
    }

    #[test]
    fn snapshots_thin_out_with_age() {
        let all = snapshots(Seed(1), &server(Replication::Continuous), start());
        let younger = |secs: i64| {
            all.iter()
                .filter(|s| (start() - s.expected_at).get_seconds() < secs)
                .count()
        };
        assert_eq!(younger(3_600), 6);
        assert_eq!(younger(86_400), 6 + 23);
        assert!(
            all.windows(2)
                .all(|pair| pair[0].expected_at < pair[1].expected_at)
        );
    }

    #[test]
    fn a_snapshot_keeps_its_id_while_it_exists() {
        let server = server(Replication::Continuous);
        let before = newest(Seed(1), &server, start()).unwrap();
        let later = snapshots(Seed(1), &server, start() + SignedDuration::from_mins(20));
        assert!(later.contains(&before));
    }

    #[test]
    fn a_server_without_a_first_copy_has_no_snapshots() {
        assert!(snapshots(Seed(1), &server(Replication::InitialSync), start()).is_empty());
    }
}
