//! `tidegate plan list`.

use tidegate_proto::v1::{ListPlanRevisionsRequest, ListPlansRequest, ListPlansResponse, Plan};

use crate::{
    failure::{Exit, Failure},
    print::table,
    session::Session,
    time,
};

/// The API's largest page.
const PAGE: i32 = 1_000;

/// List the newest revision of every plan, or all revisions of one.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct List {
    /// All revisions of this plan, newest first.
    plan: Option<String>,
}

impl List {
    /// Runs the verb.
    pub(super) async fn run(self, session: &Session) -> Result<Exit, Failure> {
        let mut whole = ListPlansResponse::default();
        let mut token = String::new();
        loop {
            let (plans, next) = match &self.plan {
                Some(plan) => revisions(session, plan, token).await?,
                None => newest(session, token).await?,
            };
            whole.plans.extend(plans);
            if next.is_empty() {
                break;
            }
            token = next;
        }
        session
            .printer
            .list(&whole, &whole.plans, |plan| plan.name.clone(), as_table)?;
        Ok(Exit::Ok)
    }
}

async fn newest(session: &Session, page_token: String) -> Result<(Vec<Plan>, String), Failure> {
    let request = ListPlansRequest {
        page_size: PAGE,
        page_token,
    };
    let page = session
        .gateway
        .ask(async || {
            let mut plans = session.gateway.plans();
            plans.list_plans(request.clone()).await
        })
        .await?;
    Ok((page.plans, page.next_page_token))
}

async fn revisions(
    session: &Session,
    plan: &str,
    page_token: String,
) -> Result<(Vec<Plan>, String), Failure> {
    let request = ListPlanRevisionsRequest {
        name: plan.to_owned(),
        page_size: PAGE,
        page_token,
    };
    let page = session
        .gateway
        .ask(async || {
            let mut plans = session.gateway.plans();
            plans.list_plan_revisions(request.clone()).await
        })
        .await?;
    Ok((page.plans, page.next_page_token))
}

fn as_table(plans: &[Plan]) -> String {
    let rows = plans.iter().map(|plan| {
        let spec = plan.spec.as_ref();
        [
            plan.name.clone(),
            plan.revision.to_string(),
            spec.map_or(0, |spec| spec.waves.len()).to_string(),
            time::instant(plan.create_time),
            plan.digest.chars().take("sha256:".len() + 12).collect(),
            spec.map(|spec| spec.description.clone())
                .unwrap_or_default(),
        ]
    });
    let heading = [
        "NAME",
        "REVISION",
        "WAVES",
        "CREATED",
        "DIGEST",
        "DESCRIPTION",
    ];
    table(heading, rows)
}
