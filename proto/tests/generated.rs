//! The committed code is what the `.proto` files generate.
//!
//! `TIDEGATE_REGENERATE=1 cargo test -p tidegate-proto` writes it anew.

use std::{env, fs, path::Path};

use prost::Message as _;

const API: &[&str] = &[
    "tidegate/v1/plan.proto",
    "tidegate/v1/plan_service.proto",
    "tidegate/v1/execution.proto",
    "tidegate/v1/change.proto",
    "tidegate/v1/recovery_instance.proto",
    "tidegate/v1/execution_service.proto",
    "tidegate/v1/hook_service.proto",
    "tidegate/v1/gateway_service.proto",
];
const JOURNAL: &[&str] = &["tidegate/journal/v1/record.proto"];
const FILES: &[&str] = &[
    "tidegate.v1.rs",
    "tidegate.journal.v1.rs",
    "tidegate.v1.bin",
];

fn generate(into: &Path) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let api = protox::compile(API, [root]).expect("the API compiles");
    fs::write(into.join("tidegate.v1.bin"), api.encode_to_vec()).expect("write descriptors");
    let journal = protox::compile(JOURNAL, [root]).expect("the storage format compiles");
    let builder = || {
        tonic_prost_build::configure()
            .out_dir(into)
            .btree_map(".")
            .bytes(".tidegate.journal")
    };
    builder().compile_fds(api).expect("generate the API");
    builder()
        .build_client(false)
        .build_server(false)
        .compile_fds(journal)
        .expect("generate the storage format");
}

#[test]
fn generated_code_is_current() {
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/generated");
    let fresh = tempfile::tempdir().expect("a temporary folder");
    generate(fresh.path());
    for file in FILES {
        let new = fs::read(fresh.path().join(file)).expect("generated");
        let target = committed.join(file);
        if env::var_os("TIDEGATE_REGENERATE").is_some() {
            fs::write(&target, &new).expect("write");
        }
        let old = fs::read(&target).unwrap_or_default();
        assert!(
            old == new,
            "{file} is not what the .proto files say; run `TIDEGATE_REGENERATE=1 cargo test -p tidegate-proto`"
        );
    }
}
