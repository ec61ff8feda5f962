//! Stored hooks, their rehearsals and their tapes.

use tidegate_core::{
    HookIx, Timestamp,
    engine::{CommandId, Execution, HookVerdict},
    plan::{HookPhase, Plan},
};
use tidegate_proto::v1::{self, hook_need::Target};
use tonic::Status;

use super::{enums, hook as present, time::timestamp};
use crate::{
    grpc::status,
    ports::{
        hook_store::TapeKey,
        hooks::{HookInfo, HookNeed, NeedTarget, ProbeKind, Rehearsed},
    },
};

/// A hook, with the plans that use it.
pub(crate) fn hook(info: &HookInfo, used_by: &[String]) -> v1::Hook {
    let phases = info.phases.iter();
    v1::Hook {
        name: info.name.clone(),
        version: info.version.clone(),
        digest: info.digest.clone(),
        description: info.description.clone(),
        phases: phases.map(|&it| enums::hook_phase(it).into()).collect(),
        needs: info.needs.iter().map(need).collect(),
        wasi: info.wasi,
        contract: info.contract.clone(),
        imports: info.imports.clone(),
        size_bytes: info.size,
        create_time: Some(timestamp(info.created_at)),
        used_by: used_by.to_vec(),
    }
}

fn need(need: &HookNeed) -> v1::HookNeed {
    let probe = match need.probe {
        ProbeKind::Tcp => v1::ProbeKind::Tcp,
        ProbeKind::Http => v1::ProbeKind::Http,
    };
    let target = match &need.target {
        NeedTarget::Port(port) => Target::Port(u32::from(*port)),
        NeedTarget::PortParameter(name) => Target::PortParameter(name.clone()),
        NeedTarget::EndpointParameter(name) => Target::EndpointParameter(name.clone()),
    };
    v1::HookNeed {
        probe: probe.into(),
        reason: need.reason.clone(),
        target: Some(target),
    }
}

/// What came of a rehearsal of a hook that began at this instant.
pub(crate) fn rehearsed(
    hook: &str,
    rehearsed: Rehearsed,
    began: Timestamp,
) -> v1::TestHookResponse {
    let evidence = &rehearsed.answer.evidence;
    let (outcome, failure) = outcome(rehearsed.answer.verdict);
    let run = v1::HookRun {
        hook: hook.to_owned(),
        phase: enums::hook_phase(rehearsed.phase).into(),
        // A rehearsal is of a hook, and of no use of it in a plan.
        index: 0,
        attempt: rehearsed.attempt,
        outcome: outcome.into(),
        message: rehearsed.answer.message.to_string(),
        start_time: Some(timestamp(began)),
        end_time: Some(timestamp(began + evidence.elapsed)),
        failure_kind: failure.into(),
        findings: present::findings(&evidence.findings),
        finding_count: evidence.finding_count(),
        fuel: evidence.fuel,
        peak_memory_bytes: evidence.peak_memory,
        probe_count: evidence.probes,
    };
    v1::TestHookResponse {
        run: Some(run),
        log: present::log(&evidence.log),
        tape: rehearsed.tape.to_string(),
        differences: rehearsed.differences,
    }
}

fn outcome(verdict: HookVerdict) -> (v1::HookOutcome, v1::HookFailureKind) {
    let outcome = match verdict {
        HookVerdict::Proceed => v1::HookOutcome::Proceed,
        HookVerdict::Retry { .. } => v1::HookOutcome::Retry,
        HookVerdict::Hold => v1::HookOutcome::Hold,
        HookVerdict::Skip => v1::HookOutcome::Skip,
        HookVerdict::Abort => v1::HookOutcome::Abort,
        HookVerdict::Failed { kind } => {
            return (v1::HookOutcome::Failed, enums::failure_kind(kind));
        }
    };
    (outcome, v1::HookFailureKind::Unspecified)
}

/// A tape of an execution of this plan; `None` for what is no tape of it.
pub(crate) fn tape_id(tape: &TapeKey, plan: &Plan) -> Option<v1::TapeId> {
    let CommandId::Hook {
        wave,
        phase,
        hook,
        attempt,
    } = tape.command
    else {
        return None;
    };
    Some(v1::TapeId {
        execution: tape.execution.to_string(),
        wave: plan.waves().get(wave.index())?.name.to_string(),
        phase: enums::hook_phase(phase).into(),
        index: u32::from(hook.0),
        attempt,
    })
}

