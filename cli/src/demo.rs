//! `tidegate demo`: a whole drill on this machine, through the same API that
//! everyone uses.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use tidegate_gateway::{Config, DrsMode, Overrides};
use tidegate_proto::v1::{
    Execution, ExecutionKind, ExecutionState, ResumeRequest, ServerState, StartExecutionRequest,
};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use crate::{
    connect::{Gateway, fresh_request_id},
    emulator::{Running, World},
    failure::{Exit, Failure},
    logging::{self, LogFormat},
    plan,
    print::{Format, Printer},
    samples, serve,
    session::Session,
    signal, start, time,
    watch::{self, Screen, Show},
};

/// Three waves of about nine emulated minutes end within a minute.
const SPEED: f64 = 60.0;
/// How long a person has to resume before the demo does.
const COURTESY: Duration = Duration::from_secs(6);
/// Between two frames of the view.
const FRAME: Duration = Duration::from_millis(250);

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
        logging::begin(LogFormat::Text, "error");
        let world = World::built_in("shop", self.speed);
        let emulator = Running::inside(&world).await?;
        printer.note(&format!(
            "emulated DRS    http://{}  ({} emulated seconds a second)",
            emulator.address, self.speed
        ));
        let directory = Directory::new(self.data_dir.clone());
        let gateway = serve::start(self.config(&emulator, &directory)?).await?;
        let address = format!("http://{}", gateway.address());
        printer.note(&format!(
            "gateway         {address}\njournal         {}",
            directory.path.display()
        ));
        let session = Session {
            gateway: Gateway::plain(&address)?,
            printer,
        };
        let exit = drill(&session, self.speed).await;
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
            drs: Some(DrsMode::Endpoint {
                url: format!("http://{}", emulator.address),
            }),
            insecure: false,
            tls_cert: None,
            tls_key: None,
            tls_client_ca: None,
        };
        Config::load(None, overrides)
            .map_err(|error| Failure::Invalid(format!("the settings are not usable: {error}")))
    }
}

/// Applies the sample plan, starts a drill and follows it to its end.
async fn drill(session: &Session, speed: f64) -> Result<Exit, Failure> {
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
    let end = Following::new(session, &execution.id).run().await?;
    let Some(execution) = end else {
        return Ok(Exit::Detached);
    };
    let commands = session.gateway.commands();
    session
        .printer
        .note(&summary(&execution, began.elapsed(), speed));
    session.printer.note(&format!(
        "\nto try next\n  \
         tidegate demo --keep                  then, in another terminal:\n  \
         {}\n  {}\n  {}\n  tidegate serve --speed 60             a gateway of your own",
        commands.line("execution list"),
        commands.line(&format!("execution events {}", execution.id)),
        commands.line(&format!("execution cleanup {} --watch", execution.id)),
    ));
    Ok(Exit::of(execution.state()))
}

/// Follows the drill, and resumes it if nobody else does.
struct Following<'a> {
    session: &'a Session,
    id: &'a str,
    screen: Screen,
    /// When the demo resumes by itself.
    resume_at: Option<Instant>,
}

impl<'a> Following<'a> {
    fn new(session: &'a Session, id: &'a str) -> Self {
        let show = match Show::fitting(Format::Table) {
            Show::Live => Show::Live,
            Show::Lines | Show::Messages | Show::Nothing => Show::Lines,
        };
        Self {
            session,
            id,
            screen: Screen::new(show, session.printer, session.gateway.commands().clone()),
            resume_at: None,
        }
    }

    /// The execution at its end; `None` if Ctrl-C came first.
    async fn run(mut self) -> Result<Option<Execution>, Failure> {
        let mut heard = watch::follow(self.session.gateway.clone(), self.id, Some(0));
        let mut frames = interval(FRAME);
        frames.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let resume_at = self.resume_at;
            tokio::select! {
                message = heard.recv() => {
                    if self.screen.take(message)? {
                        self.screen.draw()?;
                        return Ok(Some(self.screen.execution().clone()));
                    }
                    self.notice_pause();
                }
                _ = frames.tick() => self.screen.draw()?,
                () = signal::stop() => return Ok(None),
                () = sleep_until(resume_at.unwrap_or_else(Instant::now)), if resume_at.is_some() => {
                    self.resume().await?;
                }
            }
        }
    }

    fn notice_pause(&mut self) {
        if !self.screen.is_paused() {
            self.resume_at = None;
        } else if self.resume_at.is_none() {
            self.resume_at = Some(Instant::now() + COURTESY);
            self.screen.note(&format!(
                "the plan pauses here for a person. Resume it from another terminal:\n  {}\n\
                 otherwise the demo does in {} seconds",
                self.session.gateway.commands().resume(self.id),
                COURTESY.as_secs()
            ));
        }
    }

    async fn resume(&mut self) -> Result<(), Failure> {
        self.resume_at = None;
        let request = ResumeRequest {
            execution: self.id.to_owned(),
            request_id: fresh_request_id(),
            comment: "nobody else did".to_owned(),
        };
        let answer = self
            .session
            .gateway
            .ask(async || {
                let mut executions = self.session.gateway.executions();
                executions.resume(request.clone()).await
            })
            .await;
        match answer {
            // A person was faster.
            Ok(_) | Err(Failure::Refused { .. }) => Ok(()),
            Err(failure) => Err(failure),
        }
    }
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
        match execution.state() {
            ExecutionState::Succeeded => "the drill SUCCEEDED".to_owned(),
            state => format!(
                "the drill ended {} {}",
                crate::names::execution_state(state),
                execution.state_detail
            ),
        },
        time::span(wall.mul_f64(speed)),
        time::span(wall),
        execution.revision
    )
}

/// Where the journal is; a temporary one goes when the demo does.
struct Directory {
    path: PathBuf,
    is_temporary: bool,
}

impl Directory {
    fn new(given: Option<PathBuf>) -> Self {
        match given {
            Some(path) => Self {
                path,
                is_temporary: false,
            },
            None => Self {
                path: std::env::temp_dir().join(format!("tidegate-demo-{}", fresh_request_id())),
                is_temporary: true,
            },
        }
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        if self.is_temporary {
            // What cannot be removed is in the directory for temporary files anyway.
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use tidegate_proto::v1::{Server, Wave};

    use super::*;

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

    #[test]
    fn a_temporary_directory_is_removed_and_a_given_one_is_not() {
        let temporary = Directory::new(None);
        let path = temporary.path.clone();
        std::fs::create_dir_all(&path).unwrap();
        drop(temporary);
        assert!(!path.exists());
        assert!(!Directory::new(Some(path)).is_temporary);
    }
}
