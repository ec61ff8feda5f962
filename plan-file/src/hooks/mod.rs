//! Hooks in a plan file: their uses by waves, and the endpoints that these may
//! be granted.

pub(super) mod api;
mod on_failure;

use std::{
    collections::BTreeMap,
    num::{NonZeroU32, NonZeroU64},
};

pub(crate) use on_failure::{OnHookFailure, Policy};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{duration::PlanDuration, syntax::Scalar};

/// The use of a hook by a wave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct HookUse {
    /// The hook's registered name.
    pub(crate) hook: String,
    /// Pins the hook: "sha256:" and 64 hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) digest: Option<String>,
    /// Parameters handed to the hook as text.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(with = "BTreeMap<String, Scalar>")]
    pub(crate) config: BTreeMap<String, String>,
    /// Ports of this wave's servers, and of those of the waves that it waits
    /// for, that the hook may probe. One that `config` names is granted by
    /// that.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(inner(range(min = 1, max = 65535)))]
    pub(crate) ports: Vec<u32>,
    /// Names of the plan's endpoints that the hook may probe. One that
    /// `config` names is granted by that.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) endpoints: Vec<String>,
    /// Lets the hook import WASI, with everything in it denied.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) allow_wasi: bool,
    /// All attempts together. Not given: 15m.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) timeout: Option<PlanDuration>,
    /// How often a verdict "retry" is followed. Not given: 30.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) retries: Option<u32>,
    /// What one attempt may use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) limits: Option<HookLimits>,
    /// What a failure of the hook itself means. Not given: hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) on_failure: Option<OnHookFailure>,
}

/// What one attempt of a hook may use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct HookLimits {
    /// From instantiation to teardown. Not given: 10s; at most 2m.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) attempt_timeout: Option<PlanDuration>,
    /// Instructions, roughly. Not given: 5000000000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 100_000_000_000_u64))]
    pub(crate) fuel: Option<NonZeroU64>,
    /// MiB of memory. Not given: 64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 256))]
    pub(crate) memory_mib: Option<NonZeroU32>,
}

/// Something outside the plan's servers that a hook may be let to reach.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Endpoint {
    /// What hooks call it; unique in the plan, same form as a plan's name.
    #[schemars(regex(pattern = "^[a-z][a-z0-9-]{0,62}$"))]
    pub(crate) name: String,
    /// How it is spoken to.
    pub(crate) scheme: Scheme,
    /// A DNS name or an address.
    pub(crate) host: String,
    /// The TCP port.
    #[schemars(range(min = 1, max = 65535))]
    pub(crate) port: u32,
    /// What the path of a request must lie below. Not given: /.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) path_prefix: Option<String>,
    /// Networks in which its addresses may lie, such as 10.1.0.0/16. Not
    /// given: public addresses only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) cidrs: Vec<String>,
    /// PEM of the authority that vouches for its certificate. HTTPS needs
    /// this or `caFile`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ca_pem: Option<String>,
    /// A file with that PEM; a relative path begins where the plan file is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ca_file: Option<String>,
    /// The name in its certificate. Not given: `host`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) server_name: Option<String>,
}

/// How an endpoint is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Scheme {
    /// A TCP connection and no more.
    Tcp,
    /// HTTP/1.1 in the clear.
    Http,
    /// HTTP/1.1 over TLS.
    Https,
}

#[cfg(test)]
mod tests;
