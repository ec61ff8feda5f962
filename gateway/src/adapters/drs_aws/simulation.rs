//! What IAM says of a caller's permissions when it is asked without anything
//! being done.
//!
//! It evaluates the policies of a role or user, its boundary and those of the
//! organisation for actions, a resource, and circumstances that the question
//! brings along. So every type of resource is one question, with everything
//! true that a policy may ask for.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_iam::{
    Client,
    types::{
        ContextEntry, ContextKeyTypeEnum, EvaluationResult,
        PolicyEvaluationDecisionType as Decision,
    },
};
use futures::{FutureExt as _, StreamExt as _, TryStreamExt as _, stream};
use tidegate_core::plan::Target;

use super::{
    clients::{Clients, Place},
    identity::is_elsewhere,
    permissions::{CALLED, ON_BEHALF},
};
use crate::{
    adapters::{
        aws_grant::{DRS_TAG, Grant, On},
        aws_observed::Observed,
    },
    ports::drs::{Caller, DrsError, Permissions},
};

/// As the API is called.
const OPERATION: &str = "SimulatePrincipalPolicy";

/// Questions at the same time; IAM throttles an account's calls together.
const AT_ONCE: usize = 4;

/// Asks IAM about everything that launches need. `None` if what plays DRS is no
/// part of the AWS that would be asked.
pub(super) async fn permissions(
    clients: &Clients,
    target: &Target,
    caller: &Caller,
) -> Result<Option<Permissions>, DrsError> {
    let shared = clients.shared(target).await;
    if shared.endpoint_url().is_none() && is_elsewhere("AWS_ENDPOINT_URL_IAM") {
        return Ok(None);
    }
    let config = aws_sdk_iam::config::Builder::from(&shared)
        .interceptor(Observed::of(&clients.observer, target))
        .build();
    let place = clients.place(target).await;
    let Some(principal) = principal(target, caller) else {
        return Err(DrsError::Refused {
            operation: OPERATION,
            target: place.name,
            message: format!("{} is neither a role nor a user", caller.arn),
        });
    };
    let asking = Asking {
        client: Client::from_conf(config),
        place,
        partition: partition(&principal).to_owned(),
        principal,
        region: target.region.clone(),
        account: caller.account.clone(),
    };
    asking.all().await.map(Some)
}

/// The role or user whose policies count. A session names its role without the
/// path, so what the plan says comes first.
fn principal(target: &Target, caller: &Caller) -> Option<String> {
    if let Some(role) = &target.role {
        return Some(role.clone());
    }
    let parts: Vec<&str> = caller.arn.splitn(6, ':').collect();
    let [_, partition, service, _, account, resource] = parts[..] else {
        return None;
    };
    match service {
        "iam" if resource.starts_with("user/") || resource.starts_with("role/") => {
            Some(caller.arn.clone())
        }
        "sts" => {
            let session = resource.strip_prefix("assumed-role/")?;
            let (role, _) = session.split_once('/')?;
            Some(format!("arn:{partition}:iam::{account}:role/{role}"))
        }
        _ => None,
    }
}

fn partition(arn: &str) -> &str {
    arn.split(':').nth(1).unwrap_or("aws")
}

struct Asking {
    client: Client,
    place: Place,
    principal: String,
    partition: String,
    region: String,
    account: String,
}

/// Decisions that are no permission, by action.
#[derive(Default)]
struct Heard {
    denied: BTreeSet<String>,
    undecided: BTreeSet<String>,
}

impl Asking {
    async fn all(&self) -> Result<Permissions, DrsError> {
        let questions = self.questions().into_iter();
        let questions: Vec<_> = questions
            .map(|(resource, actions)| self.ask(resource, actions).boxed())
            .collect();
        let answers = stream::iter(questions).buffer_unordered(AT_ONCE);
        let mut heard = Heard::default();
        for some in answers.try_collect::<Vec<Heard>>().await? {
            heard.denied.extend(some.denied);
            heard.undecided.extend(some.undecided);
        }
        let optional = |action: &String| {
            let mut grants = CALLED.iter().filter(|grant| grant.is_optional);
            grants.any(|grant| grant.actions.contains(&action.as_str()))
        };
        let undecided = heard.undecided.difference(&heard.denied).cloned();
        let undecided = undecided.collect();
        let (denied_optional, denied) = heard.denied.into_iter().partition(optional);
        Ok(Permissions {
            denied,
            denied_optional,
            undecided,
        })
    }

