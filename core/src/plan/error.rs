//! What can be wrong with a plan. Every mistake names its field.

use alloc::string::String;
use core::fmt;

use super::{HookFailureKind, Scheme};
use crate::Span;

/// One mistake and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanError {
    /// Path as in the API, for example `spec.waves[1].after[0]`.
    pub field: String,
    /// What is wrong.
    pub mistake: Mistake,
}

/// What is wrong with a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mistake {
    /// It must be given.
    Missing,
    /// Not 1 to 63 of a-z, 0-9 and '-', beginning with a letter.
    BadName(String),
    /// Not twelve digits.
    BadAccount(String),
    /// Not an AWS Region.
    BadRegion(String),
    /// Not the ARN of a role.
    BadRole(String),
    /// Not `s-` and 17 hexadecimal digits, nor the ARN of a source server.
    BadServerId(String),
    /// The ARN is of another account or Region than the target.
    ServerElsewhere {
        /// What was written.
        arn: String,
        /// Account and Region of the target.
        target: String,
    },
    /// Not `pit-` and 17 hexadecimal digits.
    BadSnapshotId(String),
    /// Not `sha256:` and 64 hexadecimal digits.
    BadDigest(String),
    /// Neither a DNS name nor an address.
    BadHost(String),
    /// Not 1 to 65535.
    BadPort(u32),
    /// Not a path that begins with '/'.
    BadPath(String),
    /// Not a network.
    BadCidr(String),
    /// Not a certificate in PEM, or with a key in it.
    BadCertificate,
    /// Means nothing where this scheme is spoken.
    NotForScheme(Scheme),
    /// Another wave has this name.
    DuplicateWave(String),
    /// No wave has this name.
    UnknownWave {
        /// What was written.
        name: String,
        /// The wave's name that comes nearest, if one is near.
        nearest: Option<String>,
    },
    /// Another endpoint has this name.
    DuplicateEndpoint(String),
    /// No endpoint has this name.
    UnknownEndpoint {
        /// What was written.
        name: String,
        /// The endpoint's name that comes nearest, if one is near.
        nearest: Option<String>,
    },
    /// The same port, endpoint or kind of failure twice.
    ListedTwice(String),
    /// A waiver of every kind of failure.
    WaivesEverything,
    /// A waiver of a kind that is never waived.
    NeverWaived(HookFailureKind),
    /// The same dependency twice.
    DuplicateDependency(String),
    /// The waves wait for each other, in this order.
    Cycle(String),
    /// The server is named elsewhere in this plan.
    DuplicateServer {
        /// Its id.
        id: String,
        /// Where it was named first.
        first: String,
    },
    /// A wave without servers.
    NoServers,
    /// Both ids and tags, or neither.
    IdsOrTags,
    /// `optional` on a group of ids belongs to each server.
    OptionalNeedsTags,
    /// More than is allowed.
    TooMany {
        /// How many there are.
        count: u64,
        /// How many may be.
        limit: u64,
    },
    /// Larger than is allowed.
    TooLong {
        /// Length in characters.
        length: usize,
        /// Longest allowed.
        limit: usize,
    },
    /// A length of time that must be above zero.
    ZeroSpan,
    /// An amount that must be above zero.
    Zero,
    /// Longer than is allowed.
    SpanTooLong {
        /// How long it is.
        span: Span,
        /// Longest allowed.
        limit: Span,
    },
    /// The longest wait is below the first one.
    BackoffOrder,
}

// What a text is not, and what to write instead.
const NO_NAME: &str = "not a name; use 1 to 63 of a-z, 0-9 and '-', beginning with a letter";
const NO_ACCOUNT: &str = "not an AWS account id; use its twelve digits, quoted";
const NO_REGION: &str = "not an AWS Region; use for example \"us-west-2\"";
const NO_ROLE: &str = "not a role's ARN; use \"arn:aws:iam::ACCOUNT:role/NAME\"";
const NO_SERVER: &str =
    "not a source server id; use \"s-\" and 17 hexadecimal digits, or the server's ARN";
