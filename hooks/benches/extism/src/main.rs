//! A fresh check of `hooks/examples/tcp-reachable` beside a fresh call of the
//! same check as an Extism plugin, in turns in one run: `cargo run --release`
//! in this folder.
//!
//! Ours is [`Host::check`] as a gateway calls it: fuel, deadline, limits and
//! tape. Extism's is a new plugin of a compiled module and one call, without
//! and with the limits that it offers.

use std::{
    env, fs,
    path::Path,
    process::{Command, ExitCode},
    time::{Duration, Instant},
};

use extism::{
    CompiledPlugin, CurrentPlugin, Error, Manifest, PTR, Plugin, PluginBuilder, UserData, Val, Wasm,
};
use futures::future::BoxFuture;
use tidegate_hooks::{
    Answer, Compiler, Context, Entries, Hook, Host, Launch, Limits, Mode, Outcome, PROJECT_FILE,
    Phase, Probe, Probes, Project, Server, Verdict, compile_child, encode,
};
use tokio::runtime::Runtime;

/// Checks of each kind in a round.
const CHECKS: usize = 3_000;

/// Rounds. The first also warms up, so the last is the one to quote.
const ROUNDS: usize = 3;

/// The argument with which this program is the compiler's process.
const COMPILE: &str = "compile";

fn main() -> ExitCode {
    if env::args().nth(1).as_deref() == Some(COMPILE) {
        return compile_child();
    }
    let runtime = Runtime::new().expect("a runtime");
    let ours = Ours::new(&runtime);
    let plain = compiled(false);
    let limited = compiled(true);
    let context = ten_servers();
    for round in 1..=ROUNDS {
        println!("Round {round}: a fresh instance, one call, ten servers, ten probes");
        let check = print("Host::check", times(|| ours.check(&runtime, &context)));
        let plugin = print("Extism", times(|| call(&plain, &context)));
        print("Extism, limited", times(|| call(&limited, &context)));
        println!("  Extism takes {:.2} times as long", plugin / check);
    }
    ExitCode::SUCCESS
}

/// The wave that both are asked about.
fn ten_servers() -> Context {
    let server = |number| Server {
        id: format!("s-1111111111111111{number}"),
        hostname: format!("db-{number}"),
        launch: Launch::Launched(format!("i-2222222222222222{number}")),
        tags: Entries::from([("tier".to_owned(), "db".to_owned())]),
        facts: Entries::from([("wave".to_owned(), "database".to_owned())]),
    };
    Context {
        plan: "shop".to_owned(),
        execution: "01JD".to_owned(),
        wave: "database".to_owned(),
        phase: Phase::PostWave,
        mode: Mode::Drill,
        attempt: 1,
        now: "2026-11-22T10:00:00Z".to_owned(),
        deadline: "2026-11-22T10:00:10Z".to_owned(),
        remaining_ms: 10_000,
        servers: (0..10).map(server).collect(),
        upstream: Vec::new(),
        parameters: Entries::from([("port".to_owned(), "5432".to_owned())]),
        facts: Entries::new(),
        earlier: Vec::new(),
    }
}

/// A world in which every port is open.
struct Open;

impl Probes for Open {
    fn probe<'a>(&'a self, _: &'a Probe) -> BoxFuture<'a, Answer> {
        Box::pin(std::future::ready(Answer::Connected { elapsed_ms: 3 }))
    }
}

struct Ours {
    host: Host,
    hook: Hook,
}

impl Ours {
    fn new(runtime: &Runtime) -> Self {
        let me = env::current_exe().expect("this program has a path");
        let _within = runtime.enter();
        let host = Host::new(Compiler::new(me).arguments([COMPILE]), None);
        let host = host.expect("the engine runs here");
        let folder = here().join("../../examples");
        let project = fs::read_to_string(folder.join("tcp-reachable").join(PROJECT_FILE));
        let project = Project::parse(&project.expect("it is there")).expect("it is right");
        let module = built(&folder, "tcp-reachable", "tcp_reachable");
        let component = encode(&module, &project.hook).expect("it speaks the contract");
        println!("The hook has {} bytes", component.len());
        let hook = runtime.block_on(host.prepare(&component));
        let hook = hook.expect("it compiles");
        Self { host, hook }
    }

