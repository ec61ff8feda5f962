//! Where recovery instances are looked for: the accounts and Regions of plans
//! and of executions. Each is read for itself; one that cannot be read hides
//! none of the others.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt as _, stream};
use tidegate_core::{
    engine::WaveRun,
    plan::{Plan, Target},
};
use tidegate_proto::v1;
use tonic::Status;

use super::Wanted;
use crate::{
    driver::View,
    grpc::{
        convert, live,
        pinned::pinned_plan,
        plan::{EveryPlan, stored},
        services::Services,
        status,
    },
    ports::drs::{Drs, DrsError, StandingInstance},
};

/// Places that are read at the same time.
const AT_ONCE: usize = 8;

/// Accounts and Regions, each with the roles by which it is reached.
#[derive(Debug, Default)]
pub(super) struct Places(BTreeMap<(String, String), BTreeSet<Option<String>>>);

impl Places {
    /// Where what is wanted may be.
    pub(super) async fn of(services: &Services, wanted: &Wanted) -> Result<Self, Status> {
        let mut places = Self::default();
        match (&wanted.execution, &wanted.plan) {
            (Some(view), _) => places.add_execution(view),
            (None, Some(name)) => places.add_plan(&stored(services, name, 0).await?.checked),
            (None, None) => places.add_everything(services).await?,
        }
        let is_known = |key: &(String, String)| wanted.is_at(&target(key, None));
        places.0.retain(|key, _| is_known(key));
        if let (true, Some(account), Some(region)) =
            (places.0.is_empty(), &wanted.account, &wanted.region)
        {
            let here = (account.clone(), region.clone());
            places.0.insert(here, BTreeSet::from([None]));
        }
        Ok(places)
    }

    async fn add_everything(&mut self, services: &Services) -> Result<(), Status> {
        let mut plans = EveryPlan::of(services);
        loop {
            let next = plans.next().await;
            let next = next.map_err(|error| status::from_read(&error))?;
            if next.is_empty() {
                break;
            }
            for stored in next {
                match pinned_plan(&stored.plan) {
                    Ok(plan) => self.add_plan(&plan),
                    Err(why) => tracing::warn!(plan = %stored.name, why, "a plan is unreadable"),
                }
            }
        }
        for view in live::views(services).await? {
            self.add_execution(&view);
        }
        Ok(())
    }

    fn add_execution(&mut self, view: &View) {
        self.add_plan(view.execution.plan());
        let servers = view.execution.waves().flat_map(WaveRun::servers);
        servers.for_each(|server| self.add(&server.selected.target));
    }

    fn add_plan(&mut self, plan: &Plan) {
        let groups = plan.waves().iter().flat_map(|wave| &wave.groups);
        groups.for_each(|group| self.add(&group.target));
    }

    fn add(&mut self, target: &Target) {
        let here = (target.account.clone(), target.region.clone());
        self.0.entry(here).or_default().insert(target.role.clone());
    }

    /// Every instance that is there, and where that could not be told.
    pub(super) async fn read(
        self,
        drs: &dyn Drs,
    ) -> (Vec<(Target, StandingInstance)>, Vec<v1::UnreadPlace>) {
        let (mut standing, mut unread) = (Vec::new(), Vec::new());
        let answers = stream::iter(self.0)
            .map(|(here, roles)| read_place(drs, here, roles))
            .buffered(AT_ONCE);
        let answers: Vec<_> = answers.collect().await;
        for (target, answer) in answers {
            match answer {
                Ok(found) => standing.extend(found.into_iter().map(|it| (target.clone(), it))),
                Err(error) => unread.push(v1::UnreadPlace {
                    target: Some(convert::wave::target(&target)),
                    reason: error.to_string(),
                }),
            }
        }
        (standing, unread)
    }
}

/// With the first role that is answered; else the error of the last one.
async fn read_place(
    drs: &dyn Drs,
    here: (String, String),
    roles: BTreeSet<Option<String>>,
) -> (Target, Result<Vec<StandingInstance>, DrsError>) {
    let mut last = (target(&here, None), Ok(Vec::new()));
    for role in roles {
        let target = target(&here, role);
        let answer = drs.standing_instances(target.clone().into()).await;
        let is_answered = answer.is_ok();
        last = (target, answer);
        if is_answered {
            break;
        }
    }
    last
}

fn target((account, region): &(String, String), role: Option<String>) -> Target {
    Target {
        account: account.clone(),
        region: region.clone(),
        role,
    }
}
