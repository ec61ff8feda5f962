//! The examples and the templates, built by their own tools, against their
//! vectors.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
    time::Duration,
};

use tidegate_hooks::{
    CompileLimits, Compiler, FailureKind, Host, Language, Level, Limits, Outcome, PROJECT_FILE,
    Project, VectorFile, Verdict, encode, inspect,
};

use crate::hosts::{World, context, host, prepare};

/// Where cargo puts the Rust examples; a folder that outlives the test, since
/// the first build takes minutes.
static TARGET: LazyLock<PathBuf> = LazyLock::new(|| {
    env::var_os("TIDEGATE_EXAMPLES_TARGET").map_or_else(
        || Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("hook-examples"),
        PathBuf::from,
    )
});

/// The Rust examples are built once, all at once.
static RUST: LazyLock<()> = LazyLock::new(|| {
    let built = Command::new("cargo")
        .args(["build", "--release", "--locked"])
        .args(["--target", "wasm32-unknown-unknown", "--target-dir"])
        .arg(&*TARGET)
        .current_dir(examples())
        .output()
        .expect("cargo runs");
    assert!(
        built.status.success(),
        "{}\nIf the target is missing: rustup target add wasm32-unknown-unknown",
        String::from_utf8_lossy(&built.stderr)
    );
});

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")
}

fn project(folder: &Path) -> Project {
    let text = fs::read_to_string(folder.join(PROJECT_FILE)).expect("a hook has a hook.toml");
    Project::parse(&text).unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
}

