//! The compiler's process: what it makes, and that nothing it is fed takes
//! more than it may have.

use std::{fs::File, io::Read as _, path::Path, process::Command, sync::LazyLock, time::Duration};

use futures::future::join_all;
use tidegate_hooks::{CompileError, CompileLimits, Compiler, Manifest, attach, inspect};

use crate::guests;

/// Nothing here takes that long unless it hangs.
const HANGS: Duration = Duration::from_secs(120);

/// The real limits but for time: the compiler that cargo builds for tests is
/// not optimised, and the machine may be busy. The bench has the time.
const PATIENT: CompileLimits = CompileLimits {
    wall: Duration::from_secs(600),
    ..CompileLimits::DEFAULT
};

fn compiler() -> Compiler {
    Compiler::new(env!("CARGO_BIN_EXE_tidegate-hook-compiler"))
}

fn shell(script: &str) -> Compiler {
    Compiler::new("/bin/sh").arguments(["-c", script])
}

/// A hook of a megabyte that takes a compiler many seconds and hundreds of
/// megabytes. Nothing about it is wrong.
static BOMB: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let functions = "(func (result i32) (i32.const 1))".repeat(90_000);
    let module = format!("(module {functions})");
    let bomb = guests::burdened(&guests::proceeding(), &module, 1);
    inspect(&bomb).expect("inspection has nothing against it");
    bomb
});

/// A hook of seven megabytes that a compiler needs gigabytes for: one function,
/// in which each three bytes are a loop and each loop gets blocks and checks.
static GIANT: LazyLock<Vec<u8>> = LazyLock::new(|| {
    use wasm_encoder::{CodeSection, Function, FunctionSection, Instruction, Module, TypeSection};

    let mut types = TypeSection::new();
    types.ty().function([], []);
    let mut functions = FunctionSection::new();
    functions.function(0);
    let mut function = Function::new([]);
    function.raw(std::iter::repeat_n([0x03, 0x40, 0x0b], 2_400_000).flatten());
    function.instruction(&Instruction::End);
    let mut code = CodeSection::new();
    code.function(&function);
    let mut module = Module::new();
    module.section(&types).section(&functions).section(&code);
    let giant = guests::burdened_by(&guests::proceeding(), &module.finish(), 1);
    inspect(&giant).expect("inspection has nothing against it");
    giant
});

#[tokio::test]
async fn a_component_becomes_an_artifact() {
    let artifact = compiler().compile(&guests::proceeding()).await;
    let artifact = artifact.expect("it compiles");
    assert!(matches!(
        wasmtime::Engine::detect_precompiled(&artifact),
        Some(wasmtime::Precompiled::Component)
    ));
}

#[tokio::test]
async fn compiling_twice_gives_the_same_bytes() {
    let component = guests::proceeding();
    let first = compiler().compile(&component).await.expect("it compiles");
    let second = compiler().compile(&component).await.expect("it compiles");
    assert!(first == second);
}

