//! Tapes of hooks.

use bytes::Bytes;
use tidegate_core::{HookIx, LaunchIx, WaveIx, engine::CommandId, plan::HookPhase};
use tidegate_gateway::ports::hook_store::{HookStoreError, TAPE_BYTES, TapeKey};

use super::Subject;

use HookPhase::{PostWave, PreWave};

pub(super) fn tape(
    execution: &str,
    wave: u16,
    phase: HookPhase,
    hook: u16,
    attempt: u32,
) -> TapeKey {
    TapeKey {
        execution: execution.into(),
        command: CommandId::Hook {
            wave: WaveIx(wave),
            phase,
            hook: HookIx(hook),
            attempt,
        },
    }
}

/// Numbers are ordered as numbers, also those of several bytes.
pub async fn tapes_are_listed_by_wave_phase_hook_and_attempt(subject: &mut impl Subject) {
    let hooks = subject.open().await.hooks;
    let ordered = [
        tape("a", 0, PreWave, 0, 1),
        tape("a", 0, PreWave, 0, 2),
        tape("a", 0, PreWave, 0, 256),
        tape("a", 0, PreWave, 0, u32::MAX),
        tape("a", 0, PreWave, 1, 1),
        tape("a", 0, PreWave, 256, 1),
        tape("a", 0, PostWave, 0, 1),
        tape("a", 2, PreWave, 0, 1),
        tape("a", 256, PreWave, 0, 1),
        tape("a", u16::MAX, PostWave, u16::MAX, u32::MAX),
    ];
    assert!(hooks.tapes(&"a".into()).await.unwrap().is_empty());
    for step in [3, 7, 1, 9, 0, 4, 8, 2, 6, 5] {
        let bytes = Bytes::from(format!("tape {step}"));
        hooks.put_tape(ordered[step].clone(), bytes).await.unwrap();
    }
    assert_eq!(hooks.tapes(&"a".into()).await.unwrap(), ordered);
    for (step, tape) in ordered.iter().enumerate() {
        let found = hooks.tape(tape).await.unwrap();
        assert_eq!(found.unwrap(), format!("tape {step}"));
    }
}

/// An answer that was heard is shown with the tape that it came from.
pub async fn the_first_tape_of_an_attempt_stays(subject: &mut impl Subject) {
    let hooks = subject.open().await.hooks;
    let key = tape("a", 0, PreWave, 0, 1);
    for bytes in ["first", "second", ""] {
        hooks.put_tape(key.clone(), bytes.into()).await.unwrap();
    }
    assert_eq!(hooks.tape(&key).await.unwrap().unwrap(), "first");
    assert_eq!(hooks.tapes(&"a".into()).await.unwrap(), [key]);
}

/// One execution's tapes are not another's, whatever their ids are.
pub async fn tapes_of_unusual_executions_stay_apart(subject: &mut impl Subject) {
    let hooks = subject.open().await.hooks;
    let executions = ["", "\0", "a", "a\0\0\0\0\0\0\0\0\0", "aa", "é"];
    for execution in executions {
        let key = tape(execution, 0, PreWave, 0, 1);
        let bytes = format!("of {execution}");
        hooks.put_tape(key, bytes.into()).await.unwrap();
    }
    for execution in executions {
        let key = tape(execution, 0, PreWave, 0, 1);
        let found = hooks.tape(&key).await.unwrap();
        assert_eq!(found.unwrap(), format!("of {execution}"));
        assert_eq!(hooks.tapes(&execution.into()).await.unwrap(), [key]);
    }
    let nobodys = tape("aaa", 0, PreWave, 0, 1);
    assert_eq!(hooks.tape(&nobodys).await.unwrap(), None);
}

/// Nothing else than a hook leaves a tape.
pub async fn other_commands_have_no_tape(subject: &mut impl Subject) {
    let hooks = subject.open().await.hooks;
    let key = tape("a", 0, PreWave, 0, 1);
    hooks.put_tape(key, "tape".into()).await.unwrap();
    let (wave, launch, attempt) = (WaveIx(0), LaunchIx(0), 1);
    for command in [
        CommandId::Select { wave },
        CommandId::Admit {
            wave,
            launch,
            attempt,
        },
        CommandId::Launch {
            wave,
            launch,
            attempt,
        },
        CommandId::Look {
            wave,
            launch,
            attempt,
        },
        CommandId::Follow { wave, launch },
    ] {
        let execution = "a".into();
        let other = TapeKey { execution, command };
        assert_eq!(hooks.tape(&other).await.unwrap(), None);
    }
}

/// Trying again does not help, and the refusal says so.
pub async fn a_tape_above_the_limit_is_refused(subject: &mut impl Subject) {
    let hooks = subject.open().await.hooks;
    let key = tape("a", 0, PreWave, 0, 1);
    let above = Bytes::from(vec![1; TAPE_BYTES + 1]);

    let refused = hooks.put_tape(key.clone(), above.clone()).await;

    match refused {
        Err(HookStoreError::TooLarge { size }) => assert_eq!(size, TAPE_BYTES + 1),
        other => panic!("{other:?} instead of a refusal"),
    }
    assert!(hooks.tapes(&"a".into()).await.unwrap().is_empty());
    let largest = above.slice(1..);
    hooks.put_tape(key.clone(), largest.clone()).await.unwrap();
    assert!(hooks.tape(&key).await.unwrap() == Some(largest));
}
