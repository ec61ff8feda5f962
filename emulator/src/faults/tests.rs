//! The judge's behaviour, as facts.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::*;
use crate::model::{AccountId, Effect, JobFault, Place, Region, Seed, SourceServerId};
use crate::operation::Operation;

fn start() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

fn place(region: &str) -> Place {
    Place {
        account: AccountId::parse("123456789012").unwrap(),
        region: Region::parse(region).unwrap(),
    }
}

fn faults(file: Value) -> Faults {
    let file: FaultsFile = serde_json::from_value(file).unwrap();
    file.check(Seed(1)).unwrap()
}

fn one_rule(when: Value) -> Faults {
    faults(json!({"rules": [{"name": "r", "when": when, "then": {"answer": "reset"}}]}))
}

/// Which of the first calls of an operation are struck, each a second after the other.
fn struck(faults: &Faults, calls: i64) -> Vec<i64> {
    let mut plan = FaultPlan::new(faults, start());
    let place = place("us-west-2");
    let call = Call {
        operation: Operation::DescribeJobs,
        place: &place,
        servers: &[],
    };
    (1..=calls)
        .filter(|number| {
            let now = start() + SignedDuration::from_secs(number - 1);
            plan.judge(&call, now) != Verdict::default()
        })
        .collect()
}

#[test]
fn a_rule_without_bounds_strikes_every_call() {
    assert_eq!(struck(&one_rule(json!({})), 4), [1, 2, 3, 4]);
}

#[test]
fn first_calls_every_kth_and_bursts_are_bounds() {
    assert_eq!(struck(&one_rule(json!({"times": 2})), 9), [1, 2]);
    let third = json!({"skip": 2, "times": 1});
    assert_eq!(struck(&one_rule(third), 9), [3]);
    assert_eq!(struck(&one_rule(json!({"every": 3})), 9), [3, 6, 9]);
    let shifted = json!({"skip": 1, "every": 3, "times": 2});
    assert_eq!(struck(&one_rule(shifted), 12), [4, 7]);
    let bursts = json!({"every": 4, "burst": 2});
    assert_eq!(struck(&one_rule(bursts), 12), [4, 5, 8, 9, 12]);
}

#[test]
fn a_window_is_of_emulated_time_and_calls_outside_are_not_counted() {
    let window = json!({"from": 3, "until": 6, "every": 2});
    // The calls 4, 5 and 6 are inside, and the second of them is struck.
    assert_eq!(struck(&one_rule(window), 12), [5]);
}

#[test]
fn chance_is_a_function_of_seed_rule_and_number() {
    let with = |seed: u64, name: &str| {
        let rule = json!({"name": name, "when": {"probability": 0.3}, "then": {"answer": "reset"}});
        struck(&faults(json!({"seed": seed, "rules": [rule]})), 1_000)
    };
    let first = with(7, "r");
    assert_eq!(first, with(7, "r"));
    assert_ne!(first, with(8, "r"));
    assert_ne!(first, with(7, "s"));
    assert!((240..360).contains(&first.len()), "{}", first.len());
    let never = struck(&one_rule(json!({"probability": 0.0})), 100);
    assert!(never.is_empty());
    assert_eq!(struck(&one_rule(json!({"probability": 1.0})), 3), [1, 2, 3]);
}

#[test]
fn the_seed_is_the_scenarios_unless_the_faults_have_one() {
    let file: FaultsFile = serde_json::from_value(json!({})).unwrap();
    assert_eq!(file.check(Seed(5)).unwrap().seed, Seed(5));
    let file: FaultsFile = serde_json::from_value(json!({"seed": 6})).unwrap();
    assert_eq!(file.check(Seed(5)).unwrap().seed, Seed(6));
}

#[test]
fn a_rule_is_about_its_operations_places_and_servers_only() {
    let faults = faults(json!({"rules": [{
        "name": "r",
        "match": {
            "operations": ["StartRecovery"],
            "accounts": ["123456789012"],
            "regions": ["us-west-2"],
            "servers": ["s-1", "s-3"],
        },
        "then": {"answer": "reset"},
    }]}));
    let server = |text: &str| SourceServerId::parse(text).unwrap();
    let (one, two) = (server("s-10000000000000000"), server("s-20000000000000000"));
    let is_struck = |operation, region, servers: &[SourceServerId]| {
        let mut plan = FaultPlan::new(&faults, start());
        let place = place(region);
        let call = Call {
            operation,
            place: &place,
            servers,
        };
        plan.judge(&call, start()) != Verdict::default()
    };
    let start = Operation::StartRecovery;
    assert!(is_struck(start, "us-west-2", &[two.clone(), one.clone()]));
    assert!(!is_struck(start, "us-west-2", &[two]));
    assert!(!is_struck(start, "us-west-2", &[]));
    assert!(!is_struck(start, "us-east-2", std::slice::from_ref(&one)));
    assert!(!is_struck(Operation::DescribeJobs, "us-west-2", &[one]));
}

