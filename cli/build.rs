//! Builds the hooks that come with the program, for WebAssembly, so that the
//! program needs no file beside it. They are a workspace of their own.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Folder in `hooks/examples`, and the file that its build makes.
const HOOKS: [(&str, &str); 4] = [
    ("http-healthy", "http_healthy.wasm"),
    ("launch-fresh", "launch_fresh.wasm"),
    ("quorum", "quorum.wasm"),
    ("tcp-reachable", "tcp_reachable.wasm"),
];
const TARGET: &str = "wasm32-unknown-unknown";

fn main() {
    let hooks = PathBuf::from(variable("CARGO_MANIFEST_DIR")).join("../hooks");
    let examples = hooks.join("examples");
    for source in [
        "guest/src",
        "guest/Cargo.toml",
        "wit",
        "examples/Cargo.toml",
    ] {
        rerun_if_changed(&hooks.join(source));
    }
    let out = PathBuf::from(variable("OUT_DIR"));
    // Beside the folders of the profiles, so that all of them share it.
    let built = out.ancestors().nth(4).unwrap_or(&out).join("hook-examples");
    let mut cargo = Command::new(variable("CARGO"));
    cargo
        .args(["build", "--release", "--locked", "--target", TARGET])
        .arg("--manifest-path")
        .arg(examples.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(&built);
    for (hook, _) in HOOKS {
        rerun_if_changed(&examples.join(hook));
        cargo.args(["--package", hook]);
    }
    // What is meant for this program's own build is not meant for a guest's.
    for own in [
        "CARGO_ENCODED_RUSTFLAGS",
        "RUSTFLAGS",
        "RUSTC_WORKSPACE_WRAPPER",
        "CARGO_BUILD_TARGET",
    ] {
        cargo.env_remove(own);
    }
    let status = cargo.status().expect("cargo runs this, so it can be run");
    assert!(
        status.success(),
        "the hooks in hooks/examples were not built; if the target is missing: \
         rustup target add {TARGET}"
    );
    for (hook, file) in HOOKS {
        let from = built.join(TARGET).join("release").join(file);
        let to = out.join(format!("{hook}.wasm"));
        fs::copy(&from, to).unwrap_or_else(|error| panic!("{}: {error}", from.display()));
    }
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("cargo sets {name}"))
}

fn rerun_if_changed(path: &Path) {
    // Cargo reads what a build script prints.
    println!("cargo::rerun-if-changed={}", path.display());
}
