//! Running a hook on scripted answers or on a tape: nothing is probed and no
//! execution is touched.

use std::sync::Arc;

use tidegate_hooks::{Hook, Limits, Tape, VectorFile, replay};

use super::{WasmHooks, answer, catalogue, written};
use crate::ports::hooks::{Fault, Rehearsal, RehearsalError, RehearsalSubject, Rehearsed};

/// Bytes of a tape in an answer, of which a client reads 4 MiB at most.
const ANSWER_BYTES: usize = 3 << 20;

pub(super) async fn rehearse(
    hooks: &WasmHooks,
    rehearsal: Rehearsal,
) -> Result<Rehearsed, RehearsalError> {
    if !hooks.catalogue.contains(&rehearsal.digest) {
        return Err(RehearsalError::NoHook(rehearsal.digest));
    }
    let hook = hooks.prepared(&rehearsal.digest).await;
    let hook = hook.map_err(|unready| RehearsalError::Unready {
        problem: unready.failure.message,
        fault: unready.fault,
    })?;
    let (tape, differences) = match rehearsal.subject {
        RehearsalSubject::Vector(text) => on_vector(hooks, &hook, &text).await?,
        RehearsalSubject::Tape(text) => on_tape(hooks, &hook, &text).await?,
    };
    let written = written::tape(&tape, ANSWER_BYTES).map_err(|error| RehearsalError::Unready {
        problem: error.to_string(),
        fault: Fault::Host,
    })?;
    Ok(Rehearsed {
        answer: answer::answer(&tape, false),
        wave: tape.context.wave.clone(),
        phase: catalogue::phase(tape.context.phase),
        attempt: tape.context.attempt,
        tape: Arc::from(written),
        differences,
    })
}

async fn on_vector(
    hooks: &WasmHooks,
    hook: &Hook,
    text: &str,
) -> Result<(Tape, Vec<String>), RehearsalError> {
    let file = VectorFile::parse(text);
    let file = file.map_err(|error| RehearsalError::BadSubject(error.to_string()))?;
    let [vector] = &file.vectors[..] else {
        let text = format!("vector: give one, not {}", file.vectors.len());
        return Err(RehearsalError::BadSubject(text));
    };
    let probes = vector.probes();
    let host = &hooks.parts.host;
    let tape = host
        .check(hook, &Limits::DEFAULT, &vector.context, &probes)
        .await;
    let differences = match vector.judge(&tape.outcome, &probes) {
        Ok(()) => Vec::new(),
        Err(mismatch) => mismatch
            .discrepancies
            .iter()
            .map(ToString::to_string)
            .collect(),
    };
    Ok((tape, differences))
}

async fn on_tape(
    hooks: &WasmHooks,
    hook: &Hook,
    text: &str,
) -> Result<(Tape, Vec<String>), RehearsalError> {
    let tape: Tape = serde_json::from_str(text)
        .map_err(|error| RehearsalError::BadSubject(format!("tape: {error}")))?;
    if !tape.is_whole() {
        let text = format!("tape: it was cut when it was recorded: {}", tape.cut);
        return Err(RehearsalError::BadSubject(text));
    }
    let replayed = replay(&hooks.parts.host, hook, &tape).await;
    let differences = replayed.differences.iter().map(ToString::to_string);
    let differences = differences.collect();
    Ok((replayed.again.unwrap_or(tape), differences))
}
