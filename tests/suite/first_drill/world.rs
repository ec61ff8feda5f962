//! What is there before a newcomer begins: an account that DRS replicates to,
//! credentials, the programs, and nothing of Tidegate.

use std::{
    fs,
    os::unix::fs::symlink,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use serde_json::{Value, json};
use tempfile::TempDir;
use tidegate_gateway::adapters::journal_dynamodb::Settings;
use tidegate_tests::{
    control::control,
    dynamodb::DynamoDbLocal,
    process::{Process, binary},
};

use super::aws::AwsCli;
use crate::dynamodb::proxy::{self, Fate};

/// The account whose keys the reader has. Emulated accounts are their own key.
const CREDENTIALS: &str = "[default]\n\
    aws_access_key_id = 123456789012\n\
    aws_secret_access_key = emulator\n";

/// Emulated seconds a second.
const SPEED: &str = "600";

pub(super) struct World {
    pub(super) aws: AwsCli,
    emulator: Process,
    dynamodb: String,
    folder: TempDir,
    _local: Arc<DynamoDbLocal>,
}

impl World {
    pub(super) async fn begin() -> Self {
        let emulator = ["emulator", "--listen", "127.0.0.1:0", "--no-workloads"];
        let shop = ["--scenario", "shop", "--speed", SPEED];
        let emulator = Process::start(&[&emulator[..], &shop].concat(), &[]);
        let local = DynamoDbLocal::shared().await;
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["home/.aws", "programs", "scripts", "machine"] {
            fs::create_dir_all(folder.path().join(name)).expect("a folder");
        }
        let credentials = folder.path().join("home/.aws/credentials");
        fs::write(credentials, CREDENTIALS).expect("a file");
        let programs = folder.path().join("programs");
        symlink(binary(), programs.join("tidegate")).expect("a link");
        Self {
            aws: AwsCli::install(&programs, folder.path().join("calls")),
            emulator,
            dynamodb: with_backups(&local).await,
            folder,
            _local: local,
        }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Of every terminal. Where AWS is, and how often jobs that last a second
    /// are looked at, is all that a reader's environment has not; and ports
    /// are free ones, so that nothing else that runs here is in the way.
    pub(super) fn environment(&self) -> Vec<(String, String)> {
        let emulator = self.emulator.address();
        let programs = self.path("programs").display().to_string();
        let home = self.path("home").display().to_string();
        let path = format!("{programs}:/usr/local/bin:/usr/bin:/bin");
        let variables = [
            ("HOME", home.as_str()),
            ("PATH", &path),
            ("LANG", "C.UTF-8"),
            ("AWS_ENDPOINT_URL_DRS", emulator),
            ("AWS_ENDPOINT_URL_STS", emulator),
            ("AWS_ENDPOINT_URL_IAM", emulator),
            ("AWS_ENDPOINT_URL_DYNAMODB", &self.dynamodb),
            ("AWS_EC2_METADATA_DISABLED", "true"),
            ("TIDEGATE__LISTEN__ADDRESS", "127.0.0.1:0"),
            ("TIDEGATE__DRS__POLL_INTERVAL", "100ms"),
        ];
        let owned = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        owned.into_iter().chain([self.aws.variable()]).collect()
    }

    /// From now on a role is assumed with this external id only.
    pub(super) fn trust(&self, role: &str, external_id: &str) {
        let faults = json!({"service": {"externalIds": {role: external_id}}});
        let _ = self.control("PUT", "faults", &faults.to_string());
    }

    /// How often the emulator was asked for an operation.
    pub(super) fn calls(&self, operation: &str) -> u64 {
        let state = self.control("GET", "state", "");
        state["calls"][operation].as_u64().unwrap_or(0)
    }

    /// The servers that were launched, in order.
    pub(super) fn launched(&self) -> Vec<String> {
        let launches = self.control("GET", "launches", "");
        let launches = launches["launches"].as_array().expect("a list");
        let server = |launch: &Value| {
            assert_eq!(launch["isDrill"], true);
            launch["sourceServerID"].as_str().expect("an id").to_owned()
        };
        launches.iter().map(server).collect()
    }

    fn control(&self, method: &str, path: &str, body: &str) -> Value {
        control(self.emulator.address(), method, path, body)
    }
}

/// A way to DynamoDB Local on which it has point-in-time recovery, too, which
/// AWS has and it has not.
async fn with_backups(local: &DynamoDbLocal) -> String {
    let is_on = AtomicBool::new(false);
    let direct = Settings {
        endpoint: Some(local.endpoint()),
        ..Settings::new("tidegate")
    };
    let way = proxy::before(direct, move |call| {
        match call.operation.as_str() {
            "UpdateContinuousBackups" => is_on.store(true, Ordering::SeqCst),
            "DescribeContinuousBackups" => {}
            _ => return Fate::Answered,
        }
        let status = if is_on.load(Ordering::SeqCst) {
            "ENABLED"
        } else {
            "DISABLED"
        };
        let said = json!({"ContinuousBackupsDescription": {
            "ContinuousBackupsStatus": "ENABLED",
            "PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": status},
        }});
        Fate::Instead(said.to_string())
    });
    way.await.endpoint.expect("a way")
}
