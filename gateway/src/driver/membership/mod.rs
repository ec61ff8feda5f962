//! This gateway's part in a cluster: which executions it drives, and until
//! when it may ask DRS to change something.
//!
//! Executions are divided into partitions by their ids; a member drives those
//! of the partitions whose lease it has. Nothing here decides who may write:
//! the logs do. But a call of DRS is not fenced by a log, so it is made only
//! while nobody can have taken the lease away yet: [`Membership::warrant`].
//!
//! A gateway without a cluster drives everything, for ever.

mod balance;
mod joining;
mod keeper;
mod partition;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tidegate_core::{ExecutionId, OwnerId};
use tokio::sync::Notify;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub(super) use keeper::{begin, keep, leave};

use crate::ports::{
    clock::Clock,
    cluster::{Cluster, Lease, Roster},
    warrant::Warrant,
};

/// Numbers of a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClusterSettings {
    /// How long a member may be silent before the others take what it drives.
    pub lease: Duration,
    /// How often the unfinished executions are listed, to find any that nobody
    /// was told of.
    pub sweep: Duration,
}

impl Default for ClusterSettings {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(10),
            sweep: Duration::from_secs(60),
        }
    }
}

impl ClusterSettings {
    /// Between two heartbeats: three may be lost.
    fn beat(&self) -> Duration {
        self.lease / 4
    }

    /// How long a member may be silent before nothing more is left for it to
    /// take. What it has stays its own until a lease is over.
    fn doubt(&self) -> Duration {
        self.lease / 2
    }
}

/// A gateway's part in a cluster, or the whole of it.
pub(super) enum Membership {
    /// There is no cluster.
    Alone(Term),
    /// There is one.
    Member(Box<Member>),
}

/// The time for which executions are driven here.
#[derive(Clone, Debug)]
pub(super) struct Term {
    /// Ends it. What DRS is being asked is still heard.
    pub(super) stop: CancellationToken,
    /// What runs in it.
    pub(super) running: TaskTracker,
}

/// This process in a cluster.
pub(super) struct Member {
    port: Arc<dyn Cluster>,
    id: OwnerId,
    settings: ClusterSettings,
    /// Ends every term.
    stop: CancellationToken,
    /// Written to while the table is read and acted upon: a lease that is given
    /// back between the two would be taken for one of ours. Whoever gives one
    /// back reads it, so that a beat waits for no more than one of these.
    turn: tokio::sync::RwLock<()>,
    /// Shared with the warrants of orders.
    state: Arc<Mutex<State>>,
    /// Somebody is to be told.
    to_tell: Notify,
}

#[derive(Default)]
struct State {
    beat: u64,
    /// Until when nobody can have taken a lease of ours.
    until: Duration,
    /// When the last beat was made that the table took.
    taken_at: Duration,
    heard: BTreeMap<OwnerId, Heard>,
    /// Members that were alive at the last beat.
    alive: BTreeSet<OwnerId>,
    leases: BTreeMap<u16, Held>,
    /// Executions that this member was told of, and does not drive yet.
    begin: BTreeSet<ExecutionId>,
    /// Executions whose owner could not be told that their log was written.
    untold: BTreeSet<ExecutionId>,
    /// Executions that are driven here, into whose logs somebody may have
    /// written who cannot tell any more.
    unread: BTreeSet<ExecutionId>,
    swept: Duration,
}

/// When a member was heard last, by our clock.
#[derive(Clone, Copy)]
struct Heard {
    beat: u64,
    at: Duration,
}

/// Who is there, by our clock.
#[derive(Debug, Default, PartialEq, Eq)]
struct Present {
    /// Heard within a lease: what they have is theirs.
    alive: BTreeSet<OwnerId>,
    /// Those of them that are heard as they should be: partitions are shared
    /// out among these.
    prompt: BTreeSet<OwnerId>,
}

