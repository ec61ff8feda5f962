//! The seal of an artifact: HMAC-SHA256 over all that it is for, and itself.
//! A file is the seal and the artifact; what it is for is not stored but
//! known, so that no file can say it of itself.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::{CacheKey, EngineSettings};
use crate::Digest;

/// Bytes of a seal.
const SEAL: usize = 32;

/// Version of this format.
const FORMAT: u32 = 1;

pub(super) fn seal(
    artifact: &[u8],
    key: &CacheKey,
    settings: &EngineSettings,
    digest: &Digest,
) -> [u8; SEAL] {
    mac(artifact, key, settings, digest)
        .finalize()
        .into_bytes()
        .into()
}

/// The artifact, if the seal is right.
pub(super) fn open(
    mut sealed: Vec<u8>,
    key: &CacheKey,
    settings: &EngineSettings,
    digest: &Digest,
) -> Option<Vec<u8>> {
    let (seal, artifact) = sealed.split_at_checked(SEAL)?;
    // In constant time.
    mac(artifact, key, settings, digest)
        .verify_slice(seal)
        .ok()?;
    sealed.drain(..SEAL);
    Some(sealed)
}

/// Each part follows its length, so that no two lists of parts are the same
/// bytes.
fn mac(
    artifact: &[u8],
    key: &CacheKey,
    settings: &EngineSettings,
    digest: &Digest,
) -> Hmac<Sha256> {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("HMAC takes a key of any length");
    let parts: [&[u8]; 7] = [
        b"tidegate hook artifact",
        &FORMAT.to_be_bytes(),
        digest.as_bytes(),
        settings.engine.as_bytes(),
        &settings.settings,
        settings.target.as_bytes(),
        artifact,
    ];
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac
}
