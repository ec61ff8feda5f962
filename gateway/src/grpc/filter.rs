//! Which executions a client wants to see.

use tidegate_core::engine::{ExecutionState, Kind};
use tidegate_proto::v1;
use tonic::Status;

use super::{convert::enums, status};
use crate::driver::View;

/// A checked [`v1::ExecutionFilter`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Filter {
    plan: String,
    kinds: Vec<v1::ExecutionKind>,
    states: Vec<v1::ExecutionState>,
}

impl Filter {
    /// Refuses kinds and states that there are not.
    pub(super) fn read(filter: Option<&v1::ExecutionFilter>) -> Result<Self, Status> {
        let Some(filter) = filter else {
            return Ok(Self::default());
        };
        Ok(Self {
            plan: filter.plan.clone(),
            kinds: known(
                "filter.kinds",
                &filter.kinds,
                v1::ExecutionKind::Unspecified,
            )?,
            states: known(
                "filter.states",
                &filter.states,
                v1::ExecutionState::Unspecified,
            )?,
        })
    }

    /// Whether an execution could ever match: what is judged here never
    /// changes.
    pub(super) fn concerns(&self, view: &View) -> bool {
        let execution = &view.execution;
        self.matches_run(
            execution.plan().name().as_str(),
            enums::kind(execution.kind()),
        )
    }

    /// Whether an execution in this state is wanted.
    pub(super) fn matches_state(&self, state: ExecutionState) -> bool {
        self.has_state(enums::execution_state(state))
    }

    /// Whether an execution is wanted, by its summary.
    pub(super) fn matches(&self, summary: &v1::ExecutionSummary) -> bool {
        self.matches_run(&summary.plan, summary.kind()) && self.has_state(summary.state())
    }

    fn matches_run(&self, plan: &str, kind: v1::ExecutionKind) -> bool {
        (self.plan.is_empty() || self.plan == plan)
            && (self.kinds.is_empty() || self.kinds.contains(&kind))
    }

    fn has_state(&self, state: v1::ExecutionState) -> bool {
        self.states.is_empty() || self.states.contains(&state)
    }
}

/// The kind that a client asks for.
pub(super) fn started_kind(value: i32) -> Result<Kind, Status> {
    match v1::ExecutionKind::try_from(value) {
        Ok(v1::ExecutionKind::Drill) => Ok(Kind::Drill),
        Ok(v1::ExecutionKind::Recovery) => Ok(Kind::Recovery),
        Ok(v1::ExecutionKind::Cleanup) => Err(status::invalid(
            "kind",
            "a cleanup is started with CleanUp, which names the execution to clean up",
        )),
        Ok(v1::ExecutionKind::Unspecified) | Err(_) => {
            Err(status::invalid("kind", "must be DRILL or RECOVERY"))
        }
    }
}

fn known<E>(field: &str, values: &[i32], unspecified: E) -> Result<Vec<E>, Status>
where
    E: TryFrom<i32> + PartialEq,
{
    let checked = values.iter().enumerate().map(|(ix, &value)| {
        let known = E::try_from(value)
            .ok()
            .filter(|known| *known != unspecified);
        known.ok_or_else(|| status::invalid(&format!("{field}[{ix}]"), "is not known"))
    });
    checked.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grpc::{convert::summary::summary, fixtures};

    fn filter(plan: &str, kinds: &[v1::ExecutionKind], states: &[v1::ExecutionState]) -> Filter {
        Filter::read(Some(&v1::ExecutionFilter {
            plan: plan.to_owned(),
            kinds: kinds.iter().map(|&kind| kind.into()).collect(),
            states: states.iter().map(|&state| state.into()).collect(),
        }))
        .unwrap()
    }

    #[test]
    fn every_given_field_must_match() {
        let shown = summary(&fixtures::view());
        let drill = v1::ExecutionKind::Drill;
        let pending = v1::ExecutionState::Pending;
        assert!(filter("", &[], &[]).matches(&shown));
        assert!(filter("shop", &[drill], &[pending]).matches(&shown));
        assert!(!filter("bank", &[drill], &[]).matches(&shown));
        assert!(!filter("shop", &[v1::ExecutionKind::Recovery], &[]).matches(&shown));
        assert!(!filter("", &[], &[v1::ExecutionState::Failed]).matches(&shown));
    }

    #[test]
    fn a_value_that_there_is_not_is_refused() {
        let wrong = v1::ExecutionFilter {
            states: vec![1, 99],
            ..v1::ExecutionFilter::default()
        };
        let status = Filter::read(Some(&wrong)).unwrap_err();
        assert!(status.message().starts_with("filter.states[1]"));
    }

    #[test]
    fn only_drills_and_recoveries_are_started() {
        assert_eq!(started_kind(1).unwrap(), Kind::Drill);
        assert_eq!(started_kind(2).unwrap(), Kind::Recovery);
        for wrong in [0, 3, 4, -1] {
            assert!(started_kind(wrong).is_err());
        }
    }
}
