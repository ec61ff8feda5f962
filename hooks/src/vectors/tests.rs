use super::*;
use crate::{
    Answer, Failure, FailureKind, Finding, Launch, Outcome, Probe, Problem, Report, Request,
    Severity, Target, Verdict,
};

const FILE: &str = r"
vectors:
  - name: a closed port is asked again
    context:
      now: 2026-03-01T10:00:00Z
      remaining-ms: 2500
      servers:
        - { id: web-2 }
        - { id: web-1, hostname: one, launch: { failed: no capacity } }
      parameters: { port: 443, strict: true }
    probes:
      - { server: web-2, port: 443, answers: [refused, connected: 3] }
      - endpoint: ledger
        get: /status
        answers: [response: { status: 200, body: ok, headers: { server: x } }]
    expect:
      verdict: retry
      after-ms: 10
      reason: closed
      findings: [port-closed, { code: port-open, subject: web-1 }]
";

fn vector(text: &str) -> Vector {
    let mut file = VectorFile::parse(text).unwrap();
    assert_eq!(file.vectors.len(), 1);
    file.vectors.remove(0)
}

fn expecting(expect: &str) -> Vector {
    vector(&format!("vectors: [{{ name: a, expect: {{ {expect} }} }}]"))
}

fn tcp(server: &str, port: u32) -> Probe {
    Probe {
        target: Target::Server {
            server: server.to_owned(),
            port,
        },
        timeout_ms: 0,
        request: Request::Tcp,
    }
}

fn ask(probes: &ScriptedProbes, probe: &Probe) -> Answer {
    probes.answer(probe)
}

fn report(verdict: Verdict, reason: &str, findings: &[(&str, &str)]) -> Outcome {
    Outcome::Report(Report {
        verdict,
        reason: reason.to_owned(),
        findings: findings
            .iter()
            .map(|(code, subject)| Finding {
                code: (*code).to_owned(),
                severity: Severity::Error,
                subject: (*subject).to_owned(),
                message: String::new(),
                evidence: crate::Entries::new(),
            })
            .collect(),
    })
}

fn failure(kind: FailureKind, message: &str) -> Outcome {
    Outcome::Failure(Failure::new(kind, message))
}

#[test]
fn what_is_not_written_has_a_default() {
    let context = vector(FILE).context;
    assert_eq!(context.attempt, 1);
    assert_eq!(context.deadline, "2026-03-01T10:00:02.5Z");
    assert_eq!(context.parameters["port"], "443");
    assert_eq!(context.parameters["strict"], "true");
    let [one, two] = &context.servers[..] else {
        panic!("two servers, sorted by id")
    };
    assert_eq!(one.launch, Launch::Failed("no capacity".to_owned()));
    assert_eq!(two.launch, Launch::Launched("i-web-2".to_owned()));
}

#[test]
fn before_the_launch_no_server_is_launched() {
    let vector = vector(
        "vectors: [{ name: a, context: { phase: pre-wave, servers: [{ id: a }], \
         upstream: [{ id: b }] }, expect: { verdict: hold } }]",
    );
    assert_eq!(vector.context.servers[0].launch, Launch::Pending);
    let upstream = Launch::Launched("i-b".to_owned());
    assert_eq!(vector.context.upstream[0].launch, upstream);
}

#[test]
fn answers_come_in_turn_and_the_last_again_and_again() {
    let probes = vector(FILE).probes();
    let probe = tcp("web-2", 443);
    assert!(matches!(
        ask(&probes, &probe),
        Answer::Failed(failure) if failure.problem == Problem::Refused
    ));
    for _ in 0..3 {
        assert_eq!(ask(&probes, &probe), Answer::Connected { elapsed_ms: 3 });
    }
    assert_eq!(probes.unscripted(), []);
}

#[test]
fn a_probe_without_an_answer_fails_the_vector_by_name() {
    let vector = vector(FILE);
    let probes = vector.probes();
    ask(&probes, &tcp("web-2", 80));
    let outcome = report(
        Verdict::Retry(10),
        "closed",
        &[("port-closed", "web-2"), ("port-open", "web-1")],
    );
    assert_eq!(vector.judge(&outcome, &vector.probes()), Ok(()));
    assert_eq!(
        vector.judge(&outcome, &probes).unwrap_err().to_string(),
        "probe: the vector has no answer to: server web-2, port 80"
    );
}

#[test]
fn every_discrepancy_is_told() {
    let vector = vector(FILE);
    let outcome = report(Verdict::Retry(11), "open", &[("port-closed", "web-2")]);
    let mismatch = vector.judge(&outcome, &vector.probes()).unwrap_err();
    assert_eq!(
        mismatch.to_string(),
        "verdict: expected retry after 10 ms, found retry after 11 ms (open)\n\
         reason: expected \"closed\" in it, found \"open\"\n\
         findings:\n  expected port-closed\n  expected port-open web-1\n  \
         found    port-closed web-2"
    );
}

