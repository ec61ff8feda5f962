//! `tidegate plan get`.

use tidegate_proto::v1::Plan;

use super::stored;
use crate::{
    failure::{Exit, Failure},
    print::{Format, table},
    session::Session,
    time,
};

/// Show a plan; with `-o yaml` as a file that applies back to the same digest.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Get {
    /// Name of the plan.
    plan: String,
    /// Revision of the plan [default: the newest].
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    revision: u64,
}

impl Get {
    /// Runs the verb.
    pub(super) async fn run(self, session: &Session) -> Result<Exit, Failure> {
        let plan = stored::get(session, &self.plan, self.revision).await?;
        if session.printer.format() == Format::Yaml {
            let file = tidegate_plan_file::file(&plan);
            session.printer.data(&tidegate_plan_file::to_yaml(&file))?;
        } else {
            session.printer.one(&plan, &plan.name, as_table)?;
        }
        Ok(Exit::Ok)
    }
}

fn as_table(plan: &Plan) -> String {
    let spec = plan.spec.clone().unwrap_or_default();
    let rows = spec.waves.iter().map(|wave| {
        [
            wave.name.clone(),
            wave.after.join(", "),
            tidegate_plan_file::selection(wave),
            if wave.pause_before { "yes" } else { "" }.to_owned(),
        ]
    });
    format!(
        "plan {} revision {} of {}\n{}\n{}\n\n{}",
        plan.name,
        plan.revision,
        time::instant(plan.create_time),
        plan.digest,
        spec.description,
        table(["WAVE", "AFTER", "SERVERS", "PAUSES BEFORE"], rows)
    )
}
