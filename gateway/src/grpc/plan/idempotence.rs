//! Requests that are asked twice: the first answer is stored in the same step
//! as the change, under the request's id.
//!
//! An answer that changed nothing is not stored: asking again finds what is
//! there.

use bytes::Bytes;
use prost::Message;
use tonic::Status;

use crate::{
    driver::RequestStamp,
    grpc::{services::Services, status},
    ports::journal::{Claim, ReadError},
};

/// Of the stored form: version, digest of the request, encoded answer.
const VERSION: u8 = 1;
const DIGEST: usize = 32;

/// The claim that stores an answer.
pub(super) fn claim(stamp: Option<&RequestStamp>, answer: &impl Message) -> Option<Claim> {
    let stamp = stamp?;
    let mut value = Vec::with_capacity(1 + DIGEST + answer.encoded_len());
    value.push(VERSION);
    value.extend(stamp.digest);
    value.extend(answer.encode_to_vec());
    Some(Claim {
        key: key(stamp),
        value: value.into(),
    })
}

/// The first answer, if this request was answered before.
pub(super) async fn earlier<A: Message + Default>(
    services: &Services,
    stamp: Option<&RequestStamp>,
) -> Result<Option<A>, Status> {
    let Some(stamp) = stamp else {
        return Ok(None);
    };
    let claimed = services.journal.claim(&key(stamp)).await;
    match claimed.map_err(|error| status::from_read(&error))? {
        Some(value) => claimed_answer(stamp, &value).map(Some),
        None => Ok(None),
    }
}

/// The first answer, from the value of the claim that stores it.
pub(super) fn claimed_answer<A: Message + Default>(
    stamp: &RequestStamp,
    value: &Bytes,
) -> Result<A, Status> {
    let damaged = || {
        let what = format!("the answer to request {:?} cannot be read", stamp.id);
        status::from_read(&ReadError::Damaged(what))
    };
    let stored = value.strip_prefix(&[VERSION]).ok_or_else(damaged)?;
    let (digest, answer) = stored.split_at_checked(DIGEST).ok_or_else(damaged)?;
    if digest != stamp.digest {
        return Err(status::request_id_reused(&stamp.id));
    }
    A::decode(answer).map_err(|_| damaged())
}

fn key(stamp: &RequestStamp) -> String {
    format!("plan-request/{}", stamp.id)
}

#[cfg(test)]
mod tests {
    use tidegate_proto::v1;

    use super::*;
    use crate::grpc::fixtures;

    fn stamp(digest: u8) -> RequestStamp {
        RequestStamp {
            id: "r-1".to_owned(),
            digest: [digest; 32],
        }
    }

    #[test]
    fn the_first_answer_is_given_again_and_only_to_the_same_request() {
        let answer = v1::CreatePlanResponse {
            plan: Some(fixtures::shop()),
        };
        let stored = claim(Some(&stamp(1)), &answer).unwrap();

        let again: v1::CreatePlanResponse = claimed_answer(&stamp(1), &stored.value).unwrap();
        assert_eq!(again, answer);

        let other = claimed_answer::<v1::CreatePlanResponse>(&stamp(2), &stored.value);
        assert_eq!(other.unwrap_err().code(), tonic::Code::InvalidArgument);
    }

    #[test]
    fn a_damaged_answer_is_an_error_and_not_an_answer() {
        for value in [&b""[..], b"\x01short", b"\x02"] {
            let read =
                claimed_answer::<v1::CreatePlanResponse>(&stamp(1), &Bytes::copy_from_slice(value));
            assert_eq!(read.unwrap_err().code(), tonic::Code::Internal);
        }
    }
}
