//! The one way that every request of the service takes: who calls, which operation, the operation,
//! the answer.

use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::caller;
use super::connection::Connection;
use super::delivery::deliver;
use super::error::ServiceError;
use super::faulted;
use super::{
    describe_job_log_items, describe_jobs, describe_recovery_instances,
    describe_recovery_snapshots, describe_source_servers, get_launch_configuration,
    list_tags_for_resource, start_recovery, tag_resource, terminate_recovery_instances,
    untag_resource,
};
use crate::emulator::Emulator;
use crate::faults::{self, Answer, CallVerdict, Times};
use crate::model::{JobFault, Model, Place, Refusal, Seed};
use crate::operation::Operation;

/// What a request body may hold at most.
const BODY_LIMIT: usize = 1024 * 1024;

/// One call of one operation, with the model held for it.
pub(super) struct Call<'a> {
    pub(super) operation: Operation,
    pub(super) place: Place,
    pub(super) model: &'a mut Model,
    pub(super) now: Timestamp,
    /// The decoded `resourceArn` of the path; empty for operations without one.
    pub(super) arn: &'a str,
    pub(super) query: &'a str,
    /// What goes wrong with the job that it starts.
    pub(super) job_fault: Option<&'a JobFault>,
    pub(super) delivery: Delivery,
    body: &'a [u8],
}

/// The how manyth time a call is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Delivery {
    First,
    /// Because of a fault.
    Again,
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
    let (result, heard) = match accept(&emulator, &parts, meant, body).await {
        Ok(asked) => asked.take(&emulator),
        Err(error) => (Err(error), Answer::Whole),
    };
    let mut response = match result {
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
    let connection = parts.extensions.get::<ConnectInfo<Connection>>();
    let connection = connection.map(|ConnectInfo(connection)| connection);
    deliver(response, &heard, connection).await
}

/// A request that says who calls what: from here on, faults may strike it.
struct Asked {
    operation: Operation,
    place: Place,
    arn: String,
    query: String,
    body: Bytes,
}

async fn accept(
    emulator: &Emulator,
    parts: &Parts,
    meant: Option<(Operation, &str)>,
    body: Body,
) -> Result<Asked, ServiceError> {
    let Some((operation, label)) = meant else {
        let request = format!("{} {}", parts.method, parts.uri.path());
        return Err(ServiceError::NotEmulated { request });
    };
    Ok(Asked {
        operation,
        place: caller::place(&parts.headers, emulator.default_account())?,
        arn: percent_decode_str(label).decode_utf8_lossy().into_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        body: read(body).await?,
    })
}

impl Asked {
    /// Does what the faults' verdict says, and tells what is answered and how that is heard. The
    /// operation itself knows nothing of faults.
    fn take(self, emulator: &Emulator) -> (Result<Reply, ServiceError>, Answer) {
        let name = self.operation.name();
        let servers = faulted::named_servers(&self.body);
        let verdict = emulator.judge(&faults::Call {
            operation: self.operation,
            place: &self.place,
            servers: &servers,
        });
        let fault = verdict.job;
        let (result, heard) = match verdict.call {
            CallVerdict::Done { times, answer } => {
                let result = emulator.with_model(|model, _| self.done(model, times, fault));
                (result, answer)
            }
            CallVerdict::NotDone { instead } => (Ok(Reply::empty()), Answer::Instead(instead)),
            CallVerdict::Late { by, instead } => {
                emulator.put_off(by, move |model| {
                    let result = self.done(model, Times::Once, fault);
                    tracing::debug!(operation = name, refused = result.is_err(), "done late");
                });
                (Ok(Reply::empty()), Answer::Instead(instead))
            }
        };
        let result = match heard.error() {
            Some(error) => Err(faulted::error(error, servers.first())),
            None => result,
        };
        tracing::debug!(operation = name, refused = result.is_err(), "answered");
        (result, heard)
    }

    fn done(
        &self,
        model: &mut Model,
        times: Times,
        fault: Option<JobFault>,
    ) -> Result<Reply, ServiceError> {
        let result = self.perform(model, Delivery::First, fault.as_ref());
        if times == Times::Twice {
            // Refused or not, nobody hears of it.
            drop(self.perform(model, Delivery::Again, None));
        }
        result
    }

    fn perform(
        &self,
        model: &mut Model,
        delivery: Delivery,
        job_fault: Option<&JobFault>,
    ) -> Result<Reply, ServiceError> {
        perform(Call {
            operation: self.operation,
            place: self.place.clone(),
            now: model.now(),
            model,
            arn: &self.arn,
            query: &self.query,
            job_fault,
            delivery,
            body: &self.body,
        })
    }
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
    let name = call.operation.name();
    if call.model.flaws().denies("drs", name) {
        return Err(ServiceError::AccessDenied {
            message: format!("The caller is not authorized to perform: drs:{name}"),
        });
    }
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
