//! Configuration: embedded defaults, a file, the environment, flags.
//!
//! `defaults.toml` beside this file names and explains every setting; a key
//! that is not in it is refused.

mod cluster;
mod drain;
mod drs;
mod duration;
mod engine;
mod hooks;
mod journal;
mod limits;
mod listen;
mod log;
mod operations;
mod quotas;
mod sessions;
mod telemetry;
mod watch;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use figment::{
    Figment,
    providers::{Env, Format, Toml},
};
use serde::Deserialize;

pub use cluster::Cluster;
pub use drain::Drain;
pub use drs::{Drs, DrsMode, DrsModeError, DrsPollError};
pub use duration::HumanDuration;
pub use engine::Engine;
pub use hooks::Hooks;
pub use journal::{DynamoDb, Journal, JournalKind};
pub use limits::Limits;
pub use listen::{IncompleteTls, Listen, Tls};
pub use log::{Log, LogFormat};
pub use operations::Operations;
pub use quotas::{PlaceQuotas, Quotas};
pub use sessions::{Account, Sessions, SessionsError};
pub use telemetry::Telemetry;
pub use watch::Watch;

/// Every setting with its default, explained.
pub const DEFAULTS: &str = include_str!("defaults.toml");

/// Everything that a gateway is told.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where it serves.
    pub listen: Listen,
    /// Certificates.
    #[serde(default)]
    pub tls: Tls,
    /// Where it records.
    pub journal: Journal,
    /// Which DRS.
    pub drs: Drs,
    /// How it decides.
    pub engine: Engine,
    /// How hooks are compiled and what they may reach.
    pub hooks: Hooks,
    /// How streams behave.
    pub watch: Watch,
    /// What it refuses.
    pub limits: Limits,
    /// Several gateways on one journal.
    pub cluster: Cluster,
    /// How it ends.
    pub drain: Drain,
    /// What it logs.
    pub log: Log,
    /// Where those who run it look.
    pub operations: Operations,
    /// What it sends to a collector.
    pub telemetry: Telemetry,
}

