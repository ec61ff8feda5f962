//! Hooks that a request names, by digest or by name.

use tonic::Status;

use crate::{
    grpc::{services::Services, status},
    ports::hooks::HookInfo,
};

/// A digest that a request gives.
pub(super) fn digest<'a>(field: &str, text: &'a str) -> Result<&'a str, Status> {
    let digits = text.strip_prefix("sha256:").unwrap_or_default();
    let is_digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    if digits.len() == 64 && digits.bytes().all(is_digit) {
        Ok(text)
    } else if text.is_empty() {
        Err(status::invalid(field, "must be given"))
    } else {
        Err(status::invalid(
            field,
            "is not a digest; a digest is \"sha256:\" and 64 of 0-9 and a-f",
        ))
    }
}

/// The digest of the hook that a request names. By its name it is the newest
/// one; by its digest it need not be there.
pub(super) async fn wanted(services: &Services, hook: &str) -> Result<String, Status> {
    if hook.is_empty() || hook.contains(':') {
        return digest("hook", hook).map(str::to_owned);
    }
    refresh(services).await?;
    let newest = services.hooks.newest(hook);
    newest.ok_or_else(|| status::hook_not_found(hook))
}

/// What is known of the hook that a request names.
pub(super) async fn info(services: &Services, hook: &str) -> Result<HookInfo, Status> {
    let digest = wanted(services, hook).await?;
    refresh(services).await?;
    let mut known = services.hooks.list().into_iter();
    let info = known.find(|it| it.digest == digest);
    info.ok_or_else(|| status::hook_not_found(hook))
}

/// Others may share the store.
pub(super) async fn refresh(services: &Services) -> Result<(), Status> {
    let refreshed = services.hooks.refresh().await;
    refreshed.map_err(|error| status::from_read(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_no_digest_is_refused_before_it_is_looked_up() {
        let good = format!("sha256:{}", "0f".repeat(32));
        assert_eq!(digest("digest", &good).unwrap(), good);
        for wrong in [
            String::new(),
            "sha256:".to_owned(),
            good.to_uppercase(),
            good[..70].to_owned(),
            format!("{good}0"),
            good.replace("sha256", "sha512"),
            good.replace('f', "g"),
        ] {
            let refused = digest("digest", &wrong).unwrap_err();
            assert!(refused.message().starts_with("digest: "), "{wrong}");
        }
    }
}
