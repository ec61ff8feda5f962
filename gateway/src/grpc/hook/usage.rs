//! What uses hooks: the newest revisions of plans, and executions.

use std::collections::{BTreeMap, BTreeSet};

use tidegate_core::engine::Kind;
use tidegate_proto::v1;
use tonic::Status;

use crate::grpc::{
    live,
    plan::{EveryPlan, shown},
    services::Services,
    status,
};

/// Users that a refusal names.
const NAMED: usize = 5;

/// The plans whose newest revision uses a hook, by its digest.
#[derive(Debug, Default)]
pub(super) struct Usage(BTreeMap<String, Vec<String>>);

impl Usage {
    /// As it is now.
    pub(super) async fn read(services: &Services) -> Result<Self, Status> {
        let mut usage = Self::default();
        let mut plans = EveryPlan::of(services);
        loop {
            let page = plans.next().await;
            let page = page.map_err(|error| status::from_read(&error))?;
            if page.is_empty() {
                return Ok(usage);
            }
            for stored in &page {
                usage.add(&shown(stored)?);
            }
        }
    }

    /// The plans that use a hook, by name.
    pub(super) fn of(&self, digest: &str) -> &[String] {
        self.0.get(digest).map_or(&[], Vec::as_slice)
    }

    fn add(&mut self, plan: &v1::Plan) {
        let waves = plan.spec.iter().flat_map(|spec| &spec.waves);
        let uses = waves.flat_map(|wave| wave.check.iter().chain(&wave.verify));
        let digests: BTreeSet<&String> = uses.map(|it| &it.digest).collect();
        for digest in digests {
            let users = self.0.entry(digest.clone()).or_default();
            users.push(plan.name.clone());
        }
    }
}

/// What keeps a hook from being deleted, for people; `None` if nothing does.
pub(super) async fn users(services: &Services, digest: &str) -> Result<Option<String>, Status> {
    let usage = Usage::read(services).await?;
    let plans = usage.of(digest).iter().map(|name| format!("plan {name}"));
    let mut users: Vec<String> = plans.collect();
    for view in live::views(services).await? {
        let execution = &view.execution;
        let mut uses = execution.plan().hook_uses();
        let is_used = uses.any(|site| site.hook_use.digest.as_deref() == Some(digest));
        if is_used && execution.kind() != Kind::Cleanup {
            users.push(format!("execution {}", execution.id()));
        }
    }
    Ok((!users.is_empty()).then(|| line(&users)))
}

fn line(users: &[String]) -> String {
    let named = users.get(..NAMED).unwrap_or(users).join(", ");
    match users.len().saturating_sub(NAMED) {
        0 => named,
        left => format!("{named} and {left} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grpc::fixtures;

    #[test]
    fn a_plan_is_named_once_however_often_it_uses_a_hook() {
        let used = |digest: &str| v1::HookUse {
            digest: digest.to_owned(),
            ..v1::HookUse::default()
        };
        let mut plan = fixtures::shop();
        let waves = &mut plan.spec.as_mut().unwrap().waves;
        waves[0].check = vec![used("a"), used("b")];
        waves[1].verify = vec![used("a")];
        let mut usage = Usage::default();
        usage.add(&plan);
        assert_eq!(usage.of("a"), ["shop"]);
        assert_eq!(usage.of("b"), ["shop"]);
        assert_eq!(usage.of("c"), [""; 0]);
    }

    #[test]
    fn a_refusal_names_a_few_users_and_counts_the_others() {
        let users: Vec<String> = (0..7).map(|it| format!("plan p{it}")).collect();
        assert_eq!(line(&users[..1]), "plan p0");
        assert!(line(&users).ends_with("plan p4 and 2 more"));
    }
}
