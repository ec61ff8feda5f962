//! STS and IAM, as far as callers of DRS need them: a role is assumed, and asks who it is and what
//! it may. AWS's query protocol: the request is a form, the answer is XML.
//!
//! Everything is permitted but what the faults deny.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;
use percent_encoding::percent_decode_str;

use super::assume_role::assume_role;
use super::{answer, caller};
use crate::emulator::Emulator;
use crate::model::AccountId;

const FORM: &str = "application/x-www-form-urlencoded";

/// What a request may hold at most.
const BODY_LIMIT: usize = 1024 * 1024;

/// Members of a request, by name.
pub(super) type Form = BTreeMap<String, String>;

/// Answers a form; everything else is left to DRS.
pub(super) async fn answer(State(emulator): State<Emulator>, request: Request) -> Response {
    let content = request.headers().get(header::CONTENT_TYPE);
    let content = content.and_then(|value| value.to_str().ok());
    let is_form = content.is_some_and(|content| content.starts_with(FORM));
    if request.method() != Method::POST || !is_form {
        return answer::answer(State(emulator), request).await;
    }
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, BODY_LIMIT).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let form = read(&body);
    let (status, body) = match perform(&emulator, &parts.headers, &form) {
        Ok(body) => (StatusCode::OK, body),
        Err(refusal) => (refusal.status, refusal.written()),
    };
    let skew = emulator.with_faults(|faults, _| faults.service.clock_skew);
    let now = Timestamp::now()
        .saturating_add(skew)
        .unwrap_or(Timestamp::MAX);
    let mut response = (status, [(header::CONTENT_TYPE, "text/xml")], body).into_response();
    let date = DateTimePrinter::new().timestamp_to_rfc9110_string(&now);
    if let Some(date) = date.ok().and_then(|date| date.parse().ok()) {
        response.headers_mut().insert(header::DATE, date);
    }
    response
}

/// Why nothing is answered.
pub(super) struct Refusal {
    status: StatusCode,
    code: &'static str,
    message: String,
}

impl Refusal {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
        }
    }

    /// Something in the request is not as it should be.
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "ValidationError", message)
    }

    /// The caller may not do that to a resource.
    pub(super) fn denied(action: &str, resource: &str) -> Self {
        let message =
            format!("The caller is not authorized to perform: {action} on resource: {resource}");
        Self::new(StatusCode::FORBIDDEN, "AccessDenied", message)
    }

    fn written(&self) -> String {
        let (code, message) = (self.code, escaped(&self.message));
        format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code>\
             <Message>{message}</Message></Error></ErrorResponse>"
        )
    }
}

fn perform(emulator: &Emulator, headers: &HeaderMap, form: &Form) -> Result<String, Refusal> {
    let action = form.get("Action").map_or("", String::as_str);
    let (service, name) = match action {
        "GetCallerIdentity" => ("sts", "GetCallerIdentity"),
        "AssumeRole" => ("sts", "AssumeRole"),
        "SimulatePrincipalPolicy" => ("iam", "SimulatePrincipalPolicy"),
        other => {
            let message = format!("The emulator has no action {other:?} of STS or IAM.");
            return Err(Refusal::new(
                StatusCode::BAD_REQUEST,
                "InvalidAction",
                message,
            ));
        }
    };
    emulator.count_call(name);
    let place = caller::place_at(service, headers, emulator.default_account());
    let place = place.map_err(|error| {
        Refusal::new(
            StatusCode::FORBIDDEN,
            "IncompleteSignature",
            error.to_string(),
        )
    })?;
    let action = format!("{service}:{name}");
    if denied(emulator, &action) {
        let resource = form.get("RoleArn").map_or("*", String::as_str);
        return Err(Refusal::denied(&action, resource));
    }
    match name {
        "GetCallerIdentity" => Ok(identity(headers, &place.account)),
        "AssumeRole" => assume_role(emulator, form),
        _ => Ok(simulated(emulator, form)),
    }
}

fn denied(emulator: &Emulator, action: &str) -> bool {
    emulator.with_faults(|faults, _| faults.service.denied.iter().any(|it| it == action))
}

fn identity(headers: &HeaderMap, account: &AccountId) -> String {
    let token = headers.get("x-amz-security-token");
    let arn = match token.and_then(|token| token.to_str().ok()) {
        Some(session) => format!("arn:aws:sts::{account}:assumed-role/{session}"),
        None => format!("arn:aws:iam::{account}:user/emulator"),
    };
    let arn = escaped(&arn);
    result(
        "GetCallerIdentity",
        &format!("<Arn>{arn}</Arn><UserId>A</UserId><Account>{account}</Account>"),
    )
}

fn simulated(emulator: &Emulator, form: &Form) -> String {
    let resources = listed(form, "ResourceArns");
    let resource = escaped(resources.first().map_or("*", |it| it));
    let mut results = String::new();
    for action in listed(form, "ActionNames") {
        let decision = match denied(emulator, action) {
            true => "implicitDeny",
            false => "allowed",
        };
        let action = escaped(action);
        // Writing to a string cannot fail.
        let _ = write!(
            results,
            "<member><EvalActionName>{action}</EvalActionName>\
             <EvalResourceName>{resource}</EvalResourceName>\
             <EvalDecision>{decision}</EvalDecision></member>"
        );
    }
    result(
        "SimulatePrincipalPolicy",
        &format!(
            "<IsTruncated>false</IsTruncated><EvaluationResults>{results}</EvaluationResults>"
        ),
    )
}

/// The members of a list.
fn listed<'a>(form: &'a Form, name: &str) -> Vec<&'a str> {
    let numbered = |number: usize| form.get(&format!("{name}.member.{number}"));
    (1..).map_while(numbered).map(String::as_str).collect()
}

pub(super) fn result(action: &str, content: &str) -> String {
    format!("<{action}Response><{action}Result>{content}</{action}Result></{action}Response>")
}

fn read(body: &Bytes) -> Form {
    let text = String::from_utf8_lossy(body);
    let decoded = |part: &str| {
        let spaced = part.replace('+', " ");
        percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
    };
    let members = text.split('&').filter_map(|member| member.split_once('='));
    members
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect()
}

pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
