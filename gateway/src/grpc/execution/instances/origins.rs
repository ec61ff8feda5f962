//! Which execution launched an instance: the one whose log names the job. The
//! job's tag says which log to read first; where there is no tag, the logs of
//! executions from that time are searched, newest first and not without end.

use std::collections::BTreeMap;

use tidegate_core::{
    ExecutionId, PlanName, ServerIx, Timestamp,
    engine::{Kind, WaveRun},
    plan::Target,
};
use tidegate_proto::v1;
use tonic::Status;

use crate::{
    driver::{DriverError, View},
    grpc::{argument, execution::list, services::Services, status},
    ports::drs::StandingInstance,
};

/// Executions that are looked at for instances whose jobs carry no tag.
const LOOKED_AT: usize = 5_000;
/// Of these, how many logs are read.
const LOGS: usize = 200;
/// Executions that are listed at once.
const CHUNK: usize = 250;
/// How far the clocks of the gateway and of DRS may be apart.
const SKEW: i64 = 600;

/// Who launched an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) execution: ExecutionId,
    pub(super) plan: PlanName,
    /// When the execution recorded that it would ask for the launch.
    pub(super) launched_at: Timestamp,
}

/// Finds out who launched instances.
pub(super) struct Origins<'a> {
    services: &'a Services,
    /// The only execution of interest, if there is one.
    only: Option<&'a View>,
    /// Logs that were read; `None` is not known here.
    read: BTreeMap<ExecutionId, Option<View>>,
}

impl<'a> Origins<'a> {
    pub(super) fn new(services: &'a Services, only: Option<&'a View>) -> Self {
        Self {
            services,
            only,
            read: BTreeMap::new(),
        }
    }

    /// Who launched each of these, in their order.
    pub(super) async fn of(
        &mut self,
        standing: &[(Target, StandingInstance)],
    ) -> Result<Vec<Option<Origin>>, Status> {
        let standing: Vec<&StandingInstance> = standing.iter().map(|(_, it)| it).collect();
        if let Some(only) = self.only {
            return Ok(standing.into_iter().map(|it| origin(only, it)).collect());
        }
        let mut origins = Vec::with_capacity(standing.len());
        for it in &standing {
            origins.push(self.by_tag(it).await?);
        }
        self.search(&standing, &mut origins).await?;
        Ok(origins)
    }

    async fn by_tag(&mut self, standing: &StandingInstance) -> Result<Option<Origin>, Status> {
        let key = standing.launch_key.as_deref();
        let named = key.and_then(|key| key.split('/').next());
        let id = named.and_then(|id| argument::execution_id("execution", id).ok());
        let Some(id) = id else {
            return Ok(None);
        };
        let view = self.view(id).await?;
        Ok(view.and_then(|view| origin(view, standing)))
    }

    async fn view(&mut self, id: ExecutionId) -> Result<Option<&View>, Status> {
        if !self.read.contains_key(&id) {
            let view = match self.services.driver.view(&id).await {
                Ok(view) => Some(view),
                Err(DriverError::NotFound(_) | DriverError::Damaged(_)) => None,
                Err(error) => return Err(status::from_driver(error, None)),
            };
            self.read.insert(id.clone(), view);
        }
        Ok(self.read.get(&id).and_then(Option::as_ref))
    }

    /// Fills in what is still missing, as far as a bounded search tells it.
    async fn search(
        &mut self,
        standing: &[&StandingInstance],
        origins: &mut [Option<Origin>],
    ) -> Result<(), Status> {
        let (mut before, mut logs) = (None, 0);
        for _ in 0..LOOKED_AT / CHUNK {
            if origins.iter().all(Option::is_some) {
                return Ok(());
            }
            let listed = self.services.driver.list(before.as_ref(), CHUNK).await;
            let listed = listed.map_err(|error| status::from_driver(error, None))?;
            let is_full = listed.len() == CHUNK;
            for entry in &listed {
                let (id, summary) = list::read(entry)?;
                before = Some(id.clone());
                let open = standing.iter().zip(&*origins);
                let mut open = open.filter(|(_, origin)| origin.is_none());
                if !open.any(|(it, _)| may_have_launched(&summary, it)) {
                    continue;
                }
                logs += 1;
                if logs > LOGS {
                    return Ok(());
                }
                if let Some(view) = self.view(id).await? {
                    for (it, found) in standing.iter().zip(&mut *origins) {
                        *found = found.take().or_else(|| origin(view, it));
                    }
                }
            }
            if !is_full {
                return Ok(());
            }
        }
        Ok(())
    }
}

