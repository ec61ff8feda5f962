//! Requests that are no message of their method, said as every mistake in a
//! request is. tonic-prost 0.14 answers INTERNAL without any detail, as though
//! it were the gateway's fault, and a client might try the same again.

use http::{HeaderMap, Response};
use tonic::{Code, Status, body::Body};

use crate::grpc::status;

/// What prost 0.14 begins every error with that it meets in a message's bytes.
const PROST_SAYS: &str = "failed to decode Protobuf message: ";

/// Turns the codec's refusal of a message into ours.
pub(crate) fn refuse_unreadable(answer: Response<Body>) -> Response<Body> {
    match codec_says(answer.headers()) {
        Some(why) => status::unreadable(&why).into_http(),
        None => answer,
    }
}

/// Errors of the gateway carry details; the codec's own carry none.
fn codec_says(answer: &HeaderMap) -> Option<String> {
    let code = answer.get(Status::GRPC_STATUS)?;
    if Code::from_bytes(code.as_bytes()) != Code::Internal {
        return None;
    }
    let status = Status::from_header_map(answer)?;
    let why = status.message().strip_prefix(PROST_SAYS)?;
    status.details().is_empty().then(|| why.to_owned())
}

#[cfg(test)]
mod tests {
    use prost::Message as _;
    use tonic_types::StatusExt as _;

    use super::*;

    fn answered(status: Status) -> Status {
        let answer = refuse_unreadable(status.into_http());
        Status::from_header_map(answer.headers()).unwrap()
    }

    #[test]
    fn what_the_codec_cannot_read_is_the_callers_mistake() {
        let bytes = [0x0a, 2, 0xff, 0xfe].as_slice();
        let error = tidegate_proto::v1::GetPlanRequest::decode(bytes).unwrap_err();
        let answer = answered(Status::internal(error.to_string()));
        assert_eq!(answer.code(), Code::InvalidArgument);
        let info = answer.get_details_error_info().unwrap();
        assert_eq!(info.reason, "REQUEST_UNREADABLE");
        let field = "GetPlanRequest.name";
        assert!(answer.message().contains(field), "{answer:?}");
        assert!(answer.message().contains("UTF-8"), "{answer:?}");
    }

    #[test]
    fn other_answers_pass_as_they_are() {
        let ours = crate::grpc::status::from_driver(
            crate::driver::DriverError::Damaged(format!("{PROST_SAYS}x")),
            None,
        );
        for status in [
            ours,
            Status::internal("a bug"),
            Status::not_found(format!("{PROST_SAYS}x")),
        ] {
            let (code, text) = (status.code(), status.message().to_owned());
            let answer = answered(status);
            assert_eq!((answer.code(), answer.message()), (code, &*text));
        }
    }
}
