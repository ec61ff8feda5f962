//! `tidegate execution events`.

use tidegate_proto::v1::{Commit, ListEventsRequest, ListEventsResponse};

use crate::{
    failure::{Exit, Failure},
    session::Session,
    watch::lines,
};

/// The API's largest page.
const PAGE: i32 = 1_000;

/// List what happened, oldest first: a line for each change, in the form of
/// `execution watch`.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Events {
    /// The execution's id.
    id: String,
    /// Only commits after this revision.
    #[arg(long, value_name = "REVISION", default_value_t = 0)]
    after: u64,
    /// With what each hook found, said and used.
    #[arg(long, short)]
    verbose: bool,
}

impl Events {
    /// Runs the verb.
    pub(super) async fn run(self, session: &Session) -> Result<Exit, Failure> {
        let mut whole = ListEventsResponse::default();
        let mut request = ListEventsRequest {
            execution: self.id,
            after_revision: self.after,
            page_size: PAGE,
            page_token: String::new(),
        };
        loop {
            let page = session
                .gateway
                .ask(async || {
                    let mut executions = session.gateway.executions();
                    executions.list_events(request.clone()).await
                })
                .await?;
            whole.commits.extend(page.commits);
            if page.next_page_token.is_empty() {
                break;
            }
            request.page_token = page.next_page_token;
        }
        session.printer.list(
            &whole,
            &whole.commits,
            |commit| commit.revision.to_string(),
            |commits| as_lines(commits, self.verbose),
        )?;
        Ok(Exit::Ok)
    }
}

fn as_lines(commits: &[Commit], verbose: bool) -> String {
    let all: Vec<String> = if verbose {
        commits.iter().flat_map(lines::detailed).collect()
    } else {
        commits.iter().flat_map(lines::of).collect()
    };
    all.join("\n")
}
