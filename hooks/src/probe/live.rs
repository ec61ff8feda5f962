//! Probes that are really made.

use std::{collections::BTreeMap, net::IpAddr, time::Duration};

use futures::future::BoxFuture;
use http::uri::PathAndQuery;
use thiserror::Error;
use tokio::time::{Instant, timeout};

use super::{
    Answer, Method, Probe, ProbeFailure, Probes, Problem, Request, Target,
    http::{Question, ask, host_header},
    network::{Destination, Network, Place},
    policy::{Setting, Subject},
    tls,
};
use crate::{
    CheckedEndpoint, EndpointError, Grants, Limits,
    grants::{Host, PathPrefix, Service, Trust},
};

/// Answers the probes of one attempt from the network: what is granted, where
/// the policy allows it.
#[derive(Debug)]
pub struct LiveProbes {
    servers: BTreeMap<String, Vec<IpAddr>>,
    ports: Vec<u16>,
    endpoints: BTreeMap<String, CheckedEndpoint>,
    body: usize,
    setting: Setting,
    network: Network,
}

/// An endpoint that cannot be granted.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("endpoint `{name}`: {error}")]
pub struct GrantError {
    /// Its name.
    pub name: String,
    /// What is wrong with it.
    pub error: EndpointError,
}

/// A probe that is granted: where to, and what to say there.
struct Errand<'a> {
    destination: Destination<'a>,
    speech: Speech<'a>,
}

/// What to say.
enum Speech<'a> {
    /// Nothing.
    Connect,
    /// One request.
    Ask {
        method: Method,
        path: PathAndQuery,
        /// Whom the `Host` header names; a server has no name but its address.
        host: Option<&'a Host>,
        trust: Option<&'a Trust>,
    },
}

impl LiveProbes {
    /// Answers what these grants allow.
    ///
    /// # Errors
    /// Names an endpoint that cannot be used.
    pub fn new(
        grants: &Grants,
        limits: &Limits,
        setting: Setting,
        network: Network,
    ) -> Result<Self, GrantError> {
        let check = |(name, endpoint): (&String, &crate::Endpoint)| match endpoint.check() {
            Ok(checked) => Ok((name.clone(), checked)),
            Err(error) => Err(GrantError {
                name: name.clone(),
                error,
            }),
        };
        Ok(Self {
            servers: grants.servers.clone(),
            ports: grants.ports.clone(),
            endpoints: grants
                .endpoints
                .iter()
                .map(check)
                .collect::<Result<_, _>>()?,
            body: limits.body,
            setting,
            network,
        })
    }

    async fn answer(&self, probe: &Probe) -> Result<Answer, ProbeFailure> {
        let started = Instant::now();
        let errand = self.errand(probe)?;
        let destination = errand.destination;
        let (stream, address) = self.network.reach(self.setting, destination).await?;
        let Speech::Ask {
            method,
            path,
            host,
            trust,
        } = errand.speech
        else {
            return Ok(Answer::Connected {
                elapsed_ms: elapsed_ms(started),
            });
        };
        let stream = match trust {
            None => stream,
            Some(trust) => tls::secure(stream, trust).await?,
        };
        let at = Host::Address(address.ip());
        let question = Question {
            method,
            path,
            host: host_header(host.unwrap_or(&at), address.port(), trust.is_some()),
        };
        let mut response = ask(stream, question, self.body).await?;
        response.elapsed_ms = elapsed_ms(started);
        Ok(Answer::Response(response))
    }

    /// What the probe amounts to, if it is granted.
    fn errand<'a>(&'a self, probe: &'a Probe) -> Result<Errand<'a>, ProbeFailure> {
        match &probe.target {
            Target::Server { server, port } => self.server_errand(server, *port, &probe.request),
            Target::Endpoint(name) => self.endpoint_errand(name, &probe.request),
        }
    }

    fn server_errand<'a>(
        &'a self,
        server: &str,
        port: u32,
        request: &Request,
    ) -> Result<Errand<'a>, ProbeFailure> {
        let Some(addresses) = self.servers.get(server) else {
            return Err(denied(format!("server `{server}` is not granted")));
        };
        let granted = |port: &u16| *port != 0 && self.ports.contains(port);
        let Some(port) = u16::try_from(port).ok().filter(granted) else {
            return Err(denied(format!("port {port} of servers is not granted")));
        };
        let speech = match request {
            Request::Tcp => Speech::Connect,
            Request::Http { method, path } => Speech::Ask {
                method: *method,
                path: admit(&PathPrefix::default(), path)?,
                host: None,
                trust: None,
            },
        };
        if addresses.is_empty() {
            let text = format!("server `{server}` has no address yet");
            return Err(ProbeFailure::new(Problem::Unresolved, text));
        }
        Ok(Errand {
            destination: Destination {
                place: Place::Addresses(addresses),
                port,
                subject: Subject::Server,
            },
            speech,
        })
    }

    fn endpoint_errand<'a>(
        &'a self,
        name: &str,
        request: &Request,
    ) -> Result<Errand<'a>, ProbeFailure> {
        let Some(endpoint) = self.endpoints.get(name) else {
            return Err(denied(format!("endpoint `{name}` is not granted")));
        };
        let speech = match request {
            Request::Tcp => Speech::Connect,
            Request::Http { method, path } => {
                let (prefix, trust) = match &endpoint.service {
                    Service::Tcp => {
                        let text = format!("endpoint `{name}` is not one to be asked by HTTP");
                        return Err(denied(text));
                    }
                    Service::Http(prefix) => (prefix, None),
                    Service::Https(prefix, trust) => (prefix, Some(trust)),
                };
                Speech::Ask {
                    method: *method,
                    path: admit(prefix, path)?,
                    host: Some(&endpoint.host),
                    trust,
                }
            }
        };
        Ok(Errand {
            destination: Destination {
                place: match &endpoint.host {
                    Host::Name(name) => Place::Name(name),
                    Host::Address(address) => Place::Addresses(std::slice::from_ref(address)),
                },
                port: endpoint.port,
                subject: Subject::Endpoint(&endpoint.cidrs),
            },
            speech,
        })
    }
}

impl Probes for LiveProbes {
    fn probe<'a>(&'a self, probe: &'a Probe) -> BoxFuture<'a, Answer> {
        Box::pin(async move {
            let answer = self.answer(probe);
            let answer = match probe.timeout_ms {
                0 => answer.await,
                ms => timeout(Duration::from_millis(ms.into()), answer)
                    .await
                    .unwrap_or_else(|_| {
                        let text = format!("no answer within {ms} ms");
                        Err(ProbeFailure::new(Problem::TimedOut, text))
                    }),
            };
            answer.unwrap_or_else(Answer::Failed)
        })
    }
}

fn admit(prefix: &PathPrefix, path: &str) -> Result<PathAndQuery, ProbeFailure> {
    prefix
        .admit(path)
        .map_err(|reason| denied(reason.to_string()))
}

fn denied(message: String) -> ProbeFailure {
    ProbeFailure::new(Problem::Denied, message)
}

fn elapsed_ms(since: Instant) -> u32 {
    u32::try_from(since.elapsed().as_millis()).unwrap_or(u32::MAX)
}