const NO_SNAPSHOT: &str = "not a recovery snapshot id; use \"pit-\" and 17 hexadecimal digits";
const NO_DIGEST: &str = "not a digest; use \"sha256:\" and 64 hexadecimal digits";
const NO_HOST: &str = "neither a DNS name nor an address; use for example \"db.example.com\"";
const NO_PATH: &str = "not a path; begin with '/', without '?', '#', '%' and \"..\"";
const NO_CIDR: &str = "not a network; use for example \"10.1.0.0/16\", with zeros after the prefix";

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("must be given"),
            Self::BadName(text) => write!(f, "{text:?} is {NO_NAME}"),
            Self::BadAccount(text) => write!(f, "{text:?} is {NO_ACCOUNT}"),
            Self::BadRegion(text) => write!(f, "{text:?} is {NO_REGION}"),
            Self::BadRole(text) => write!(f, "{text:?} is {NO_ROLE}"),
            Self::BadServerId(text) => write!(f, "{text:?} is {NO_SERVER}"),
            Self::ServerElsewhere { arn, target } => elsewhere(f, arn, target),
            Self::BadSnapshotId(text) => write!(f, "{text:?} is {NO_SNAPSHOT}"),
            Self::BadDigest(text) => write!(f, "{text:?} is {NO_DIGEST}"),
            Self::BadHost(text) => write!(f, "{text:?} is {NO_HOST}"),
            Self::BadPort(port) => write!(f, "{port} is not a port; use 1 to 65535"),
            Self::BadPath(text) => write!(f, "{text:?} is {NO_PATH}"),
            Self::BadCidr(text) => write!(f, "{text:?} is {NO_CIDR}"),
            Self::BadCertificate => f.write_str(
                "is not a certificate; begin with \"-----BEGIN CERTIFICATE-----\", and give no key",
            ),
            Self::NotForScheme(scheme) => {
                write!(f, "means nothing for scheme {scheme:?}; leave it out")
            }
            Self::DuplicateWave(name) => {
                write!(f, "another wave is named {name:?}; rename one of them")
            }
            Self::UnknownWave { name, nearest } => unknown(f, "wave", name, nearest.as_deref()),
            Self::DuplicateEndpoint(name) => {
                write!(f, "another endpoint is named {name:?}; rename one of them")
            }
            Self::UnknownEndpoint { name, nearest } => {
                unknown(f, "endpoint", name, nearest.as_deref())
            }
            Self::WaivesEverything => {
                f.write_str("cannot be WAIVE; waive single kinds of failure in failure_answers")
            }
            Self::NeverWaived(kind) => write!(
                f,
                "{kind} is never waived, because nothing is known of what was to run; use HOLD, ABORT or RETRY"
            ),
            Self::ListedTwice(name) | Self::DuplicateDependency(name) => {
                write!(f, "{name:?} is listed twice; remove one")
            }
            Self::Cycle(path) => write!(
                f,
                "the waves wait for each other: {path}; remove one of these dependencies"
            ),
            Self::DuplicateServer { id, first } => write!(
                f,
                "{id:?} is also in {first}; a plan launches a server once"
            ),
            Self::NoServers => f.write_str("a wave needs servers; give ids or tags"),
            Self::IdsOrTags => {
                f.write_str("give either server ids or tags, not both and not neither")
            }
            Self::OptionalNeedsTags => {
                f.write_str("applies to tags only; mark each server by id as optional itself")
            }
            Self::TooMany { count, limit } => write!(f, "{count} are above the limit of {limit}"),
            Self::TooLong { length, limit } => {
                write!(f, "{length} characters are above the limit of {limit}")
            }
            Self::ZeroSpan => f.write_str("must be longer than zero; leave it out for no limit"),
            Self::Zero => f.write_str("must be above zero; leave it out for the default"),
            Self::SpanTooLong { span, limit } => {
                write!(f, "{span} is longer than the limit of {limit}")
            }
            Self::BackoffOrder => f.write_str("must not be shorter than the first backoff"),
        }
    }
}

fn elsewhere(f: &mut fmt::Formatter<'_>, arn: &str, target: &str) -> fmt::Result {
    write!(
        f,
        "{arn:?} is not in the target {target}; correct one of them, or name an extended \
         source server by the id that it has in the target's account"
    )
}

fn unknown(
    f: &mut fmt::Formatter<'_>,
    what: &str,
    name: &str,
    nearest: Option<&str>,
) -> fmt::Result {
    write!(f, "there is no {what} {name:?}")?;
    match nearest {
        Some(nearest) => write!(f, "; did you mean {nearest:?}?"),
        None => f.write_str(" in this plan"),
    }
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.mistake)
    }
}

impl core::error::Error for PlanError {}
