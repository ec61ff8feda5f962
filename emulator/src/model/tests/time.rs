//! Time composes: however it is cut, the same things happen.

use proptest::prelude::*;

use super::*;

/// What a caller does, at its time.
#[derive(Debug, Clone)]
enum Act {
    Launch(Vec<usize>),
    TerminateAll,
    Tag(usize),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => proptest::collection::vec(0_usize..8, 1..5).prop_map(Act::Launch),
        1 => Just(Act::TerminateAll),
        1 => (0_usize..8).prop_map(Act::Tag),
    ]
}

/// Times in seconds at which callers act, and times at which someone merely looks.
fn course() -> impl Strategy<Value = (Vec<(i64, Act)>, Vec<i64>)> {
    let acts = proptest::collection::vec((0_i64..4_000, act()), 1..12);
    (acts, proptest::collection::vec(0_i64..6_000, 0..40))
}

fn mixed_fleet() -> Fleet {
    let effects = [
        None,
        Some(Effect::FailSnapshot),
        Some(Effect::FailConversion),
        Some(Effect::FailLaunch),
        Some(Effect::PreviousSnapshot),
        Some(Effect::Skip),
        Some(Effect::FailCleanup),
    ];
    let spec = |(number, spec): (usize, ServerSpec)| ServerSpec {
        outcome: effects[number % effects.len()].map(|effect| Outcome {
            effect,
            launches: Some(1),
        }),
        ..spec
    };
    fleet(specs(8).into_iter().enumerate().map(spec).collect())
}

fn perform(model: &mut Model, act: &Act, now: Timestamp) {
    model.advance(now);
    match act {
        // A refusal is as good: it must be the same in both runs.
        Act::Launch(servers) => drop(model.start_recovery(&place(), &drill(servers.clone()), now)),
        Act::TerminateAll => {
            let ids: Vec<InstanceId> = estate(model)
                .recovery_instances()
                .map(|i| i.id.clone())
                .collect();
            drop(model.terminate_recovery_instances(&place(), &ids, now));
        }
        Act::Tag(number) => {
            let arn = Resource::SourceServer(server_id(*number)).arn(&place());
            let tags = Tags::from([("seen".to_owned(), now.to_string())]);
            model.tag(&place(), &arn, &tags).unwrap();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn looking_at_the_model_changes_nothing((mut acts, looks) in course()) {
        acts.sort_by_key(|(second, _)| *second);
        let mut direct = Model::new(&mixed_fleet(), start());
        let mut looked_at = direct.clone();
        let mut looks: Vec<i64> = looks;
        looks.sort_unstable();
        let mut looks = looks.into_iter().peekable();
        for (second, act) in &acts {
            while let Some(look) = looks.next_if(|look| look <= second) {
                looked_at.advance(at(look));
                assert_consistent(&looked_at);
            }
            perform(&mut direct, act, at(*second));
            perform(&mut looked_at, act, at(*second));
        }
        for look in looks {
            looked_at.advance(at(look));
            assert_consistent(&looked_at);
        }
        direct.advance(at(10_000));
        looked_at.advance(at(10_000));
        prop_assert_eq!(&direct, &looked_at);
        prop_assert_eq!(direct.next_change(), None);
    }
}

#[test]
fn waking_at_each_next_change_is_enough() {
    let (mut direct, mut woken) = (model(4), model(4));
    for model in [&mut direct, &mut woken] {
        start_drill(model, 0..4, 0).unwrap();
    }
    while let Some(next) = woken.next_change() {
        woken.advance(next);
    }
    direct.advance(woken.now());
    assert_eq!(direct, woken);
}

#[test]
fn time_never_goes_back() {
    let mut model = model(1);
    model.advance(at(100));
    model.advance(at(50));
    assert_eq!(model.now(), at(100));
    let late = model.start_recovery(&place(), &drill([0]), at(50)).unwrap();
    assert_eq!(late.created_at, at(100));
}
