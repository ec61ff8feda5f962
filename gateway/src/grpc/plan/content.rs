//! A plan's content: what is checked, what the digest is over, and how a
//! revision is stored.

use std::{fmt::Write, sync::Arc};

use prost::Message;
use sha2::{Digest, Sha256};
use tidegate_core::{
    PlanName, Timestamp,
    plan::{HookPhase, Limits, Plan},
};
use tidegate_proto::v1;
use tonic::Status;

use crate::{
    grpc::{
        convert::{self, time::timestamp},
        services::Services,
        status,
    },
    ports::{hooks::Hooks, plan_store::StoredPlan},
};

/// Content that would be accepted.
#[derive(Debug)]
pub(super) struct Accepted {
    /// The plan's name.
    pub(super) name: PlanName,
    /// Name, labels and spec; nothing else.
    pub(super) content: v1::Plan,
    /// Over the content.
    pub(super) digest: String,
}

/// A stored revision, read.
#[derive(Debug)]
pub(in crate::grpc) struct Stored {
    /// As the store holds it.
    pub(in crate::grpc) stored: StoredPlan,
    /// As the API shows it.
    pub(in crate::grpc) shown: v1::Plan,
    /// As the engine runs it.
    pub(in crate::grpc) checked: Arc<Plan>,
}

impl Accepted {
    /// Checks a plan as it was sent, with every mistake found.
    pub(super) fn check(
        plan: Option<&v1::Plan>,
        limits: &Limits,
        hooks: &dyn Hooks,
    ) -> Result<Self, Vec<v1::FieldViolation>> {
        let plan = plan.cloned().unwrap_or_default();
        let (draft, mut violations) = convert::plan::draft(&plan);
        match Plan::check(&draft, limits) {
            Ok(checked) => violations.extend(unknown_hooks(&checked, hooks)),
            Err(mistakes) if plan.spec.is_some() => {
                violations.extend(
                    mistakes
                        .into_iter()
                        .map(|it| convert::plan::violation(it.field, it.mistake.to_string())),
                );
            }
            // That the spec is missing says it all.
            Err(_) => {}
        }
        if !violations.is_empty() {
            return Err(violations);
        }
        let content = v1::Plan {
            revision: 0,
            digest: String::new(),
            create_time: None,
            ..plan
        };
        Ok(Self {
            name: PlanName::from(content.name.as_str()),
            digest: digest(&content),
            content,
        })
    }

    /// This content as a revision.
    pub(super) fn revision(&self, revision: u64, now: Timestamp) -> v1::Plan {
        v1::Plan {
            revision,
            digest: self.digest.clone(),
            create_time: Some(timestamp(now)),
            ..self.content.clone()
        }
    }
}

/// How a revision is stored.
pub(super) fn to_store(plan: &v1::Plan) -> StoredPlan {
    StoredPlan {
        name: PlanName::from(plan.name.as_str()),
        revision: plan.revision,
        plan: plan.encode_to_vec().into(),
    }
}

/// What the API shows of a stored revision.
pub(super) fn shown(stored: &StoredPlan) -> Result<v1::Plan, Status> {
    v1::Plan::decode(stored.plan.clone()).map_err(|error| {
        let what = format!(
            "revision {} of plan {}: {error}",
            stored.revision, stored.name
        );
        status::from_read(&crate::ports::journal::ReadError::Damaged(what))
    })
}

