//! Keys and rows of the tables for hooks and tapes.

use tidegate_core::{ExecutionId, HookIx, Timestamp, WaveIx, engine::CommandId, plan::HookPhase};

use super::tables::key_of;
use crate::ports::{
    hook_store::{StoredHook, TapeKey},
    journal::ReadError,
};

/// Bytes of a component in one row. redb keeps a row in one run of pages, whose
/// length is a power of two: one row of 9 MiB would take 16, all in one place.
pub(super) const CHUNK_SIZE: usize = 256 << 10;

/// What follows the execution in a tape's key: wave, phase, hook, attempt.
const TAPE_KEY_REST: usize = 9;

/// A component's chunks lie in order.
pub(super) fn chunk_key(digest: &str, index: u32) -> Vec<u8> {
    key_of(digest, &index.to_be_bytes())
}

/// The first and the last key that a chunk of a component can have.
pub(super) fn chunks_of(digest: &str) -> (Vec<u8>, Vec<u8>) {
    (chunk_key(digest, 0), chunk_key(digest, u32::MAX))
}

pub(super) fn encode(size: u64, created_at: Timestamp) -> Vec<u8> {
    [size, created_at.as_millis()]
        .map(u64::to_be_bytes)
        .concat()
}

pub(super) fn decode(digest: &str, row: &[u8]) -> Result<StoredHook, ReadError> {
    let ([size, created_at], []) = row.as_chunks() else {
        let reason = format!("the row of hook {digest} is none");
        return Err(ReadError::Damaged(reason));
    };
    Ok(StoredHook {
        digest: digest.to_owned(),
        size: u64::from_be_bytes(*size),
        created_at: Timestamp::from_millis(u64::from_be_bytes(*created_at)),
    })
}

/// An execution's tapes lie in the order of their attempts. `None` for a
/// command that runs no hook.
pub(super) fn tape_key(tape: &TapeKey) -> Option<Vec<u8>> {
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
    let phase: u8 = match phase {
        HookPhase::PreWave => 0,
        HookPhase::PostWave => 1,
    };
    let [w0, w1] = wave.0.to_be_bytes();
    let [h0, h1] = hook.0.to_be_bytes();
    let [a0, a1, a2, a3] = attempt.to_be_bytes();
    let rest: [u8; TAPE_KEY_REST] = [w0, w1, phase, h0, h1, a0, a1, a2, a3];
    Some(key_of(tape.execution.as_str(), &rest))
}

/// The first and the last key that a tape of an execution can have.
pub(super) fn tapes_of(execution: &ExecutionId) -> (Vec<u8>, Vec<u8>) {
    let key = |byte| key_of(execution.as_str(), &[byte; TAPE_KEY_REST]);
    (key(u8::MIN), key(u8::MAX))
}

/// Which tape has this key, among those of its execution.
pub(super) fn tape_of(execution: &ExecutionId, key: &[u8]) -> Result<TapeKey, ReadError> {
    let damaged = || ReadError::Damaged(format!("the key of a tape of {execution} is none"));
    let rest: &[u8; TAPE_KEY_REST] = key.last_chunk().ok_or_else(damaged)?;
    let [w0, w1, phase, h0, h1, a0, a1, a2, a3] = *rest;
    let phase = match phase {
        0 => HookPhase::PreWave,
        1 => HookPhase::PostWave,
        _ => return Err(damaged()),
    };
    Ok(TapeKey {
        execution: execution.clone(),
        command: CommandId::Hook {
            wave: WaveIx(u16::from_be_bytes([w0, w1])),
            phase,
            hook: HookIx(u16::from_be_bytes([h0, h1])),
            attempt: u32::from_be_bytes([a0, a1, a2, a3]),
        },
    })
}
