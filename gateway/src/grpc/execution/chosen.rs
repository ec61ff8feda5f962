//! Which of the instances that an execution launched a cleanup is to
//! terminate: all of a drill, or those that are named. A real recovery's
//! instances are production, and terminated by name only.

use std::collections::{BTreeMap, BTreeSet};

use tidegate_core::{
    InstanceId, JobId, SourceServerId,
    engine::{Kind, ServerRun, ServerState, WaveRun},
    plan::Target,
};
use tonic::Status;

use crate::{
    driver::View,
    grpc::{services::Services, status},
};

/// Most instances that a request may name.
const NAMED: usize = 5_000;

/// What a cleanup is to terminate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Chosen {
    /// Everything that the execution launched.
    All,
    /// The instances of these servers.
    Of(BTreeSet<SourceServerId>),
}

impl Chosen {
    /// What a request names. An instance that the execution did not launch is
    /// refused, whoever launched it.
    pub(super) async fn read(
        services: &Services,
        source: &View,
        named: &[String],
    ) -> Result<Self, Status> {
        if named.is_empty() {
            return Ok(Self::All);
        }
        if named.len() > NAMED {
            let description = format!("must not be more than {NAMED}");
            return Err(status::invalid("instances", description));
        }
        let mut known = recorded(source);
        if named.iter().any(|id| !known.contains_key(id.as_str())) {
            known.extend(told(services, source).await?);
        }
        let servers = named.iter().enumerate().map(|(ix, id)| {
            let server = known.get(id.as_str()).cloned();
            server.ok_or_else(|| not_launched(source, ix, id))
        });
        Ok(Self::Of(servers.collect::<Result<_, _>>()?))
    }

    /// Whether this server's instance is to be terminated.
    pub(super) fn has(&self, server: &SourceServerId) -> bool {
        match self {
            Self::All => true,
            Self::Of(servers) => servers.contains(server),
        }
    }

    /// Sees that nothing of a real recovery is terminated unless its instances
    /// are named, and the plan's name is typed again.
    pub(super) fn check(&self, source: &View, confirm: &str) -> Result<(), Status> {
        let execution = &source.execution;
        if execution.kind() != Kind::Recovery {
            return Ok(());
        }
        if *self == Self::All {
            let description = format!(
                "this would terminate the servers of a real recovery; name each instance that is \
                 to go (tidegate instances list --execution {})",
                execution.id()
            );
            return Err(status::invalid("instances", description));
        }
        let name = execution.plan().name();
        if confirm != name.as_str() {
            let description =
                format!("this terminates servers of a real recovery; give the plan's name, {name}");
            return Err(status::invalid("confirm", description));
        }
        Ok(())
    }
}

fn not_launched(source: &View, ix: usize, id: &str) -> Status {
    let execution = source.execution.id();
    let description = format!(
        "{id:?} was not launched by execution {execution}; what was is shown by \
         tidegate instances list --execution {execution}"
    );
    status::invalid(&format!("instances[{ix}]"), description)
}

/// Launched servers and the jobs that launched them.
fn launched(source: &View) -> impl Iterator<Item = (&ServerRun, Option<&JobId>)> {
    source.execution.waves().flat_map(|wave: &WaveRun| {
        let servers = wave.servers().iter();
        let launched = servers.filter(|server| server.state == ServerState::Launched);
        launched.map(move |server| (server, wave.job_of(server)))
    })
}

/// Instances that the execution's log names.
fn recorded(source: &View) -> BTreeMap<InstanceId, SourceServerId> {
    let recorded = launched(source).filter_map(|(server, _)| {
        let instance = server.instance.clone()?;
        Some((instance, server.selected.id.clone()))
    });
    recorded.collect()
}

/// Instances of servers for which the log names none, by their jobs.
async fn told(
    services: &Services,
    source: &View,
) -> Result<BTreeMap<InstanceId, SourceServerId>, Status> {
    let mut asked: BTreeMap<&Target, BTreeMap<&SourceServerId, &JobId>> = BTreeMap::new();
    for (server, job) in launched(source).filter(|(server, _)| server.instance.is_none()) {
        if let Some(job) = job {
            let selected = &server.selected;
            let here = asked.entry(&selected.target).or_default();
            here.insert(&selected.id, job);
        }
    }
    let mut told = BTreeMap::new();
    for (target, jobs) in asked {
        let servers = jobs.keys().map(|id| (*id).clone()).collect();
        let found = services
            .drs
            .recovery_instances(target.clone().into(), servers);
        let found = found
            .await
            .map_err(|error| status::unavailable("DRS_UNAVAILABLE", error.to_string()))?;
        let ours = found.into_iter().filter(|it| {
            let job = jobs.get(&it.server);
            job.is_some_and(|job| it.job.as_ref() == Some(*job))
        });
        told.extend(ours.map(|it| (it.instance, it.server)));
    }
    Ok(told)
}