#[test]
fn the_first_rule_that_fires_decides_and_those_behind_do_not_see_the_call() {
    let faults = faults(json!({"rules": [
        {"name": "first", "when": {"every": 2}, "then": {"answer": "reset"}},
        {"name": "second", "then": {"answer": "silence"}},
    ]}));
    let mut plan = FaultPlan::new(&faults, start());
    let place = place("us-west-2");
    let call = Call {
        operation: Operation::DescribeJobs,
        place: &place,
        servers: &[],
    };
    let mut heard = |_| {
        let verdict = plan.judge(&call, start()).call;
        let CallVerdict::Done {
            answer: Answer::Instead(instead),
            ..
        } = verdict
        else {
            panic!("{verdict:?}");
        };
        instead
    };
    let heard: Vec<Instead> = (0..4).map(&mut heard).collect();
    assert_eq!(
        heard,
        [
            Instead::Silence,
            Instead::Reset,
            Instead::Silence,
            Instead::Reset
        ]
    );
    let counts: Vec<_> = plan.counts().map(|c| (c.rule, c.seen, c.fired)).collect();
    assert_eq!(counts, [("first", 4, 2), ("second", 2, 2)]);
}

#[test]
fn a_job_has_a_fault_beside_what_happens_to_its_call() {
    let faults = faults(json!({"rules": [
        {"name": "refused", "when": {"times": 1}, "then": {"work": "none", "answer": "reset"}},
        {"name": "lost", "when": {"times": 1}, "then": {"answer": "reset"}},
        {"name": "job", "then": {"job": {"effect": "failLaunch", "servers": 2}}},
    ]}));
    let mut plan = FaultPlan::new(&faults, start());
    let place = place("us-west-2");
    let mut judge = |operation| {
        let call = Call {
            operation,
            place: &place,
            servers: &[],
        };
        plan.judge(&call, start())
    };
    let fault = JobFault::Servers {
        effect: Effect::FailLaunch,
        count: 2,
    };
    let refused = judge(Operation::StartRecovery);
    assert_eq!(refused.job, None, "a call that is not done has no job");
    let lost = judge(Operation::StartRecovery);
    assert_eq!(lost.job, Some(fault.clone()));
    assert_ne!(lost.call, CallVerdict::default());
    assert_eq!(judge(Operation::StartRecovery).job, Some(fault));
    assert_eq!(judge(Operation::DescribeJobs), Verdict::default());
}

#[test]
fn faults_are_written_as_they_were_read() {
    let file = json!({
        "seed": 3,
        "rules": [
            {"name": "a", "match": {"operations": ["StartRecovery"], "servers": ["s-1"]},
             "when": {"from": 1.5, "until": 9, "skip": 1, "every": 2, "burst": 3, "times": 4},
             "then": {"work": {"late": 30}, "answer": "silence"}},
            {"name": "b", "match": {"accounts": ["123456789012"], "regions": ["us-west-2"]},
             "when": {"probability": 0.25}, "then": {"work": "twice", "answer": {"slow": 2}}},
            {"name": "c", "then": {"work": "none", "answer":
                {"error": {"code": "ThrottlingException", "retryAfterSeconds": 2}}}},
            {"name": "d", "then": {"answer": {"delayed": 1}}},
            {"name": "e", "then": {"answer": "cut"}},
            {"name": "f", "then": {"job": {"effect": "skip", "servers": 2}}},
            {"name": "g", "then": {"job": {"effect": "failLaunch"}}},
            {"name": "h", "then": {"job": {"forgottenAfter": 60}}},
        ],
        "service": {
            "lag": {"jobs": 1, "tags": 2, "lastLaunch": 3},
            "clockSkew": -2.5,
            "quotas": {"concurrentJobs": 2},
            "unlisted": {"jobStatus": true},
        },
    });
    let read = faults(file);
    let written = serde_json::to_value(FaultsFile::from(&read)).unwrap();
    assert_eq!(faults(written), read);
}

/// A file whose second rule is this one.
fn rule(when: Value, then: Value) -> Value {
    json!({"rules": [
        {"name": "good", "then": {"answer": "reset"}},
        {"name": "bad", "when": when, "then": then},
    ]})
}

