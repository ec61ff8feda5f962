//! A plan as the gateway has it.

use tidegate_proto::v1::{GetPlanRequest, Plan};

use crate::{failure::Failure, session::Session};

/// Gets one revision; 0 is the newest.
pub(super) async fn get(session: &Session, name: &str, revision: u64) -> Result<Plan, Failure> {
    let request = GetPlanRequest {
        name: name.to_owned(),
        revision,
    };
    let answer = session
        .gateway
        .ask(async || {
            let mut plans = session.gateway.plans();
            plans.get_plan(request.clone()).await
        })
        .await?;
    expected(answer.plan)
}

/// The plan of an answer.
pub(super) fn expected(plan: Option<Plan>) -> Result<Plan, Failure> {
    plan.ok_or_else(|| {
        Failure::Other("the gateway's answer carries no plan; is it a Tidegate?".to_owned())
    })
}