/// A Rust example's component, from the common target folder.
fn rust_example(name: &str) -> Vec<u8> {
    LazyLock::force(&RUST);
    let project = project(&examples().join(name));
    let file = project.build.output.file_name().expect("a file");
    let module = TARGET.join("wasm32-unknown-unknown/release").join(file);
    let module = fs::read(&module).unwrap_or_else(|error| panic!("{}: {error}", module.display()));
    encode(&module, &project.hook).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The examples that more than one test asks, so that no test reads what
/// another is writing.
static C: LazyLock<Vec<u8>> = LazyLock::new(|| example("tcp-reachable-c"));
static JS: LazyLock<Vec<u8>> = LazyLock::new(|| example("tcp-reachable-js"));

/// A component, built as the example says, by tools of its own language.
fn example(name: &str) -> Vec<u8> {
    let folder = examples().join(name);
    let built = project(&folder).build(&folder);
    built.unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The compiler that cargo builds for tests is not optimised: what takes an
/// optimised one 6 s, CPython, takes it a minute, and on a busy machine more.
fn patient_host() -> Host {
    let limits = CompileLimits {
        wall: Duration::from_secs(600),
        ..CompileLimits::DEFAULT
    };
    let compiler = Compiler::new(env!("CARGO_BIN_EXE_tidegate-hook-compiler")).limits(limits);
    Host::new(compiler, None).expect("the engine runs here")
}

/// Runs all vectors and says how many there are.
async fn holds(host: &Host, folder: &Path, component: &[u8]) -> usize {
    let path = folder.join(project(folder).vectors);
    let text = fs::read_to_string(&path).expect("a hook has vectors");
    let file =
        VectorFile::parse(&text).unwrap_or_else(|error| panic!("{}:{error}", path.display()));
    let hook = prepare(host, &folder.display().to_string(), component).await;
    let mut wrong = Vec::new();
    for vector in &file.vectors {
        let run = vector.run(host, &hook, &Limits::DEFAULT).await;
        if let Err(mismatch) = run.judged {
            let log = run.tape.map(|tape| tape.log).unwrap_or_default();
            wrong.push(format!("{vector}:\n{mismatch}\n{log:?}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{}:\n{}",
        folder.display(),
        wrong.join("\n")
    );
    file.vectors.len()
}

async fn example_holds(name: &str, component: &[u8]) {
    holds(&patient_host(), &examples().join(name), component).await;
}

#[tokio::test]
async fn the_rust_examples_hold_their_vectors() {
    let host = host();
    for name in ["tcp-reachable", "http-healthy", "quorum", "launch-fresh"] {
        holds(&host, &examples().join(name), &rust_example(name)).await;
    }
}

#[tokio::test]
async fn errors_of_a_rust_hook_name_their_line() {
    example_holds("fixtures/failing", &rust_example("fixtures/failing")).await;
}

/// `unreachable`, in which a panic ends, tells nobody anything.
#[tokio::test]
async fn a_panic_of_a_rust_hook_ends_its_log_with_its_line() {
    let host = host();
    let hook = prepare(&host, "failing", &rust_example("fixtures/failing")).await;
    for (how, told) in [
        ("panic", "lib.rs:16: the answer is 1"),
        (
            "index",
            "lib.rs:18: range start index 1 out of range for slice of length 0",
        ),
    ] {
        let mut context = context();
        context.parameters = [("how".to_owned(), how.to_owned())].into();
        context.servers.clear();
        let tape = host
            .check(&hook, &Limits::DEFAULT, &context, &World::Silent)
            .await;
        let failure = match tape.outcome {
            Outcome::Failure(failure) => failure,
            Outcome::Report(report) => panic!("{how}: {report:?}"),
        };
        assert_eq!(failure.kind, FailureKind::Trap, "{how}: {failure}");
        let last = tape.log.last().expect("the panic is logged");
        assert_eq!(last.level, Level::Error);
        assert_eq!(
            last.message,
            format!("panicked at fixtures/failing/src/{told}")
        );
    }
}

#[tokio::test]
async fn the_same_check_in_c_holds_the_same_vectors() {
    example_holds("tcp-reachable-c", &C).await;
}

#[tokio::test]
async fn the_same_check_in_javascript_holds_the_same_vectors() {
    example_holds("tcp-reachable-js", &JS).await;
}

#[tokio::test]
async fn the_same_check_in_python_holds_the_same_vectors() {
    example_holds("tcp-reachable-python", &example("tcp-reachable-python")).await;
}

/// Otherwise the vectors above could all be about the same few questions.
#[test]
fn the_four_languages_share_one_file_of_vectors() {
    let shared = fs::canonicalize(examples().join("tcp-reachable/vectors.yaml")).expect("is there");
    for language in ["", "-c", "-js", "-python"] {
        let folder = examples().join(format!("tcp-reachable{language}"));
        let vectors = fs::canonicalize(folder.join(project(&folder).vectors));
        assert_eq!(vectors.expect("is there"), shared, "{language}");
    }
}

#[test]
fn a_rust_hook_is_small_and_imports_nothing_but_the_contract() {
    for name in ["tcp-reachable", "http-healthy", "quorum", "launch-fresh"] {
        let component = rust_example(name);
        assert!(
            component.len() < 64 << 10,
            "{name}: {} bytes",
            component.len()
        );
        let inspection = inspect(&component).unwrap_or_else(|error| panic!("{name}: {error}"));
        for import in &inspection.imports {
            assert!(import.starts_with("tidegate:hooks/"), "{name}: {import}");
        }
    }
}

#[tokio::test]
async fn a_hook_with_more_servers_answers_within_its_limits() {
    let host = patient_host();
    let text = fs::read_to_string(examples().join("tcp-reachable/vectors.yaml")).expect("is there");
    let file = VectorFile::parse(&text).expect("it holds above");
    for (name, component) in [
        ("tcp-reachable", rust_example("tcp-reachable")),
        ("tcp-reachable-c", C.clone()),
        ("tcp-reachable-js", JS.clone()),
    ] {
        let hook = prepare(&host, name, &component).await;
        let mut fuel = Vec::new();
        for servers in [10, 100, 300, 1_000] {
            let (context, probes) = file.vectors[0].grown(servers);
            let tape = host.check(&hook, &Limits::DEFAULT, &context, &probes).await;
            let report = match &tape.outcome {
                Outcome::Report(report) => report,
                Outcome::Failure(failure) => panic!("{name}, {servers}: {failure}"),
            };
            assert_eq!(report.verdict, Verdict::Proceed, "{name}");
            assert_eq!(report.findings.len(), servers, "{name}");
            assert_eq!(tape.exchanges.len(), servers, "{name}");
            assert_eq!(probes.unscripted(), [], "{name}");
            println!("{name}, {servers} servers: {:?}", tape.usage);
            fuel.push(tape.usage.fuel);
        }
        assert!(fuel.is_sorted() && fuel[0] < fuel[3], "{name}: {fuel:?}");
        assert!(fuel[3] < Limits::DEFAULT.fuel / 10, "{name}: {fuel:?}");
    }
}

/// Writes a new hook's folder, builds it and runs its vectors, as its author
/// would.
async fn template_holds(language: Language) {
    let folder = TARGET.with_file_name(format!("hook-template-{}", language.name()));
    for (path, text) in language.files("db-ready") {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().expect("below the folder")).expect("can be made");
        // Unchanged files keep their time, so that cargo builds little twice.
        if fs::read_to_string(&path).ok().as_ref() != Some(&text) {
            fs::write(&path, text).expect("can be written");
        }
    }
    for tools in [".venv", "node_modules"] {
        link_tools(&folder, tools);
    }
    let component = project(&folder).build(&folder);
    let component = component.unwrap_or_else(|error| panic!("{}: {error}", language.name()));
    assert_eq!(holds(&patient_host(), &folder, &component).await, 4);
}

/// The repository's tools, where the author would have installed them.
fn link_tools(folder: &Path, tools: &str) {
    let there = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(tools);
    let link = folder.join(tools);
    let linked = fs::symlink_metadata(&link).is_ok();
    if there.exists() && !linked {
        std::os::unix::fs::symlink(there, link).expect("can be linked");
    }
}

#[tokio::test]
async fn a_new_rust_hook_builds_and_holds_its_vectors() {
    template_holds(Language::Rust).await;
}

#[tokio::test]
async fn a_new_c_hook_builds_and_holds_its_vectors() {
    template_holds(Language::C).await;
}

#[tokio::test]
async fn a_new_javascript_hook_builds_and_holds_its_vectors() {
    template_holds(Language::Js).await;
}

#[tokio::test]
async fn a_new_python_hook_builds_and_holds_its_vectors() {
    template_holds(Language::Python).await;
}
