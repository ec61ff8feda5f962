//! Making the hooks of plans ready, so that nothing is missing during a
//! recovery.

use std::sync::Arc;

use tidegate_core::{engine::Kind, plan::Plan};
use tidegate_proto::v1;
use tonic::Status;

use super::{content::read, every::EveryPlan};
use crate::{
    grpc::{convert::plan::violation, hook::Kept, live, services::Services, status},
    ports::{
        hooks::{Fault, Unarmed},
        plan_store::StoredPlan,
    },
};

/// Makes the hooks of a plan ready, and keeps them.
///
/// # Errors
/// What is not ready.
pub(in crate::grpc) async fn arm<'a>(
    services: &'a Services,
    plan: &Plan,
) -> Result<Option<Kept<'a>>, Vec<Unarmed>> {
    services.hooks.arm(plan).await?;
    keep(services, plan).await
}

/// Keeps the hooks of an armed plan from being deleted until what uses them is
/// stored. `None` if it has none.
///
/// # Errors
/// One was deleted since the plan was armed.
pub(super) async fn keep<'a>(
    services: &'a Services,
    plan: &Plan,
) -> Result<Option<Kept<'a>>, Vec<Unarmed>> {
    if plan.hook_uses().next().is_none() {
        return Ok(None);
    }
    let kept = services.hook_access.keep().await;
    still_armed(services, plan).await?;
    Ok(Some(kept))
}

/// The number of the shelf, from before all hooks of a plan were found there;
/// `None` if it has none. This gateway keeps them from being deleted here, and
/// whoever deletes one elsewhere moves the number on.
pub(super) async fn shelf(services: &Services, plan: &Plan) -> Result<Option<u64>, Status> {
    if plan.hook_uses().next().is_none() {
        return Ok(None);
    }
    let unread = |error| status::from_read(&error);
    let shelf = services.hook_store.shelf().await.map_err(unread)?;
    services.hooks.refresh().await.map_err(unread)?;
    still_armed(services, plan).await.map_err(refusal)?;
    Ok(Some(shelf))
}

/// What is wrong with a plan that was armed before.
async fn still_armed(services: &Services, plan: &Plan) -> Result<(), Vec<Unarmed>> {
    let known = services.hooks.list();
    let is_known = |digest: &str| known.iter().any(|hook| hook.digest == digest);
    let digests = plan.hook_uses().map(|site| site.hook_use.digest.as_deref());
    if digests.flatten().all(is_known) {
        return Ok(());
    }
    services.hooks.arm(plan).await
}

/// What is wrong with a plan's hooks, as what is wrong with its fields. What
/// the plan is not to blame for is left out.
pub(super) fn violations(unarmed: Vec<Unarmed>) -> Vec<v1::FieldViolation> {
    let mistakes = unarmed.into_iter().filter(|it| it.fault == Fault::Plan);
    mistakes.map(|it| violation(it.field, it.problem)).collect()
}

/// Why a plan whose hooks are not ready is not accepted.
pub(super) fn refusal(unarmed: Vec<Unarmed>) -> Status {
    let unready = status::hooks_unready(&unarmed);
    unready.unwrap_or_else(|| status::invalid_plan(violations(unarmed)))
}

/// Makes the hooks ready that are likely to be needed: of executions that are
/// not over, and of the newest revision of every plan. What is not ready is
/// said here, so that it is known before somebody starts a recovery; nothing
/// else depends on it.
pub fn arm_in_background(services: &Arc<Services>) {
    let arming = Arc::clone(services);
    services.drain.stream(async move {
        tokio::select! {
            () = arming.drain.begun() => {}
            () = arm_all(&arming) => {}
        }
    });
}

async fn arm_all(services: &Services) {
    match live::views(services).await {
        Ok(views) => {
            let runs = views.iter().map(|view| &view.execution);
            for execution in runs.filter(|run| run.kind() != Kind::Cleanup) {
                for Unarmed { field, problem, .. } in unarmed(services, execution.plan()).await {
                    let execution = execution.id();
                    tracing::warn!(%execution, field, problem, "a hook is not ready");
                }
            }
        }
        Err(error) => tracing::warn!(%error, "hooks of executions cannot be made ready"),
    }
    let mut plans = EveryPlan::of(services);
    loop {
        match plans.next().await {
            Ok(page) if page.is_empty() => return,
            Ok(page) => {
                for stored in page {
                    arm_newest(services, &stored).await;
                }
            }
            Err(error) => return tracing::warn!(%error, "hooks of plans cannot be made ready"),
        }
    }
}

async fn arm_newest(services: &Services, stored: &StoredPlan) {
    let (plan, revision) = (&stored.name, stored.revision);
    match read(services, stored) {
        Ok((_, checked)) => {
            for Unarmed { field, problem, .. } in unarmed(services, &checked).await {
                tracing::warn!(%plan, revision, field, problem, "a hook is not ready");
            }
        }
        Err(status) => {
            let problem = status.message();
            tracing::warn!(%plan, revision, problem, "hooks of a plan cannot be made ready");
        }
    }
}

async fn unarmed(services: &Services, plan: &Plan) -> Vec<Unarmed> {
    services.hooks.arm(plan).await.err().unwrap_or_default()
}
