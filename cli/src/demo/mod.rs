//! `tidegate demo`: a whole drill on this machine, through the same API that
//! everyone uses.

mod directory;
mod following;

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use directory::Directory;
use following::Following;

use tidegate_emulator::model::SourceServerId;
use tidegate_gateway::{Config, Overrides};
use tidegate_proto::v1::{Execution, ExecutionKind, ServerState, StartExecutionRequest};
use tokio::time::Instant;

use crate::{
    built_in,
    connect::{Gateway, fresh_request_id},
    emulator::{Running, World},
    failure::{self, Exit, Failure},
    hook, logging, plan,
    print::Printer,
    samples, serve,
    session::Session,
    signal, start, time,
};

/// Three waves of about nine emulated minutes end within a minute.
const SPEED: f64 = 60.0;

/// An application server whose health check fails until it is repaired.
const BROKEN: &str = "s-10000000000aa0003";

/// Run a whole drill on this machine, with an emulated DRS; about a minute.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Demo {
    /// Directory of the journal, kept afterwards [default: a temporary one].
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Address of the gateway; port 0 takes a free one.
    #[arg(long, value_name = "ADDR", default_value_t = SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))]
    listen: SocketAddr,
    /// Emulated seconds per real second.
    #[arg(long, value_name = "N", default_value_t = SPEED, value_parser = crate::emulator::speed)]
    speed: f64,
    /// Keep the gateway running afterwards, to try things out.
    #[arg(long)]
    keep: bool,
}

impl Demo {
    /// Runs the demo; exits 0 only if its drill SUCCEEDED.
    pub(crate) async fn run(self, printer: Printer) -> Result<Exit, Failure> {
        let broken = SourceServerId::parse(BROKEN).expect("the tests have read it");
        let world = World::built_in("shop", self.speed).with_unhealthy(broken);
        let emulator = Running::inside(&world).await?;
        printer.note(&format!(
            "emulated DRS    http://{}  ({} emulated seconds a second)",
            emulator.address, self.speed
        ));
        let directory = Directory::new(self.data_dir.clone());
        let mut config = self.config(&emulator, &directory)?;
        world.pace(&mut config);
        // Log lines would run into the view.
        "error".clone_into(&mut config.log.filter);
        logging::begin(&config.log)?;
        let gateway = serve::start(config).await?;
        let address = format!("http://{}", gateway.address());
        printer.note(&format!(
            "gateway         {address}\njournal         {}",
            directory.path.display()
        ));
        let session = Session {
            gateway: Gateway::plain(&address)?,
            printer,
        };
        let exit = drill(&session, &emulator, self.speed, self.keep).await;
        if self.keep && exit.is_ok() {
            printer.note(&format!("the gateway goes on at {address}; Ctrl-C ends it"));
            signal::stop().await;
        }
        let _ = gateway.shut_down().await;
        emulator.stop().await;
        exit
    }

    fn config(&self, emulator: &Running, directory: &Directory) -> Result<Config, Failure> {
        let overrides = Overrides {
            listen: Some(self.listen),
            data_dir: Some(directory.path.clone()),
            drs: Some(emulator.as_drs()),
            ..Overrides::default()
        };
        serve::load(None, overrides)
    }
}

/// Registers the hooks of the sample plan, applies it, starts a drill and
/// follows it to its end.
async fn drill(
    session: &Session,
    emulator: &Running,
    speed: f64,
    keep: bool,
) -> Result<Exit, Failure> {
    for built_in in [built_in::TCP_REACHABLE, built_in::HTTP_HEALTHY] {
        let hook = hook::register(session, &built_in.component()?).await?;
        session
            .printer
            .note(&format!("hook            {} {}", hook.name, hook.digest));
    }
    let written = samples::SHOP.read()?;
    let (plan, _) = plan::apply(session, &written, fresh_request_id()).await?;
    session.printer.note(&format!(
        "plan            {} revision {}, {} waves",
        plan.name,
        plan.revision,
        plan.spec.as_ref().map_or(0, |spec| spec.waves.len())
    ));
    let began = Instant::now();
    let request = StartExecutionRequest {
        plan: plan.name,
        plan_revision: plan.revision,
        kind: ExecutionKind::Drill.into(),
        request_id: fresh_request_id(),
    };
    let execution = start::start(session, request).await?;
    session
        .printer
        .note(&format!("drill           {}\n", execution.id));
    let end = Following::new(session, emulator, &execution.id)
        .run()
        .await?;
    let Some(execution) = end else {
        return Ok(Exit::Detached);
    };
    session
        .printer
        .note(&summary(&execution, began.elapsed(), speed));
    session.printer.note(&tips(session, &execution.id, keep));
    Ok(Exit::of(execution.state()))
}

/// What to try next, with the gateway of the demo if it stays.
fn tips(session: &Session, id: &str, keep: bool) -> String {
    let commands = session.gateway.commands();
    if keep {
        return format!(
            "\nto try next, in another terminal\n  {}\n  {}\n  {}\n  {}\n  {}",
            commands.line("execution list"),
            commands.line(&format!("execution events {id}")),
            commands.line(&format!("hook replay {id}")),
            commands.line(&format!("execution cleanup {id} --watch")),
            commands.line("drill start shop --watch"),
        );
    }
    "\nto try next\n  \
     tidegate demo --keep        the same, and the gateway stays to look around\n  \
     tidegate serve --speed 60   a gateway with an emulated DRS; then, elsewhere:\n  \
     tidegate plan apply FILE    a plan of your own (tidegate plan schema)\n  \
     tidegate drill start PLAN --watch"
        .to_owned()
}

/// What came of it, in a few lines.
fn summary(execution: &Execution, wall: Duration, speed: f64) -> String {
    let servers = execution.waves.iter().flat_map(|wave| &wave.servers);
    let (mut all, mut launched) = (0, 0);
    for server in servers {
        all += 1;
        launched += u32::from(server.state() == ServerState::Launched);
    }
    format!(
        "\n{}\n  servers launched   {launched} of {all}\n  \
         elapsed            {} of emulated time in {} of real time\n  \
         journal            {} revisions",
        failure::ended(&execution.id, execution.state(), &execution.state_detail),
        time::span(wall.mul_f64(speed)),
        time::span(wall),
        execution.revision
    )
}

#[cfg(test)]
mod tests {
    use tidegate_proto::v1::{ExecutionState, Server, Wave};

    use super::*;

    #[test]
    fn the_broken_server_is_one() {
        assert!(SourceServerId::parse(BROKEN).is_ok());
    }

    #[test]
    fn the_summary_counts_what_was_launched() {
        let mut launched = Server::default();
        launched.set_state(ServerState::Launched);
        let mut execution = Execution {
            waves: vec![Wave {
                servers: vec![launched, Server::default()],
                ..Wave::default()
            }],
            revision: 7,
            ..Execution::default()
        };
        execution.set_state(ExecutionState::Succeeded);
        let text = summary(&execution, Duration::from_secs(30), 60.0);
        assert!(text.contains("1 of 2"));
        assert!(text.contains("30m00s of emulated time in 30s"));
        assert!(text.contains("7 revisions"));
    }
}
