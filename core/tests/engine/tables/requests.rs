//! States of an execution × requests: accepted, or why not.

use tidegate_core::engine::Event;

use super::stations;
use crate::run::{cancel, pause, retry, skip};

#[test]
fn every_request_in_every_state() {
    let mut table = String::new();
    for (name, run) in stations::of_executions() {
        table += &format!("{name}\n");
        for (request, event) in requests() {
            let answer = match run.execution.decide(event, run.now) {
                Ok(_) => "accepted".to_string(),
                Err(rejection) => format!("{:?}: {rejection}", rejection.why),
            };
            table += &format!("  {request:<7} {answer}\n");
        }
    }
    insta::with_settings!({omit_expression => true, prepend_module_to_snapshot => false}, {
        insta::assert_snapshot!("execution_states_and_requests", table);
    });
}

fn requests() -> [(&'static str, Event); 6] {
    [
        ("start", Event::Start),
        ("pause", pause()),
        ("resume", Event::Resume),
        ("cancel", cancel()),
        ("retry", retry(0)),
        ("skip", skip(0)),
    ]
}
