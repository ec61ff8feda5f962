//! The uses of hooks.

use super::*;

#[test]
fn a_use_that_says_nothing_gets_the_defaults() {
    let plan = check(&using(DraftHook::default())).unwrap();
    let used = &plan.wave(WaveIx(0)).check[0];
    assert_eq!(used.timeout, Span::from_secs(900));
    assert_eq!(used.retries, 30);
    assert_eq!(used.attempt_timeout, Span::from_secs(10));
    assert_eq!((used.fuel, used.memory_mib), (5_000_000_000, 64));
    assert_eq!(used.on_failure, OnFailure::always(HookFailure::Hold));
    assert!(!used.allow_wasi && used.ports.is_empty() && used.endpoints.is_empty());
}

#[test]
fn what_one_attempt_may_use_has_ceilings() {
    let most = DraftHook {
        attempt_timeout: Some(Span::from_secs(120)),
        fuel: Some(100_000_000_000),
        memory_mib: Some(256),
        ..DraftHook::default()
    };
    assert!(check(&using(most)).is_ok());
    let more = DraftHook {
        attempt_timeout: Some(Span::from_millis(120_001)),
        fuel: Some(100_000_000_001),
        memory_mib: Some(257),
        ..DraftHook::default()
    };
    assert_eq!(
        mistakes(&using(more.clone())),
        [
            "spec.waves[0].check[0].limits.attempt_timeout: 120.001 s is longer than the limit of 120 s",
            "spec.waves[0].check[0].limits.fuel: 100000000001 are above the limit of 100000000000",
            "spec.waves[0].check[0].limits.memory_mib: 257 are above the limit of 256",
        ]
    );
    assert!(Plan::check(&using(more), &Limits::NONE).is_ok());
    let nothing = DraftHook {
        attempt_timeout: Some(Span::ZERO),
        fuel: Some(0),
        memory_mib: Some(0),
        timeout: Some(Span::ZERO),
        ..DraftHook::default()
    };
    let zero = "must be above zero; leave it out for the default";
    assert_eq!(
        mistakes(&using(nothing)),
        [
            format!("spec.waves[0].check[0].timeout: {zero}"),
            format!("spec.waves[0].check[0].limits.attempt_timeout: {zero}"),
            format!("spec.waves[0].check[0].limits.fuel: {zero}"),
            format!("spec.waves[0].check[0].limits.memory_mib: {zero}"),
        ]
    );
}

#[test]
fn a_kind_without_an_answer_of_its_own_gets_the_default_one() {
    let plan = check(&using(DraftHook {
        on_failure: Some(HookFailure::Abort),
        failure_answers: vec![
            (HookFailureKind::Fuel, HookFailure::Retry),
            (HookFailureKind::Timeout, HookFailure::Waive),
        ],
        ..DraftHook::default()
    }))
    .unwrap();
    let on_failure = &plan.wave(WaveIx(0)).check[0].on_failure;
    for kind in HookFailureKind::ALL {
        let own = on_failure.kinds.contains_key(&kind);
        assert!(
            own || on_failure.answer(kind) == HookFailure::Abort,
            "{kind}"
        );
    }
    assert_eq!(on_failure.answer(HookFailureKind::Fuel), HookFailure::Retry);
    assert_eq!(
        on_failure.answer(HookFailureKind::Timeout),
        HookFailure::Waive
    );
}

#[test]
fn the_last_answer_is_never_retry_and_never_a_waiver_of_another_kind() {
    let last = |default, answer| {
        OnFailure {
            default,
            kinds: [(HookFailureKind::Trap, answer)].into(),
        }
        .last_answer(HookFailureKind::Trap)
    };
    use HookFailure::{Abort, Hold, Retry, Waive};
    assert_eq!(last(Hold, Retry), Hold);
    assert_eq!(last(Abort, Retry), Abort);
    assert_eq!(last(Retry, Retry), Hold);
    assert_eq!(last(Retry, Waive), Waive);
    assert_eq!(last(Hold, Abort), Abort);
}

