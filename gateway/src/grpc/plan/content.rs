//! A plan's content: what is checked, what the digest is over, and how a
//! revision is stored.

use std::{collections::BTreeSet, fmt::Write, sync::Arc};

use prost::Message;
use sha2::{Digest, Sha256};
use tidegate_core::{
    PlanName, Timestamp,
    plan::{HookPhase, HookSite, Limits, Plan},
};
use tidegate_proto::v1;
use tonic::Status;

use super::arming;
use crate::{
    grpc::{
        convert::{self, plan::violation, time::timestamp},
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
    /// As the engine would run it.
    pub(super) checked: Plan,
}

/// Why content is not accepted.
#[derive(Debug)]
pub(super) enum Unaccepted {
    /// It has mistakes; at least one.
    Mistakes(Vec<v1::FieldViolation>),
    /// That cannot be told now.
    Unready(Status),
}

impl From<Unaccepted> for Status {
    fn from(unaccepted: Unaccepted) -> Self {
        match unaccepted {
            Unaccepted::Mistakes(mistakes) => status::invalid_plan(mistakes),
            Unaccepted::Unready(status) => status,
        }
    }
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
    /// Checks a plan as it was sent, with every mistake found. Each use of a
    /// hook that names no digest is pinned to the newest hook of its name, and
    /// all hooks are made ready.
    pub(super) async fn check(
        plan: Option<&v1::Plan>,
        limits: &Limits,
        hooks: &dyn Hooks,
    ) -> Result<Self, Unaccepted> {
        let mut content = v1::Plan {
            revision: 0,
            digest: String::new(),
            create_time: None,
            ..plan.cloned().unwrap_or_default()
        };
        let mut checked = acceptable(&content, limits).map_err(Unaccepted::Mistakes)?;
        if checked.hook_uses().next().is_some() {
            let refreshed = hooks.refresh().await;
            refreshed.map_err(|error| Unaccepted::Unready(status::from_read(&error)))?;
        }
        let unknown = pin(&mut content, &checked, hooks);
        if checked.hook_uses().any(|it| it.hook_use.digest.is_none()) {
            checked = check(&content, limits).map_err(Unaccepted::Mistakes)?;
        }
        let unarmed = hooks.arm(&checked).await.err().unwrap_or_default();
        let unready = status::hooks_unready(&unarmed);
        let mistakes = merged(unknown, arming::violations(unarmed));
        if !mistakes.is_empty() {
            return Err(Unaccepted::Mistakes(mistakes));
        }
        if let Some(status) = unready {
            return Err(Unaccepted::Unready(status));
        }
        Ok(Self {
            name: checked.name().clone(),
            digest: digest(&content),
            content,
            checked,
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
pub(in crate::grpc) fn shown(stored: &StoredPlan) -> Result<v1::Plan, Status> {
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
    let (shown, checked) = read(services, &stored)?;
    Ok(Stored {
        stored,
        shown,
        checked: Arc::new(checked),
    })
}

/// A stored revision as the API shows it, and checked.
pub(super) fn read(services: &Services, stored: &StoredPlan) -> Result<(v1::Plan, Plan), Status> {
    let shown = shown(stored)?;
    let checked = check(&shown, &services.settings.plan_limits).map_err(status::invalid_plan)?;
    Ok((shown, checked))
}

/// The same of a plan that is sent, which may not say everything that a stored
/// one may.
fn acceptable(plan: &v1::Plan, limits: &Limits) -> Result<Plan, Vec<v1::FieldViolation>> {
    let zeros = convert::plan::zero_limits(plan);
    match check(plan, limits) {
        Ok(checked) if zeros.is_empty() => Ok(checked),
        Ok(_) => Err(zeros),
        Err(mistakes) => Err(merged(mistakes, zeros)),
    }
}

/// A plan as the engine runs it, or every mistake in it.
fn check(plan: &v1::Plan, limits: &Limits) -> Result<Plan, Vec<v1::FieldViolation>> {
    let (draft, mut violations) = convert::plan::draft(plan);
    match Plan::check(&draft, limits) {
        Ok(checked) if violations.is_empty() => return Ok(checked),
        Ok(_) => {}
        Err(mistakes) if plan.spec.is_some() => {
            let mistakes = mistakes.into_iter();
            violations.extend(mistakes.map(|it| violation(it.field, it.mistake.to_string())));
        }
        // That the spec is missing says it all.
        Err(_) => {}
    }
    Err(violations)
}

/// Writes into the content which component each use of a hook runs, where it
/// does not say so itself: what is stored then runs the same bytes for ever.
/// Says which uses name a hook that there is not.
fn pin(content: &mut v1::Plan, checked: &Plan, hooks: &dyn Hooks) -> Vec<v1::FieldViolation> {
    let mut unknown = Vec::new();
    for site in checked.hook_uses() {
        let used = site.hook_use;
        if used.digest.is_some() {
            continue;
        }
        let Some(newest) = hooks.newest(used.hook.as_str()) else {
            unknown.push(violation(
                format!("{}.hook", site.field),
                format!(
                    "there is no hook {:?} here; register it first (tidegate hook push)",
                    used.hook
                ),
            ));
            continue;
        };
        if let Some(place) = hook_use(content, &site) {
            place.digest = newest;
        }
    }
    unknown
}

/// Where the content has a use of a hook that the checked plan has.
fn hook_use<'a>(content: &'a mut v1::Plan, site: &HookSite<'_>) -> Option<&'a mut v1::HookUse> {
    let wave = content.spec.as_mut()?.waves.get_mut(site.wave.index())?;
    let uses = match site.phase {
        HookPhase::PreWave => &mut wave.check,
        HookPhase::PostWave => &mut wave.verify,
    };
    uses.get_mut(site.hook.index())
}

/// Both, and only the first of what they say of one field.
fn merged(
    mut first: Vec<v1::FieldViolation>,
    second: Vec<v1::FieldViolation>,
) -> Vec<v1::FieldViolation> {
    let said: BTreeSet<String> = first.iter().map(|it| it.field.clone()).collect();
    first.extend(second.into_iter().filter(|it| !said.contains(&it.field)));
    first
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

#[cfg(test)]
mod tests;
