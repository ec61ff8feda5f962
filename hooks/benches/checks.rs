//! What a check costs beside what wasmtime alone costs, how late one is
//! stopped, and what a component that is slow to compile takes of its limits:
//! `cargo bench -p tidegate-hooks --bench checks`.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench prints its figures, and panics where it cannot measure"
)]

#[expect(dead_code, reason = "shared with the tests, which use all of it")]
#[path = "../tests/hooks/guests.rs"]
mod guests;
#[expect(dead_code, reason = "shared with the tests, which use all of it")]
#[path = "../tests/hooks/hosts.rs"]
mod hosts;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tidegate_hooks::{CompileLimits, Compiler, Context, Hook, Host, Limits, Outcome, Server};
use tokio::runtime::Runtime;

use self::hosts::World;

mod bare {
    //! The least that wasmtime needs for the same: its own defaults, no fuel,
    //! no limits, no deadline.

    use wasmtime::{
        Config, Engine, Store,
        component::{Component, HasSelf, Linker},
    };

    use self::tidegate::hooks::{log, probe, types};

    wasmtime::component::bindgen!({
        path: "wit/v1",
        world: "gate",
        imports: { "tidegate:hooks/probe": async | trappable, default: trappable },
        exports: { default: async },
    });

    pub(super) struct Nobody;

    impl types::Host for Nobody {}

    impl probe::Host for Nobody {
        async fn tcp(
            &mut self,
            _: probe::Target,
            _: u32,
        ) -> wasmtime::Result<Result<probe::Connection, probe::Failure>> {
            Ok(Ok(probe::Connection { elapsed_ms: 3 }))
        }

        async fn http(
            &mut self,
            _: probe::Target,
            _: probe::Method,
            _: String,
            _: u32,
        ) -> wasmtime::Result<Result<probe::Response, probe::Failure>> {
            Err(wasmtime::Error::msg("not asked by these guests"))
        }
    }

    impl log::Host for Nobody {
        fn write(&mut self, _: log::Level, _: String) -> wasmtime::Result<()> {
            Ok(())
        }
    }

    pub(super) struct Bare {
        engine: Engine,
        gate: GatePre<Nobody>,
    }

    impl Bare {
        pub(super) fn new(component: &[u8]) -> Self {
            let mut config = Config::new();
            config.wasm_component_model(true);
            let engine = Engine::new(&config).unwrap();
            let mut linker = Linker::new(&engine);
            Gate::add_to_linker::<_, HasSelf<Nobody>>(&mut linker, |state| state).unwrap();
            let component = Component::from_binary(&engine, component).unwrap();
            let gate = GatePre::new(linker.instantiate_pre(&component).unwrap()).unwrap();
            Self { engine, gate }
        }

        pub(super) async fn check(&self, context: &tidegate_hooks::Context) {
            let context = lower(context);
            let mut store = Store::new(&self.engine, Nobody);
            let gate = self.gate.instantiate_async(&mut store).await.unwrap();
            let hook = gate.tidegate_hooks_hook();
            hook.call_check(&mut store, &context)
                .await
                .unwrap()
                .unwrap();
        }
    }

    fn lower(context: &tidegate_hooks::Context) -> types::Context {
        let entries = |entries: &tidegate_hooks::Entries| {
            let entry = |(name, value): (&String, &String)| types::Entry {
                name: name.clone(),
                value: value.clone(),
            };
            entries.iter().map(entry).collect::<Vec<_>>()
        };
        let server = |server: &tidegate_hooks::Server| types::Server {
            id: server.id.clone(),
            hostname: server.hostname.clone(),
            launch: types::Launch::Pending,
            tags: entries(&server.tags),
            facts: entries(&server.facts),
        };
        types::Context {
            plan: context.plan.clone(),
            execution: context.execution.clone(),
            wave: context.wave.clone(),
            phase: types::Phase::PreWave,
            mode: types::Mode::Drill,
            attempt: context.attempt,
            now: context.now.clone(),
            deadline: context.deadline.clone(),
            remaining_ms: context.remaining_ms,
            servers: context.servers.iter().map(server).collect(),
            upstream: Vec::new(),
            parameters: entries(&context.parameters),
            facts: entries(&context.facts),
            earlier: Vec::new(),
        }
    }
}

/// Asks one port and answers by it.
const GATE: &str = "(call $answer (call $probe (i32.const 5432) (i32.const 0)) (i32.const 1000))";

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let host = Arc::new({
        let _within = runtime.enter();
        hosts::host()
    });
    fresh(&runtime, &host);
    at_once(&runtime, &host);
    late(&runtime, &host);
    compiled(&runtime);
}

fn ten_servers() -> Context {
    let mut context = hosts::context();
    let server = context.servers[0].clone();
    context.servers = (0..10)
        .map(|number| Server {
            id: format!("s-1111111111111111{number}"),
            ..server.clone()
        })
        .collect();
    context
}

fn prepare(runtime: &Runtime, host: &Host, body: &str) -> (Vec<u8>, Hook) {
    let component = guests::check(body).component();
    let hook = runtime.block_on(hosts::prepare(host, "a guest", &component));
    (component, hook)
}

