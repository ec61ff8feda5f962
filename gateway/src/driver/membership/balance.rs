//! How partitions are shared out: every member that is heard as it should be
//! gets as many as every other, give or take one. Members that see the same
//! roster come to the same shares, so nobody has to lead.
//!
//! Who may be taken from and who is shared with are two questions. What a
//! member has is its own for a whole lease; but of what is free nothing is left
//! for one that has fallen silent, since it may be gone as well, and then nobody
//! would drive that part until a second lease is over.

use std::collections::BTreeSet;

use tidegate_core::OwnerId;

use super::{Present, partition};
use crate::ports::cluster::{Lease, Roster};

/// What a member does about its share.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Steps {
    /// Leases that it takes: nobody has them, or whoever has them is gone.
    pub(super) take: Vec<Lease>,
    /// Partitions that it gives back.
    pub(super) release: Vec<u16>,
}

/// The next steps of the member `me`.
pub(super) fn steps(roster: &Roster, present: &Present, me: &OwnerId) -> Steps {
    let leases = roster.leases.len();
    let mine = roster.leases.iter();
    let mine: Vec<&Lease> = mine
        .filter(|lease| lease.owner.as_ref() == Some(me))
        .collect();
    let share = share(leases, &present.prompt, me);
    if let Some(surplus) = mine.len().checked_sub(share).filter(|&many| many > 0) {
        let last = mine.iter().rev().take(surplus);
        return Steps {
            take: Vec::new(),
            release: last.map(|lease| lease.partition).collect(),
        };
    }
    let is_free = |lease: &&Lease| match &lease.owner {
        None => true,
        Some(owner) => owner != me && !present.alive.contains(owner),
    };
    let missing = share - mine.len();
    // Each begins elsewhere, so that they seldom reach for the same one.
    let begin = begin(leases, me);
    let order = roster.leases.iter().cycle().skip(begin).take(leases);
    Steps {
        take: order.filter(is_free).take(missing).cloned().collect(),
        release: Vec::new(),
    }
}

fn share(leases: usize, among: &BTreeSet<OwnerId>, me: &OwnerId) -> usize {
    let others = among.iter().filter(|&member| member != me);
    let before = others.clone().filter(|&member| member < me).count();
    let members = others.count() + 1;
    leases / members + usize::from(before < leases % members)
}

fn begin(leases: usize, me: &OwnerId) -> usize {
    let count = u16::try_from(leases).unwrap_or(u16::MAX);
    usize::from(partition::of(&me.as_str().into(), count))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn roster(owners: &[Option<&str>]) -> Roster {
        let leases = owners.iter().zip(0..).map(|(owner, partition)| Lease {
            partition,
            owner: owner.map(OwnerId::from),
            epoch: 0,
        });
        Roster {
            members: Vec::new(),
            leases: leases.collect(),
        }
    }

    /// All of them are heard as they should be.
    fn members(names: &[&str]) -> Present {
        let alive: BTreeSet<_> = names.iter().copied().map(OwnerId::from).collect();
        Present {
            prompt: alive.clone(),
            alive,
        }
    }

    fn counts(roster: &Roster) -> Vec<usize> {
        let mut counts = BTreeMap::new();
        for lease in &roster.leases {
            *counts.entry(lease.owner.clone()).or_default() += 1;
        }
        counts.into_values().collect()
    }

    /// Lets the members act one after the other until nobody wants to.
    fn settle(roster: &mut Roster, present: &Present) {
        for _ in 0..4 {
            for me in &present.prompt {
                let Steps { take, release } = steps(roster, present, me);
                for lease in &mut roster.leases {
                    if take.contains(lease) {
                        lease.owner = Some(me.clone());
                    } else if release.contains(&lease.partition) {
                        lease.owner = None;
                    }
                }
            }
        }
        for me in &present.prompt {
            assert_eq!(steps(roster, present, me), Steps::default());
        }
    }

    #[test]
    fn the_only_member_takes_everything_once_the_others_are_gone() {
        let mut roster = roster(&[Some("gone"), None, Some("me"), None]);
        settle(&mut roster, &members(&["gone", "me"]));
        assert_eq!(counts(&roster), [2, 2], "it is not known to be gone yet");
        settle(&mut roster, &members(&["me"]));
        assert_eq!(counts(&roster), [4]);
    }

    #[test]
    fn a_silent_member_keeps_what_it_has_and_is_left_nothing_else() {
        let mut roster = roster(&[Some("gone"), Some("silent"), Some("gone"), None, Some("me")]);
        let mut present = members(&["silent", "me"]);
        present.prompt.remove(&OwnerId::from("silent"));
        settle(&mut roster, &present);
        let kept = roster.leases[1].owner.as_ref().map(OwnerId::as_str);
        assert_eq!(kept, Some("silent"));
        assert_eq!(counts(&roster), [4, 1]);
        // It is heard again, and gets its share.
        settle(&mut roster, &members(&["silent", "me"]));
        assert_eq!(counts(&roster), [3, 2]);
    }

    #[test]
    fn members_come_and_go_and_shares_stay_even() {
        let mut roster = roster(&[None; 64]);
        settle(&mut roster, &members(&["a"]));
        assert_eq!(counts(&roster), [64]);
        settle(&mut roster, &members(&["a", "b"]));
        assert_eq!(counts(&roster), [32, 32]);
        settle(&mut roster, &members(&["a", "b", "c"]));
        assert_eq!(counts(&roster), [22, 21, 21]);
        settle(&mut roster, &members(&["b", "c"]));
        assert_eq!(counts(&roster), [32, 32]);
    }

    #[test]
    fn more_members_than_partitions_leave_some_idle() {
        let mut roster = roster(&[None; 2]);
        settle(&mut roster, &members(&["a", "b", "c"]));
        assert_eq!(counts(&roster), [1, 1]);
    }

    #[test]
    fn a_lease_of_a_member_that_is_alive_is_left_alone() {
        let roster = roster(&[Some("a"); 4]);
        let steps = steps(&roster, &members(&["a", "b"]), &OwnerId::from("b"));
        assert_eq!(steps, Steps::default());
    }
}
