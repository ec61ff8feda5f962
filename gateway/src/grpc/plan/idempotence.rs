//! Requests that are asked twice: the first answer is stored under the
//! request's id, in the same step as the change if there is one. An answer
//! that changed nothing is stored, too: asked again later, the request could
//! otherwise undo what somebody else did since.
//!
//! Refusals are not stored. A request that is asked while its first asking is
//! still under way may find what that one changed, and would be refused for
//! it; so before a refusal that is for the state of the plans, the first
//! answer is looked up again.

use bytes::Bytes;
use prost::Message;
use tonic::Status;

use crate::{
    driver::RequestStamp,
    grpc::{services::Services, status},
    ports::{
        journal::{Claim, ReadError},
        plan_store::PlanStoreError,
    },
};

/// Of the stored form: version, digest of the request, encoded answer.
const VERSION: u8 = 1;
const DIGEST: usize = 32;

/// The claim that stores an answer.
pub(in crate::grpc) fn claim(stamp: Option<&RequestStamp>, answer: &impl Message) -> Option<Claim> {
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
pub(in crate::grpc) async fn earlier<A: Message + Default>(
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

/// A refusal for the state of the plans, unless it is the request's own first
/// asking that made it: then the first answer.
pub(in crate::grpc) async fn refuse<A: Message + Default>(
    services: &Services,
    stamp: Option<&RequestStamp>,
    refusal: Status,
) -> Result<A, Status> {
    match earlier(services, stamp).await? {
        Some(answer) => Ok(answer),
        None => Err(refusal),
    }
}

/// Stores an answer that changed nothing, and gives it, or the first one.
pub(in crate::grpc) async fn answer_unchanged<A: Message + Default>(
    services: &Services,
    stamp: Option<&RequestStamp>,
    answer: A,
) -> Result<A, Status> {
    let Some(claim) = claim(stamp, &answer) else {
        return Ok(answer);
    };
    match services.plans.take_claim(claim).await {
        Ok(()) => Ok(answer),
        Err(error) => first_answer(stamp, error),
    }
}

/// What the caller hears when the store did not do what it was asked.
pub(in crate::grpc) fn first_answer<A: Message + Default>(
    stamp: Option<&RequestStamp>,
    error: PlanStoreError,
) -> Result<A, Status> {
    match (error, stamp) {
        (PlanStoreError::Claimed { value }, Some(stamp)) => claimed_answer(stamp, &value),
        (
            error @ (PlanStoreError::Taken { .. }
            | PlanStoreError::Claimed { .. }
            | PlanStoreError::Outdated
            | PlanStoreError::Unavailable(_)
            | PlanStoreError::Refused(_)
            | PlanStoreError::Unknown(_)),
            _,
        ) => Err(status::from_plan_store(&error)),
    }
}

/// The first answer, from the value of the claim that stores it.
fn claimed_answer<A: Message + Default>(stamp: &RequestStamp, value: &Bytes) -> Result<A, Status> {
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