#[test]
fn a_failure_is_no_verdict_and_a_verdict_no_failure() {
    let probes = vector(FILE).probes();
    let proceed = report(Verdict::Proceed, "", &[]);
    let trap = failure(FailureKind::Trap, "unreachable");
    for (expect, outcome, holds) in [
        ("verdict: proceed", &proceed, true),
        ("verdict: hold", &proceed, false),
        ("verdict: skip", &proceed, false),
        ("verdict: abort", &proceed, false),
        ("verdict: retry", &proceed, false),
        ("verdict: proceed, findings: []", &proceed, true),
        ("verdict: proceed", &trap, false),
        ("failure: trap", &proceed, false),
        ("failure: trap", &trap, true),
        ("failure: fuel", &trap, false),
        ("failure: trap, message: unreach", &trap, true),
        ("failure: trap, message: panicked", &trap, false),
    ] {
        let judged = expecting(expect).judge(outcome, &probes);
        assert_eq!(judged.is_ok(), holds, "{expect}: {judged:?}");
    }
}

#[test]
fn parameters_are_judged_by_what_the_hook_says_of_them() {
    let refused = Err(Failure::new(FailureKind::Error, "write a port"));
    let trapped = Err(Failure::new(FailureKind::Trap, "write a port"));
    for (expect, accepts, holds) in [
        ("accepts: ok", &Ok(()), true),
        ("accepts: ok", &refused, false),
        ("accepts: { error: a port }", &refused, true),
        ("accepts: { error: a port }", &trapped, false),
        ("accepts: { error: a time }", &refused, false),
        ("accepts: { error: a port }", &Ok(()), false),
        ("verdict: hold", &Ok(()), true),
        ("verdict: hold", &refused, false),
    ] {
        let judged = expecting(expect).judge_accepts(accepts);
        assert_eq!(judged.is_ok(), holds, "{expect}: {judged:?}");
    }
}

#[test]
fn a_mistake_has_a_line_a_column_and_a_field() {
    let probe = "vectors: [{ name: a, expect: { verdict: hold }, probes: [{ ";
    for (text, place) in [
        ("vectors: []\nvektors: []", "line 2, column 1: vektors: "),
        (
            "vectors:\n  - name: a\n    expect: { verdict: wait }",
            "line 3, column 24: vectors[0].expect.verdict: ",
        ),
        (
            "vectors:\n  - name: a\n    context:\n      attempt: many\n    expect: { verdict: hold }",
            "line 4, column 16: vectors[0].context.attempt: ",
        ),
        (
            "vectors:\n  - name: a\n    expect: { verdict: hold, failure: trap }",
            "line 3, column 13: vectors[0].expect: write exactly one of",
        ),
        (
            "vectors:\n  - name: a\n    expect: { verdict: hold, after-ms: 1 }",
            "line 3, column 13: vectors[0].expect.after-ms: ",
        ),
        (
            &format!("{probe} server: a, answers: [refused] }}] }}]"),
            "line 1, column 58: vectors[0].probes[0]: write either server and port",
        ),
        (
            &format!("{probe} endpoint: a, answers: [] }}] }}]"),
            "line 1, column 58: vectors[0].probes[0].answers: at least one",
        ),
        (
            &format!("{probe} endpoint: a, get: /, answers: [connected: 1] }}] }}]"),
            "line 1, column 58: vectors[0].probes[0].answers: a get or a head",
        ),
        (
            "vectors:\n  - { name: a, expect: { verdict: hold } }\n  - { name: a, expect: { verdict: hold } }",
            "line 3, column 5: vectors[1].name: \"a\" occurs twice",
        ),
        (
            "vectors:\n  - name: a\n    context: { now: today }\n    expect: { verdict: hold }",
            "line 2, column 5: vectors[0].context.now: ",
        ),
    ] {
        let error = VectorFile::parse(text).unwrap_err().to_string();
        assert!(
            error.starts_with(place),
            "{text}\n{error}\nexpected {place}"
        );
    }
}

#[test]
fn a_grown_context_answers_for_its_copies_as_for_the_originals() {
    let vector = vector(FILE);
    let (context, probes) = vector.grown(300);
    assert_eq!(context.servers.len(), 300);
    assert!(context.servers.is_sorted_by(|one, other| one.id < other.id));
    let copies = context.servers.iter().filter(|server| {
        matches!(server.launch, Launch::Launched(_)) && server.id.starts_with("s-")
    });
    let mut asked = 0;
    for copy in copies {
        ask(&probes, &tcp(&copy.id, 443));
        asked += 1;
    }
    assert_eq!(asked, 149);
    assert_eq!(probes.unscripted(), []);
    assert_eq!(vector.grown(1).0.servers.len(), 2);
}
