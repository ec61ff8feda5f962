//! `tidegate execution watch`.

use tidegate_plan_file::PlanDuration;

use crate::{
    failure::{Exit, Failure},
    session::Session,
    watch::{Show, Watch},
};

/// Follow an execution until it is over.
///
/// On a terminal this is a view that is redrawn in place; elsewhere a line for
/// each change from the beginning, `TIME INDEX SUBJECT WORD [detail]`; with
/// `-o json` or `-o jsonl` a WatchResponse in each line. Ctrl-C detaches; the
/// execution goes on.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct WatchArgs {
    /// The execution's id.
    id: String,
    /// Print lines even on a terminal.
    #[arg(long)]
    lines: bool,
    /// Print lines, with what each hook found, said and used.
    #[arg(long, short)]
    verbose: bool,
    /// Only changes after this revision.
    #[arg(long, value_name = "REVISION")]
    after: Option<u64>,
    /// Exit with code 6 when the execution is paused.
    #[arg(long)]
    fail_on_pause: bool,
    /// Exit with code 11 after this time, for example 30m.
    #[arg(long, value_name = "DURATION")]
    timeout: Option<PlanDuration>,
}

impl WatchArgs {
    /// Runs the verb.
    pub(super) async fn run(self, session: &Session) -> Result<Exit, Failure> {
        let mut show = Show::fitting(session.printer.format());
        if show != Show::Messages {
            show = match (self.verbose, self.lines) {
                (true, _) => Show::Details,
                (false, true) => Show::Lines,
                (false, false) => show,
            };
        }
        let mut watch = Watch::new(&self.id, show);
        watch.after = self.after.or(watch.after);
        watch.fail_on_pause = self.fail_on_pause;
        watch.timeout = self.timeout.map(|timeout| timeout.0);
        watch.run(&session.gateway, session.printer).await
    }
}