/// A lease that this member has.
struct Held {
    lease: Lease,
    term: Term,
    /// Whether every unfinished execution of the partition is driven.
    resumed: bool,
}

impl Membership {
    pub(super) fn new(
        port: Option<Arc<dyn Cluster>>,
        id: OwnerId,
        settings: ClusterSettings,
        stop: CancellationToken,
    ) -> Self {
        let Some(port) = port else {
            return Self::Alone(Term::under(&stop));
        };
        Self::Member(Box::new(Member {
            port,
            id,
            settings,
            stop,
            turn: tokio::sync::RwLock::default(),
            state: Arc::default(),
            to_tell: Notify::new(),
        }))
    }

    pub(super) fn member(&self) -> Option<&Member> {
        match self {
            Self::Alone(_) => None,
            Self::Member(member) => Some(member),
        }
    }

    /// The term in which an execution is driven here; `None` if it is
    /// another's to drive.
    pub(super) fn term(&self, execution: &ExecutionId) -> Option<Term> {
        match self {
            Self::Alone(term) => Some(term.clone()),
            Self::Member(member) => member.term(execution),
        }
    }

    /// Whether nobody else can drive now what this process drives.
    pub(super) fn may_act(&self, now: Duration) -> bool {
        match self {
            Self::Alone(_) => true,
            Self::Member(member) => now < member.lock().until,
        }
    }

    /// For an order of an execution: holds while nobody else can drive that. What
    /// was another's in between is never this process's again under the same
    /// warrant.
    pub(super) fn warrant(&self, execution: &ExecutionId, clock: Arc<dyn Clock>) -> Warrant {
        match self {
            Self::Alone(_) => Warrant::unlimited(),
            Self::Member(member) => member.warrant(execution, clock),
        }
    }

    /// For how long the cluster has not heard this member, if that is longer
    /// than a lease: then others have what it drove, or take it.
    pub(super) fn unheard(&self, now: Duration) -> Option<Duration> {
        let member = self.member()?;
        let silent = now.saturating_sub(member.lock().taken_at);
        (silent > member.settings.lease).then_some(silent)
    }

    /// Whether a new execution with this id would be driven here. A member
    /// without any partition takes any id.
    pub(super) fn prefers(&self, execution: &ExecutionId) -> bool {
        match self {
            Self::Alone(_) => true,
            Self::Member(member) => {
                let leases = &member.lock().leases;
                leases.is_empty() || leases.contains_key(&member.partition(execution))
            }
        }
    }
}

impl Member {
    /// An execution is to be driven here again, if it is still this member's.
    pub(super) fn begin_again(&self, execution: &ExecutionId) {
        self.lock().begin.insert(execution.clone());
    }

    /// Tells whoever drives an execution that its log was written here.
    pub(super) async fn tell(&self, execution: &ExecutionId) {
        let partition = self.partition(execution);
        if let Err(error) = self.port.nudge(partition, execution).await {
            tracing::warn!(%execution, %error, "the owner could not be told of a change; it is told with the next beat");
            self.lock().untold.insert(execution.clone());
        }
    }

    fn warrant(&self, execution: &ExecutionId, clock: Arc<dyn Clock>) -> Warrant {
        let partition = self.partition(execution);
        let epoch = self.lock().epoch(partition);
        let state = Arc::clone(&self.state);
        Warrant::new(move || {
            let state = lock(&state);
            epoch.is_some() && state.epoch(partition) == epoch && clock.elapsed() < state.until
        })
    }

    fn partition(&self, execution: &ExecutionId) -> u16 {
        partition::of(execution, self.port.partitions())
    }