/// Reads a revision, or the newest for 0, and checks it again: limits may have
/// been lowered since it was stored, and a plan above them is not started.
pub(in crate::grpc) async fn stored(
    services: &Services,
    name: &PlanName,
    revision: u64,
) -> Result<Stored, Status> {
    let revision = (revision > 0).then_some(revision);
    let stored = services
        .plans
        .get(name, revision)
        .await
        .map_err(|error| status::from_read(&error))?
        .ok_or_else(|| status::plan_not_found(name, revision))?;
    let shown = shown(&stored)?;
    let (draft, violations) = convert::plan::draft(&shown);
    if !violations.is_empty() {
        return Err(status::invalid_plan(violations));
    }
    let checked = Plan::check(&draft, &services.settings.plan_limits).map_err(|mistakes| {
        let listed = mistakes
            .into_iter()
            .map(|it| convert::plan::violation(it.field, it.mistake.to_string()));
        status::invalid_plan(listed.collect())
    })?;
    Ok(Stored {
        stored,
        shown,
        checked: Arc::new(checked),
    })
}

/// The digest of a plan's content. Maps are ordered in the generated code, so
/// that equal content has one encoding.
fn digest(content: &v1::Plan) -> String {
    let hash = Sha256::digest(content.encode_to_vec());
    let mut text = String::from("sha256:");
    for byte in hash {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn unknown_hooks(plan: &Plan, hooks: &dyn Hooks) -> Vec<v1::FieldViolation> {
    let mut violations = Vec::new();
    for (ix, wave) in plan.waves().iter().enumerate() {
        for (phase, list) in [
            (HookPhase::PreWave, "check"),
            (HookPhase::PostWave, "verify"),
        ] {
            for (at, used) in wave.hooks(phase).iter().enumerate() {
                if !hooks.knows(used.hook.as_str()) {
                    violations.push(convert::plan::violation(
                        format!("spec.waves[{ix}].{list}[{at}].hook"),
                        format!(
                            "this gateway has no hook {:?}; register it first",
                            used.hook
                        ),
                    ));
                }
            }
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    use futures::future::BoxFuture;
    use tidegate_core::engine::HookAnswer;

    use super::*;
    use crate::{grpc::fixtures, ports::hooks::HookCall};

    struct Only(&'static str);

    impl Hooks for Only {
        fn knows(&self, hook: &str) -> bool {
            hook == self.0
        }

        fn run(&self, _: HookCall) -> BoxFuture<'_, HookAnswer> {
            unreachable!("a plan's check runs no hook")
        }
    }

    fn check(plan: &v1::Plan) -> Result<Accepted, Vec<v1::FieldViolation>> {
        Accepted::check(Some(plan), &Limits::default(), &Only("tcp-reachable"))
    }

    #[test]
    fn the_digest_is_over_content_only() {
        let first = check(&fixtures::shop()).unwrap();
        let mut stamped = fixtures::shop();
        stamped.revision = 7;
        stamped.digest = "sha256:other".to_owned();
        assert_eq!(check(&stamped).unwrap().digest, first.digest);

        let mut other = fixtures::shop();
        other.labels.insert("env".to_owned(), "test".to_owned());
        assert_ne!(check(&other).unwrap().digest, first.digest);
        assert_eq!(first.digest.len(), "sha256:".len() + 64);
    }

    #[test]
    fn a_hook_that_cannot_be_run_is_refused_with_its_path() {
        let mut plan = fixtures::shop();
        let used = |hook: &str| v1::HookUse {
            hook: hook.to_owned(),
            ..v1::HookUse::default()
        };
        plan.spec.as_mut().unwrap().waves[1].verify = vec![used("tcp-reachable"), used("dns")];

        let violations = check(&plan).unwrap_err();

        assert_eq!(violations.len(), 1);
        assert_eq!(violations[0].field, "spec.waves[1].verify[1].hook");
        assert!(violations[0].description.contains("\"dns\""));
    }

    #[test]
    fn mistakes_on_the_wire_and_in_the_plan_are_listed_together() {
        let mut plan = fixtures::shop();
        plan.name = "Shop".to_owned();
        plan.spec.as_mut().unwrap().unknown_launch = 9;
        let fields: Vec<String> = check(&plan)
            .unwrap_err()
            .into_iter()
            .map(|it| it.field)
            .collect();
        assert_eq!(fields, ["spec.unknown_launch", "name"]);
    }
}