    fn check(&self, runtime: &Runtime, context: &Context) {
        let check = self
            .host
            .check(&self.hook, &Limits::DEFAULT, context, &Open);
        match runtime.block_on(check).outcome {
            Outcome::Report(report) => assert_eq!(report.verdict, Verdict::Proceed),
            Outcome::Failure(failure) => panic!("{failure}"),
        }
    }
}

/// The plugin, compiled. Limited, it has the memory and the time that a hook
/// has; Extism then watches a deadline in a thread.
fn compiled(limited: bool) -> CompiledPlugin {
    let module = built(here(), "tcp-reachable-extism", "tcp_reachable_extism");
    println!("The plugin has {} bytes", module.len());
    let mut manifest = Manifest::new([Wasm::data(module)]);
    let mut fuel = None;
    if limited {
        manifest = manifest
            .with_memory_max(1_024)
            .with_timeout(Limits::DEFAULT.wall);
        fuel = Some(Limits::DEFAULT.fuel);
    }
    let mut builder = PluginBuilder::new(manifest)
        .with_cache_disabled()
        .with_function("tcp", [PTR], [PTR], UserData::new(()), tcp);
    if let Some(fuel) = fuel {
        builder = builder.with_fuel_limit(fuel);
    }
    builder.compile().expect("it compiles")
}

fn tcp(
    plugin: &mut CurrentPlugin,
    inputs: &[Val],
    outputs: &mut [Val],
    _: UserData<()>,
) -> Result<(), Error> {
    let _target: String = plugin.memory_get_val(&inputs[0])?;
    let answer = plugin.memory_new("3")?;
    outputs[0] = plugin.memory_to_val(answer);
    Ok(())
}

fn call(compiled: &CompiledPlugin, context: &Context) {
    let context = serde_json::to_string(context).expect("it can be written");
    let mut plugin = Plugin::new_from_compiled(compiled).expect("it can be instantiated");
    let report: String = plugin.call("check", context).expect("it answers");
    let report: serde_json::Value = serde_json::from_str(&report).expect("it is JSON");
    assert_eq!(report["verdict"], "proceed");
    assert_eq!(report["findings"].as_array().map(Vec::len), Some(10));
}

/// A package of a folder's workspace as a WebAssembly module.
fn built(folder: &Path, package: &str, library: &str) -> Vec<u8> {
    let target = here().join("target/guests");
    let built = Command::new(env!("CARGO"))
        .args(["build", "--release", "--locked", "--package", package])
        .args(["--target", "wasm32-unknown-unknown", "--target-dir"])
        .arg(&target)
        .current_dir(folder)
        .status();
    assert!(built.expect("cargo runs").success(), "{package}");
    let module = target.join(format!("wasm32-unknown-unknown/release/{library}.wasm"));
    fs::read(&module).unwrap_or_else(|error| panic!("{}: {error}", module.display()))
}

fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn times(mut run: impl FnMut()) -> Vec<Duration> {
    let mut found: Vec<Duration> = (0..CHECKS)
        .map(|_| {
            let started = Instant::now();
            run();
            started.elapsed()
        })
        .collect();
    found.sort_unstable();
    found
}

/// Prints p50 and p99, and gives the seconds of the former.
fn print(what: &str, sorted: Vec<Duration>) -> f64 {
    let at = |percent: usize| sorted[(sorted.len() - 1) * percent / 100];
    let (p50, p99) = (at(50), at(99));
    println!("  {what:<16} p50 {p50:>9.1?}  p99 {p99:>9.1?}");
    p50.as_secs_f64()
}
