//! Running a hook on scripted answers or on a tape: nothing is probed and no
//! execution is touched.

use std::sync::Arc;

use tidegate_hooks::{Hook, Limits, Tape, VectorFile, replay};

use super::{WasmHooks, answer, catalogue};
use crate::ports::hooks::{Rehearsal, RehearsalError, RehearsalSubject, Rehearsed};

pub(super) async fn rehearse(
    hooks: &WasmHooks,
    rehearsal: Rehearsal,
) -> Result<Rehearsed, RehearsalError> {
    if !hooks.catalogue.contains(&rehearsal.digest) {
        return Err(RehearsalError::NoHook(rehearsal.digest));
    }
    let hook = hooks.prepared(&rehearsal.digest).await;
    let hook = hook.map_err(|failure| RehearsalError::Unavailable(failure.message))?;
    let (tape, differences) = match rehearsal.subject {
        RehearsalSubject::Vector(text) => on_vector(hooks, &hook, &text).await?,
        RehearsalSubject::Tape(text) => on_tape(hooks, &hook, &text).await?,
    };
    let written = serde_json::to_string(&tape);
    Ok(Rehearsed {
        answer: answer::answer(&tape, false),
        wave: tape.context.wave.clone(),
        phase: catalogue::phase(tape.context.phase),
        attempt: tape.context.attempt,
        tape: Arc::from(written.map_err(|error| RehearsalError::Unavailable(error.to_string()))?),
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
    let replayed = replay(&hooks.parts.host, hook, &tape).await;
    let differences = replayed.differences.iter().map(ToString::to_string);
    let differences = differences.collect();
    Ok((replayed.again.unwrap_or(tape), differences))
}
