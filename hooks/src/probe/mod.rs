//! Probes: what a hook may ask the world, and who answers.
//!
//! [`Probes`] is the seam. A live attempt is answered by the network under
//! its policy, a test by a script, a replay by a tape; the guest cannot tell
//! which.

mod http;
mod live;
mod meter;
mod network;
mod policy;
mod tls;

use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};

pub use live::{GrantError, LiveProbes};
pub use network::{Connector, Duplex, Network, Resolver, Stream};
pub use policy::{
    CLAUSES, Clause, Matcher, Rule, Setting, Subject, judge, judge_by, judge_network,
};

/// Answers the probes of one attempt. Budgets and the record of what was
/// asked are kept by the host, not here.
pub trait Probes: Send + Sync {
    /// Makes one probe. It ends when it ends: the host stops the attempt at
    /// its deadline by dropping the future.
    fn probe<'a>(&'a self, probe: &'a Probe) -> BoxFuture<'a, Answer>;
}

/// One question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Probe {
    /// Of what.
    pub target: Target,
    /// Milliseconds that it may take; 0 for as long as the attempt has.
    #[serde(default)]
    pub timeout_ms: u32,
    /// What is asked.
    pub request: Request,
}

/// What a guest can name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// A server and a port.
    Server {
        /// Id of the DRS source server.
        server: String,
        /// As the guest gave it; may be no port at all.
        port: u32,
    },
    /// The name of a declared endpoint.
    Endpoint(String),
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum Request {
    /// To accept a connection.
    Tcp,
    /// To answer one HTTP request.
    Http {
        /// GET or HEAD.
        method: Method,
        /// With its query.
        path: String,
    },
}

/// The methods that only read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// With its body.
    Get,
    /// Headers alone.
    Head,
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum Answer {
    /// The connection stood.
    Connected {
        /// Until it stood.
        elapsed_ms: u32,
    },
    /// An HTTP response.
    Response(Response),
    /// No answer.
    Failed(ProbeFailure),
}

/// An HTTP response, within the caps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Names in lower case. Values of one name stand together, in order of
    /// arrival; the order of different names means nothing in HTTP.
    #[serde(default)]
    pub headers: Vec<(String, String)>,
    /// The beginning of the body.
    #[serde(default, with = "body")]
    pub body: Vec<u8>,
    /// Whether there was more.
    #[serde(default)]
    pub truncated: bool,
    /// Until it was read.
    #[serde(default)]
    pub elapsed_ms: u32,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ProbeFailure {
    /// Which way.
    pub problem: Problem,
    /// For people. Of a denial it names the rule.
    #[serde(default)]
    pub message: String,
}

impl ProbeFailure {
    /// A probe that failed in this way.
    #[must_use]
    pub fn new(problem: Problem, message: impl Into<String>) -> Self {
        Self {
            problem,
            message: message.into(),
        }
    }
}

/// Which way a probe failed. `wit/v1/probe.wit` says what each means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the contract documents each")]
pub enum Problem {
    Denied,
    Budget,
    Unresolved,
    Refused,
    Unreachable,
    TimedOut,
    Tls,
    Protocol,
}

/// A body is text wherever it can be, so that a tape can be read by a person,
/// and a list of bytes elsewhere.
mod body {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Body {
        Text(String),
        Bytes(Vec<u8>),
    }

    pub(super) fn serialize<S: Serializer>(body: &[u8], to: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(body) {
            Ok(text) => text.serialize(to),
            Err(_) => body.serialize(to),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        Ok(match Body::deserialize(from)? {
            Body::Text(text) => text.into_bytes(),
            Body::Bytes(bytes) => bytes,
        })
    }
}
