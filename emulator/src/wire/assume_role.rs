//! STS's AssumeRole: a role of any account is assumed by whoever asks rightly, unless a fault says
//! with which external id only.
//!
//! A session's token is the name of its role and its own, so that it is known again; its access key
//! is the account, as everywhere here.
//!
//! Source: "AssumeRole", AWS Security Token Service API reference.

use jiff::{SignedDuration, Timestamp};

use super::identity::{Form, Refusal, escaped, result};
use crate::emulator::Emulator;
use crate::model::AccountId;

/// What a session lasts if nobody says it, and the longest that a role allows unless it is made
/// otherwise, in seconds.
const LIFETIME: i64 = 3_600;

/// The shortest session, in seconds.
const SHORTEST: i64 = 900;

/// Tags of a session.
const TAGS: usize = 50;

/// What is asked for, checked.
struct Request<'a> {
    arn: &'a str,
    account: AccountId,
    role: &'a str,
    session: &'a str,
    external_id: Option<&'a str>,
    lifetime: SignedDuration,
    is_tagged: bool,
}

/// Assumes a role.
pub(super) fn assume_role(emulator: &Emulator, form: &Form) -> Result<String, Refusal> {
    let request = Request::read(form)?;
    permitted(emulator, &request)?;
    let Request {
        account,
        role,
        session,
        lifetime,
        ..
    } = request;
    // The SDK renews credentials by this machine's clock, however the emulated time passes.
    let expires = Timestamp::now()
        .saturating_add(lifetime)
        .unwrap_or(Timestamp::MAX);
    let expires = expires.strftime("%Y-%m-%dT%H:%M:%SZ");
    // IAM leaves the path out.
    let name = role.rsplit('/').next().unwrap_or(role);
    let (name, session) = (escaped(name), escaped(session));
    Ok(result(
        "AssumeRole",
        &format!(
            "<AssumedRoleUser><AssumedRoleId>AROAEMULATOR:{session}</AssumedRoleId>\
             <Arn>arn:aws:sts::{account}:assumed-role/{name}/{session}</Arn></AssumedRoleUser>\
             <Credentials><AccessKeyId>{account}</AccessKeyId>\
             <SecretAccessKey>emulator</SecretAccessKey>\
             <SessionToken>{name}/{session}</SessionToken>\
             <Expiration>{expires}</Expiration></Credentials>"
        ),
    ))
}

/// What the role's trust policy would say.
fn permitted(emulator: &Emulator, request: &Request<'_>) -> Result<(), Refusal> {
    let (wanted, may_tag) = emulator.with_faults(|faults, _| {
        let service = &faults.service;
        let wanted = service.external_ids.get(request.arn).cloned();
        (wanted, !service.denies("sts", "TagSession"))
    });
    if wanted.is_some() && wanted.as_deref() != request.external_id {
        return Err(Refusal::denied("sts:AssumeRole", request.arn));
    }
    if request.is_tagged && !may_tag {
        return Err(Refusal::denied("sts:TagSession", request.arn));
    }
    Ok(())
}

impl<'a> Request<'a> {
    fn read(form: &'a Form) -> Result<Self, Refusal> {
        let text = |member: &str| form.get(member).map(String::as_str);
        let arn = text("RoleArn").unwrap_or_default();
        let (account, role) = role(arn).ok_or_else(|| {
            Refusal::invalid(format!("{arn:?} at RoleArn is not the ARN of a role."))
        })?;
        let session = text("RoleSessionName").unwrap_or_default();
        if !is_text(session, 64, "_=,.@+-") {
            let what = format!("{session:?} at RoleSessionName must be 2 to 64 of [\\w+=,.@-].");
            return Err(Refusal::invalid(what));
        }
        let external_id = text("ExternalId");
        if let Some(id) = external_id
            && !is_text(id, 1_224, "_=,.@:/+-")
        {
            let what = format!("{id:?} at ExternalId must be 2 to 1224 of [\\w+=,.@:/-].");
            return Err(Refusal::invalid(what));
        }
        Ok(Self {
            arn,
            account,
            role,
            session,
            external_id,
            lifetime: lifetime(text("DurationSeconds"))?,
            is_tagged: tags(form)? > 0,
        })
    }
}

fn role(arn: &str) -> Option<(AccountId, &str)> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let ["arn", _, "iam", "", account, role] = parts[..] else {
        return None;
    };
    let role = role.strip_prefix("role/").filter(|role| !role.is_empty())?;
    Some((AccountId::parse(account).ok()?, role))
}

fn lifetime(text: Option<&str>) -> Result<SignedDuration, Refusal> {
    let Some(text) = text else {
        return Ok(SignedDuration::from_secs(LIFETIME));
    };
    match text.parse() {
        Ok(seconds @ SHORTEST..=LIFETIME) => Ok(SignedDuration::from_secs(seconds)),
        Ok(seconds) if seconds > LIFETIME => Err(Refusal::invalid(
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        )),
        Ok(_) | Err(_) => Err(Refusal::invalid(format!(
            "{text:?} at DurationSeconds must be a number of seconds, {SHORTEST} at least."
        ))),
    }
}

/// How many there are.
fn tags(form: &Form) -> Result<usize, Refusal> {
    let member = |number: usize, of: &str| form.get(&format!("Tags.member.{number}.{of}")).cloned();
    let keys = (1..).map_while(|number| Some((member(number, "Key")?, member(number, "Value")?)));
    let mut count = 0;
    for (key, value) in keys {
        count += 1;
        if key.is_empty() || key.len() > 128 || value.len() > 256 || count > TAGS {
            let what = format!("{key:?} at Tags: {TAGS} tags at most, of 128 and 256 characters.");
            return Err(Refusal::invalid(what));
        }
    }
    Ok(count)
}

fn is_text(text: &str, longest: usize, besides: &str) -> bool {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || besides.contains(c);
    (2..=longest).contains(&text.len()) && text.chars().all(is_allowed)
}
