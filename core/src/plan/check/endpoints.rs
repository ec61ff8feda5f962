//! Checking the endpoints.

use alloc::{
    collections::BTreeMap,
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::net::IpAddr;

use super::{
    super::{Cidr, DraftEndpoint, EndpointPlan, Mistake, Scheme},
    Checker,
};
use crate::{EndpointIx, EndpointName};

/// Where each name is first.
pub(super) fn positions(drafts: &[DraftEndpoint]) -> BTreeMap<&str, EndpointIx> {
    let mut positions = BTreeMap::new();
    for (ix, draft) in (0..).map(EndpointIx).zip(drafts) {
        positions.entry(draft.name.as_str()).or_insert(ix);
    }
    positions
}

impl Checker<'_> {
    pub(super) fn declared(&mut self, drafts: &[DraftEndpoint]) -> Vec<EndpointPlan> {
        let path = "spec.endpoints";
        self.count(path, drafts.len(), self.limits.endpoints);
        let mut endpoints = Vec::with_capacity(drafts.len());
        for (ix, draft) in drafts.iter().enumerate() {
            let path = format!("{path}[{ix}]");
            self.name(&format!("{path}.name"), &draft.name);
            let first = self.endpoints.get(draft.name.as_str());
            if first.is_some_and(|first| first.index() != ix) {
                self.wrong(
                    format!("{path}.name"),
                    Mistake::DuplicateEndpoint(draft.name.clone()),
                );
            }
            endpoints.push(self.endpoint(&path, draft));
        }
        endpoints
    }

    fn endpoint(&mut self, path: &str, draft: &DraftEndpoint) -> EndpointPlan {
        self.host(&format!("{path}.host"), &draft.host);
        let port = self.port(&format!("{path}.port"), draft.port);
        let path_prefix = self.path_prefix(&format!("{path}.path_prefix"), draft);
        let cidrs = self.cidrs(&format!("{path}.cidrs"), &draft.cidrs);
        self.tls(path, draft);
        let given = |text: &String| (!text.is_empty()).then(|| text.clone());
        EndpointPlan {
            name: EndpointName::from(draft.name.as_str()),
            scheme: draft.scheme,
            host: draft.host.clone(),
            // Without a port the plan is refused.
            port: port.unwrap_or_default(),
            path_prefix,
            cidrs,
            ca_pem: given(&draft.ca_pem),
            server_name: given(&draft.server_name),
        }
    }

    fn host(&mut self, path: &str, host: &str) {
        if host.is_empty() {
            self.wrong(path, Mistake::Missing);
        } else if !is_host(host) {
            self.wrong(path, Mistake::BadHost(host.to_string()));
        }
    }

    fn path_prefix(&mut self, path: &str, draft: &DraftEndpoint) -> String {
        let prefix = match draft.path_prefix.as_str() {
            "" => "/",
            given => given,
        };
        self.text(path, prefix);
        if draft.scheme == Scheme::Tcp && prefix != "/" {
            self.wrong(path, Mistake::NotForScheme(draft.scheme));
        } else if !is_path(prefix) {
            self.wrong(path, Mistake::BadPath(prefix.to_string()));
        }
        prefix.to_string()
    }

    fn cidrs(&mut self, path: &str, drafts: &[String]) -> Vec<Cidr> {
        self.count(path, drafts.len(), self.limits.entries);
        let mut cidrs = Vec::with_capacity(drafts.len());
        for (ix, draft) in drafts.iter().enumerate() {
            match draft.parse() {
                Ok(cidr) => cidrs.push(cidr),
                Err(_) => self.wrong(format!("{path}[{ix}]"), Mistake::BadCidr(draft.clone())),
            }
        }
        cidrs
    }

    fn tls(&mut self, path: &str, draft: &DraftEndpoint) {
        let (pem, name) = (format!("{path}.ca_pem"), format!("{path}.server_name"));
        if draft.scheme != Scheme::Https {
            for (path, text) in [(pem, &draft.ca_pem), (name, &draft.server_name)] {
                if !text.is_empty() {
                    self.wrong(path, Mistake::NotForScheme(draft.scheme));
                }
            }
            return;
        }
        let (length, limit) = (draft.ca_pem.len(), self.limits.pem);
        if length == 0 {
            self.wrong(pem, Mistake::Missing);
        } else if length > limit {
            self.wrong(pem, Mistake::TooLong { length, limit });
        } else if !is_certificate(&draft.ca_pem) {
            self.wrong(pem, Mistake::BadCertificate);
        }
        if !draft.server_name.is_empty() && !is_host(&draft.server_name) {
            self.wrong(name, Mistake::BadHost(draft.server_name.clone()));
        }
    }
}

/// An address, or a DNS name that no resolver takes for one: `127.1` and
/// `0x7f000001` are addresses to some of them.
fn is_host(text: &str) -> bool {
    if text.parse::<IpAddr>().is_ok() {
        return true;
    }
    let last = text.rsplit('.').next().unwrap_or_default();
    let numeric = last.starts_with(|c: char| c.is_ascii_digit());
    text.len() <= 253 && !numeric && text.split('.').all(is_label)
}

fn is_label(label: &str) -> bool {
    !label.is_empty()
        && label.len() <= 63
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// An absolute path without a query, and without segments that lead out of it.
fn is_path(text: &str) -> bool {
    text.starts_with('/')
        && text
            .bytes()
            .all(|b| b.is_ascii_graphic() && !matches!(b, b'?' | b'#' | b'\\' | b'%'))
        && text.split('/').all(|part| !matches!(part, "." | ".."))
}

/// Only the shape: whoever connects reads it. A key has no business here.
fn is_certificate(text: &str) -> bool {
    let begun = text.split_once("-----BEGIN CERTIFICATE-----");
    begun.is_some_and(|(_, rest)| rest.contains("-----END CERTIFICATE-----"))
        && !text.contains("PRIVATE KEY-----")
}
