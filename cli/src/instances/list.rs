//! `tidegate instances list`.

use tidegate_proto::v1::{
    ListRecoveryInstancesRequest, ListRecoveryInstancesResponse, RecoveryInstance, Target,
    UnreadPlace,
};

use crate::{
    failure::{Exit, Failure},
    names,
    print::table,
    session::Session,
    time,
};

/// The API's largest page.
const PAGE: i32 = 1_000;

/// List recovery instances with who launched them, and how long ago.
///
/// DRS is asked in every account and Region that plans name. An instance
/// without an execution was launched by somebody else, and no cleanup touches
/// it. Exits with code 1 if a place could not be read.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct List {
    /// Only instances launched by executions of this plan.
    #[arg(long)]
    plan: Option<String>,
    /// Only instances launched by this execution.
    #[arg(long, value_name = "ID")]
    execution: Option<String>,
    /// Only this account.
    #[arg(long)]
    account: Option<String>,
    /// Only this Region; with --account, also where no plan looks.
    #[arg(long)]
    region: Option<String>,
}

impl List {
    /// Runs the verb.
    pub(super) async fn run(self, session: &Session) -> Result<Exit, Failure> {
        let whole = self.all_pages(session).await?;
        session.printer.list(
            &whole,
            &whole.instances,
            |instance| instance.id.clone(),
            as_table,
        )?;
        for place in &whole.unread {
            session.printer.note(&unread(place));
        }
        Ok(if whole.unread.is_empty() {
            Exit::Ok
        } else {
            Exit::Error
        })
    }

    async fn all_pages(self, session: &Session) -> Result<ListRecoveryInstancesResponse, Failure> {
        let mut whole = ListRecoveryInstancesResponse::default();
        let mut request = ListRecoveryInstancesRequest {
            plan: self.plan.unwrap_or_default(),
            execution: self.execution.unwrap_or_default(),
            account: self.account.unwrap_or_default(),
            region: self.region.unwrap_or_default(),
            page_size: PAGE,
            page_token: String::new(),
        };
        loop {
            let page = session
                .gateway
                .ask(async || {
                    let mut executions = session.gateway.executions();
                    executions.list_recovery_instances(request.clone()).await
                })
                .await?;
            whole.instances.extend(page.instances);
            whole.unread = page.unread;
            if page.next_page_token.is_empty() {
                return Ok(whole);
            }
            request.page_token = page.next_page_token;
        }
    }
}

fn unread(place: &UnreadPlace) -> String {
    let (account, region) = whereabouts(place.target.as_ref());
    format!("not read: {account}/{region}: {}", place.reason)
}

fn whereabouts(target: Option<&Target>) -> (String, String) {
    target.map_or_else(Default::default, |it| {
        (it.account.clone(), it.region.clone())
    })
}

fn as_table(instances: &[RecoveryInstance]) -> String {
    let rows = instances.iter().map(|instance| {
        let (account, region) = whereabouts(instance.target.as_ref());
        let age = time::duration(instance.age);
        [
            instance.id.clone(),
            instance.source_server.clone(),
            names::kind(instance.kind()).to_owned(),
            age.map_or_else(|| "-".to_owned(), time::span),
            time::instant(instance.launch_time),
            account,
            region,
            or_dash(&instance.plan),
            or_dash(&instance.execution),
        ]
    });
    let heading = [
        "INSTANCE",
        "SERVER",
        "KIND",
        "AGE",
        "LAUNCHED",
        "ACCOUNT",
        "REGION",
        "PLAN",
        "EXECUTION",
    ];
    table(heading, rows)
}

fn or_dash(text: &str) -> String {
    if text.is_empty() { "-" } else { text }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_of_nobody_known_has_dashes() {
        let instance = RecoveryInstance {
            id: "i-1".to_owned(),
            source_server: "s-1".to_owned(),
            kind: 1,
            age: Some(prost_types::Duration {
                seconds: 3_900,
                nanos: 0,
            }),
            ..RecoveryInstance::default()
        };
        let shown = as_table(&[instance]);
        let row: Vec<&str> = shown.lines().nth(1).unwrap().split_whitespace().collect();
        assert_eq!(row, ["i-1", "s-1", "DRILL", "1h05m", "-", "-", "-"]);
    }
}
