//! From bytes to a hook, with and without a cache.

use std::fs;

use tidegate_hooks::{ArtifactCache, CacheKey, Compiler, Digest, Host, InspectError, PrepareError};

use crate::{guests::proceeding, hosts};

fn cache(directory: &tempfile::TempDir) -> Option<ArtifactCache> {
    let cache = ArtifactCache::open(directory.path(), CacheKey::new([7; 32]));
    Some(cache.expect("the directory can be written"))
}

/// A host that cannot compile.
fn without_compiler(directory: &tempfile::TempDir) -> Host {
    Host::new(Compiler::new("/bin/false"), cache(directory)).expect("the engine runs here")
}

async fn filled(component: &[u8]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    let compiler = Compiler::new(env!("CARGO_BIN_EXE_tidegate-hook-compiler"));
    let host = Host::new(compiler, cache(&directory)).expect("the engine runs here");
    hosts::prepare(&host, "a guest", component).await;
    directory
}

#[tokio::test]
async fn what_was_compiled_once_needs_no_compiler_again() {
    let component = proceeding();
    let directory = filled(&component).await;
    let hook = without_compiler(&directory).prepare(&component).await;
    let hook = hook.expect("it is in the cache");
    assert_eq!(*hook.digest(), Digest::of(&component));
    assert_eq!(hook.manifest().name, "guest");
}

#[tokio::test]
async fn what_was_tampered_with_is_not_loaded_but_compiled_again() {
    let component = proceeding();
    let directory = filled(&component).await;
    let path = cache(&directory)
        .expect("there is one")
        .path(&Digest::of(&component));
    let mut artifact = fs::read(&path).expect("it was stored");
    let middle = artifact.len() / 2;
    artifact[middle] ^= 1;
    fs::write(&path, artifact).expect("it can be written");
    let prepared = without_compiler(&directory).prepare(&component).await;
    assert!(
        matches!(prepared, Err(PrepareError::Compile(_))),
        "{prepared:?}"
    );
}

#[tokio::test]
async fn what_the_child_did_not_write_whole_does_not_load() {
    let compiler = Compiler::new("/bin/sh").arguments(["-c", "cat > /dev/null; printf ELF"]);
    let host = Host::new(compiler, None).expect("the engine runs here");
    let prepared = host.prepare(&proceeding()).await;
    assert!(
        matches!(prepared, Err(PrepareError::Load(_))),
        "{prepared:?}"
    );
}

#[tokio::test]
async fn what_is_no_hook_is_not_compiled() {
    let directory = tempfile::tempdir().expect("a directory");
    let prepared = without_compiler(&directory).prepare(b"no").await;
    let refused = matches!(prepared, Err(PrepareError::Inspect(InspectError::NotWasm)));
    assert!(refused, "{prepared:?}");
}
