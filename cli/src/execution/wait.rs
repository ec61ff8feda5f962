//! `tidegate execution wait`.

use tidegate_plan_file::PlanDuration;

use crate::{
    failure::{Exit, Failure},
    session::Session,
    watch::{Show, Watch},
};

/// Wait until an execution is over; exit 0 only if it SUCCEEDED.
///
/// Nothing is printed on the standard output. Ctrl-C detaches; the execution
/// goes on.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Wait {
    /// The execution's id.
    id: String,
    /// Exit with code 6 when the execution is paused.
    #[arg(long)]
    fail_on_pause: bool,
    /// Exit with code 11 after this time, for example 30m.
    #[arg(long, value_name = "DURATION")]
    timeout: Option<PlanDuration>,
}

impl Wait {
    /// Runs the verb.
    pub(super) async fn run(self, session: &Session) -> Result<Exit, Failure> {
        let mut watch = Watch::new(&self.id, Show::Nothing);
        watch.fail_on_pause = self.fail_on_pause;
        watch.timeout = self.timeout.map(|timeout| timeout.0);
        watch.run(&session.gateway, session.printer).await
    }
}
