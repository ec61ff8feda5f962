//! Requests above the limit, said as everything is that is above a limit.

use http::{HeaderMap, Response};
use tonic::{Code, Status, body::Body};

use crate::grpc::status;

/// What tonic 0.14 says of such a request, with OUT_OF_RANGE and no detail.
const TONIC_SAYS: &str = "decoded message length too large";

/// Turns tonic's refusal of a request that is too large into ours.
pub(crate) fn refuse_too_large(
    limit: usize,
) -> impl Fn(Response<Body>) -> Response<Body> + Clone + Send + Sync + 'static {
    move |answer| {
        if is_too_large(answer.headers()) {
            let message = format!("the request is larger than {limit} bytes; that is the limit");
            status::exhausted("REQUEST_TOO_LARGE", "limits.request_bytes", message).into_http()
        } else {
            answer
        }
    }
}

fn is_too_large(answer: &HeaderMap) -> bool {
    let code = answer.get(Status::GRPC_STATUS).map(|it| it.as_bytes());
    code.is_some_and(|code| Code::from_bytes(code) == Code::OutOfRange)
        && Status::from_header_map(answer)
            .is_some_and(|status| status.message().contains(TONIC_SAYS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_answers_pass_as_they_are() {
        let refuse = refuse_too_large(1);
        let code = |status: Status| {
            let answer = refuse(status.into_http());
            Status::from_header_map(answer.headers()).unwrap().code()
        };
        assert_eq!(code(Status::out_of_range("revision 9")), Code::OutOfRange);
        assert_eq!(code(Status::not_found(TONIC_SAYS)), Code::NotFound);
    }
}