    /// Actions by the resource that they are asked for.
    fn questions(&self) -> BTreeMap<String, BTreeSet<&'static str>> {
        let mut questions = BTreeMap::<_, BTreeSet<_>>::new();
        for grant in CALLED.iter().chain(ON_BEHALF) {
            for resource in self.resources(grant) {
                let actions = questions.entry(resource).or_default();
                actions.extend(grant.actions.iter().copied());
            }
        }
        questions
    }

    /// One of each that a grant is about; no such resource has to be there.
    fn resources(&self, grant: &Grant) -> Vec<String> {
        let Self {
            partition,
            region,
            account,
            ..
        } = self;
        match grant.on {
            On::Anything => vec!["*".to_owned()],
            On::Ec2(types) => {
                let arn = |of: &&str| format!("arn:{partition}:ec2:{region}:{account}:{of}/any");
                types.iter().map(arn).collect()
            }
            On::Roles(names) => {
                let arn = |name: &&str| format!("arn:{partition}:iam::{account}:role/{name}");
                names.iter().map(arn).collect()
            }
            On::Itself => vec![self.principal.clone()],
            // The journal is no matter of a target.
            On::Table | On::Index(_) => Vec::new(),
        }
    }

    async fn ask(
        &self,
        resource: String,
        actions: BTreeSet<&'static str>,
    ) -> Result<Heard, DrsError> {
        let context = self.context(&resource);
        let names = actions.into_iter().map(ToOwned::to_owned).collect();
        let mut results = self
            .client
            .simulate_principal_policy()
            .policy_source_arn(&self.principal)
            .set_action_names(Some(names))
            .resource_arns(resource)
            .set_context_entries(Some(context))
            .into_paginator()
            .items()
            .send();
        let mut heard = Heard::default();
        while let Some(result) = results.next().await {
            let result = result.map_err(|error| self.place.failed(OPERATION, &error))?;
            heard.take(&result);
        }
        Ok(heard)
    }

    /// What holds when DRS acts on what it has made for this caller.
    fn context(&self, resource: &str) -> Vec<ContextEntry> {
        let creating = if resource.contains(":launch-template/") {
            "CreateLaunchTemplate"
        } else {
            "RunInstances"
        };
        let ec2 = if self.partition == "aws-cn" {
            "ec2.amazonaws.com.cn"
        } else {
            "ec2.amazonaws.com"
        };
        let text = |key: &str, value: &str| {
            let entry = ContextEntry::builder().context_key_name(key);
            let entry = entry.context_key_type(ContextKeyTypeEnum::String);
            entry.context_key_values(value).build()
        };
        let through = ContextEntry::builder()
            .context_key_name("aws:ViaAWSService")
            .context_key_type(ContextKeyTypeEnum::Boolean)
            .context_key_values("true");
        let through_drs = ContextEntry::builder()
            .context_key_name("aws:CalledVia")
            .context_key_type(ContextKeyTypeEnum::StringList)
            .context_key_values("drs.amazonaws.com");
        let mut entries = vec![
            through.build(),
            through_drs.build(),
            text("aws:RequestedRegion", &self.region),
            text("ec2:CreateAction", creating),
            text("iam:PassedToService", ec2),
        ];
        for of in ["aws:ResourceTag", "ec2:ResourceTag", "aws:RequestTag"] {
            entries.push(text(&format!("{of}/{DRS_TAG}"), "drs.amazonaws.com"));
        }
        entries
    }
}

impl Heard {
    fn take(&mut self, result: &EvaluationResult) {
        let organisation = result.organizations_decision_detail();
        let is_forbidden = organisation.is_some_and(|it| !it.allowed_by_organizations());
        if *result.eval_decision() == Decision::Allowed && !is_forbidden {
            return;
        }
        let action = result.eval_action_name().to_owned();
        let depends = !result.missing_context_values().is_empty();
        if depends && *result.eval_decision() != Decision::ExplicitDeny && !is_forbidden {
            self.undecided.insert(action);
        } else {
            self.denied.insert(action);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(role: Option<&str>, arn: &str) -> Option<String> {
        let target = Target {
            account: "123456789012".to_owned(),
            region: "us-west-2".to_owned(),
            role: role.map(ToOwned::to_owned),
        };
        let caller = Caller {
            account: "123456789012".to_owned(),
            arn: arn.to_owned(),
        };
        principal(&target, &caller)
    }

    #[test]
    fn a_session_is_asked_about_by_its_role_and_a_plans_role_by_its_own_path() {
        let session = "arn:aws:sts::123456789012:assumed-role/launch/tidegate";
        let role = "arn:aws:iam::123456789012:role/recovery/launch";
        assert_eq!(of(Some(role), session).as_deref(), Some(role));
        let bare = "arn:aws:iam::123456789012:role/launch";
        assert_eq!(of(None, session).as_deref(), Some(bare));
        let user = "arn:aws:iam::123456789012:user/ops";
        assert_eq!(of(None, user).as_deref(), Some(user));
        assert_eq!(of(None, "arn:aws:iam::123456789012:root"), None);
        assert_eq!(of(None, "nonsense"), None);
    }
}
