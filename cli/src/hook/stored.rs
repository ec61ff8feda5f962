//! Hooks as the gateway has them.

use tidegate_hooks::{COMPONENT_BYTES, Digest};
use tidegate_proto::v1::{DownloadHookRequest, GetHookRequest, Hook};

use crate::{failure::Failure, session::Session};

/// Gets a hook by its digest, or the newest of a name.
pub(super) async fn get(session: &Session, hook: &str) -> Result<Hook, Failure> {
    let request = GetHookRequest {
        hook: hook.to_owned(),
    };
    let answer = session
        .gateway
        .ask(async || {
            let mut hooks = session.gateway.hooks();
            hooks.get_hook(request.clone()).await
        })
        .await?;
    expected(answer.hook)
}

/// The hook of an answer.
pub(super) fn expected(hook: Option<Hook>) -> Result<Hook, Failure> {
    hook.ok_or_else(|| {
        Failure::Other("the gateway's answer carries no hook; is it a Tidegate?".to_owned())
    })
}

/// Fetches the component of this digest, and believes nothing else.
pub(super) async fn download(session: &Session, digest: &Digest) -> Result<Vec<u8>, Failure> {
    let request = DownloadHookRequest {
        hook: digest.to_string(),
    };
    let mut parts = session
        .gateway
        .ask(async || {
            let mut hooks = session.gateway.hooks();
            hooks.download_hook(request.clone()).await
        })
        .await?;
    let mut bytes = Vec::new();
    while let Some(part) = parts
        .message()
        .await
        .map_err(|status| session.gateway.failure(status))?
    {
        bytes.extend_from_slice(&part.data);
        if bytes.len() > COMPONENT_BYTES {
            break;
        }
    }
    verified(bytes, digest)
}

fn verified(bytes: Vec<u8>, digest: &Digest) -> Result<Vec<u8>, Failure> {
    let found = Digest::of(&bytes);
    if found == *digest {
        return Ok(bytes);
    }
    Err(Failure::Other(format!(
        "the gateway sent other bytes than were asked for: they are {found}, not {digest}"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_bytes_than_those_of_the_digest_are_refused() {
        let digest = Digest::of(b"a component");
        assert!(verified(b"a component".to_vec(), &digest).is_ok());
        let failure = verified(b"another".to_vec(), &digest).unwrap_err();
        assert!(
            failure.to_string().contains(&digest.to_string()),
            "{failure}"
        );
    }
}
