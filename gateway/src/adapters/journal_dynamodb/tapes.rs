//! Tapes of hooks.

use bytes::Bytes;
use tidegate_core::{ExecutionId, HookIx, WaveIx, engine::CommandId, plan::HookPhase};

use super::{
    calls::{Calls, Query, settled},
    chunks::{self, CHUNK},
    item::Item,
    keys::{self, Key, SORT},
    laying,
    meaning::Failure,
    write::Write,
};
use crate::ports::{hook_store::TapeKey, journal::ReadError};

/// Where a tape is: those of an execution lie in the order of their attempts.
/// `None` for a command that runs no hook.
pub(super) fn key(tape: &TapeKey) -> Option<Key> {
    let (wave, phase, hook, attempt) = match tape.command {
        CommandId::Hook {
            wave,
            phase,
            hook,
            attempt,
        } => (wave, phase, hook, attempt),
        CommandId::Select { .. }
        | CommandId::Admit { .. }
        | CommandId::Launch { .. }
        | CommandId::Look { .. }
        | CommandId::Follow { .. } => return None,
    };
    let phase = match phase {
        HookPhase::PreWave => 0,
        HookPhase::PostWave => 1,
    };
    let sk = format!("{:05}#{phase}#{:05}#{attempt:010}", wave.0, hook.0);
    Some(Key::new(keys::tapes(&tape.execution), sk))
}

/// The first tape stays.
pub(super) async fn put(calls: &Calls, key: Key, bytes: &Bytes) -> Result<(), Failure> {
    let laid = chunks::lay(calls, "tape", bytes, CHUNK).await?;
    let write = laid.in_item(Write::put(key.clone()).if_absent());
    let written = match laid.finish() {
        None => settled(|| calls.write(&write)).await,
        Some(finish) => calls.transact_surely(&[write, finish]).await,
    };
    match written {
        Err(Failure::Refused(items)) if items.first() == Some(&None) => {
            laid.take_back(calls).await;
            return Err(Failure::Unavailable(laying::SWEPT.to_owned()));
        }
        Err(Failure::Refused(_)) => {}
        written @ (Ok(())
        | Err(
            Failure::Conflict(_) | Failure::Unavailable(_) | Failure::Never(_) | Failure::Lost(_),
        )) => {
            return written;
        }
    }
    // There is one: of another run, or of this very call, whose first answer
    // was lost.
    let ours = calls.get(&key).await;
    let ours = ours.map_err(|error| Failure::Unavailable(error.to_string()))?;
    if !ours.is_some_and(|item| laid.is_of(&item, "tape")) {
        laid.take_back(calls).await;
    }
    Ok(())
}

pub(super) async fn list(
    calls: &Calls,
    execution: &ExecutionId,
) -> Result<Vec<TapeKey>, ReadError> {
    let query = Query {
        only: Some("#pk, #sk".to_owned()),
        ..Query::of(keys::tapes(execution))
    };
    let items = calls.all(&query).await?;
    items.iter().map(|item| tape_of(execution, item)).collect()
}

pub(super) async fn get(calls: &Calls, key: &Key) -> Result<Option<Bytes>, ReadError> {
    let Some(item) = calls.get(key).await? else {
        return Ok(None);
    };
    let tape = chunks::read(calls, &item, "tape").await?;
    tape.map(Some).ok_or_else(|| item.damaged("no tape"))
}

fn tape_of(execution: &ExecutionId, item: &Item) -> Result<TapeKey, ReadError> {
    let command = item.text(SORT).and_then(command);
    Ok(TapeKey {
        execution: execution.clone(),
        command: command.ok_or_else(|| item.damaged("no attempt of a hook as its key"))?,
    })
}

fn command(sk: &str) -> Option<CommandId> {
    let mut parts = sk.split('#');
    let mut part = || parts.next();
    Some(CommandId::Hook {
        wave: WaveIx(part()?.parse().ok()?),
        phase: match part()? {
            "0" => HookPhase::PreWave,
            "1" => HookPhase::PostWave,
            _ => return None,
        },
        hook: HookIx(part()?.parse().ok()?),
        attempt: part()?.parse().ok()?,
    })
}
