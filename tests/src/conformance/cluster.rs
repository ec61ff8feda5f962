//! What every cluster promises: members, leases and messages.
//!
//! One function per fact; each is given a cluster of at least two partitions
//! that nobody was in yet.

use std::{sync::Arc, time::Duration};

use futures::future::join_all;
use tidegate_core::OwnerId;
use tidegate_gateway::ports::cluster::{Cluster, ClusterError, Lease, Member};

/// How long members let each other be silent.
const LEASE: Duration = Duration::from_secs(10);

/// Checks every fact, each on a new cluster.
pub async fn hold(make: impl AsyncFn() -> Arc<dyn Cluster>) {
    a_new_cluster_has_a_lease_for_each_partition(&*make().await).await;
    a_beat_that_does_not_grow_is_refused(&*make().await).await;
    a_lease_changes_only_as_it_was_known(&*make().await).await;
    of_concurrent_takers_of_a_lease_exactly_one_wins(make().await).await;
    a_member_that_left_is_gone_and_may_come_back(&*make().await).await;
    a_nudge_reaches_whoever_has_the_partition_once(&*make().await).await;
    a_nudge_of_nobodys_partition_reaches_nobody(&*make().await).await;
    what_is_told_again_is_heard_again(&*make().await).await;
}

/// Gives a lease to somebody.
async fn give(cluster: &dyn Cluster, partition: u16, owner: &OwnerId) {
    let was = lease(cluster, partition).await;
    assert!(cluster.change(was, Some(owner.clone())).await.unwrap());
}

/// A lease as a witness sees it.
async fn lease(cluster: &dyn Cluster, partition: u16) -> Lease {
    static BEATS: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1);
    let beat = BEATS.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let roster = cluster.beat(&"witness".into(), beat, LEASE).await.unwrap();
    roster.leases[usize::from(partition)].clone()
}

/// Nobody has any.
pub async fn a_new_cluster_has_a_lease_for_each_partition(cluster: &dyn Cluster) {
    let member = OwnerId::from("a");
    let roster = cluster.beat(&member, 1, LEASE).await.unwrap();
    assert_eq!(
        roster.members,
        [Member {
            id: member,
            beat: 1,
            lease: Some(LEASE),
        }]
    );
    let partitions: Vec<_> = roster.leases.iter().map(|it| it.partition).collect();
    assert_eq!(partitions, (0..cluster.partitions()).collect::<Vec<_>>());
    assert!(partitions.len() > 1);
    assert!(roster.leases.iter().all(|lease| lease.owner.is_none()));
}

/// Two processes under one id would both believe that they are alive.
pub async fn a_beat_that_does_not_grow_is_refused(cluster: &dyn Cluster) {
    let (a, b) = (OwnerId::from("a"), OwnerId::from("b"));
    cluster.beat(&a, 5, LEASE).await.unwrap();
    cluster.beat(&b, 1, LEASE).await.unwrap();
    for beat in [5, 4, 0] {
        let refused = cluster.beat(&a, beat, LEASE).await.unwrap_err();
        assert_eq!(refused, ClusterError::Superseded(a.clone()));
    }
    let longer = LEASE + Duration::from_millis(1);
    let roster = cluster.beat(&a, 9, longer).await.unwrap();
    let member = |id, beat, lease| Member {
        id,
        beat,
        lease: Some(lease),
    };
    let members = [member(a, 9, longer), member(b, 1, LEASE)];
    assert_eq!(roster.members, members);
}

