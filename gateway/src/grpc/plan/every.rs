//! The newest revision of every plan, a few at a time.

use tidegate_core::PlanName;

use crate::{
    grpc::services::Services,
    ports::{journal::ReadError, plan_store::StoredPlan},
};

/// Plans that are read at once.
const CHUNK: usize = 16;

/// A place in the list of plans.
pub(in crate::grpc) struct EveryPlan<'a> {
    services: &'a Services,
    after: Option<PlanName>,
}

impl<'a> EveryPlan<'a> {
    /// Before the first plan.
    pub(in crate::grpc) fn of(services: &'a Services) -> Self {
        Self {
            services,
            after: None,
        }
    }

    /// The next plans; none at the end.
    pub(in crate::grpc) async fn next(&mut self) -> Result<Vec<StoredPlan>, ReadError> {
        let plans = self.services.plans.list(self.after.as_ref(), CHUNK).await?;
        if let Some(last) = plans.last() {
            self.after = Some(last.name.clone());
        }
        Ok(plans)
    }
}