#[tokio::test]
async fn what_does_not_compile_is_refused_with_the_compilers_reason() {
    for bytes in [
        &b""[..],
        b"(component)",
        b"\0asm\x01\0\0\0",
        b"\0asm\x0d\0\x01\0\xff",
    ] {
        let error = compiler().compile(bytes).await.expect_err("it is none");
        assert!(
            matches!(&error, CompileError::Refused(reason) if !reason.is_empty()),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_bomb_is_stopped_by_the_clock() {
    let limits = CompileLimits {
        wall: Duration::from_millis(500),
        ..CompileLimits::DEFAULT
    };
    let started = std::time::Instant::now();
    let error = compiler().limits(limits).compile(&BOMB).await;
    let error = error.expect_err("it takes longer");
    assert!(
        matches!(error, CompileError::TooLong { after } if after == limits.wall),
        "{error}"
    );
    assert!(started.elapsed() < HANGS);
}

#[tokio::test]
async fn a_bomb_is_stopped_by_its_memory() {
    // From where nothing works to where the compiler nearly gets through.
    for mib in [1, 2, 4, 8, 16, 32, 64, 128] {
        let limits = CompileLimits {
            memory: mib << 20,
            ..PATIENT
        };
        let error = compiler().limits(limits).compile(&BOMB).await;
        let error = error.expect_err("it needs more");
        assert!(
            matches!(error, CompileError::TooMuchMemory { most } if most == mib << 20),
            "{mib} MiB: {error}"
        );
    }
}

#[tokio::test]
async fn a_megabyte_of_functions_compiles_within_a_gigabyte() {
    let artifact = compiler().limits(PATIENT).compile(&BOMB).await;
    let bytes = artifact.expect("it has the memory that it needs").len();
    assert!(bytes < CompileLimits::DEFAULT.artifact / 8, "{bytes}");
}

#[tokio::test]
async fn what_needs_more_than_a_gigabyte_is_stopped_by_its_memory() {
    let error = compiler().limits(PATIENT).compile(&GIANT).await;
    let error = error.expect_err("it needs more");
    assert!(
        matches!(error, CompileError::TooMuchMemory { most } if most == 1 << 30),
        "{error}"
    );
    assert!(error.to_string().contains("1024 MiB of memory"), "{error}");
}

#[tokio::test]
async fn a_child_that_nobody_stops_stops_itself() {
    let seconds = "ulimit -t 1; while :; do :; done";
    let error = shell(seconds)
        .compile(b"")
        .await
        .expect_err("it has no end");
    // The shell has one limit, which kills; ours gives notice first.
    assert!(
        matches!(
            error,
            CompileError::TooLong { .. } | CompileError::Died { .. }
        ),
        "{error}"
    );
    let program = env!("CARGO_BIN_EXE_tidegate-hook-compiler");
    let notice = format!("export TIDEGATE_COMPILE_SECONDS=1; exec {program}");
    let error = shell(&notice)
        .compile(&BOMB)
        .await
        .expect_err("it takes longer");
    assert!(matches!(error, CompileError::TooLong { .. }), "{error}");
}

#[tokio::test]
async fn an_artifact_has_a_bound() {
    let limits = CompileLimits {
        artifact: 1 << 10,
        ..CompileLimits::DEFAULT
    };
    let error = compiler()
        .limits(limits)
        .compile(&guests::proceeding())
        .await;
    let error = error.expect_err("it is larger");
    assert!(
        matches!(error, CompileError::ArtifactTooLarge { most: 1024 }),
        "{error}"
    );
    let endless = shell("cat /dev/zero").limits(limits).compile(b"").await;
    let error = endless.expect_err("it has no end");
    assert!(
        matches!(error, CompileError::ArtifactTooLarge { .. }),
        "{error}"
    );
}

#[tokio::test]
async fn a_child_that_dies_is_reported_with_its_last_words() {
    let error = shell("echo farewell >&2; kill -9 $$").compile(b"").await;
    let error = error.expect_err("it dies").to_string();
    assert!(
        error.contains("signal 9") && error.contains("farewell"),
        "{error}"
    );
    let error = shell("exit 0")
        .compile(b"")
        .await
        .expect_err("there is none");
    assert!(matches!(error, CompileError::Died { .. }), "{error}");
    let error = Compiler::new("/nowhere").compile(b"").await;
    let error = error.expect_err("there is no such program");
    assert!(matches!(&error, CompileError::Start { .. }), "{error}");
    assert!(error.to_string().contains("/nowhere"), "{error}");
}

#[tokio::test]
async fn a_child_that_talks_too_much_is_heard_in_part() {
    let talk = "head -c 3000000 /dev/zero | tr '\\0' '\\033' >&2; exit 3";
    let error = shell(talk).compile(b"").await.expect_err("it says no");
    let CompileError::Refused(reason) = error else {
        panic!("{error}");
    };
    assert!(reason.len() <= 4 << 10, "{}", reason.len());
    assert!(!reason.contains('\u{1b}'));
}

#[tokio::test]
async fn a_child_that_does_not_read_is_no_deadlock() {
    let component = vec![0; 4 << 20];
    let artifact = shell("head -c 1000000 /dev/zero").compile(&component).await;
    assert_eq!(artifact.expect("it says something").len(), 1_000_000);
}

#[tokio::test]
async fn the_child_has_no_environment_but_what_limits_it() {
    let told = Compiler::new("/usr/bin/env").compile(b"").await;
    let told = String::from_utf8(told.expect("it prints")).expect("it is text");
    let mut lines: Vec<_> = told.lines().collect();
    lines.sort_unstable();
    assert_eq!(
        lines,
        [
            "MIMALLOC_ARENA_RESERVE=65536",
            "TIDEGATE_COMPILE_MEMORY=1073741824",
            "TIDEGATE_COMPILE_SECONDS=60"
        ]
    );
    let told = shell("pwd").compile(b"").await.expect("it prints");
    assert_eq!(told, b"/\n");
}

fn fifo(path: &Path) {
    let made = Command::new("mkfifo").arg(path).status();
    assert!(
        made.expect("mkfifo is there (apt install coreutils)")
            .success()
    );
}

/// The child holds the only writing end of a fifo, so its reader sees the end
/// when the child is gone.
#[tokio::test]
async fn a_child_that_nobody_waits_for_is_killed() {
    let directory = tempfile::tempdir().expect("there is space");
    let path = directory.path().join("alive");
    fifo(&path);
    let script = format!("exec 3>{}; echo alive >&3; exec sleep 1000", path.display());
    let child = tokio::spawn(async move { shell(&script).compile(b"").await });
    let alive = tokio::task::spawn_blocking(move || {
        let mut reader = File::open(path).expect("the child opens it too");
        let mut word = [0; 6];
        reader.read_exact(&mut word).expect("the child says so");
        assert_eq!(&word, b"alive\n");
        reader
    });
    let mut reader = alive.await.expect("it opens");
    child.abort();
    assert!(child.await.expect_err("nobody waits for it").is_cancelled());
    let gone = tokio::task::spawn_blocking(move || reader.read_to_end(&mut Vec::new()));
    let gone = tokio::time::timeout(HANGS, gone).await;
    let rest = gone.expect("the child is killed").expect("it is read");
    assert_eq!(rest.expect("the fifo is good"), 0);
}

/// Each child says when it begins and when it ends.
async fn overlaps(turns: usize) -> bool {
    let directory = tempfile::tempdir().expect("there is space");
    let log = directory.path().join("log");
    let script = format!(
        "echo begin >> {0}; i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; echo end >> {0}; echo x",
        log.display()
    );
    let compiler = shell(&script).parallel(turns);
    // Clones share the turns.
    let clones: Vec<_> = (0..6).map(|_| compiler.clone()).collect();
    for artifact in join_all(clones.iter().map(|clone| clone.compile(b""))).await {
        artifact.expect("it says something");
    }
    let log = std::fs::read_to_string(log).expect("they have written");
    let lines: Vec<_> = log.lines().collect();
    assert_eq!(lines.len(), 12);
    lines.chunks(2).any(|pair| pair != ["begin", "end"])
}

#[tokio::test]
async fn compilations_wait_for_their_turn() {
    assert!(!overlaps(1).await);
    assert!(overlaps(6).await);
}

#[tokio::test]
async fn a_component_that_is_too_large_is_not_compiled() {
    let component = vec![0; tidegate_hooks::COMPONENT_BYTES + 1];
    let error = compiler().compile(&component).await.expect_err("it is");
    assert!(error.to_string().contains("too large"), "{error}");
}

#[tokio::test]
async fn the_manifest_is_nothing_to_the_compiler() {
    let component = guests::proceeding();
    let mut manifest: Manifest = inspect(&component).expect("it is a hook").manifest;
    manifest.name = "other".to_owned();
    let other = attach(&component, &manifest);
    let first = compiler().compile(&component).await.expect("it compiles");
    let second = compiler().compile(&other).await.expect("it compiles");
    assert_eq!(first.len(), second.len());
}
