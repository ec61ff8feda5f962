//! One gateway after the other on the same data.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tempfile::TempDir;
use tidegate_tests::process::Process;
use tokio::sync::{Notify, watch};

use super::{dice::Dice, doors::Doors};

/// Longest wait for one answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long nothing may be heard before the system counts as stuck.
const SILENCE: Duration = Duration::from_secs(60);

/// Counts what clients and watchers hear, so that instants are chosen by what
/// happens and not by the clock.
#[derive(Debug, Default)]
pub(super) struct Pulse {
    count: AtomicUsize,
    beat: Notify,
    /// What each of them does now, for whoever finds them stuck.
    doing: Mutex<BTreeMap<String, String>>,
}

impl Pulse {
    pub(super) fn beat(&self) {
        self.count.fetch_add(1, Ordering::Relaxed);
        self.beat.notify_waiters();
    }

    /// Somebody does something now; nothing, if that is empty.
    pub(super) fn does(&self, who: &str, what: String) {
        let mut doing = self.doing.lock().expect("nobody panics in here");
        if what.is_empty() {
            doing.remove(who);
        } else {
            doing.insert(who.to_owned(), what);
        }
    }

    /// What everybody does, a line each.
    pub(super) fn doing(&self) -> String {
        let doing = self.doing.lock().expect("nobody panics in here");
        doing.iter().fold(String::new(), |mut lines, (who, what)| {
            let _ = writeln!(lines, "{who}: {what}");
            lines
        })
    }

    /// Waits until so many further things were heard.
    ///
    /// # Panics
    /// If nothing is heard for a long time.
    pub(super) async fn beats(&self, further: usize) {
        let wanted = self.count.load(Ordering::Relaxed) + further;
        loop {
            let beat = self.beat.notified();
            if self.count.load(Ordering::Relaxed) >= wanted {
                return;
            }
            let heard = tokio::time::timeout(SILENCE, beat).await;
            heard.expect("somebody hears something");
        }
    }
}

/// The gateway that runs now, and where clients find it.
pub(super) struct Gateways {
    running: Option<Process>,
    address: watch::Sender<Vec<String>>,
    storm: watch::Sender<bool>,
    drs: String,
    folder: TempDir,
}

impl Gateways {
    pub(super) async fn start(drs: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut gateways = Self {
            running: None,
            address: watch::Sender::new(Vec::new()),
            storm: watch::Sender::new(true),
            drs: drs.to_owned(),
            folder,
        };
        gateways.start_one().await;
        gateways
    }

    /// The way to the newest gateway.
    pub(super) fn doors(&self, dice: &mut Dice) -> Doors {
        Doors::new(self.address.subscribe(), dice, PATIENCE)
    }

    /// True as long as gateways are killed.
    pub(super) fn storm(&self) -> watch::Receiver<bool> {
        self.storm.subscribe()
    }

    pub(super) fn calm(&self) {
        self.storm.send_replace(false);
    }

    pub(super) async fn kill_and_start(&mut self) {
        if let Some(process) = self.running.take() {
            process.kill();
        }
        self.start_one().await;
    }

    async fn start_one(&mut self) {
        let data = self.folder.path().join("data").display().to_string();
        let drs = self.drs.clone();
        let process = tokio::task::spawn_blocking(move || serve(&data, &drs, &[])).await;
        let process = process.expect("the gateway starts");
        let address = vec![process.address().to_owned()];
        self.address.send_replace(address);
        self.running = Some(process);
    }
}

/// A gateway in front of this DRS, with these settings besides.
pub(super) fn serve(data: &str, drs: &str, besides: &[(&str, &str)]) -> Process {
    let listen = ["--listen", "127.0.0.1:0"];
    let serve = ["serve", "--drs", "aws", "--data-dir", data];
    let settings = [
        ("AWS_ENDPOINT_URL_DRS", drs),
        ("AWS_ACCESS_KEY_ID", "123456789012"),
        ("AWS_SECRET_ACCESS_KEY", "none"),
        ("AWS_REGION", "us-west-2"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("TIDEGATE__DRS__POLL_INTERVAL", "100ms"),
        ("TIDEGATE__DRS__LOOK_INTERVAL", "100ms"),
        ("TIDEGATE__DRS__READ_BACKOFF_MAX", "500ms"),
        ("TIDEGATE__DRS__CHANGE_TIMEOUT", "2s"),
        ("TIDEGATE__DRS__READ_TIMEOUT", "2s"),
        ("TIDEGATE__ENGINE__SETTLE_WINDOW", "3s"),
        ("TIDEGATE__ENGINE__DEFER_BACKOFF", "100ms"),
        ("TIDEGATE__ENGINE__DEFER_MAX", "500ms"),
    ];
    Process::start(
        &[&serve[..], &listen].concat(),
        &[&settings, besides].concat(),
    )
}
