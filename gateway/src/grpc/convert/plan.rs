//! Plans from the API, as drafts; everything that cannot even be a draft is a
//! violation with its field.

mod hook;

use tidegate_core::{
    Span,
    plan::{
        DraftGroup, DraftRetry, DraftServer, DraftTarget, DraftWave, FailurePolicy, Mistake,
        PlanDraft, Priority, UnknownLaunch,
    },
};
use tidegate_proto::v1;

use super::time::span;

/// A plan as a draft, with what is wrong on the wire already. The draft is
/// complete enough to be checked for further mistakes.
pub(crate) fn draft(plan: &v1::Plan) -> (PlanDraft, Vec<v1::FieldViolation>) {
    let mut reader = Reader::default();
    let draft = reader.plan(plan);
    (draft, reader.violations)
}

/// Limits of zero in a plan that is sent: whoever writes one may mean "none" or
/// "at once", and is asked to say it.
pub(crate) fn zero_limits(plan: &v1::Plan) -> Vec<v1::FieldViolation> {
    let Some(spec) = &plan.spec else {
        return Vec::new();
    };
    let waves = spec.waves.iter().enumerate();
    let of_waves = waves.map(|(ix, wave)| (format!("spec.waves[{ix}].timeout"), wave.timeout));
    of_waves
        .chain([("spec.timeout".to_owned(), spec.timeout)])
        .filter(|(_, timeout)| timeout.as_ref().and_then(span) == Some(Span::ZERO))
        .map(|(field, _)| violation(field, Mistake::ZeroSpan.to_string()))
        .collect()
}

/// A violation of one field.
pub(crate) fn violation(
    field: impl Into<String>,
    description: impl Into<String>,
) -> v1::FieldViolation {
    v1::FieldViolation {
        field: field.into(),
        description: description.into(),
    }
}

#[derive(Default)]
struct Reader {
    violations: Vec<v1::FieldViolation>,
}

impl Reader {
    fn plan(&mut self, plan: &v1::Plan) -> PlanDraft {
        let Some(spec) = &plan.spec else {
            self.violations.push(violation("spec", "must be given"));
            return PlanDraft {
                name: plan.name.clone(),
                labels: plan.labels.clone(),
                ..PlanDraft::default()
            };
        };
        let objectives = spec.objectives.unwrap_or_default();
        let waves = spec.waves.iter().enumerate();
        PlanDraft {
            name: plan.name.clone(),
            labels: plan.labels.clone(),
            description: spec.description.clone(),
            rto: self.span("spec.objectives.rto", objectives.rto.as_ref()),
            rpo: self.span("spec.objectives.rpo", objectives.rpo.as_ref()),
            target: spec.target.as_ref().map(target),
            waves: waves
                .map(|(ix, wave)| self.wave(&format!("spec.waves[{ix}]"), wave))
                .collect(),
            timeout: self.limit("spec.timeout", spec.timeout.as_ref()),
            unknown_launch: self.unknown_launch(spec.unknown_launch),
            priority: self.priority(spec.priority),
            endpoints: self.endpoints(&spec.endpoints),
        }
    }

    fn wave(&mut self, path: &str, wave: &v1::WaveSpec) -> DraftWave {
        DraftWave {
            name: wave.name.clone(),
            after: wave.after.clone(),
            groups: wave.servers.iter().map(group).collect(),
            target: wave.target.as_ref().map(target),
            check: self.hooks(&format!("{path}.check"), &wave.check),
            verify: self.hooks(&format!("{path}.verify"), &wave.verify),
            pause_before: wave.pause_before,
            on_failure: self.failure_policy(&format!("{path}.on_failure"), wave.on_failure),
            tolerance: wave.tolerance,
            retry: wave.retry.as_ref().map(|retry| DraftRetry {
                limit: retry.limit,
                backoff: self.span(&format!("{path}.retry.backoff"), retry.backoff.as_ref()),
                max_backoff: self.span(
                    &format!("{path}.retry.max_backoff"),
                    retry.max_backoff.as_ref(),
                ),
            }),
            timeout: self.limit(&format!("{path}.timeout"), wave.timeout.as_ref()),
            gate_timeout: self.span(&format!("{path}.gate_timeout"), wave.gate_timeout.as_ref()),
        }
    }

    fn failure_policy(&mut self, path: &str, value: i32) -> Option<FailurePolicy> {
        match v1::FailurePolicy::try_from(value) {
            Ok(v1::FailurePolicy::Unspecified) => None,
            Ok(v1::FailurePolicy::Stop) => Some(FailurePolicy::Stop),
            Ok(v1::FailurePolicy::Continue) => Some(FailurePolicy::Continue),
            Ok(v1::FailurePolicy::Pause) => Some(FailurePolicy::Pause),
            Err(_) => self.unknown(path, value, "STOP, CONTINUE or PAUSE"),
        }
    }

