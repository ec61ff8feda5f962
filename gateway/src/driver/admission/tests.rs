//! Facts about the whole of it, over executions.

use std::sync::Arc;

use tidegate_core::{
    SourceServerId, WaveIx,
    engine::{ExecutionState, SelectedServer},
};

use super::*;
use crate::grpc::fixtures::{self, EXECUTION, NOW};

/// Long executions come and go for months, and every start asks what is here.
#[test]
fn nothing_is_remembered_of_an_execution_that_is_over() {
    let admission = Admission::new(Quotas::default(), Probing::default());
    let execution = (*fixtures::view().execution).clone();
    let execution = hear(&admission, &execution, Event::Start);
    let server = SelectedServer {
        id: SourceServerId::from("s-0000000000000000a"),
        hostname: Arc::from("db.internal"),
        target: Arc::new(fixtures::target()),
        optional: false,
        snapshot: None,
        instance: None,
    };
    let selected = Event::Selected {
        wave: WaveIx(0),
        answer: Ok(vec![server]),
    };
    let execution = hear(&admission, &execution, selected);
    let command = match execution.outstanding()[..] {
        [command @ CommandId::Launch { .. }] => command,
        ref others => panic!("its launch has its turn at once: {others:?}"),
    };
    let refused = LaunchAnswer::Refused {
        reason: Arc::from("no"),
    };
    let answered = Event::LaunchAnswered {
        command,
        answer: refused,
    };
    let execution = hear(&admission, &execution, answered);
    assert_eq!(execution.state(), ExecutionState::Failed);
    assert!(remembers(&admission), "what it had counts until it leaves");
    admission.leave(&execution, NOW);
    assert!(!remembers(&admission));
}

/// As an execution hears: an event, and the turns that come with it.
fn hear(admission: &Admission, execution: &Execution, event: Event) -> Execution {
    let heard = execution.decide_folded(event, NOW);
    let (changes, next) = heard.expect("it fits");
    let mut decided = Decided {
        changes,
        next: Arc::new(next),
        at: NOW,
        stamp: None,
    };
    admission.take_turns(&mut decided);
    Arc::unwrap_or_clone(decided.next)
}

fn remembers(admission: &Admission) -> bool {
    format!("{:?}", admission.lock()).contains(EXECUTION)
}
