//! `tidegate emulator`, and the emulator inside `serve` and `demo`.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use tidegate_emulator::{
    Emulator, EmulatorClock, Scenario, Settings, free_loopback,
    model::{Health, SourceServerId},
};
use tidegate_gateway::{
    Config, DrsMode,
    serving::{AddressError, Exposure, check_address},
};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

use crate::{
    failure::{Exit, Failure},
    print::Printer,
    signal,
};

/// Where the emulator listens unless it is told otherwise.
const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 7071);

/// However fast the emulated time passes, jobs are not looked at more often.
const SHORTEST_POLL: Duration = Duration::from_millis(200);

/// Run a DRS on this machine that any AWS SDK can talk to.
///
/// Nothing is launched anywhere, and everything is gone when it ends. Its time
/// passes as fast as --speed says.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct EmulatorVerb {
    /// Address to listen on; port 0 takes a free one.
    #[arg(long, value_name = "ADDR", default_value_t = DEFAULT_LISTEN)]
    listen: SocketAddr,
    /// Listen on an address that others can reach: it asks nobody who they are.
    #[arg(long)]
    insecure: bool,
    #[command(flatten)]
    world: World,
}

/// What is emulated, and how fast.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct World {
    /// Emulated seconds per real second.
    #[arg(long, value_name = "N", default_value_t = 1.0, value_parser = speed)]
    speed: f64,
    /// What the emulator begins with: a built-in scenario or a file.
    #[arg(long, value_name = "NAME|FILE", default_value = Scenario::names()[0])]
    scenario: String,
    /// Do not let the servers that are launched listen. Otherwise each has a
    /// loopback address on which its workload answers, so that hooks have
    /// something to check.
    #[arg(long)]
    no_workloads: bool,
    /// A source server whose workload is unhealthy until it is told otherwise
    /// (POST /_emulator/workloads/ID); may be repeated.
    #[arg(long, value_name = "ID", value_parser = server_id)]
    unhealthy: Vec<SourceServerId>,
}

fn server_id(text: &str) -> Result<SourceServerId, String> {
    SourceServerId::parse(text)
        .map_err(|_| "a source server's id is \"s-\" and 17 hexadecimal digits".to_owned())
}

/// Reads a speed.
///
/// # Errors
/// It is not one; the text says what is.
pub(crate) fn speed(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(speed) if speed > 0.0 && speed <= 100_000.0 => Ok(speed),
        Ok(_) | Err(_) => Err("a speed is a number above 0 and at most 100000".to_owned()),
    }
}

impl EmulatorVerb {
    /// Runs the emulator until somebody stops it.
    pub(crate) async fn run(self, printer: Printer) -> Result<Exit, Failure> {
        let exposure = self.exposure()?;
        let running = Running::start(self.listen, &self.world).await?;
        let address = running.address;
        if exposure == Exposure::Anybody {
            printer.note(&format!(
                "INSECURE: anybody who reaches {address} can do whatever its clients can"
            ));
        }
        printer.note(&self.world.introduced(address));
        // The last word, as of a gateway: who waits for it has heard the rest.
        printer.note(&format!("listening on http://{address}"));
        signal::stop().await;
        running.stop().await;
        Ok(Exit::Ok)
    }

    /// Refuses to be open to others by mistake.
    fn exposure(&self) -> Result<Exposure, Failure> {
        check_address(self.listen, false, self.insecure).map_err(|AddressError { address }| {
            Failure::Other(format!(
                "{address} is reachable from other machines, and the emulator asks nobody who \
                 they are; --listen on 127.0.0.1, or say --insecure if something else protects it"
            ))
        })
    }
}

impl World {
    /// A built-in scenario at a speed.
    pub(crate) fn built_in(scenario: &str, speed: f64) -> Self {
        Self {
            speed,
            scenario: scenario.to_owned(),
            no_workloads: false,
            unhealthy: Vec::new(),
        }
    }

    /// The same, with the workload of one server unhealthy until it is told
    /// otherwise.
    pub(crate) fn with_unhealthy(mut self, server: SourceServerId) -> Self {
        self.unhealthy.push(server);
        self
    }

    /// Emulated seconds per real second.
    pub(crate) fn speed(&self) -> f64 {
        self.speed
    }

    /// How to use it where it listens.
    fn introduced(&self, address: SocketAddr) -> String {
        let mut text = format!(
            "scenario {}, {} emulated seconds a second\n  \
             point an AWS SDK at it: AWS_ENDPOINT_URL_DRS=http://{address} (for roles also \
             AWS_ENDPOINT_URL_STS and AWS_ENDPOINT_URL_IAM), the account's 12 digits as the access \
             key id, any secret",
            self.scenario, self.speed
        );
        if !self.no_workloads {
            text += "\n  its servers listen on loopback addresses of this machine, which a \
                     gateway's hooks may probe only with hooks.allow_loopback = true \
                     (TIDEGATE__HOOKS__ALLOW_LOOPBACK=true)";
        }
        text
    }

    /// Makes a gateway look at this world's jobs as often as it would look at
    /// real ones, counted in emulated time.
    ///
    /// Its servers are on this machine, so that hooks may reach them there.
    pub(crate) fn pace(&self, config: &mut Config) {
        config.hooks.allow_loopback |= !self.no_workloads;
        let drs = &mut config.drs;
        let intervals = [
            &mut drs.poll_interval_min,
            &mut drs.poll_interval_max,
            &mut drs.look_interval,
        ];
        for interval in intervals.into_iter().chain(&mut drs.poll_interval) {
            let scaled = interval.get().div_f64(self.speed.max(1.0));
            *interval = scaled.max(SHORTEST_POLL).into();
        }
    }

