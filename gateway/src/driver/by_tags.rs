//! What an execution has to itself while nobody knows its servers yet: its
//! plan, and every selection by tags in it.
//!
//! Such a thing is held as a server is, in the same registry and in the same
//! journal, so that no other member of a cluster can take it either, and until
//! the same time: the end of the execution. Its name is none that a server can
//! have. Selections by other tags that find the same servers are not told apart
//! here: their servers are taken when they are found.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};
use tidegate_core::{
    SourceServerId,
    engine::Kind,
    plan::{Plan, Selection, Target},
};

use super::DriverError;

/// Bytes of a digest that name a selection: enough that no two are the same.
const DIGEST: usize = 16;

/// Everything that an execution of a plan takes when it starts: the servers
/// that the plan names, and what is held for those that it does not name.
pub(super) fn taken_at_start(kind: Kind, plan: &Plan) -> Vec<SourceServerId> {
    let mut taken: Vec<SourceServerId> = plan.named_servers().cloned().collect();
    taken.extend(held(kind, plan).into_keys());
    taken
}

/// What is held for servers that are not known yet, each with its words for
/// people. A cleanup selects none by tags.
pub(super) fn held(kind: Kind, plan: &Plan) -> BTreeMap<SourceServerId, String> {
    let mut held = BTreeMap::new();
    if kind == Kind::Cleanup {
        return held;
    }
    for group in plan.waves().iter().flat_map(|wave| &wave.groups) {
        if let Selection::Tags { tags, .. } = &group.selection {
            held.insert(name(&group.target, tags), words(&group.target, tags));
        }
    }
    if !held.is_empty() {
        let plan = plan.name();
        let words = format!("plan {plan}, which selects servers by tags,");
        held.insert(SourceServerId::from(&*format!("plan/{plan}")), words);
    }
    held
}

/// A refusal in words that people know.
pub(super) fn said(refused: DriverError, kind: Kind, plan: &Plan) -> DriverError {
    if let DriverError::ServerBusy { server, other } = &refused
        && let Some(selection) = held(kind, plan).remove(server)
    {
        let other = other.clone();
        return DriverError::SelectionBusy { selection, other };
    }
    refused
}

/// The role that is assumed does not change which servers there are.
fn name(target: &Target, tags: &BTreeMap<String, String>) -> SourceServerId {
    let mut digest = Sha256::new();
    for part in tags.iter().flat_map(|(key, value)| [key, value]) {
        digest.update(part.len().to_be_bytes());
        digest.update(part);
    }
    let digest = digest.finalize();
    let digest = digest.iter().take(DIGEST);
    let digest: String = digest.map(|byte| format!("{byte:02x}")).collect();
    let Target {
        account, region, ..
    } = target;
    SourceServerId::from(&*format!("tags/{account}/{region}/{digest}"))
}

fn words(target: &Target, tags: &BTreeMap<String, String>) -> String {
    let tags: Vec<String> = tags
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    let tags = tags.join(", ");
    let Target {
        account, region, ..
    } = target;
    format!("the selection of servers with {tags} in {account}/{region}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(role: Option<&str>) -> Target {
        Target {
            account: "123456789012".to_owned(),
            region: "us-west-2".to_owned(),
            role: role.map(str::to_owned),
        }
    }

    fn tags(of: &[(&str, &str)]) -> BTreeMap<String, String> {
        let owned = |&(key, value): &(&str, &str)| (key.to_owned(), value.to_owned());
        of.iter().map(owned).collect()
    }

    #[test]
    fn a_selection_is_the_same_whoever_asks_and_others_are_others() {
        let shop = tags(&[("app", "shop"), ("tier", "db")]);
        let one = name(&target(None), &shop);
        assert_eq!(one, name(&target(Some("role")), &shop));
        for other in [
            tags(&[("app", "shop")]),
            tags(&[("app", "shoptier"), ("", "db")]),
            tags(&[("app", "shop"), ("tier", "web")]),
        ] {
            assert_ne!(one, name(&target(None), &other));
        }
        let elsewhere = Target {
            region: "eu-west-1".to_owned(),
            ..target(None)
        };
        assert_ne!(one, name(&elsewhere, &shop));
    }
}