/// What flags say; they win over everything else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// `listen.address`.
    pub listen: Option<SocketAddr>,
    /// `journal.data_dir`.
    pub data_dir: Option<PathBuf>,
    /// `drs.mode` and `drs.url`.
    pub drs: Option<DrsMode>,
    /// `listen.insecure`; false leaves it as it is.
    pub insecure: bool,
    /// `tls.cert`.
    pub tls_cert: Option<PathBuf>,
    /// `tls.key`.
    pub tls_key: Option<PathBuf>,
    /// `tls.client_ca`.
    pub tls_client_ca: Option<PathBuf>,
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {}: {source}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A key or a value is wrong; names its source.
    #[error("the configuration is wrong: {0}")]
    Value(#[from] Box<figment::Error>),
    /// TLS files are missing.
    #[error("the configuration is wrong: {0}")]
    Tls(#[from] IncompleteTls),
    /// Mode and URL do not fit together.
    #[error("the configuration is wrong: {0}")]
    Drs(#[from] DrsModeError),
    /// How DRS is followed contradicts itself.
    #[error("the configuration is wrong: {0}")]
    Poll(#[from] DrsPollError),
    /// No role could be assumed like that.
    #[error("the configuration is wrong: {0}")]
    Sessions(#[from] SessionsError),
}

impl Config {
    /// Reads the configuration from all its sources.
    ///
    /// # Errors
    /// The file cannot be read, or a setting is wrong, unknown or incomplete.
    pub fn load(file: Option<&Path>, overrides: Overrides) -> Result<Self, ConfigError> {
        let mut figment = Figment::from(Toml::string(DEFAULTS));
        if let Some(file) = file {
            // Figment takes a file that is not there for an empty one.
            std::fs::metadata(file).map_err(|source| ConfigError::File {
                file: file.to_owned(),
                source,
            })?;
            figment = figment.merge(Toml::file_exact(file));
        }
        let figment = figment.merge(Env::prefixed("TIDEGATE__").split("__"));
        let mut config: Self = figment.extract().map_err(Box::new)?;
        config.apply(overrides);
        config.tls.files()?;
        config.drs.mode()?;
        config.drs.poll()?;
        config.drs.look_by()?;
        config.drs.sessions()?;
        Ok(config)
    }

    fn apply(&mut self, overrides: Overrides) {
        let Overrides {
            listen,
            data_dir,
            drs,
            insecure,
            tls_cert,
            tls_key,
            tls_client_ca,
        } = overrides;
        if let Some(address) = listen {
            self.listen.address = address;
        }
        if let Some(data_dir) = data_dir {
            self.journal.data_dir = data_dir;
        }
        if let Some(mode) = drs {
            self.drs.set_mode(mode);
        }
        self.listen.insecure |= insecure;
        self.tls.cert = tls_cert.or(self.tls.cert.take());
        self.tls.key = tls_key.or(self.tls.key.take());
        self.tls.client_ca = tls_client_ca.or(self.tls.client_ca.take());
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use figment::Jail;

    use super::*;

    /// Runs where only this file and this environment are.
    fn loaded(
        file: &str,
        environment: &[(&str, &str)],
        overrides: Overrides,
    ) -> Result<Config, String> {
        let mut outcome = Err("not run".to_owned());
        #[expect(clippy::result_large_err, reason = "the type of figment's Jail")]
        let run = |jail: &mut Jail| {
            jail.create_file("tidegate.toml", file)?;
            for (key, value) in environment {
                jail.set_env(key, value);
            }
            let loaded = Config::load(Some(Path::new("tidegate.toml")), overrides);
            outcome = loaded.map_err(|error| error.to_string());
            Ok(())
        };
        Jail::expect_with(run);
        outcome
    }

    #[test]
    fn the_defaults_are_complete_and_serve_this_machine_only() {
        let config = loaded("", &[], Overrides::default()).unwrap();
        assert!(config.listen.address.ip().is_loopback());
        assert_eq!(
            config.watch.settings().bookmark_interval,
            Duration::from_secs(5)
        );
        assert_eq!(config.drs.mode(), Ok(DrsMode::Aws));
        assert_eq!(config.limits.plan(), tidegate_core::plan::Limits::default());
        assert_eq!(
            config.engine.settings(config.limits.servers_per_plan.get()),
            tidegate_core::engine::Settings::default()
        );
        let quotas = config.drs.quotas(config.engine.servers_per_job);
        let wanted = crate::driver::Quotas {
            from_aws: true,
            ..crate::driver::Quotas::default()
        };
        assert_eq!(quotas, wanted, "nothing of the operator's own");
    }

    #[test]
    fn a_place_has_quotas_of_its_own_where_it_says_so() {
        let file =
            "[[drs.quotas.places]]\naccount = \"123456789012\"\nregion = \"us-west-2\"\njobs = 5\n";
        let config = loaded(file, &[], Overrides::default()).unwrap();
        let quotas = config.drs.quotas(config.engine.servers_per_job);
        let place = crate::driver::Place {
            account: "123456789012".to_owned(),
            region: "us-west-2".to_owned(),
        };
        let limits = quotas.places[&place];
        assert_eq!((limits.jobs, limits.servers), (Some(5), None));
    }

    #[test]
    fn a_quota_that_is_written_is_the_operators_own_also_if_it_is_the_usual_one() {
        let file = "[drs.quotas]\njobs = 20\n\
                    [[drs.quotas.places]]\naccount = \"1\"\nregion = \"r\"\nservers = 9\n";
        let config = loaded(file, &[], Overrides::default()).unwrap();
        let quotas = config.drs.quotas(config.engine.servers_per_job);
        assert_eq!(quotas.everywhere.jobs, Some(20));
        let [place] = quotas.places.into_values().collect::<Vec<_>>()[..] else {
            panic!("one place is configured");
        };
        assert_eq!((place.jobs, place.servers), (Some(20), Some(9)));

        let environment = [("TIDEGATE__DRS__QUOTAS__SERVERS", "500")];
        let config = loaded("", &environment, Overrides::default()).unwrap();
        let quotas = config.drs.quotas(config.engine.servers_per_job);
        assert_eq!(quotas.everywhere.servers, Some(500));
    }

    #[test]
    fn only_aws_is_asked_for_quotas_and_only_if_it_may_be() {
        let asks = |file: &str, overrides: Overrides| {
            let config = loaded(file, &[], overrides).unwrap();
            config.drs.quotas(config.engine.servers_per_job).from_aws
        };
        assert!(asks("", Overrides::default()));
        let refused = "[drs.quotas]\nfrom_aws = false\n";
        assert!(!asks(refused, Overrides::default()));
        let url = "http://127.0.0.1:8081".to_owned();
        let emulator = Overrides {
            drs: Some(DrsMode::Endpoint { url }),
            ..Overrides::default()
        };
        assert!(!asks("", emulator));
    }

    #[test]
    fn flags_win_over_the_environment_and_that_over_the_file() {
        let file = "[listen]\naddress = \"127.0.0.1:1\"\n[journal]\ndata_dir = \"file\"\n";
        let environment = [
            ("TIDEGATE__LISTEN__ADDRESS", "127.0.0.1:2"),
            ("TIDEGATE__WATCH__BUFFER", "9"),
        ];
        let endpoint = DrsMode::Endpoint {
            url: "http://127.0.0.1:8081".to_owned(),
        };
        let overrides = Overrides {
            listen: Some("127.0.0.1:3".parse().unwrap()),
            drs: Some(endpoint.clone()),
            ..Overrides::default()
        };

        let config = loaded(file, &environment, overrides).unwrap();

        assert_eq!(config.listen.address.port(), 3);
        assert_eq!(config.watch.buffer.get(), 9);
        assert_eq!(config.journal.data_dir, PathBuf::from("file"));
        assert_eq!(config.drs.mode(), Ok(endpoint));
    }

    #[test]
    fn a_key_that_there_is_not_is_refused_wherever_it_comes_from() {
        let error = loaded("[watch]\nbufer = 3\n", &[], Overrides::default()).unwrap_err();
        assert!(
            error.contains("bufer") && error.contains("tidegate.toml"),
            "{error}"
        );
        let typo = [("TIDEGATE__WACTH__BUFFER", "3")];
        let error = loaded("", &typo, Overrides::default()).unwrap_err();
        assert!(error.contains("wacth"), "{error}");
    }

    #[test]
    fn a_wrong_value_is_named_with_its_place() {
        for (file, named) in [
            ("[drain]\ntimeout = \"soon\"\n", "drain.timeout"),
            ("[limits]\nrequests = 0\n", "limits.requests"),
            ("[cluster]\nlease = \"900ms\"\n", "cluster.lease"),
            ("[drs.quotas]\njobs = 0\n", "drs.quotas.jobs"),
            ("[journal]\nkind = \"sqlite\"\n", "journal.kind"),
            (
                "[journal.dynamodb]\nwrite_timeout = \"soon\"\n",
                "journal.dynamodb.write_timeout",
            ),
            ("[drs]\nmode = \"endpoint\"\n", "drs.url"),
            ("[drs]\nlook_by = []\n", "drs.look_by"),
            ("[drs]\nlook_by = [\"luck\"]\n", "luck"),
            (
                "[drs]\nlook_by = [\"tag\"]\ntag_jobs = false\n",
                "drs.tag_jobs",
            ),
            (
                "[drs]\npoll_interval_min = \"31s\"\n",
                "drs.poll_interval_max",
            ),
            ("[drs]\nreads_at_once = 0\n", "drs.reads_at_once"),
            ("[tls]\ncert = \"x.pem\"\n", "tls.key"),
            ("[operations]\nlisten = \"9464\"\n", "operations.listen"),
            ("[telemetry]\nqueued_spans = 0\n", "telemetry.queued_spans"),
        ] {
            let error = loaded(file, &[], Overrides::default()).unwrap_err();
            assert!(error.contains(named), "{error}");
        }
    }

    #[test]
    fn the_default_settings_are_those_of_the_driver() {
        let drs = loaded("", &[], Overrides::default()).unwrap().drs;
        let driver = crate::driver::DriverSettings::default();
        assert_eq!(drs.poll(), Ok(driver.poll));
        assert_eq!(drs.look_by(), Ok(driver.look_by));
        assert_eq!(drs.reads_at_once.get(), driver.reads_at_once);
        assert_eq!(drs.forgotten_after.get(), driver.forgotten_after);
        assert_eq!(drs.look_interval.get(), driver.look_interval);
        assert_eq!(drs.read_backoff_max.get(), driver.read_backoff_max);
    }

    #[test]
    fn a_fixed_interval_replaces_both_bounds() {
        let fixed = [("TIDEGATE__DRS__POLL_INTERVAL", "100ms")];
        let drs = loaded("", &fixed, Overrides::default()).unwrap().drs;
        let wanted = crate::driver::PollBounds::fixed(Duration::from_millis(100));
        assert_eq!(drs.poll(), Ok(wanted));
    }

    #[test]
    fn a_file_that_is_not_there_is_an_error() {
        let file = Path::new("/nowhere/tidegate.toml");
        let error = Config::load(Some(file), Overrides::default()).unwrap_err();
        assert!(error.to_string().contains("/nowhere/tidegate.toml"));
    }
}
