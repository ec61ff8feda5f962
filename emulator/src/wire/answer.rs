//! The one way that every request of the service takes: who calls, which operation, the operation,
//! the answer.

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::caller;
use super::error::ServiceError;
use super::operation::Operation;
use super::{
    describe_job_log_items, describe_jobs, describe_recovery_instances,
    describe_recovery_snapshots, describe_source_servers, get_launch_configuration,
    list_tags_for_resource, start_recovery, tag_resource, terminate_recovery_instances,
    untag_resource,
};
use crate::emulator::Emulator;
use crate::model::{Model, Place, Refusal, Seed};

/// What a request body may hold at most.
const BODY_LIMIT: usize = 1024 * 1024;

/// One call of one operation, with the model held for it.
pub(super) struct Call<'a> {
    pub(super) operation: Operation,
    pub(super) place: Place,
    pub(super) model: &'a mut Model,
    pub(super) now: Timestamp,
    /// The decoded `resourceArn` of the path; empty for operations without one.
    pub(super) arn: String,
    pub(super) query: &'a str,
    body: &'a [u8],
}

impl Call<'_> {
    /// The request's body. Members that the operation does not have are ignored, as the service
    /// does.
    pub(super) fn request<T: DeserializeOwned>(&self) -> Result<T, ServiceError> {
        let body = if self.body.is_empty() {
            b"{}"
        } else {
            self.body
        };
        serde_json::from_slice(body).map_err(|error| ServiceError::Serialization {
            message: error.to_string(),
        })
    }

    /// The answer to a refusal of the model.
    pub(super) fn refused(&self, refusal: &Refusal) -> ServiceError {
        ServiceError::refused(self.operation, refusal)
    }
}

/// A good answer.
pub(super) struct Reply {
    status: StatusCode,
    body: Vec<u8>,
}

impl Reply {
    /// 200 with that body.
    pub(super) fn ok(body: &impl Serialize) -> Self {
        Self::with(StatusCode::OK, body)
    }

    /// Another status with that body.
    pub(super) fn with(status: StatusCode, body: &impl Serialize) -> Self {
        let body = serde_json::to_vec(body).expect("answers have string keys and plain values");
        Self { status, body }
    }

    /// 200 with nothing.
    pub(super) fn empty() -> Self {
        Self {
            status: StatusCode::OK,
            body: Vec::new(),
        }
    }
}

/// Answers a request of the service.
pub(super) async fn answer(State(emulator): State<Emulator>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let meant = Operation::of(&parts.method, parts.uri.path());
    let name = meant.map_or("(not emulated)", |(operation, _)| operation.name());
    let number = emulator.count_call(name);
    let mut response = match take(&emulator, &parts, meant, body).await {
        Ok(reply) => {
            let json = [(header::CONTENT_TYPE, "application/json")];
            (reply.status, json, reply.body).into_response()
        }
        Err(error) => error.into_response(),
    };
    let id = Seed(number).hex16(&["request", name]);
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert("x-amzn-requestid", id);
    }
    response
}

/// The operation itself sits between two seams. Rules about faults belong here and nowhere else:
/// before [`perform`] (throttle, refuse, delay: the model is not touched) and after it (drop or
/// delay the reply, or answer an error: the model has changed).
async fn take(
    emulator: &Emulator,
    parts: &Parts,
    meant: Option<(Operation, &str)>,
    body: Body,
) -> Result<Reply, ServiceError> {
    let Some((operation, label)) = meant else {
        let request = format!("{} {}", parts.method, parts.uri.path());
        return Err(ServiceError::NotEmulated { request });
    };
    let place = caller::place(&parts.headers, emulator.default_account())?;
    let body = read(body).await?;
    let arn = percent_decode_str(label).decode_utf8_lossy().into_owned();
    let query = parts.uri.query().unwrap_or_default();
    let reply = emulator.with_model(|model, now| {
        let call = Call {
            operation,
            place,
            model,
            now,
            arn,
            query,
            body: &body,
        };
        perform(call)
    });
    tracing::debug!(
        operation = operation.name(),
        refused = reply.is_err(),
        "answered"
    );
    reply
}

async fn read(body: Body) -> Result<Bytes, ServiceError> {
    axum::body::to_bytes(body, BODY_LIMIT)
        .await
        .map_err(|_| ServiceError::RequestEntityTooLarge { limit: BODY_LIMIT })
}

fn perform(mut call: Call<'_>) -> Result<Reply, ServiceError> {
    // Before anything is validated, DRS looks whether the account uses it at all.
    call.model
        .estate(&call.place)
        .map_err(|refusal| call.refused(&refusal))?;
    let call = &mut call;
    match call.operation {
        Operation::StartRecovery => start_recovery::perform(call),
        Operation::DescribeJobs => describe_jobs::perform(call),
        Operation::DescribeJobLogItems => describe_job_log_items::perform(call),
        Operation::DescribeSourceServers => describe_source_servers::perform(call),
        Operation::DescribeRecoveryInstances => describe_recovery_instances::perform(call),
        Operation::DescribeRecoverySnapshots => describe_recovery_snapshots::perform(call),
        Operation::TerminateRecoveryInstances => terminate_recovery_instances::perform(call),
        Operation::GetLaunchConfiguration => get_launch_configuration::perform(call),
        Operation::TagResource => tag_resource::perform(call),
        Operation::UntagResource => untag_resource::perform(call),
        Operation::ListTagsForResource => list_tags_for_resource::perform(call),
    }
}
