//! An artifact is native code: only what this host has stored for exactly
//! this may come back.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink},
    path::Path,
};

use tempfile::TempDir;
use tidegate_hooks::{ArtifactCache, CacheKey, Digest, EngineSettings, KeyError};

/// As large as the artifact of a small hook.
fn artifact() -> Vec<u8> {
    (0..100_000_u32).flat_map(u32::to_le_bytes).collect()
}

fn key() -> CacheKey {
    CacheKey::new([7; 32])
}

fn directory() -> TempDir {
    tempfile::tempdir().expect("there is space")
}

fn cache(directory: &Path) -> ArtifactCache {
    ArtifactCache::open(directory, key()).expect("it opens")
}

fn stored(directory: &Path, digest: &Digest) -> ArtifactCache {
    let cache = cache(directory);
    cache.store(digest, &artifact()).expect("it is written");
    cache
}

#[test]
fn what_is_stored_is_loaded_by_whoever_has_the_key() {
    let directory = directory();
    let digest = Digest::of(b"one");
    assert_eq!(cache(directory.path()).load(&digest), None);
    let first = stored(directory.path(), &digest);
    assert_eq!(first.load(&digest), Some(artifact()));
    assert_eq!(cache(directory.path()).load(&digest), Some(artifact()));
    let mode = fs::metadata(first.path(&digest))
        .expect("it is there")
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    first.store(&digest, b"new").expect("it is written over");
    assert_eq!(first.load(&digest), Some(b"new".to_vec()));
    assert_eq!(fs::read_dir(&directory).expect("it is there").count(), 1);
}

/// Numbers that are the same in every run (Marsaglia's xorshift64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).expect("it is below a usize")
    }
}

#[test]
fn of_150_artifacts_with_a_flipped_bit_none_loads() {
    let directory = directory();
    let digest = Digest::of(b"one");
    let cache = stored(directory.path(), &digest);
    let path = cache.path(&digest);
    let good = fs::read(&path).expect("it is there");
    let mut numbers = Numbers(0x7469_6465_6761_7465);
    // The first ones are in the seal, which is short.
    for flip in 0..150 {
        let bytes = if flip < 20 { 32 } else { good.len() };
        let at = numbers.below(bytes);
        let mut bad = good.clone();
        bad[at] ^= 1 << numbers.below(8);
        fs::write(&path, &bad).expect("it is written");
        assert_eq!(cache.load(&digest), None, "byte {at}");
        assert!(!path.exists(), "it is removed");
    }
    fs::write(&path, &good).expect("it is written");
    assert_eq!(cache.load(&digest), Some(artifact()));
}

#[test]
fn a_truncated_or_extended_artifact_does_not_load() {
    let directory = directory();
    let digest = Digest::of(b"one");
    let cache = stored(directory.path(), &digest);
    let path = cache.path(&digest);
    let good = fs::read(&path).expect("it is there");
    for length in [0, 1, 31, 32, 33, good.len() / 2, good.len() - 1] {
        fs::write(&path, &good[..length]).expect("it is written");
        assert_eq!(cache.load(&digest), None, "{length} bytes");
    }
    let mut longer = good.clone();
    longer.push(0);
    fs::write(&path, longer).expect("it is written");
    assert_eq!(cache.load(&digest), None);
}

#[test]
fn the_artifact_of_another_component_does_not_load() {
    let directory = directory();
    let (one, two) = (Digest::of(b"one"), Digest::of(b"two"));
    let cache = stored(directory.path(), &one);
    fs::copy(cache.path(&one), cache.path(&two)).expect("it is copied");
    assert_eq!(cache.load(&two), None);
    assert_eq!(cache.load(&one), Some(artifact()));
}

#[test]
fn an_artifact_under_another_key_does_not_load() {
    let directory = directory();
    let digest = Digest::of(b"one");
    let cache = stored(directory.path(), &digest);
    let mut bytes = [7; 32];
    bytes[31] ^= 1;
    let other = ArtifactCache::open(directory.path(), CacheKey::new(bytes));
    let other = other.expect("it opens");
    assert_eq!(other.path(&digest), cache.path(&digest));
    assert_eq!(other.load(&digest), None);
}

#[test]
fn an_artifact_of_another_engine_does_not_load_even_under_the_right_name() {
    let directory = directory();
    let digest = Digest::of(b"one");
    let here = EngineSettings::current().expect("the engine starts");
    let mut settings = here.clone();
    settings.settings[0] ^= 1;
    let mut engine = here.clone();
    engine.engine = "wasmtime 48.0.9".to_owned();
    let mut target = here.clone();
    target.target = "aarch64-linux".to_owned();
    for other in [settings, engine, target] {
        let cache = stored(directory.path(), &digest);
        let other = ArtifactCache::open_for(directory.path(), key(), other);
        let other = other.expect("it opens");
        assert_eq!(other.load(&digest), None);
        assert_ne!(other.path(&digest), cache.path(&digest));
        fs::rename(cache.path(&digest), other.path(&digest)).expect("it is renamed");
        assert_eq!(other.load(&digest), None);
    }
}