    fn load(&self) -> Result<Scenario, Failure> {
        let mut scenario = self.named()?;
        for server in &self.unhealthy {
            scenario = scenario
                .unhealthy_until_told(server)
                .map_err(|error| Failure::Invalid(error.to_string()))?;
        }
        if self.no_workloads {
            return Ok(scenario);
        }
        let loopback = free_loopback().map_err(cannot_listen)?;
        Ok(scenario.listening_on(loopback))
    }

    fn named(&self) -> Result<Scenario, Failure> {
        if let Some(scenario) = Scenario::built_in(&self.scenario) {
            return Ok(scenario);
        }
        if !self.scenario.contains(['.', '/']) {
            return Err(Failure::Invalid(format!(
                "there is no scenario {:?}; built in are {}; or give a file",
                self.scenario,
                Scenario::names().join(", ")
            )));
        }
        Scenario::from_file(&self.scenario)
            .map_err(|error| Failure::Invalid(format!("{}: {error}", self.scenario)))
    }
}

/// An emulator in this process, reached over HTTP like any other DRS.
#[derive(Debug)]
pub(crate) struct Running {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    emulator: Emulator,
    stop: oneshot::Sender<()>,
    task: JoinHandle<std::io::Result<()>>,
}

impl Running {
    /// Starts it.
    ///
    /// # Errors
    /// The scenario or the address is not usable.
    pub(crate) async fn start(listen: SocketAddr, world: &World) -> Result<Self, Failure> {
        let emulator = Emulator::new(Settings {
            scenario: world.load()?,
            clock: EmulatorClock::Scaled { speed: world.speed },
        });
        emulator.can_listen().map_err(cannot_listen)?;
        let cannot =
            |error| Failure::Other(format!("the emulator cannot listen on {listen}: {error}"));
        let listener = TcpListener::bind(listen).await.map_err(cannot)?;
        let address = listener.local_addr().map_err(cannot)?;
        let (stop, stopped) = oneshot::channel();
        let serving = tidegate_emulator::serve(listener, emulator.clone(), until(stopped));
        let task = tokio::spawn(serving);
        Ok(Self {
            address,
            emulator,
            stop,
            task,
        })
    }

    /// Starts it on a free loopback port.
    ///
    /// # Errors
    /// The scenario is not usable.
    pub(crate) async fn inside(world: &World) -> Result<Self, Failure> {
        Self::start((Ipv4Addr::LOCALHOST, 0).into(), world).await
    }

    /// As a gateway is told of it.
    pub(crate) fn as_drs(&self) -> DrsMode {
        DrsMode::Endpoint {
            url: format!("http://{}", self.address),
        }
    }

    /// Makes a server's workload healthy.
    ///
    /// # Errors
    /// It has none.
    pub(crate) async fn repair(&self, server: &SourceServerId) -> Result<(), Failure> {
        let emulator = &self.emulator;
        emulator
            .with_model(|model, _| model.tell_workload(server, Health::Healthy))
            .map_err(|error| Failure::Other(error.to_string()))?;
        emulator.settled().await;
        Ok(())
    }

    /// Stops it; open requests do not hold this up.
    pub(crate) async fn stop(self) {
        let _ = self.stop.send(());
        let patience = Duration::from_secs(1);
        let _ = tokio::time::timeout(patience, self.task).await;
    }
}

fn cannot_listen(error: std::io::Error) -> Failure {
    Failure::Other(format!(
        "the emulated servers cannot listen on this machine: {error}; --no-workloads does without"
    ))
}

async fn until(stopped: oneshot::Receiver<()>) {
    let _ = stopped.await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_speed_is_positive_and_finite() {
        assert_eq!(speed("60"), Ok(60.0));
        for text in ["0", "-1", "nan", "inf", "fast"] {
            assert!(speed(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_unknown_scenario_names_the_built_in_ones() {
        let failure = World::built_in("shopp", 1.0).load().unwrap_err();
        assert!(failure.to_string().contains("shop"));
        assert!(World::built_in("shop", 1.0).load().is_ok());
    }

    #[test]
    fn others_are_served_only_if_that_is_said() {
        let verb = |listen: &str, insecure| EmulatorVerb {
            listen: listen.parse().unwrap(),
            insecure,
            world: World::built_in("shop", 1.0),
        };
        for own in ["127.0.0.1:0", "127.8.8.8:1", "[::1]:1"] {
            assert!(verb(own, false).exposure().is_ok(), "{own}");
        }
        for other in ["0.0.0.0:7071", "[::]:0", "10.0.0.7:1"] {
            let refused = verb(other, false).exposure().unwrap_err();
            assert!(refused.to_string().contains(other), "{refused}");
            assert!(refused.to_string().contains("--insecure"), "{refused}");
            assert!(verb(other, true).exposure().is_ok(), "{other}");
        }
    }

    #[test]
    fn the_setting_without_which_no_check_passes_is_named() {
        let address = DEFAULT_LISTEN;
        let mut world = World::built_in("shop", 1.0);
        let setting = "TIDEGATE__HOOKS__ALLOW_LOOPBACK=true";
        assert!(world.introduced(address).contains(setting));
        world.no_workloads = true;
        assert!(!world.introduced(address).contains(setting));
    }

    #[tokio::test]
    async fn it_listens_and_stops() {
        let running = Running::inside(&World::built_in("shop", 60.0))
            .await
            .unwrap();
        assert_ne!(running.address.port(), 0);
        running.stop().await;
    }
}
