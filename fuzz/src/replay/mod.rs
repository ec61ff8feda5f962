//! Replay: changes that no engine decided, folded into an execution of any
//! plan as the driver folds a stored log.
//!
//! The journal's records are chained, but what is stored is not trusted to
//! make sense. A change that does not fit is refused with a reason, and folded
//! all the same it does not panic. Over what fits, every query and every
//! decision comes to an end, however little sense the state makes: a gateway
//! that takes such an execution over goes on, and so do the others in it.

mod changes;

use std::sync::Arc;

use tidegate_core::{
    OwnerId, Span, Timestamp, WaveIx,
    engine::{Change, Event, Execution},
};
use tidegate_gateway::journal_format::{RecordDraft, decode, encode};

use crate::{choices::Choices, engine::events, plans};

/// Changes of one log; more only repeat what fewer show.
const LONGEST: usize = 64;
/// What is heard after the log was folded.
const HEARD: usize = 8;

/// Folds the log that the bytes describe, and goes on from there.
///
/// # Panics
/// If the property does not hold.
pub fn check(bytes: &[u8]) {
    let mut choices = Choices::new(bytes);
    let Some((genesis, settings)) = plans::genesis(&mut choices) else {
        return;
    };
    let mut now = genesis.created_at;
    let mut execution = Execution::new(genesis, settings);
    for _ in 0..LONGEST {
        if choices.is_empty() || choices.byte() == u8::MAX {
            break;
        }
        now = now + Span::from_secs(u64::from(choices.byte() % 64));
        let change = stored(changes::any(&execution, now, &mut choices));
        fold(&mut execution, &change, now);
    }
    queries(&execution);
    goes_on(&execution, now, &mut choices);
}

/// The change as it comes back from a journal.
fn stored(change: Change) -> Change {
    let written = encode(&RecordDraft {
        revision: 2,
        at: Timestamp::default(),
        previous: Some(&[7; 32]),
        nonce: [7; 16],
        epoch: 1,
        request: None,
        genesis: None,
        first_index: 2,
        changes: std::slice::from_ref(&change),
    });
    let read = decode(&written).expect("what is written is a record");
    assert_eq!(read.view.changes, [change], "it comes back as it was");
    read.view.changes.into_iter().next().expect("there is one")
}

fn fold(execution: &mut Execution, change: &Change, at: Timestamp) {
    match execution.fits(change) {
        Ok(()) => execution.apply(change, at),
        Err(misfit) => {
            assert!(!misfit.to_string().is_empty(), "a refusal says something");
            execution.clone().apply(change, at);
        }
    }
}

/// Whatever is asked of a state has an answer.
fn queries(execution: &Execution) {
    // Rules may be broken here: nobody decided this. They end all the same.
    let _ = execution.violations();
    let _ = execution.allowed_actions();
    let _ = execution.next_deadline();
    let _ = execution.launched().count();
    for command in execution.outstanding() {
        assert!(command.wave().index() < execution.plan().waves().len());
    }
}

/// A new owner takes over, people ask for things, and answers come.
fn goes_on(execution: &Execution, now: Timestamp, choices: &mut Choices<'_>) {
    let hears = |from: &Execution, event: Event, at: Timestamp| {
        let decided = from.decide_folded(event, at);
        decided.map_or_else(|_| from.clone(), |(_, next)| next)
    };
    let owner = Event::OwnerChanged(OwnerId::from("next"));
    let taken = hears(execution, owner, now);
    queries(&taken);
    for event in people(&taken) {
        queries(&hears(&taken, event, now));
    }
    let (mut state, mut now) = (taken, now);
    for _ in 0..HEARD {
        let outstanding = state.outstanding();
        let event = match choices.pick(&outstanding) {
            Some(&command) => events::answer(&state, command, now, choices),
            None => events::any(now, choices),
        };
        state = hears(&state, event, now);
        if let Some(due) = state.next_deadline() {
            now = now.max(due.at);
            state = hears(&state, Event::Tick, now);
        }
        queries(&state);
    }
}

fn people(execution: &Execution) -> Vec<Event> {
    let comment: Arc<str> = Arc::from("");
    let mut events = vec![
        Event::Start,
        Event::Tick,
        Event::Resume,
        Event::Pause {
            comment: Arc::clone(&comment),
        },
        Event::Cancel { comment },
    ];
    let waves = (0..execution.plan().waves().len()).filter_map(|ix| u16::try_from(ix).ok());
    for wave in waves.map(WaveIx) {
        events.extend([Event::RetryWave(wave), Event::SkipWave(wave)]);
    }
    events
}
