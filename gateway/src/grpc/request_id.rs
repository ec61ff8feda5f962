//! Request ids: how a client may ask twice and be answered once.

use prost::Message;
use sha2::{Digest, Sha256};
use tonic::Status;

use super::status;
use crate::driver::RequestStamp;

/// Longest request id.
const LONGEST: usize = 128;

/// A request that carries a request id.
pub(crate) trait Stamped: Message + Clone {
    /// Where it is.
    fn request_id(&mut self) -> &mut String;
}

/// Implements [`Stamped`] for messages with a field `request_id`.
macro_rules! stamped {
    ($($message:ident),* $(,)?) => {$(
        impl Stamped for tidegate_proto::v1::$message {
            fn request_id(&mut self) -> &mut String {
                &mut self.request_id
            }
        }
    )*};
}

stamped!(
    CreatePlanRequest,
    UpdatePlanRequest,
    DeletePlanRequest,
    StartExecutionRequest,
    PauseRequest,
    ResumeRequest,
    CancelRequest,
    RetryWaveRequest,
    SkipWaveRequest,
    CleanUpRequest,
    DeleteHookRequest,
);

/// The stamp of a request; `None` if it carries no id.
pub(crate) fn optional<R: Stamped>(
    method: &str,
    request: &R,
) -> Result<Option<RequestStamp>, Status> {
    let mut content = request.clone();
    let id = std::mem::take(content.request_id());
    if id.is_empty() {
        return Ok(None);
    }
    if id.len() > LONGEST || !id.bytes().all(|b| (b' '..=b'~').contains(&b)) {
        return Err(status::invalid(
            "request_id",
            format!("must be 1 to {LONGEST} printable ASCII characters"),
        ));
    }
    let mut digest = Sha256::new();
    digest.update(method.as_bytes());
    digest.update([0]);
    digest.update(content.encode_to_vec());
    Ok(Some(RequestStamp {
        id,
        digest: digest.finalize().into(),
    }))
}

/// The stamp of a request that must carry an id.
pub(crate) fn required<R: Stamped>(method: &str, request: &R) -> Result<RequestStamp, Status> {
    optional(method, request)?.ok_or_else(|| {
        status::invalid(
            "request_id",
            "must be given, so that asking again never starts a second execution",
        )
    })
}

#[cfg(test)]
mod tests {
    use tidegate_proto::v1;

    use super::*;

    fn start(plan: &str, request_id: &str) -> v1::StartExecutionRequest {
        v1::StartExecutionRequest {
            plan: plan.to_owned(),
            request_id: request_id.to_owned(),
            ..v1::StartExecutionRequest::default()
        }
    }

    #[test]
    fn the_digest_is_of_the_method_and_the_content_and_not_of_the_id() {
        let digest = |method, request: &_| required(method, request).unwrap().digest;
        let first = digest("StartExecution", &start("shop", "a"));
        assert_eq!(first, digest("StartExecution", &start("shop", "b")));
        assert_ne!(first, digest("StartExecution", &start("bank", "a")));
        assert_ne!(first, digest("CleanUp", &start("shop", "a")));
    }

    #[test]
    fn an_id_is_printable_and_not_too_long() {
        assert!(required("m", &start("shop", &"x".repeat(128))).is_ok());
        for wrong in ["", "a\n", "ü", &"x".repeat(129)] {
            assert!(required("m", &start("shop", wrong)).is_err(), "{wrong:?}");
        }
    }
}
