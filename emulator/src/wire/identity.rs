//! STS and IAM, as far as callers of DRS need them: a role is assumed, and asks who it is and what
//! it may. AWS's query protocol: the request is a form, the answer is XML.
//!
//! A session's token is the name of its role, so that it is known again; its access key is the
//! account, as everywhere here. Everything is permitted but what the faults deny.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;
use percent_encoding::percent_decode_str;

use super::{answer, caller};
use crate::emulator::Emulator;
use crate::model::AccountId;

const FORM: &str = "application/x-www-form-urlencoded";

/// What a request may hold at most.
const BODY_LIMIT: usize = 1024 * 1024;

/// Sessions outlive every test.
const EXPIRATION: &str = "2099-01-01T00:00:00Z";

/// Members of a request, by name.
type Form = BTreeMap<String, String>;

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
        Err(refusal) => (StatusCode::FORBIDDEN, refusal.written()),
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
struct Refusal {
    code: &'static str,
    message: String,
}

impl Refusal {
    fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
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
            return Err(Refusal::new("InvalidAction", message));
        }
    };
    emulator.count_call(name);
    let place = caller::place_at(service, headers, emulator.default_account());
    let place = place.map_err(|error| Refusal::new("IncompleteSignature", error.to_string()))?;
    if denied(emulator, &format!("{service}:{name}")) {
        let message = format!("The caller is not authorized to perform: {service}:{name}");
        return Err(Refusal::new("AccessDenied", message));
    }
    match name {
        "GetCallerIdentity" => Ok(identity(headers, &place.account)),
        "AssumeRole" => assumed(form),
        _ => Ok(simulated(emulator, form)),
    }
}

fn denied(emulator: &Emulator, action: &str) -> bool {
    emulator.with_faults(|faults, _| faults.service.denied.iter().any(|it| it == action))
}

fn identity(headers: &HeaderMap, account: &AccountId) -> String {
    let token = headers.get("x-amz-security-token");
    let arn = match token.and_then(|token| token.to_str().ok()) {
        Some(role) => format!("arn:aws:sts::{account}:assumed-role/{role}/session"),
        None => format!("arn:aws:iam::{account}:user/emulator"),
    };
    let arn = escaped(&arn);
    result(
        "GetCallerIdentity",
        &format!("<Arn>{arn}</Arn><UserId>A</UserId><Account>{account}</Account>"),
    )
}

fn assumed(form: &Form) -> Result<String, Refusal> {
    let arn = form.get("RoleArn").map_or("", String::as_str);
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let role = match parts[..] {
        ["arn", _, "iam", "", account, role] => AccountId::parse(account)
            .ok()
            .zip(role.strip_prefix("role/")),
        _ => None,
    };
    let Some((account, role)) = role else {
        let message = format!("{arn:?} is not the ARN of a role.");
        return Err(Refusal::new("ValidationError", message));
    };
    let name = escaped(role.rsplit('/').next().unwrap_or(role));
    let session = form.get("RoleSessionName").map_or("", String::as_str);
    let session = escaped(session);
    Ok(result(
        "AssumeRole",
        &format!(
            "<AssumedRoleUser><AssumedRoleId>A:{session}</AssumedRoleId>\
             <Arn>arn:aws:sts::{account}:assumed-role/{name}/{session}</Arn></AssumedRoleUser>\
             <Credentials><AccessKeyId>{account}</AccessKeyId>\
             <SecretAccessKey>emulator</SecretAccessKey><SessionToken>{name}</SessionToken>\
             <Expiration>{EXPIRATION}</Expiration></Credentials>"
        ),
    ))
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

fn result(action: &str, content: &str) -> String {
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

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