#[test]
fn the_settings_are_the_same_each_time() {
    let first = EngineSettings::current().expect("the engine starts");
    assert_eq!(
        Ok(first),
        EngineSettings::current().map_err(|error| error.to_string())
    );
}

#[test]
fn what_is_in_the_way_is_a_miss_and_is_replaced() {
    let directory = directory();
    let digest = Digest::of(b"one");
    let cache = cache(directory.path());
    let elsewhere = directory.path().join("elsewhere");
    fs::write(&elsewhere, b"text").expect("it is written");
    symlink(&elsewhere, cache.path(&digest)).expect("it is linked");
    assert_eq!(cache.load(&digest), None);
    assert_eq!(fs::read(&elsewhere).expect("it is kept"), b"text");
    cache.store(&digest, &artifact()).expect("it is written");
    assert_eq!(cache.load(&digest), Some(artifact()));

    fs::remove_file(cache.path(&digest)).expect("it is there");
    fs::create_dir(cache.path(&digest)).expect("it is made");
    assert_eq!(cache.load(&digest), None);
}

#[test]
fn pruning_keeps_what_is_asked_for_and_nothing_else_of_ours() {
    let directory = directory();
    let digests = [b"1", b"2", b"3"].map(|bytes| Digest::of(bytes));
    let cache = cache(directory.path());
    for digest in &digests {
        cache.store(digest, &artifact()).expect("it is written");
    }
    let mut settings = EngineSettings::current().expect("the engine starts");
    settings.engine = "wasmtime 47.0.0".to_owned();
    let old = ArtifactCache::open_for(directory.path(), key(), settings).expect("it opens");
    old.store(&digests[0], b"old").expect("it is written");
    fs::write(directory.path().join("9-9.new"), b"half").expect("it is written");
    fs::write(directory.path().join("README"), b"text").expect("it is written");

    assert_eq!(cache.prune(&digests[..1]).expect("it is pruned"), 4);
    assert_eq!(cache.load(&digests[0]), Some(artifact()));
    assert_eq!(cache.load(&digests[1]), None);
    assert_eq!(fs::read_dir(&directory).expect("it is there").count(), 2);
    assert_eq!(cache.prune(&digests[..1]).expect("it is pruned"), 0);
}

#[test]
fn a_key_is_made_once_and_is_nobody_elses_to_read() {
    let directory = directory();
    let path = directory.path().join("key");
    let key = CacheKey::load_or_create(&path).expect("it is made");
    let metadata = fs::metadata(&path).expect("it is there");
    assert_eq!((metadata.mode() & 0o777, metadata.len()), (0o600, 32));
    assert_eq!(CacheKey::load_or_create(&path).expect("it is read"), key);
    let other = CacheKey::load_or_create(&directory.path().join("other"));
    assert_ne!(other.expect("it is made"), key);
    assert!(!format!("{key:?}").contains(|c: char| c.is_ascii_digit()));
    // No unfinished file is left.
    assert_eq!(fs::read_dir(&directory).expect("it is there").count(), 2);
}

#[test]
fn a_key_that_others_may_read_is_refused() {
    let directory = directory();
    let path = directory.path().join("key");
    CacheKey::load_or_create(&path).expect("it is made");
    for mode in [0o640, 0o604, 0o620, 0o666] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("it is ours");
        let error = CacheKey::load_or_create(&path).expect_err("others may");
        assert!(matches!(error, KeyError::Open { mode: found, .. } if found == mode));
        assert!(error.to_string().contains("Remove it"), "{error}");
    }
}

#[test]
fn what_is_not_32_bytes_is_not_a_key() {
    let directory = directory();
    let path = directory.path().join("key");
    for length in [0, 31, 33] {
        fs::write(&path, vec![1; length]).expect("it is written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("it is ours");
        let error = CacheKey::load_or_create(&path).expect_err("it is none");
        assert!(matches!(error, KeyError::NotAKey { .. }), "{error}");
    }
    let error = CacheKey::load_or_create(directory.path()).expect_err("it is a directory");
    assert!(matches!(error, KeyError::NotAKey { .. }), "{error}");
}

#[test]
fn everyone_who_makes_the_key_at_once_gets_the_same() {
    let directory = directory();
    let path = directory.path().join("key");
    let keys: Vec<_> = std::thread::scope(|scope| {
        let make = || CacheKey::load_or_create(&path).expect("it is made");
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(make)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("it ends"))
            .collect()
    });
    assert!(keys.iter().all(|key| *key == keys[0]));
}