/// Each file is refused with these words.
fn assert_refused<const N: usize>(cases: [(Value, &str); N]) {
    for (file, expected) in cases {
        let file: FaultsFile = serde_json::from_value(file).unwrap();
        assert_eq!(file.check(Seed(1)).unwrap_err().to_string(), expected);
    }
}

#[test]
fn a_rule_that_never_or_doubly_fires_is_refused_with_its_path_and_what_to_do() {
    let reset = json!({"answer": "reset"});
    assert_refused([
        (
            rule(json!({"probability": 1.5}), reset.clone()),
            "rules[1].when.probability: is 1.5; give a number from 0 to 1",
        ),
        (
            rule(json!({"probability": 0.5, "every": 2}), reset.clone()),
            "rules[1].when.every: `every` and `probability` exclude each other; leave one out",
        ),
        (
            rule(json!({"every": 0}), reset.clone()),
            "rules[1].when.every: is 0; 1 or more is needed",
        ),
        (
            rule(json!({"from": 5, "until": 5}), reset.clone()),
            "rules[1].when.until: it is not after `from`, so that the rule never holds",
        ),
        (
            rule(json!({"times": 0}), reset),
            "rules[1].when.times: is 0, so that the rule never fires; 1 or more is needed",
        ),
    ]);
}

#[test]
fn what_cannot_happen_is_refused_with_its_path_and_what_to_do() {
    assert_refused([
        (
            rule(json!({}), json!({})),
            "rules[1].then.work: there is none of `work`, `answer` and `job`; say what happens",
        ),
        (
            rule(json!({}), json!({"work": "none"})),
            "rules[1].then.answer: there is no answer yet when the work is not done; give \
          `silence`, `reset` or an `error`",
        ),
        (
            rule(json!({}), json!({"work": {"late": 1}, "answer": "cut"})),
            "rules[1].then.answer: there is no answer yet when the work is not done; give \
          `silence`, `reset` or an `error`",
        ),
        (
            rule(
                json!({}),
                json!({"answer": "reset", "job": {"effect": "skip"}}),
            ),
            "rules[1].then.job: a rule is about a call or about its job; make two rules of it",
        ),
        (
            rule(
                json!({}),
                json!({"answer": {"error":
            {"code": "ConflictException", "retryAfterSeconds": 1}}}),
            ),
            "rules[1].then.answer.error.retryAfterSeconds: this error does not say when to try \
          again; leave it out",
        ),
        (
            rule(json!({}), json!({"job": {}})),
            "rules[1].then.job.effect: give either `effect` (and `servers`) or `forgottenAfter`",
        ),
        (
            rule(json!({}), json!({"answer": {"slow": 601}})),
            "rules[1].then.answer.slow: is 601; give a number of seconds from 0 to 600",
        ),
    ]);
}

#[test]
fn what_makes_no_sense_elsewhere_is_refused_with_its_path_and_what_to_do() {
    assert_refused([
        (
            json!({"rules": [{"name": "r", "match": {"regions": ["here"]}, "then": {"answer": "cut"}}]}),
            "rules[0].match.regions[0]: \"here\" is not [a-z]{2}(-[a-z]+)+-[0-9]",
        ),
        (
            json!({"rules": [{"name": "r", "then": {"answer": "cut"}},
                          {"name": "r", "then": {"answer": "cut"}}]}),
            "rules[1].name: there is another rule \"r\"; name each once",
        ),
        (
            json!({"service": {"lag": {"tags": -1}}}),
            "service.lag.tags: is -1; give a number of seconds from 0 to 31536000",
        ),
    ]);
}

#[test]
fn the_file_in_the_manual_is_checked_faults() {
    let manual = include_str!("mod.rs");
    let (_, rest) = manual.split_once("//! ```yaml\n").unwrap();
    let (file, _) = rest.split_once("//! ```\n").unwrap();
    let lines = file.lines().map(|line| line.strip_prefix("//! ").unwrap());
    let text: Vec<&str> = lines.collect();
    let mut read: std::collections::BTreeMap<String, FaultsFile> =
        serde_saphyr::from_str(&text.join("\n")).unwrap();
    let faults = read.remove("faults").unwrap().check(Seed(1)).unwrap();
    assert_eq!(faults.seed, Seed(7));
    assert_eq!(faults.rules.len(), 2);
    assert_eq!(faults.rules[0].when.skip, 2);
    assert_eq!(
        faults.service.clock_skew,
        SignedDuration::from_millis(-2_500)
    );
}
