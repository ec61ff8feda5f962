//! `tidegate serve`: a gateway in this process, and an emulator beside it when
//! there is no AWS.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use clap::ValueEnum;
use tidegate_gateway::{Config, DrsMode, Gateway, Overrides, StartError};

use crate::{
    connect::ConnectArgs,
    emulator::{Running, World},
    failure::{Exit, Failure},
    logging,
    print::Printer,
    signal,
};

/// Any of these in the environment means that AWS is meant.
const AWS_SETTINGS: [&str; 5] = [
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_PROFILE",
    "AWS_ACCESS_KEY_ID",
    "AWS_ENDPOINT_URL_DRS",
];

/// The setting that says which DRS.
const DRS_SETTING: &str = "TIDEGATE__DRS__MODE";

/// Run a gateway.
///
/// Settings come from --config, then from the environment
/// (TIDEGATE__SECTION__KEY), then from these options. With --tls-cert and
/// --tls-key it speaks TLS.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Serve {
    /// Address to listen on; port 0 takes a free one [default: 127.0.0.1:7070].
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// Directory of the journal.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Settings file (TOML).
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Which DRS [default: what --config says; without it, aws if the
    /// environment has AWS settings, else emulator].
    #[arg(long, value_enum)]
    drs: Option<DrsChoice>,
    #[command(flatten)]
    world: World,
    /// Listen without TLS on an address that others can reach.
    #[arg(long)]
    insecure: bool,
    /// Certificates (PEM) that clients' certificates must come from.
    #[arg(long, value_name = "FILE")]
    tls_client_ca: Option<PathBuf>,
}

/// Which DRS a gateway calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum DrsChoice {
    /// One inside this process; nothing is launched anywhere.
    Emulator,
    /// The real one.
    Aws,
}

impl Serve {
    /// Serves until somebody stops it.
    pub(crate) async fn run(
        self,
        connect: &ConnectArgs,
        printer: Printer,
    ) -> Result<Exit, Failure> {
        let choice = self.choice(|name| std::env::var_os(name).is_some());
        // The address of an emulator is known once it runs.
        let mut config = self.config(choice.map(|_| DrsMode::Aws), connect)?;
        Gateway::exposure(&config).map_err(cannot_start)?;
        let emulator = match choice {
            Some(DrsChoice::Emulator) => Some(Running::inside(&self.world).await?),
            Some(DrsChoice::Aws) | None => None,
        };
        logging::begin(&config.log)?;
        if let Some(emulator) = &emulator {
            printer.note(&emulated(emulator, &self.world, self.drs.is_none()));
            config.drs.set_mode(emulator.as_drs());
            self.world.pace(&mut config);
        }
        let exit = serve(config, printer).await;
        if let Some(emulator) = emulator {
            emulator.stop().await;
        }
        exit
    }

    /// Which DRS is meant; `None` leaves it to the settings. `has` says
    /// whether the environment has a variable.
    fn choice(&self, has: impl Fn(&str) -> bool) -> Option<DrsChoice> {
        if self.drs.is_some() || self.config.is_some() || has(DRS_SETTING) {
            self.drs
        } else if AWS_SETTINGS.iter().any(|name| has(name)) {
            Some(DrsChoice::Aws)
        } else {
            Some(DrsChoice::Emulator)
        }
    }

    fn config(&self, drs: Option<DrsMode>, connect: &ConnectArgs) -> Result<Config, Failure> {
        let overrides = Overrides {
            listen: self.listen,
            data_dir: self.data_dir.clone(),
            drs,
            insecure: self.insecure,
            tls_cert: connect.tls_cert.clone(),
            tls_key: connect.tls_key.clone(),
            tls_client_ca: self.tls_client_ca.clone(),
        };
        load(self.config.as_deref(), overrides)
    }
}

/// Reads the settings of a gateway.
///
/// # Errors
/// They are not usable; the error says which.
pub(crate) fn load(file: Option<&Path>, overrides: Overrides) -> Result<Config, Failure> {
    Config::load(file, overrides).map_err(|error| Failure::Invalid(error.to_string()))
}

/// Says loudly that this is no recovery.
fn emulated(emulator: &Running, world: &World, by_default: bool) -> String {
    let why = if by_default {
        "\n  there are no AWS settings in the environment; --drs aws calls the real DRS"
    } else {
        ""
    };
    format!(
        "EMULATED DRS at http://{}: NOTHING IS LAUNCHED ANYWHERE, {} emulated seconds a \
         second{why}\n  \
         it ends with this gateway, and a drill under way loses its jobs; to try a restart, run \
         tidegate emulator beside and a gateway with --drs aws",
        emulator.address,
        world.speed()
    )
}

/// Serves with these settings until somebody stops it or it has to stop.
async fn serve(config: Config, printer: Printer) -> Result<Exit, Failure> {
    let scheme = if config.tls.cert.is_some() {
        "https"
    } else {
        "http"
    };
    signal::let_large_writes_fail().map_err(|error| {
        Failure::Other(format!(
            "cannot handle the signal of a file too large: {error}"
        ))
    })?;
    let gateway = start(config).await?;
    printer.note(&format!("listening on {scheme}://{}", gateway.address()));
    if let Some(address) = gateway.operations_address() {
        printer.note(&format!("metrics at http://{address}/metrics"));
    }
    let outcome = tokio::select! {
        () = signal::stop() => {
            printer.note("stopping; once more stops at once");
            Ok(Exit::Ok)
        }
        error = gateway.stopped() => {
            Err(Failure::Other(format!("the gateway had to stop: {error}")))
        }
    };
    tokio::select! {
        _ = gateway.shut_down() => outcome,
        () = signal::stop() => outcome,
    }
}

/// Starts a gateway in this process.
///
/// # Errors
/// It cannot start; the error says why.
pub(crate) async fn start(config: Config) -> Result<Gateway, Failure> {
    Gateway::start(config).await.map_err(cannot_start)
}

fn cannot_start(error: StartError) -> Failure {
    Failure::Other(format!("the gateway cannot start: {error}"))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        serve: Serve,
    }

    fn choice(line: &[&str], environment: &[&str]) -> Option<DrsChoice> {
        let line = Line::parse_from([&["serve"], line].concat());
        line.serve.choice(|name| environment.contains(&name))
    }

    #[test]
    fn without_aws_settings_it_is_the_emulator() {
        assert_eq!(choice(&[], &["PATH"]), Some(DrsChoice::Emulator));
        for name in AWS_SETTINGS {
            assert_eq!(choice(&[], &[name]), Some(DrsChoice::Aws), "{name}");
        }
    }

    #[test]
    fn what_is_said_counts_more_than_the_environment() {
        let emulator = choice(&["--drs", "emulator"], &["AWS_REGION"]);
        assert_eq!(emulator, Some(DrsChoice::Emulator));
        assert_eq!(choice(&["--drs", "aws"], &[]), Some(DrsChoice::Aws));
    }

    #[test]
    fn settings_of_a_gateway_are_not_overruled_by_a_guess() {
        assert_eq!(choice(&["--config", "a.toml"], &["AWS_REGION"]), None);
        assert_eq!(choice(&[], &[DRS_SETTING]), None);
        let emulator = choice(&["--config", "a.toml", "--drs", "emulator"], &[]);
        assert_eq!(emulator, Some(DrsChoice::Emulator));
    }
}
