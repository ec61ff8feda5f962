//! `tidegate execution list`.

use clap::ValueEnum;
use tidegate_proto::v1::{
    ExecutionFilter, ExecutionKind, ExecutionState, ExecutionSummary, ListExecutionsRequest,
    ListExecutionsResponse,
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

/// List executions, newest first.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct List {
    /// Only executions of this plan.
    #[arg(long)]
    plan: Option<String>,
    /// Only executions of these kinds.
    #[arg(long, value_enum, value_delimiter = ',')]
    kind: Vec<Kind>,
    /// Only executions in these states, for example PAUSED,RUNNING.
    #[arg(long, value_parser = state, value_delimiter = ',')]
    state: Vec<ExecutionState>,
    /// How many at most; 0 for all.
    #[arg(long, default_value_t = 50)]
    limit: usize,
}

/// Kinds of executions.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    Drill,
    Recovery,
    Cleanup,
}

impl From<Kind> for ExecutionKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Drill => Self::Drill,
            Kind::Recovery => Self::Recovery,
            Kind::Cleanup => Self::Cleanup,
        }
    }
}

fn state(text: &str) -> Result<ExecutionState, String> {
    let name = text.to_ascii_uppercase().replace('-', "_");
    ExecutionState::from_str_name(&format!("EXECUTION_STATE_{name}"))
        .filter(|state| *state != ExecutionState::Unspecified)
        .ok_or_else(|| "no such state; for example RUNNING, PAUSED, SUCCEEDED, FAILED".to_owned())
}

impl List {
    /// Runs the verb.
    pub(super) async fn run(self, session: &Session) -> Result<Exit, Failure> {
        let whole = self.all_pages(session).await?;
        session.printer.list(
            &whole,
            &whole.executions,
            |execution| execution.id.clone(),
            as_table,
        )?;
        Ok(Exit::Ok)
    }

    async fn all_pages(&self, session: &Session) -> Result<ListExecutionsResponse, Failure> {
        let limit = if self.limit == 0 {
            usize::MAX
        } else {
            self.limit
        };
        let mut whole = ListExecutionsResponse::default();
        let mut request = ListExecutionsRequest {
            filter: Some(ExecutionFilter {
                plan: self.plan.clone().unwrap_or_default(),
                kinds: self
                    .kind
                    .iter()
                    .map(|kind| ExecutionKind::from(*kind).into())
                    .collect(),
                states: self.state.iter().map(|state| (*state).into()).collect(),
            }),
            page_size: i32::try_from(limit).unwrap_or(PAGE).min(PAGE),
            page_token: String::new(),
        };
        loop {
            let page = session
                .gateway
                .ask(async || {
                    let mut executions = session.gateway.executions();
                    executions.list_executions(request.clone()).await
                })
                .await?;
            whole.executions.extend(page.executions);
            if page.next_page_token.is_empty() || whole.executions.len() >= limit {
                whole.executions.truncate(limit);
                return Ok(whole);
            }
            request.page_token = page.next_page_token;
        }
    }
}

fn as_table(executions: &[ExecutionSummary]) -> String {
    let rows = executions.iter().map(|execution| {
        let counts: Vec<String> = execution
            .server_counts
            .iter()
            .map(|count| {
                let state = names::server_state(count.state());
                format!("{} {}", count.count, state.to_lowercase())
            })
            .collect();
        [
            execution.id.clone(),
            names::kind(execution.kind()).to_owned(),
            format!("{} r{}", execution.plan, execution.plan_revision),
            names::execution_state(execution.state()).to_owned(),
            time::instant(execution.create_time),
            time::instant(execution.end_time),
            counts.join(", "),
        ]
    });
    let heading = ["ID", "KIND", "PLAN", "STATE", "CREATED", "ENDED", "SERVERS"];
    table(heading, rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_understood_as_people_write_them() {
        assert_eq!(state("PAUSED"), Ok(ExecutionState::Paused));
        assert_eq!(
            state("succeeded-with-warnings"),
            Ok(ExecutionState::SucceededWithWarnings)
        );
        assert!(state("unspecified").is_err());
        assert!(state("gone").is_err());
    }
}
