//! Requests: whatever bytes are sent to whichever method, in whatever order,
//! the gateway answers, never with an error of its own; a plan that it accepts
//! is what it stores, runs, and prints.

mod calls;
mod world;

use prost::Message as _;
use tidegate_gateway::grpc::pinned_plan;
use tidegate_plan_file::{Written, file, to_yaml};
use tidegate_proto::v1;
use tonic::{Code, Status};

use self::world::World;
use crate::choices::Choices;

/// Requests to one gateway; more only repeat what fewer show.
const LONGEST: usize = 24;

/// Sends the requests that the bytes describe to a gateway of their own.
///
/// # Panics
/// If the property does not hold.
pub fn check(bytes: &[u8]) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime without sockets can always be made");
    runtime.block_on(async {
        let mut world = World::new().await;
        let mut choices = Choices::new(bytes);
        for _ in 0..LONGEST {
            if choices.is_empty() {
                break;
            }
            let method = choices.byte();
            let request = choices.block();
            let Some(answer) = calls::call(&mut world, method, request).await else {
                continue;
            };
            if let Err(status) = answer {
                refused(&status);
            }
            world.settle().await;
        }
    });
}

/// A refusal says whose mistake it is, and it is not the gateway's.
fn refused(status: &Status) {
    assert!(!status.message().is_empty(), "a refusal says something");
    match status.code() {
        Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::FailedPrecondition
        | Code::OutOfRange
        | Code::Aborted
        | Code::Unavailable
        | Code::ResourceExhausted => {
            assert!(!status.details().is_empty(), "{status:?} has no details");
        }
        Code::Ok
        | Code::Cancelled
        | Code::Unknown
        | Code::DeadlineExceeded
        | Code::PermissionDenied
        | Code::Unimplemented
        | Code::Internal
        | Code::DataLoss
        | Code::Unauthenticated => panic!("a request is answered with {status:?}"),
    }
}

/// What holds of a plan that a gateway stored.
fn stored(plan: &v1::Plan) {
    let bytes = plan.encode_to_vec();
    let checked = pinned_plan(&bytes).expect("what is stored can be run");
    assert_eq!(checked.name().as_str(), plan.name);
    assert!(
        checked
            .hook_uses()
            .all(|site| site.hook_use.digest.is_some())
    );
    let yaml = to_yaml(&file(plan));
    let again = Written::parse_foreign("plan.yaml", yaml.clone().into_bytes());
    let again = again.unwrap_or_else(|why| panic!("what is printed is refused: {why}\n{yaml}"));
    let same = pinned_plan(&again.plan.encode_to_vec());
    assert_eq!(
        same.as_ref(),
        Ok(&checked),
        "what is printed is the same plan:\n{yaml}"
    );
    assert_eq!(again.plan.labels, plan.labels);
    let said = |plan: &v1::Plan| plan.spec.as_ref().map(|spec| spec.description.clone());
    assert_eq!(said(&again.plan), said(plan));
}