/// The tape of this execution that a request names.
pub(crate) fn tape_key(id: &v1::TapeId, execution: &Execution) -> Result<TapeKey, Status> {
    if id.wave.is_empty() {
        return Err(status::invalid("id.wave", "must be given"));
    }
    let wave = execution.plan().find(&id.wave);
    let wave = wave.ok_or_else(|| status::wave_not_found(execution, &id.wave))?;
    let phase = match v1::HookPhase::try_from(id.phase) {
        Ok(v1::HookPhase::PreWave) => HookPhase::PreWave,
        Ok(v1::HookPhase::PostWave) => HookPhase::PostWave,
        Ok(v1::HookPhase::Unspecified) | Err(_) => {
            return Err(status::invalid("id.phase", "must be PRE_WAVE or POST_WAVE"));
        }
    };
    let hook = u16::try_from(id.index).map(HookIx);
    let hook = hook.map_err(|_| status::invalid("id.index", "is beyond what a plan has"))?;
    if id.attempt == 0 {
        return Err(status::invalid(
            "id.attempt",
            "must be given; attempts count from 1",
        ));
    }
    Ok(TapeKey {
        execution: execution.id().clone(),
        command: CommandId::Hook {
            wave,
            phase,
            hook,
            attempt: id.attempt,
        },
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tidegate_core::{
        Span,
        engine::{HookAnswer, HookEvidence},
        plan::HookFailureKind,
    };

    use super::*;
    use crate::grpc::fixtures;

    #[test]
    fn a_tape_is_named_by_what_it_is_of_and_found_by_that() {
        let view = fixtures::view();
        let id = v1::TapeId {
            execution: fixtures::EXECUTION.to_owned(),
            wave: "web".to_owned(),
            phase: v1::HookPhase::PostWave.into(),
            index: 2,
            attempt: 7,
        };
        let key = tape_key(&id, &view.execution).unwrap();
        assert_eq!(key.command.to_string(), "verify/1/2/7");
        assert_eq!(tape_id(&key, view.execution.plan()), Some(id));
    }

    #[test]
    fn a_tape_that_there_cannot_be_is_refused_with_its_field() {
        let view = fixtures::view();
        let good = || v1::TapeId {
            wave: "web".to_owned(),
            phase: v1::HookPhase::PreWave.into(),
            attempt: 1,
            ..v1::TapeId::default()
        };
        let mut wrong = [(); 5].map(|()| good());
        wrong[0].wave.clear();
        wrong[1].wave = "wbe".to_owned();
        wrong[2].phase = 0;
        wrong[3].index = 70_000;
        wrong[4].attempt = 0;
        let refused = wrong.map(|id| tape_key(&id, &view.execution).unwrap_err());
        let said = refused.map(|status| status.message().to_owned());
        for (said, word) in
            said.iter()
                .zip(["id.wave", "\"wbe\"", "id.phase", "id.index", "id.attempt"])
        {
            assert!(said.contains(word), "{said}");
        }
    }

    #[test]
    fn a_rehearsal_ends_as_long_after_its_beginning_as_it_took() {
        let verdict = HookVerdict::Failed {
            kind: HookFailureKind::Fuel,
        };
        let answer = HookAnswer {
            evidence: Arc::new(HookEvidence {
                elapsed: Span::from_millis(1_500),
                findings_dropped: 3,
                ..HookEvidence::default()
            }),
            ..HookAnswer::bare(verdict, "used it up")
        };
        let came_of_it = Rehearsed {
            answer,
            wave: "web".to_owned(),
            phase: HookPhase::PostWave,
            attempt: 4,
            tape: Arc::from("{}"),
            differences: vec!["verdict".to_owned()],
        };
        let shown = rehearsed("tcp", came_of_it, fixtures::NOW);
        assert_eq!(shown.differences, ["verdict"]);
        let run = shown.run.unwrap();
        assert_eq!(run.outcome(), v1::HookOutcome::Failed);
        assert_eq!(run.failure_kind(), v1::HookFailureKind::Fuel);
        assert_eq!((run.attempt, run.finding_count), (4, 3));
        let (start, end) = (run.start_time.unwrap(), run.end_time.unwrap());
        assert_eq!((end.seconds - start.seconds, end.nanos), (1, 500_000_000));
    }
}