fn fresh(runtime: &Runtime, host: &Host) {
    println!("A fresh instance, one call, ten servers, one probe; one at a time:");
    let (component, hook) = prepare(runtime, host, GATE);
    let bare = bare::Bare::new(&component);
    let context = ten_servers();
    let limits = Limits::DEFAULT;
    for _ in 0..2 {
        let alone = runtime.block_on(times(5000, || bare.check(&context)));
        let ours = runtime.block_on(times(5000, async || {
            let tape = host.check(&hook, &limits, &context, &World::Connects).await;
            assert!(matches!(tape.outcome, Outcome::Report(_)));
        }));
        print("wasmtime alone", alone);
        print("Host::check", ours);
    }
}

fn at_once(runtime: &Runtime, host: &Arc<Host>) {
    let (_, hook) = prepare(runtime, host, GATE);
    let started = Instant::now();
    let tapes = runtime.block_on(async {
        let check = |_| {
            let (host, hook) = (Arc::clone(host), hook.clone());
            tokio::spawn(async move {
                let context = ten_servers();
                host.check(&hook, &Limits::DEFAULT, &context, &World::Connects)
                    .await
            })
        };
        futures::future::try_join_all((0..1000).map(check))
            .await
            .unwrap()
    });
    let took = started.elapsed();
    let missed = tapes
        .iter()
        .filter(|tape| matches!(tape.outcome, Outcome::Failure(_)))
        .count();
    println!("1,000 checks at once on two threads: {took:.1?}, {missed} missed their deadline");
}

fn late(runtime: &Runtime, host: &Arc<Host>) {
    println!("Stopped after a deadline of 20 ms, late by:");
    let busy = prepare(runtime, host, guests::FOREVER).1;
    let asleep = "(drop (call $probe (i32.const 1) (i32.const 0))) (call $proceed)";
    let asleep = prepare(runtime, host, asleep).1;
    print("a busy loop", runtime.block_on(overshoots(host, &busy)));
    let fill = "(loop $again
        (memory.fill (i32.const 131072) (i32.const 0) (i32.const 60000000)) (br $again))
        (unreachable)";
    let fill = guests::check(fill).pages(1000).component();
    let fill = runtime.block_on(hosts::prepare(host, "a guest", &fill));
    print(
        "a loop that fills 60 MB",
        runtime.block_on(overshoots(host, &fill)),
    );
    print(
        "a guest asleep",
        runtime.block_on(overshoots(host, &asleep)),
    );
    let company: Vec<_> = (0..2)
        .map(|_| {
            let (host, busy) = (Arc::clone(host), busy.clone());
            runtime.spawn(async move {
                loop {
                    overshoots(&host, &busy).await;
                }
            })
        })
        .collect();
    let found = runtime.block_on(overshoots(host, &asleep));
    print("a guest asleep beside two busy loops", found);
    for busy in company {
        busy.abort();
    }
}

fn compiled(runtime: &Runtime) {
    let limits = CompileLimits::DEFAULT;
    let (wall, memory) = (limits.wall, limits.memory >> 20);
    println!("Compiled under the real limits, {wall:?} and {memory} MiB:");
    let functions = "(func (result i32) (i32.const 1))".repeat(99_900);
    let module = format!("(module {functions})");
    let many = guests::burdened(&guests::proceeding(), &module, 1);
    let compiler = Compiler::new(env!("CARGO_BIN_EXE_tidegate-hook-compiler"));
    for (what, wall) in [
        ("100,000 functions in 1 MB", limits.wall),
        ("the same in a second", Duration::from_secs(1)),
    ] {
        let limits = CompileLimits { wall, ..limits };
        let started = Instant::now();
        let ended = runtime.block_on(compiler.clone().limits(limits).compile(&many));
        let took = started.elapsed();
        match ended {
            Ok(artifact) => println!("  {what}: {} bytes in {took:.1?}", artifact.len()),
            Err(error) => println!("  {what}: {error} (after {took:.1?})"),
        }
    }
}

async fn overshoots(host: &Arc<Host>, hook: &Hook) -> Vec<Duration> {
    let limits = Limits {
        wall: Duration::from_millis(20),
        ..Limits::CEILING
    };
    let mut found = Vec::new();
    for _ in 0..100 {
        let (host, hook) = (Arc::clone(host), hook.clone());
        let attempt = tokio::spawn(async move {
            let context = hosts::context();
            let started = Instant::now();
            let tape = host.check(&hook, &limits, &context, &World::Silent).await;
            assert!(matches!(tape.outcome, Outcome::Failure(_)));
            started.elapsed().saturating_sub(limits.wall)
        });
        found.push(attempt.await.unwrap());
    }
    found
}

async fn times<F: Future>(count: usize, mut run: impl FnMut() -> F) -> Vec<Duration> {
    let mut found = Vec::with_capacity(count);
    for _ in 0..count {
        let started = Instant::now();
        run().await;
        found.push(started.elapsed());
    }
    found
}

fn print(what: &str, mut found: Vec<Duration>) {
    found.sort();
    let at = |percent: usize| found[(found.len() - 1) * percent / 100];
    let (p50, p99, most) = (at(50), at(99), at(100));
    println!("  {what:<38} p50 {p50:>9.1?}  p99 {p99:>9.1?}  max {most:>9.1?}");
}
