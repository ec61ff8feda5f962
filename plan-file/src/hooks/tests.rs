use tidegate_core::plan::HookFailureKind;

use crate::{Source, Written, parse, to_api};

use super::{OnHookFailure, Policy};

/// A plan whose one wave uses a hook in this way.
fn plan(endpoints: &str, hook: &str) -> String {
    format!(
        "apiVersion: tidegate/v1
kind: Plan
metadata: {{name: a}}
spec:
  target: {{account: \"123456789012\", region: us-west-2}}
  endpoints: [{endpoints}]
  waves:
    - name: db
      servers: {{tags: {{a: b}}}}
      verify:
        - {hook}
"
    )
}

fn on_failure(text: &str) -> OnHookFailure {
    let file = parse(&plan("", &format!("{{hook: up, onFailure: {text}}}")));
    let wave = file.unwrap().spec.waves.remove(0);
    wave.verify[0].on_failure.clone().unwrap()
}

/// What a person sees who reads the file.
fn syntax(endpoints: &str, hook: &str) -> String {
    let text = plan(endpoints, hook);
    parse(&text).unwrap_err().render("plan.yaml", &text)
}

/// What a person sees who checks the file.
fn meaning(endpoints: &str, hook: &str) -> String {
    let source = Source {
        name: "plan.yaml".to_owned(),
        text: plan(endpoints, hook),
    };
    let checked = Written::parse(source).unwrap().check();
    checked.unwrap_err().to_string()
}

#[test]
fn one_word_is_for_all_failures() {
    let answer = on_failure("retry");
    assert_eq!(answer.default, Some(Policy::Retry));
    assert!(answer.kinds.is_empty());
}

#[test]
fn a_mapping_names_kinds_in_its_order() {
    let answer = on_failure("{timeout: waive, default: abort, bad-output: hold}");
    assert_eq!(answer.default, Some(Policy::Abort));
    assert_eq!(
        answer.kinds,
        [
            (HookFailureKind::Timeout, Policy::Waive),
            (HookFailureKind::BadOutput, Policy::Hold)
        ]
    );
}

#[test]
fn every_kind_of_failure_can_be_named() {
    for kind in HookFailureKind::ALL {
        let answer = on_failure(&format!("{{{kind}: hold}}"));
        assert_eq!(answer.kinds, [(kind, Policy::Hold)]);
    }
}

#[test]
fn parameters_may_be_numbers_and_truth_values() {
    let config = "{port: 5432, ratio: 0.50, strict: true, name: db, quoted: \"01\"}";
    let file = parse(&plan("", &format!("{{hook: up, config: {config}}}"))).unwrap();
    let plan = to_api::plan(file);
    let config = &plan.spec.unwrap().waves[0].verify[0].config;
    let shown: Vec<_> = config.iter().map(|(k, v)| format!("{k}={v}")).collect();
    assert_eq!(
        shown,
        [
            "name=db",
            "port=5432",
            "quoted=01",
            "ratio=0.50",
            "strict=true"
        ]
    );
}

#[test]
fn an_unknown_kind_of_failure_is_shown_with_a_suggestion() {
    insta::assert_snapshot!(syntax("", "{hook: up, onFailure: {time-out: retry}}"), @r#"
    unknown value "time-out"
      --> plan.yaml:11:34
        |
     11 |         - {hook: up, onFailure: {time-out: retry}}
        |                                  ^^^^^^^^
      = did you mean "timeout"?
    "#);
}

#[test]
fn an_unknown_answer_to_a_failure_is_shown() {
    insta::assert_snapshot!(syntax("", "{hook: up, onFailure: {timeout: ignore}}"), @r#"
    unknown value "ignore"
      --> plan.yaml:11:43
        |
     11 |         - {hook: up, onFailure: {timeout: ignore}}
        |                                           ^^^^^^
      = possible here: hold, abort, retry, waive
    "#);
    insta::assert_snapshot!(syntax("", "{hook: up, onFailure: proceed}"), @r#"
    unknown value "proceed"
      --> plan.yaml:11:22
        |
     11 |         - {hook: up, onFailure: proceed}
        |                      ^^^^^^^^^
      = possible here: hold, abort, retry, waive
    "#);
    insta::assert_snapshot!(syntax("", "{hook: up, onFailure: [hold]}"), @r#"
    sequence does not fit here
      --> plan.yaml:11:22
        |
     11 |         - {hook: up, onFailure: [hold]}
        |                      ^^^^^^^^^
      = expected hold, abort or retry, or a mapping of these by kind of failure
    "#);
}

#[test]
fn an_amount_of_zero_is_refused_where_it_is_written() {
    insta::assert_snapshot!(syntax("", "{hook: up, limits: {fuel: 0}}"), @r#"
    integer `0` is not allowed
      --> plan.yaml:11:31
        |
     11 |         - {hook: up, limits: {fuel: 0}}
        |                               ^^^^
      = expected a number above zero
    "#);
}

#[test]
fn what_a_hook_may_not_have_is_shown_in_its_line() {
    insta::assert_snapshot!(
        meaning("", "{hook: up, limits: {memoryMib: 512, attemptTimeout: 3m}, ports: [0]}"),
        @r#"
    spec.waves[0].verify[0].ports[0]: 0 is not a port; use 1 to 65535
      --> plan.yaml:11:76
        |
     11 | : up, limits: {memoryMib: 512, attemptTimeout: 3m}, ports: [0]}
        |                                                             ^

    spec.waves[0].verify[0].limits.attempt_timeout: 180 s is longer than the limit of 120 s
      --> plan.yaml:11:47
        |
     11 |         - {hook: up, limits: {memoryMib: 512, attemptTimeout: 3m}, ports: [0]}
        |                                               ^^^^^^^^^^^^^^

    spec.waves[0].verify[0].limits.memory_mib: 512 are above the limit of 256
      --> plan.yaml:11:31
        |
     11 |         - {hook: up, limits: {memoryMib: 512, attemptTimeout: 3m}, ports: [0]}
        |                               ^^^^^^^^^
    "#
    );
}

#[test]
fn an_endpoint_that_the_plan_does_not_have_is_shown_in_its_line() {
    insta::assert_snapshot!(
        meaning("{name: ledger, scheme: tcp, host: h.example.com, port: 1}", "{hook: up, endpoints: [leger]}"),
        @r#"
    spec.waves[0].verify[0].endpoints[0]: there is no endpoint "leger"; did you mean "ledger"?
      --> plan.yaml:11:34
        |
     11 |         - {hook: up, endpoints: [leger]}
        |                                  ^^^^^
    "#
    );
}

#[test]
fn a_waiver_that_is_never_granted_is_shown_at_its_kind() {
    insta::assert_snapshot!(
        meaning("", "{hook: up, onFailure: {default: hold, error: waive, digest-mismatch: waive}}"),
        @r#"
    spec.waves[0].verify[0].failure_answers[1].policy: digest-mismatch is never waived, because nothing is known of what was to run; use HOLD, ABORT or RETRY
      --> plan.yaml:11:63
        |
     11 |       - {hook: up, onFailure: {default: hold, error: waive, digest-mismatch: waive}}
        |                                                             ^^^^^^^^^^^^^^^
    "#
    );
}

#[test]
fn a_waiver_of_everything_is_refused() {
    insta::assert_snapshot!(meaning("", "{hook: up, onFailure: waive}"), @r#"
    spec.waves[0].verify[0].on_failure: cannot be WAIVE; waive single kinds of failure in failure_answers
      --> plan.yaml:11:22
        |
     11 |         - {hook: up, onFailure: waive}
        |                      ^^^^^^^^^
    "#);
}

#[test]
fn an_endpoint_needs_what_its_scheme_needs() {
    insta::assert_snapshot!(
        meaning("{name: ledger, scheme: https, host: h.example.com, port: 443}", "{hook: up}"),
        @r#"
    spec.endpoints[0].ca_pem: must be given
      --> plan.yaml:6:15
       |
     6 |   endpoints: [{name: ledger, scheme: https, host: h.example.com, port: 443
       |               ^
    "#
    );
    insta::assert_snapshot!(syntax("{name: ledger, scheme: ftp, host: h, port: 1}", "{hook: up}"), @r#"
    unknown value "ftp"
      --> plan.yaml:6:38
       |
     6 |   endpoints: [{name: ledger, scheme: ftp, host: h, port: 1}]
       |                                      ^^^
      = did you mean "http"?
    "#);
}
