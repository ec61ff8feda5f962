//! Workloads: what a recovered server serves, as a function of emulated time and of what people
//! said of it. Whether anything really listens is not the model's business.

use std::collections::BTreeMap;
use std::net::SocketAddrV4;

use jiff::{SignedDuration, Timestamp};

use super::Model;
use super::estate::Estate;
use super::id::{Place, SourceServerId};
use super::recovery_instance::{InstanceState, RecoveryInstance};
use super::refusal::{Refusal, ResourceKind};
use super::source_server::SourceServer;

/// What the recovery instances of one server serve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workload {
    /// The ports, and what is spoken there.
    pub ports: BTreeMap<u16, Protocol>,
    /// From LAUNCH_END until the ports open.
    pub ready_after: SignedDuration,
    /// What is wrong with it once it is ready.
    pub ailment: Ailment,
}

/// What is spoken on a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Protocol {
    /// Connections are accepted, and nothing is said.
    Tcp,
    /// HTTP/1.1.
    Http,
}

/// What is wrong with a workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ailment {
    /// Nothing.
    None,
    /// It is unhealthy for so long after each launch.
    For(SignedDuration),
    /// It is unhealthy until a person says otherwise.
    UntilTold,
}

/// A person's word about a workload. It holds for the server, so for later instances too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// It works.
    Healthy,
    /// It does not work.
    Unhealthy,
}

/// How a workload is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkloadState {
    /// No instance of its server runs: no port is open.
    Down,
    /// Its instance runs, and no port is open yet.
    Starting {
        /// When they open.
        ready_at: Timestamp,
    },
    /// All ports are open, and HTTP answers 200.
    Healthy,
    /// HTTP answers 503; the other ports are closed.
    Unhealthy {
        /// When that passes by itself.
        until: Option<Timestamp>,
    },
}

impl Workload {
    /// A workload that is healthy as soon as its instance is launched.
    pub fn new(ports: impl IntoIterator<Item = (u16, Protocol)>) -> Self {
        Self {
            ports: ports.into_iter().collect(),
            ready_after: SignedDuration::ZERO,
            ailment: Ailment::None,
        }
    }

    /// How it is on an instance that runs since then.
    fn state(&self, runs_from: Timestamp, told: Option<Health>, now: Timestamp) -> WorkloadState {
        let ready_at = runs_from + self.ready_after;
        if now < ready_at {
            return WorkloadState::Starting { ready_at };
        }
        match (told, self.ailment) {
            (Some(Health::Healthy), _) | (None, Ailment::None) => WorkloadState::Healthy,
            (Some(Health::Unhealthy), _) | (None, Ailment::UntilTold) => {
                WorkloadState::Unhealthy { until: None }
            }
            (None, Ailment::For(duration)) => {
                let until = ready_at + duration;
                if now < until {
                    WorkloadState::Unhealthy { until: Some(until) }
                } else {
                    WorkloadState::Healthy
                }
            }
        }
    }
}

impl WorkloadState {
    /// Whether ports with that protocol are open.
    pub fn opens(self, protocol: Protocol) -> bool {
        match (self, protocol) {
            (Self::Healthy, Protocol::Tcp | Protocol::Http)
            | (Self::Unhealthy { .. }, Protocol::Http) => true,
            (Self::Unhealthy { .. }, Protocol::Tcp)
            | (Self::Down | Self::Starting { .. }, Protocol::Tcp | Protocol::Http) => false,
        }
    }

    /// When it changes by itself.
    pub fn changes_at(self) -> Option<Timestamp> {
        match self {
            Self::Starting { ready_at } => Some(ready_at),
            Self::Unhealthy { until } => until,
            Self::Down | Self::Healthy => None,
        }
    }
}

/// A workload at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Served<'a> {
    /// Where.
    pub place: &'a Place,
    /// Whose it is.
    pub server: &'a SourceServer,
    /// What it is.
    pub workload: &'a Workload,
    /// The instance that was launched for it, unless that is gone.
    pub instance: Option<&'a RecoveryInstance>,
    /// How it is.
    pub state: WorkloadState,
}

impl Served<'_> {
    /// The addresses that are open now, if the addresses of instances are real.
    pub fn open(&self) -> impl Iterator<Item = (SocketAddrV4, Protocol)> {
        let state = self.state;
        self.sockets()
            .filter(move |(_, protocol)| state.opens(*protocol))
    }

    /// The addresses of its ports, open or not.
    pub fn sockets(&self) -> impl Iterator<Item = (SocketAddrV4, Protocol)> {
        let ports = &self.workload.ports;
        self.instance.into_iter().flat_map(|instance| {
            let socket = |port| SocketAddrV4::new(instance.address, port);
            ports
                .iter()
                .map(move |(&port, &protocol)| (socket(port), protocol))
        })
    }
}