    fn unknown_launch(&mut self, value: i32) -> Option<UnknownLaunch> {
        match v1::UnknownLaunchPolicy::try_from(value) {
            Ok(v1::UnknownLaunchPolicy::Unspecified) => None,
            Ok(v1::UnknownLaunchPolicy::AskAgain) => Some(UnknownLaunch::AskAgain),
            Ok(v1::UnknownLaunchPolicy::AskPerson) => Some(UnknownLaunch::AskPerson),
            Err(_) => self.unknown("spec.unknown_launch", value, "ASK_AGAIN or ASK_PERSON"),
        }
    }

    fn priority(&mut self, value: i32) -> Option<Priority> {
        match v1::Priority::try_from(value) {
            Ok(v1::Priority::Unspecified) => None,
            Ok(v1::Priority::Low) => Some(Priority::Low),
            Ok(v1::Priority::Normal) => Some(Priority::Normal),
            Ok(v1::Priority::High) => Some(Priority::High),
            Err(_) => self.unknown("spec.priority", value, "LOW, NORMAL or HIGH"),
        }
    }

    fn unknown<T>(&mut self, path: &str, value: i32, known: &str) -> Option<T> {
        let description = format!("{value} is not a value that this gateway knows; use {known}");
        self.violations.push(violation(path, description));
        None
    }

    fn missing<T>(&mut self, path: &str) -> Option<T> {
        self.violations.push(violation(path, "must be given"));
        None
    }

    /// A length of time for which zero says the same as nothing: no limit. It
    /// is in plans that were stored before [`zero_limits`] refused it.
    fn limit(&mut self, path: &str, length: Option<&prost_types::Duration>) -> Option<Span> {
        self.span(path, length).filter(|&span| span > Span::ZERO)
    }

    fn span(&mut self, path: &str, length: Option<&prost_types::Duration>) -> Option<Span> {
        let length = length?;
        let read = span(length);
        if read.is_none() {
            self.violations
                .push(violation(path, "must not be negative"));
        }
        read
    }
}

fn group(group: &v1::ServerGroup) -> DraftGroup {
    DraftGroup {
        target: group.target.as_ref().map(target),
        servers: group.servers.iter().map(server).collect(),
        tags: group.tags.clone(),
        optional: group.optional,
    }
}

fn server(server: &v1::ServerRef) -> DraftServer {
    DraftServer {
        id: server.id.clone(),
        optional: server.optional,
        snapshot: server.snapshot_id.clone(),
    }
}

fn target(target: &v1::Target) -> DraftTarget {
    DraftTarget {
        account: target.account.clone(),
        region: target.region.clone(),
        role: target.role_arn.clone(),
    }
}

#[cfg(test)]
mod tests {
    use tidegate_core::{
        WaveIx,
        plan::{Limits, Plan, Selection},
    };

    use super::*;
    use crate::grpc::fixtures;

    #[test]
    fn what_a_plan_says_is_what_is_checked() {
        let (draft, violations) = draft(&fixtures::shop());
        assert_eq!(violations, []);
        let plan = Plan::check(&draft, &Limits::default()).unwrap();

        let web = plan.wave(plan.find("web").unwrap());
        assert_eq!(web.after, [WaveIx(0)]);
        assert!(web.pause_before);
        assert_eq!(web.on_failure, FailurePolicy::Pause);
        assert_eq!(web.groups[0].target.region, "us-west-2");
        let Selection::Servers(servers) = &web.groups[0].selection else {
            panic!("web is selected by id");
        };
        assert!(servers[1].optional);
        assert_eq!(plan.objectives().rpo, Some(Span::from_secs(300)));
        assert_eq!(plan.timeout(), None);
    }

    #[test]
    fn a_limit_of_zero_is_named_and_read_as_none() {
        let mut plan = fixtures::shop();
        assert_eq!(zero_limits(&plan), []);
        let spec = plan.spec.as_mut().unwrap();
        spec.timeout = Some(prost_types::Duration::default());
        spec.waves[1].timeout = Some(prost_types::Duration::default());
        let zeros = zero_limits(&plan);
        let fields: Vec<&str> = zeros.iter().map(|it| it.field.as_str()).collect();
        assert_eq!(fields, ["spec.waves[1].timeout", "spec.timeout"]);
        assert!(zeros[0].description.contains("leave it out for no limit"));

        let (draft, violations) = draft(&plan);
        assert_eq!(violations, []);
        assert_eq!((draft.timeout, draft.waves[1].timeout), (None, None));
    }

    #[test]
    fn what_the_wire_allows_and_a_draft_does_not_is_named() {
        let mut plan = fixtures::shop();
        let spec = plan.spec.as_mut().unwrap();
        spec.unknown_launch = 77;
        spec.priority = 9;
        spec.waves[1].on_failure = -1;
        spec.waves[1].timeout = Some(prost_types::Duration {
            seconds: -5,
            nanos: 0,
        });

        let (_, violations) = draft(&plan);

        let fields: Vec<&str> = violations.iter().map(|it| it.field.as_str()).collect();
        assert_eq!(
            fields,
            [
                "spec.waves[1].on_failure",
                "spec.waves[1].timeout",
                "spec.unknown_launch",
                "spec.priority"
            ]
        );
    }

    #[test]
    fn a_plan_without_a_spec_says_so() {
        let (_, violations) = draft(&v1::Plan::default());
        assert_eq!(violations, [violation("spec", "must be given")]);
    }
}
