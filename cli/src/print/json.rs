//! Protobuf JSON of the API's messages, by reflection over the contract's own
//! descriptors, so that it is what every other protobuf tool prints.

use std::sync::LazyLock;

use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, SerializeOptions};
use tidegate_proto::v1;

static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| {
    DescriptorPool::decode(tidegate_proto::DESCRIPTORS)
        .expect("the contract's descriptors are generated and tested")
});

/// A message whose name in `tidegate.v1` is known.
pub(crate) trait Described: Message {
    /// The message's short name.
    const NAME: &'static str;
}

macro_rules! described {
    ($($message:ident),* $(,)?) => {
        $(impl Described for v1::$message {
            const NAME: &'static str = stringify!($message);
        })*
    };
}

described!(
    Plan,
    Execution,
    ExecutionSummary,
    Commit,
    ListPlansResponse,
    ListPlanRevisionsResponse,
    ListExecutionsResponse,
    ListRecoveryInstancesResponse,
    RecoveryInstance,
    ListEventsResponse,
    ValidatePlanResponse,
    FieldViolation,
    CheckReadinessResponse,
    GetGatewayInfoResponse,
    WatchResponse,
    Hook,
    ListHooksResponse,
    RegisterHookResponse,
);

/// Indented.
pub(super) fn pretty<M: Described>(message: &M) -> String {
    serde_json::to_string_pretty(&value(message)).expect("a JSON value is text")
}

/// In one line.
pub(super) fn compact<M: Described>(message: &M) -> String {
    value(message).to_string()
}

/// The same content as YAML.
pub(super) fn yaml<M: Described>(message: &M) -> String {
    serde_saphyr::to_string(&value(message)).expect("a JSON value is YAML")
}

fn value<M: Described>(message: &M) -> serde_json::Value {
    let name = format!("tidegate.v1.{}", M::NAME);
    let descriptor = POOL
        .get_message_by_name(&name)
        .expect("every described message is in the contract");
    let mut dynamic = DynamicMessage::new(descriptor);
    dynamic
        .transcode_from(message)
        .expect("the descriptors and the generated code come from the same files");
    dynamic
        .serialize_with_options(serde_json::value::Serializer, &SerializeOptions::new())
        .expect("a message of the contract has protobuf JSON")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_standard_protobuf_json() {
        let execution = v1::Execution {
            id: "01J".to_owned(),
            state: v1::ExecutionState::Paused.into(),
            plan_revision: 3,
            objectives: Some(v1::Objectives {
                rto: Some(prost_types::Duration {
                    seconds: 900,
                    nanos: 0,
                }),
                rpo: None,
            }),
            ..v1::Execution::default()
        };
        assert_eq!(
            value(&execution),
            serde_json::json!({
                "id": "01J",
                "state": "EXECUTION_STATE_PAUSED",
                "planRevision": "3",
                "objectives": {"rto": "900s"},
            })
        );
    }

    #[test]
    fn every_described_message_is_in_the_contract() {
        let _ = compact(&v1::WatchResponse::default());
        let _ = compact(&v1::GetGatewayInfoResponse::default());
        let _ = compact(&v1::ListPlanRevisionsResponse::default());
        let _ = compact(&v1::CheckReadinessResponse::default());
        let _ = compact(&v1::FieldViolation::default());
        let _ = compact(&v1::Hook::default());
        let _ = compact(&v1::ListHooksResponse::default());
        let _ = compact(&v1::RegisterHookResponse::default());
        let _ = compact(&v1::ListRecoveryInstancesResponse::default());
        let _ = compact(&v1::RecoveryInstance::default());
    }
}