impl Model {
    /// The workloads of every place, by server.
    pub fn workloads(&self) -> impl Iterator<Item = Served<'_>> {
        let now = self.now;
        self.estates.iter().flat_map(move |(place, estate)| {
            let servers = estate.source_servers();
            servers.filter_map(move |server| served(place, estate, server, now))
        })
    }

    /// The workload of one server.
    pub fn workload(&self, server: &SourceServerId) -> Option<Served<'_>> {
        self.estates.iter().find_map(|(place, estate)| {
            let server = estate.source_server(server)?;
            served(place, estate, server, self.now)
        })
    }

    /// Takes a person's word that a workload is healthy, or is not.
    pub fn tell_workload(
        &mut self,
        server: &SourceServerId,
        health: Health,
    ) -> Result<(), Refusal> {
        let mut estates = self.estates.values_mut();
        let server_told = estates.find_map(|estate| estate.servers.get_mut(server));
        let carrying = server_told.filter(|server| server.spec.workload.is_some());
        let told = carrying.ok_or_else(|| Refusal::NotFound {
            kind: ResourceKind::Workload,
            id: server.to_string(),
        })?;
        told.told = Some(health);
        Ok(())
    }

    /// When something next happens by itself that may change a workload.
    pub fn next_workload_change(&self) -> Option<Timestamp> {
        let of_themselves = self
            .workloads()
            .filter_map(|served| served.state.changes_at());
        of_themselves.chain(self.next_change()).min()
    }
}

fn served<'a>(
    place: &'a Place,
    estate: &'a Estate,
    server: &'a SourceServer,
    now: Timestamp,
) -> Option<Served<'a>> {
    let workload = server.spec.workload.as_ref()?;
    let id = server.recovery_instance.as_ref();
    let instance = id.and_then(|id| estate.recovery_instance(id));
    let state = match instance {
        Some(instance) if instance.state == InstanceState::Running => {
            workload.state(instance.runs_from, server.told, now)
        }
        Some(_) | None => WorkloadState::Down,
    };
    Some(Served {
        place,
        server,
        workload,
        instance,
        state,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn web(ailment: Ailment) -> Workload {
        Workload {
            ready_after: SignedDuration::from_secs(20),
            ailment,
            ..Workload::new([(5_432, Protocol::Tcp), (8_080, Protocol::Http)])
        }
    }

    #[test]
    fn a_workload_starts_and_is_then_healthy() {
        let web = web(Ailment::None);
        let ready_at = at(20);
        let starting = WorkloadState::Starting { ready_at };
        assert_eq!(web.state(at(0), None, at(19)), starting);
        assert_eq!(starting.changes_at(), Some(ready_at));
        assert_eq!(web.state(at(0), None, at(20)), WorkloadState::Healthy);
    }

    #[test]
    fn an_ailment_passes_by_itself_counted_from_readiness() {
        let web = web(Ailment::For(SignedDuration::from_secs(60)));
        let until = Some(at(80));
        let unhealthy = WorkloadState::Unhealthy { until };
        assert_eq!(web.state(at(0), None, at(79)), unhealthy);
        assert_eq!(unhealthy.changes_at(), until);
        assert_eq!(web.state(at(0), None, at(80)), WorkloadState::Healthy);
    }

    #[test]
    fn a_word_is_stronger_than_an_ailment_but_opens_nothing_early() {
        let lasting = WorkloadState::Unhealthy { until: None };
        let healthy = Some(Health::Healthy);
        let web = web(Ailment::UntilTold);
        assert_eq!(web.state(at(0), None, at(9_999)), lasting);
        assert_eq!(web.state(at(0), healthy, at(20)), WorkloadState::Healthy);
        let ready_at = at(20);
        let starting = WorkloadState::Starting { ready_at };
        assert_eq!(web.state(at(0), healthy, at(5)), starting);
        let well = Workload {
            ailment: Ailment::None,
            ..web
        };
        let told = well.state(at(0), Some(Health::Unhealthy), at(20));
        assert_eq!(told, lasting);
    }

    #[test]
    fn what_is_unhealthy_answers_over_http_only() {
        let opens = |state: WorkloadState| [Protocol::Tcp, Protocol::Http].map(|p| state.opens(p));
        let ready_at = at(20);
        assert_eq!(opens(WorkloadState::Healthy), [true, true]);
        assert_eq!(
            opens(WorkloadState::Unhealthy { until: None }),
            [false, true]
        );
        assert_eq!(opens(WorkloadState::Starting { ready_at }), [false, false]);
        assert_eq!(opens(WorkloadState::Down), [false, false]);
    }
}