#[test]
fn a_waiver_names_its_kind_and_some_kinds_are_never_waived() {
    let everything = DraftHook {
        on_failure: Some(HookFailure::Waive),
        ..DraftHook::default()
    };
    assert_eq!(
        mistakes(&using(everything)),
        [
            "spec.waves[0].check[0].on_failure: cannot be WAIVE; waive single kinds of failure in failure_answers"
        ]
    );
    for kind in HookFailureKind::ALL {
        let waived = using(DraftHook {
            failure_answers: vec![(kind, HookFailure::Waive)],
            ..DraftHook::default()
        });
        assert_eq!(check(&waived).is_ok(), kind.is_waivable(), "{kind}");
    }
    let mismatch = using(DraftHook {
        failure_answers: vec![(HookFailureKind::DigestMismatch, HookFailure::Waive)],
        ..DraftHook::default()
    });
    assert_eq!(
        mistakes(&mismatch),
        [
            "spec.waves[0].check[0].failure_answers[0].policy: digest-mismatch is never waived, because nothing is known of what was to run; use HOLD, ABORT or RETRY"
        ]
    );
}

#[test]
fn what_is_listed_twice_is_refused() {
    let mut draft = using(DraftHook {
        failure_answers: vec![
            (HookFailureKind::Trap, HookFailure::Hold),
            (HookFailureKind::Trap, HookFailure::Abort),
        ],
        ports: vec![443, 0, 65_536, 443],
        endpoints: vec!["vault".to_string(), "vault".to_string()],
        ..DraftHook::default()
    });
    draft.endpoints = vec![endpoints::tcp("vault")];
    assert_eq!(
        mistakes(&draft)[..3],
        [
            "spec.waves[0].check[0].failure_answers[1].kind: \"trap\" is listed twice; remove one",
            "spec.waves[0].check[0].ports[1]: 0 is not a port; use 1 to 65535",
            "spec.waves[0].check[0].ports[2]: 65536 is not a port; use 1 to 65535",
        ]
    );
    assert_eq!(
        mistakes(&draft)[3..],
        [
            "spec.waves[0].check[0].ports[3]: \"443\" is listed twice; remove one",
            "spec.waves[0].check[0].endpoints[1]: \"vault\" is listed twice; remove one",
        ]
    );
}

#[test]
fn the_time_of_a_gate_is_a_quarter_of_an_hour_or_what_one_hook_may_take() {
    let gate = |timeout, gate_timeout| {
        let mut draft = using(DraftHook {
            timeout,
            ..DraftHook::default()
        });
        draft.waves[0].gate_timeout = gate_timeout;
        check(&draft).unwrap().wave(WaveIx(0)).gate_timeout
    };
    let minutes = |minutes: u64| Span::from_secs(minutes * 60);
    assert_eq!(gate(None, None), minutes(15));
    assert_eq!(gate(Some(minutes(1)), None), minutes(15));
    assert_eq!(gate(Some(minutes(40)), None), minutes(40));
    assert_eq!(gate(Some(minutes(40)), Some(minutes(2))), minutes(2));
}

#[test]
fn every_use_is_found_with_its_place() {
    let mut draft = plan(vec![wave("db", &[], 1), wave("web", &["db"], 2)]);
    draft.waves[0].verify = vec![named("ping")];
    draft.waves[1].check = vec![named("ready"), named("dns")];
    let plan = check(&draft).unwrap();
    let found: Vec<_> = plan
        .hook_uses()
        .map(|site| {
            (
                site.field,
                site.wave,
                site.phase,
                site.hook_use.hook.to_string(),
            )
        })
        .collect();
    let at = |field: &str, wave, phase, hook: &str| {
        (field.to_string(), WaveIx(wave), phase, hook.to_string())
    };
    assert_eq!(
        found,
        [
            at("spec.waves[0].verify[0]", 0, HookPhase::PostWave, "ping"),
            at("spec.waves[1].check[0]", 1, HookPhase::PreWave, "ready"),
            at("spec.waves[1].check[1]", 1, HookPhase::PreWave, "dns"),
        ]
    );
}

/// A plan that uses one hook before its only wave.
pub(super) fn using(hook: DraftHook) -> PlanDraft {
    let mut draft = plan(vec![wave("db", &[], 1)]);
    draft.waves[0].check = vec![DraftHook {
        hook: "ready".to_string(),
        ..hook
    }];
    draft
}

fn named(hook: &str) -> DraftHook {
    DraftHook {
        hook: hook.to_string(),
        ..DraftHook::default()
    }
}