    fn term(&self, execution: &ExecutionId) -> Option<Term> {
        let state = self.lock();
        let held = state.leases.get(&self.partition(execution))?;
        (!held.term.stop.is_cancelled()).then(|| held.term.clone())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    // Nothing panics while it holds this lock half-changed.
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Term {
    fn under(stop: &CancellationToken) -> Self {
        Self {
            stop: stop.child_token(),
            running: TaskTracker::new(),
        }
    }

    /// Ends it, and waits until nothing runs in it.
    async fn end(self) {
        self.stop.cancel();
        self.running.close();
        self.running.wait().await;
    }
}

impl State {
    /// That of a partition's lease, if this member has it.
    fn epoch(&self, partition: u16) -> Option<u64> {
        let held = self.leases.get(&partition)?;
        Some(held.lease.epoch)
    }

    /// Takes a roster into account; returns who is there.
    fn hear(&mut self, roster: &Roster, now: Duration, settings: &ClusterSettings) -> Present {
        let mut heard = BTreeMap::new();
        for member in &roster.members {
            let known = self.heard.get(&member.id).copied();
            let known = known.filter(|known| known.beat == member.beat);
            let beat = member.beat;
            let fresh = Heard { beat, at: now };
            heard.insert(member.id.clone(), known.unwrap_or(fresh));
        }
        self.heard = heard;
        let within = |limit: Duration| {
            let heard = self.heard.iter();
            let heard = heard.filter(|(_, heard)| now.saturating_sub(heard.at) < limit);
            heard.map(|(id, _)| id.clone()).collect()
        };
        Present {
            alive: within(settings.lease),
            prompt: within(settings.doubt()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::cluster::Member as Told;

    fn roster(beats: &[(&str, u64)]) -> Roster {
        let members = beats.iter().map(|&(id, beat)| Told {
            id: OwnerId::from(id),
            beat,
            lease: None,
        });
        Roster {
            members: members.collect(),
            leases: Vec::new(),
        }
    }

    #[test]
    fn a_member_is_gone_when_its_heartbeat_did_not_change_for_a_lease_of_ours() {
        let mut state = State::default();
        let settings = ClusterSettings::default();
        let mut alive = |beats: &[(&str, u64)], at: u64| {
            let present = state.hear(&roster(beats), Duration::from_secs(at), &settings);
            let alive = present.alive.iter();
            alive.map(|id| id.to_string()).collect::<Vec<_>>()
        };
        // Its row may be old already; that is not known before a lease is over.
        assert_eq!(alive(&[("a", 7), ("b", 1)], 100), ["a", "b"]);
        assert_eq!(alive(&[("a", 7), ("b", 2)], 109), ["a", "b"]);
        assert_eq!(alive(&[("a", 7), ("b", 2)], 110), ["b"]);
        assert_eq!(alive(&[("a", 8), ("b", 2)], 111), ["a", "b"]);
        assert_eq!(alive(&[("a", 9)], 119), ["a"]);
    }

    #[test]
    fn nothing_is_left_for_a_member_that_was_silent_for_half_a_lease() {
        let mut state = State::default();
        let settings = ClusterSettings::default();
        let mut prompt = |beats: &[(&str, u64)], at: u64| {
            let present = state.hear(&roster(beats), Duration::from_secs(at), &settings);
            assert_eq!(present.alive.len(), 2);
            let prompt = present.prompt.iter();
            prompt.map(|id| id.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(prompt(&[("a", 7), ("b", 1)], 100), ["a", "b"]);
        assert_eq!(prompt(&[("a", 7), ("b", 2)], 104), ["a", "b"]);
        assert_eq!(prompt(&[("a", 7), ("b", 3)], 105), ["b"]);
        assert_eq!(prompt(&[("a", 8), ("b", 4)], 108), ["a", "b"]);
    }

    #[test]
    fn a_gateway_without_a_cluster_drives_everything() {
        let stop = CancellationToken::new();
        let id = OwnerId::from("alone");
        let alone = Membership::new(None, id, ClusterSettings::default(), stop.clone());
        let execution = ExecutionId::from("any");
        assert!(alone.may_act(Duration::MAX));
        assert!(alone.prefers(&execution));
        let term = alone.term(&execution).expect("it is driven here");
        stop.cancel();
        assert!(term.stop.is_cancelled());
    }
}