/// Whoever decided by an old roster changes nothing.
pub async fn a_lease_changes_only_as_it_was_known(cluster: &dyn Cluster) {
    let (a, b) = (OwnerId::from("a"), OwnerId::from("b"));
    let free = lease(cluster, 1).await;
    assert!(cluster.change(free.clone(), Some(a.clone())).await.unwrap());
    assert!(!cluster.change(free.clone(), Some(b.clone())).await.unwrap());
    assert!(!cluster.change(free.clone(), Some(a.clone())).await.unwrap());
    let taken = lease(cluster, 1).await;
    let expected = Lease {
        partition: 1,
        owner: Some(a.clone()),
        epoch: free.epoch + 1,
    };
    assert_eq!(taken, expected);
    let wrong = Lease {
        owner: Some(b.clone()),
        ..taken.clone()
    };
    assert!(!cluster.change(wrong, None).await.unwrap());

    assert!(cluster.change(taken, None).await.unwrap());
    let released = lease(cluster, 1).await;
    assert_eq!(
        (released.owner.as_ref(), released.epoch),
        (None, free.epoch + 2)
    );
    assert!(cluster.change(released, Some(b)).await.unwrap());
    assert_eq!(lease(cluster, 0).await.epoch, free.epoch, "another lease");
}

/// However close they come.
pub async fn of_concurrent_takers_of_a_lease_exactly_one_wins(cluster: Arc<dyn Cluster>) {
    for _ in 0..3 {
        let was = lease(&*cluster, 0).await;
        let takers = (0..16).map(|taker| {
            let (cluster, was) = (Arc::clone(&cluster), was.clone());
            let owner = OwnerId::new(format!("taker-{taker}"));
            tokio::spawn(async move { cluster.change(was, Some(owner)).await })
        });
        let answers = join_all(takers).await;
        let won = answers.into_iter().filter(|it| matches!(it, Ok(Ok(true))));
        assert_eq!(won.count(), 1);
    }
}

/// Leaving twice is leaving.
pub async fn a_member_that_left_is_gone_and_may_come_back(cluster: &dyn Cluster) {
    let (a, b) = (OwnerId::from("a"), OwnerId::from("b"));
    cluster.beat(&a, 5, LEASE).await.unwrap();
    for _ in 0..2 {
        cluster.leave(&a).await.unwrap();
    }
    let roster = cluster.beat(&b, 1, LEASE).await.unwrap();
    assert_eq!(roster.members.len(), 1);
    let roster = cluster.beat(&a, 1, LEASE).await.unwrap();
    assert_eq!(roster.members.len(), 2);
}

/// What is taken is not told again.
pub async fn a_nudge_reaches_whoever_has_the_partition_once(cluster: &dyn Cluster) {
    let (a, b) = (OwnerId::from("a"), OwnerId::from("b"));
    give(cluster, 0, &a).await;
    give(cluster, 1, &b).await;
    for execution in ["e1", "e2", "e1"] {
        cluster.nudge(0, &execution.into()).await.unwrap();
    }
    cluster.nudge(1, &"e3".into()).await.unwrap();

    let mut heard = cluster.nudges(&a).await.unwrap();
    heard.sort();
    assert_eq!(heard, ["e1".into(), "e2".into()]);
    assert!(cluster.nudges(&a).await.unwrap().is_empty());
    give(cluster, 0, &b).await;
    cluster.nudge(0, &"e4".into()).await.unwrap();
    assert!(cluster.nudges(&a).await.unwrap().is_empty());
    let mut heard = cluster.nudges(&b).await.unwrap();
    heard.sort();
    assert_eq!(heard, ["e3".into(), "e4".into()]);
}

/// Whoever takes the partition reads the logs.
pub async fn a_nudge_of_nobodys_partition_reaches_nobody(cluster: &dyn Cluster) {
    let a = OwnerId::from("a");
    cluster.nudge(0, &"e".into()).await.unwrap();
    give(cluster, 0, &a).await;
    assert!(cluster.nudges(&a).await.unwrap().is_empty());
}

/// Something may have been written since the last look.
pub async fn what_is_told_again_is_heard_again(cluster: &dyn Cluster) {
    let a = OwnerId::from("a");
    give(cluster, 0, &a).await;
    for _ in 0..3 {
        cluster.nudge(0, &"e".into()).await.unwrap();
        assert_eq!(cluster.nudges(&a).await.unwrap(), ["e".into()]);
    }
}
