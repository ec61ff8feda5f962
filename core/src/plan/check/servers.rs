//! Servers that a group names: by id, or by an ARN, which says the account and
//! the Region as well. What is launched is always the id: StartRecovery takes
//! no ARN.

use alloc::{format, string::ToString, vec::Vec};

use super::{
    super::{DraftGroup, DraftTarget, Mistake, PlannedServer},
    Checker, is_id,
};
use crate::{SnapshotId, SourceServerId};

impl Checker<'_> {
    pub(super) fn servers(
        &mut self,
        path: &str,
        draft: &DraftGroup,
        target: Option<&DraftTarget>,
    ) -> Vec<PlannedServer> {
        let mut servers = Vec::with_capacity(draft.servers.len());
        for (ix, server) in draft.servers.iter().enumerate() {
            let path = format!("{path}.servers[{ix}]");
            let id = id(&server.id, target).unwrap_or_else(|mistake| {
                self.wrong(format!("{path}.id"), mistake);
                server.id.as_str()
            });
            if !server.snapshot.is_empty() && !is_id(&server.snapshot, "pit-") {
                self.wrong(
                    format!("{path}.snapshot_id"),
                    Mistake::BadSnapshotId(server.snapshot.clone()),
                );
            }
            let id = SourceServerId::from(id);
            match self.seen.get(&id).cloned() {
                Some(first) => self.wrong(
                    format!("{path}.id"),
                    Mistake::DuplicateServer {
                        id: id.to_string(),
                        first,
                    },
                ),
                None => {
                    self.seen.insert(id.clone(), path);
                }
            }
            servers.push(PlannedServer {
                id,
                optional: server.optional,
                snapshot: (!server.snapshot.is_empty())
                    .then(|| SnapshotId::from(server.snapshot.as_str())),
            });
        }
        servers
    }
}

/// The id in what names a server. An ARN is of the target's account and
/// Region: an extended source server has an ARN and an id there, and the ones
/// that it has in its staging account name nothing that could be launched.
fn id<'a>(text: &'a str, target: Option<&DraftTarget>) -> Result<&'a str, Mistake> {
    let bad = || Mistake::BadServerId(text.to_string());
    if !text.starts_with("arn:") {
        return is_id(text, "s-").then_some(text).ok_or_else(bad);
    }
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let [_, partition, "drs", region, account, resource] = parts[..] else {
        return Err(bad());
    };
    let id = resource.strip_prefix("source-server/").ok_or_else(bad)?;
    if !partition.starts_with("aws") || !is_id(id, "s-") {
        return Err(bad());
    }
    let is_elsewhere = |target: &&DraftTarget| target.account != account || target.region != region;
    match target.filter(is_elsewhere) {
        Some(target) => Err(Mistake::ServerElsewhere {
            arn: text.to_string(),
            target: format!("{}/{}", target.account, target.region),
        }),
        None => Ok(id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:drs:us-west-2:123456789012:source-server/s-1111aaaa2222bbbb3";

    fn target(account: &str, region: &str) -> DraftTarget {
        DraftTarget {
            account: account.to_string(),
            region: region.to_string(),
            ..DraftTarget::default()
        }
    }

    #[test]
    fn an_arn_of_the_targets_account_and_region_is_its_id() {
        let here = target("123456789012", "us-west-2");
        assert_eq!(id(ARN, Some(&here)), Ok("s-1111aaaa2222bbbb3"));
        assert_eq!(
            id("s-1111aaaa2222bbbb3", Some(&here)),
            Ok("s-1111aaaa2222bbbb3")
        );
        let china = ARN.replace("arn:aws:", "arn:aws-cn:");
        assert_eq!(id(&china, Some(&here)), Ok("s-1111aaaa2222bbbb3"));
    }

    #[test]
    fn an_arn_of_another_account_or_region_is_a_mistake_that_names_both() {
        for (account, region) in [("210987654321", "us-west-2"), ("123456789012", "us-east-1")] {
            let there = target(account, region);
            let mistake = id(ARN, Some(&there)).expect_err("it is elsewhere");
            let text = mistake.to_string();
            assert!(text.contains(ARN), "{text}");
            assert!(text.contains(&format!("{account}/{region}")), "{text}");
        }
    }

    #[test]
    fn what_is_no_arn_of_a_source_server_is_none() {
        for text in [
            "arn:aws:drs:us-west-2:123456789012:recovery-instance/i-1111aaaa2222bbbb3",
            "arn:aws:ec2:us-west-2:123456789012:source-server/s-1111aaaa2222bbbb3",
            "arn:aws:drs:us-west-2:123456789012:source-server/s-1",
            "arn:aws:drs:us-west-2",
            "arn:",
            "",
        ] {
            let answer = id(text, None);
            assert!(matches!(answer, Err(Mistake::BadServerId(_))), "{text}");
        }
    }
}
