//! `ListRecoveryInstances`: what DRS has running, and which execution launched
//! it. Nothing is recorded; every page asks DRS anew.

mod origins;
mod places;

use prost::Message;
use tidegate_core::{PlanName, Timestamp, plan::Target};
use tidegate_proto::v1;
use tonic::Status;

use self::{
    origins::{Origin, Origins},
    places::Places,
};
use super::steer;
use crate::{
    driver::View,
    grpc::{argument, convert, page_token::List, services::Services, status},
    ports::drs::StandingInstance,
};

pub(super) async fn list(
    services: &Services,
    request: &v1::ListRecoveryInstancesRequest,
) -> Result<v1::ListRecoveryInstancesResponse, Status> {
    let size = argument::page_size(request.page_size)?;
    let wanted = Wanted::read(services, request).await?;
    let scope = scope(request);
    let after = List::RecoveryInstances.key(&scope, &request.page_token)?;
    let places = Places::of(services, &wanted).await?;
    let (standing, unread) = places.read(&*services.drs).await;
    let found = wanted.of(services, standing).await?;
    let now = services.clock.now();
    let mut instances: Vec<v1::RecoveryInstance> = found
        .into_iter()
        .map(|found| found.shown(now))
        .filter(|shown| after.as_ref().is_none_or(|after| key(shown) > *after))
        .collect();
    instances.sort_by_cached_key(key);
    let is_more = instances.len() > size;
    instances.truncate(size);
    let last = instances.last().filter(|_| is_more).map(key);
    Ok(v1::ListRecoveryInstancesResponse {
        next_page_token: last
            .map(|last| List::RecoveryInstances.token(&scope, &last))
            .unwrap_or_default(),
        instances,
        unread,
    })
}

/// What the next request must repeat.
fn scope(request: &v1::ListRecoveryInstancesRequest) -> Vec<u8> {
    let bare = v1::ListRecoveryInstancesRequest {
        page_size: 0,
        page_token: String::new(),
        ..request.clone()
    };
    bare.encode_to_vec()
}

/// Where an instance stands in the list.
fn key(instance: &v1::RecoveryInstance) -> String {
    let target = instance.target.as_ref();
    let (account, region) = target.map_or(("", ""), |it| (&it.account, &it.region));
    format!("{account}/{region}/{}", instance.id)
}

/// Which instances are wanted.
struct Wanted {
    plan: Option<PlanName>,
    execution: Option<View>,
    account: Option<String>,
    region: Option<String>,
}

/// An instance, where it is, and who launched it.
struct Found {
    target: Target,
    standing: StandingInstance,
    origin: Option<Origin>,
}

impl Wanted {
    async fn read(
        services: &Services,
        request: &v1::ListRecoveryInstancesRequest,
    ) -> Result<Self, Status> {
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let account = given(&request.account);
        if account.as_ref().is_some_and(|it| !is_account(it)) {
            let description = "is not an account; accounts are twelve digits";
            return Err(status::invalid("account", description));
        }
        let plan = given(&request.plan);
        let plan = plan.map(|name| argument::plan_name("plan", &name));
        let execution = match request.execution.as_str() {
            "" => None,
            id => Some(steer::find(services, id).await?),
        };
        Ok(Self {
            plan: plan.transpose()?,
            execution,
            account,
            region: given(&request.region),
        })
    }

    fn is_at(&self, target: &Target) -> bool {
        let is = |wanted: &Option<String>, it: &String| wanted.as_ref().is_none_or(|w| w == it);
        is(&self.account, &target.account) && is(&self.region, &target.region)
    }

    /// Those of the instances that are wanted, each with who launched it.
    async fn of(
        &self,
        services: &Services,
        standing: Vec<(Target, StandingInstance)>,
    ) -> Result<Vec<Found>, Status> {
        let mut origins = Origins::new(services, self.execution.as_ref());
        let origins = origins.of(&standing).await?;
        let found = standing.into_iter().zip(origins);
        let found = found.map(|((target, standing), origin)| Found {
            target,
            standing,
            origin,
        });
        Ok(found.filter(|found| self.wants(found)).collect())
    }

    fn wants(&self, found: &Found) -> bool {
        let origin = found.origin.as_ref();
        let plan = self.plan.as_ref();
        let execution = self.execution.as_ref().map(|view| view.execution.id());
        plan.is_none_or(|plan| origin.is_some_and(|it| it.plan == *plan))
            && execution.is_none_or(|id| origin.is_some_and(|it| it.execution == *id))
    }
}

impl Found {
    fn shown(self, now: Timestamp) -> v1::RecoveryInstance {
        let instance = self.standing.instance;
        let origin = self.origin.as_ref();
        let launched_at = origin.map_or(self.standing.launched_at, |it| Some(it.launched_at));
        let kind = if instance.is_drill {
            v1::ExecutionKind::Drill
        } else {
            v1::ExecutionKind::Recovery
        };
        v1::RecoveryInstance {
            id: instance.instance.to_string(),
            source_server: instance.server.to_string(),
            target: Some(convert::wave::target(&self.target)),
            kind: kind.into(),
            execution: origin.map_or_else(String::new, |it| it.execution.to_string()),
            plan: origin.map_or_else(String::new, |it| it.plan.to_string()),
            job_id: instance.job.map_or_else(String::new, |it| it.to_string()),
            launch_time: launched_at.map(convert::time::timestamp),
            age: launched_at.map(|at| convert::time::duration(now.since(at))),
            snapshot_time: instance.snapshot_time.map(convert::time::timestamp),
        }
    }
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}