/// By kind and time. A job that DRS has forgotten may be of any time.
fn may_have_launched(summary: &v1::ExecutionSummary, standing: &StandingInstance) -> bool {
    let wanted = if standing.instance.is_drill {
        v1::ExecutionKind::Drill
    } else {
        v1::ExecutionKind::Recovery
    };
    let Some(at) = standing.launched_at else {
        return summary.kind() == wanted;
    };
    let at = i64::try_from(at.as_millis() / 1_000).unwrap_or(i64::MAX);
    let began = summary.create_time.map_or(i64::MIN, |it| it.seconds - SKEW);
    let ended = summary.end_time.map_or(i64::MAX, |it| it.seconds + SKEW);
    summary.kind() == wanted && began <= at && at <= ended
}

/// Whether this execution launched it: its log names the job, and the job's
/// launch the server.
fn origin(view: &View, standing: &StandingInstance) -> Option<Origin> {
    let execution = &view.execution;
    if execution.kind() == Kind::Cleanup {
        return None;
    }
    let waves = execution.waves();
    let launched_at = waves
        .filter_map(|wave| launched_at(wave, standing))
        .next()?;
    Some(Origin {
        execution: execution.id().clone(),
        plan: execution.plan().name().clone(),
        launched_at,
    })
}

fn launched_at(wave: &WaveRun, standing: &StandingInstance) -> Option<Timestamp> {
    let instance = &standing.instance;
    let launches = wave.launches().iter();
    let mut launches = launches.filter(|it| match (&instance.job, it.state.job()) {
        (Some(job), Some(launched)) => job == launched,
        (None, _) | (_, None) => false,
    });
    let is_server = |at: &ServerIx| {
        let server = wave.servers().get(at.index());
        server.is_some_and(|server| server.selected.id == instance.server)
    };
    if let Some(launch) = launches.find(|it| it.servers.iter().any(is_server)) {
        return Some(launch.intended_at);
    }
    // Where DRS does not name the job, the log may name the instance.
    let mut servers = wave.servers().iter();
    let server = servers.find(|it| it.instance.as_ref() == Some(&instance.instance))?;
    (instance.job.is_none() && server.selected.id == instance.server).then_some(server.state_at)
}

#[cfg(test)]
mod tests {
    use tidegate_core::{
        WaveIx,
        engine::{Change, Reason, ServerState},
    };

    use super::*;
    use crate::{grpc::fixtures, ports::drs::RecoveryInstance};

    fn standing(instance: &str, job: Option<&str>) -> StandingInstance {
        StandingInstance {
            instance: RecoveryInstance {
                instance: instance.into(),
                server: "s-00000000000000002".into(),
                is_drill: true,
                job: job.map(Into::into),
                snapshot_time: None,
                addresses: Vec::new(),
            },
            launched_at: Some(fixtures::NOW),
            launch_key: None,
        }
    }

    fn launched() -> View {
        let moved = Change::ServerMoved {
            wave: WaveIx(1),
            server: ServerIx(1),
            to: ServerState::Launched,
            instance: Some("i-2".into()),
            reason: Reason::none(),
        };
        fixtures::view_after(&[fixtures::web_selected(), moved])
    }

    #[test]
    fn an_instance_is_an_executions_if_its_log_names_it_and_no_other_job_does() {
        let by = origin(&launched(), &standing("i-2", None)).expect("it is the drill's");
        assert_eq!(by.execution.as_str(), fixtures::EXECUTION);
        assert_eq!(by.launched_at, fixtures::NOW);
        assert_eq!(origin(&launched(), &standing("i-3", None)), None);
        let anothers = standing("i-2", Some("drsjob-9"));
        assert_eq!(origin(&launched(), &anothers), None);
    }

    #[test]
    fn only_executions_of_its_kind_and_time_are_searched() {
        let seconds = i64::try_from(fixtures::NOW.as_millis() / 1_000).expect("a time");
        let at = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
        let mut summary = v1::ExecutionSummary {
            kind: v1::ExecutionKind::Drill.into(),
            create_time: at(seconds - 3_600),
            end_time: at(seconds - 60),
            ..v1::ExecutionSummary::default()
        };
        let it = standing("i-2", None);
        assert!(may_have_launched(&summary, &it), "clocks are not exact");
        summary.end_time = at(seconds - 1_800);
        assert!(!may_have_launched(&summary, &it));
        summary.end_time = None;
        assert!(may_have_launched(&summary, &it));
        summary.set_kind(v1::ExecutionKind::Recovery);
        assert!(!may_have_launched(&summary, &it));
    }
}
