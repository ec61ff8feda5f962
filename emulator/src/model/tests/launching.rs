//! What a launch does, and what is refused.

use super::*;

const LAUNCHED: [&str; 8] = [
    "JOB_START",
    "SNAPSHOT_START",
    "SNAPSHOT_END",
    "CONVERSION_START",
    "CONVERSION_END",
    "LAUNCH_START",
    "LAUNCH_END",
    "JOB_END",
];

#[test]
fn a_launch_passes_through_its_phases_and_leaves_an_instance() {
    let mut model = model(1);
    let id = start_drill(&mut model, [0], 0).unwrap();
    assert_eq!(statuses(&model, &id), [LaunchStatus::Pending]);
    model.advance(at(100));
    assert_eq!(job(&model, &id).phase, JobPhase::Started);
    assert_eq!(statuses(&model, &id), [LaunchStatus::InProgress]);
    model.advance(at(300));
    let state = |model: &Model| estate(model).recovery_instances().next().unwrap().state;
    assert_eq!(state(&model), InstanceState::Pending);
    model.advance(at(1_000));
    assert_eq!(state(&model), InstanceState::Running);
    assert_eq!(statuses(&model, &id), [LaunchStatus::Launched]);
    assert_eq!(events(&model, &id), LAUNCHED);
    let server = estate(&model).source_server(&server_id(0)).unwrap();
    assert_eq!(server.last_launch.as_ref().unwrap().job, id);
    assert!(server.recovery_instance.is_some());
    assert_consistent(&model);
}

#[test]
fn a_server_is_in_one_live_job() {
    let mut model = model(2);
    let id = start_drill(&mut model, [0], 0).unwrap();
    let before = model.clone();
    let refusal = start_drill(&mut model, [1, 0], 0).unwrap_err();
    assert_eq!(
        refusal,
        Refusal::ServerBusy {
            server: server_id(0),
            job: id
        }
    );
    assert_eq!(model, before, "a refusal changes nothing");
    assert!(
        start_drill(&mut model, [0], 1_000).is_ok(),
        "once the job is over it may"
    );
    assert_eq!(model.launches().len(), 2);
}

#[test]
fn quotas_refuse_what_exceeds_them() {
    let mut fleet = fleet(specs(12));
    fleet.quotas = Quotas {
        concurrent_jobs: 3,
        servers_per_job: 4,
        servers_in_all_jobs: 9,
    };
    let mut model = Model::new(&fleet, start());
    let exceeded = |result: Result<JobId, Refusal>| {
        let refusal = result.unwrap_err();
        let Refusal::QuotaExceeded { quota, .. } = refusal else {
            panic!("{refusal}")
        };
        quota
    };
    assert_eq!(
        exceeded(start_drill(&mut model, 0..5, 0)),
        Quota::ServersPerJob
    );
    start_drill(&mut model, 0..4, 0).unwrap();
    start_drill(&mut model, 4..8, 0).unwrap();
    assert_eq!(
        exceeded(start_drill(&mut model, 8..10, 0)),
        Quota::ServersInAllJobs
    );
    start_drill(&mut model, 8..9, 0).unwrap();
    assert_eq!(
        exceeded(start_drill(&mut model, 9..10, 0)),
        Quota::ConcurrentJobs
    );
    start_drill(&mut model, 9..12, 1_000).unwrap();
}

#[test]
fn unknown_and_repeated_servers_are_refused() {
    let mut model = model(1);
    let unknown = start_drill(&mut model, [7], 0).unwrap_err();
    assert!(matches!(
        unknown,
        Refusal::NotFound {
            kind: ResourceKind::SourceServer,
            ..
        }
    ));
    let repeated = start_drill(&mut model, [0, 0], 0).unwrap_err();
    assert!(matches!(
        repeated,
        Refusal::Invalid {
            field: "sourceServers",
            ..
        }
    ));
    let elsewhere = Place {
        region: Region::parse("eu-west-1").unwrap(),
        ..place()
    };
    let elsewhere = model
        .start_recovery(&elsewhere, &drill([0]), start())
        .unwrap_err();
    assert!(matches!(elsewhere, Refusal::Uninitialized { .. }));
    assert!(model.launches().is_empty());
}

#[test]
fn a_failing_server_fails_in_its_phase_and_recovers_when_its_script_ends() {
    for (effect, last) in [
        (Effect::FailSnapshot, "SNAPSHOT_FAIL"),
        (Effect::FailConversion, "CONVERSION_FAIL"),
        (Effect::FailLaunch, "LAUNCH_FAILED"),
    ] {
        let mut model = model_with(effect, Some(2));
        for round in 0..3 {
            let id = start_drill(&mut model, [0], round * 1_000).unwrap();
            model.advance(at((round + 1) * 1_000));
            if round < 2 {
                assert_eq!(events(&model, &id)[events(&model, &id).len() - 2], last);
                assert_eq!(statuses(&model, &id), [LaunchStatus::Failed]);
                assert_eq!(estate(&model).recovery_instances().count(), 0);
            } else {
                assert_eq!(events(&model, &id), LAUNCHED);
            }
            assert!(matches!(job(&model, &id).phase, JobPhase::Completed { .. }));
        }
        assert_consistent(&model);
    }
}

#[test]
fn a_failure_does_not_hide_its_siblings() {
    let mut specs = specs(2);
    specs[0].outcome = Some(Outcome {
        effect: Effect::FailSnapshot,
        launches: None,
    });
    let mut model = Model::new(&fleet(specs), start());
    let id = start_drill(&mut model, [0, 1], 0).unwrap();
    model.advance(at(60));
    assert_eq!(
        statuses(&model, &id),
        [LaunchStatus::Failed, LaunchStatus::InProgress]
    );
    assert_eq!(job(&model, &id).phase, JobPhase::Started);
    model.advance(at(1_000));
    assert_eq!(
        statuses(&model, &id),
        [LaunchStatus::Failed, LaunchStatus::Launched]
    );
}

#[test]
fn a_skipped_server_is_still_pending_when_its_job_ends() {
    let mut model = model_with(Effect::Skip, None);
    let id = start_drill(&mut model, [0], 0).unwrap();
    model.advance(at(1_000));
    assert_eq!(
        events(&model, &id),
        ["JOB_START", "SERVER_SKIPPED", "JOB_CANCEL", "JOB_END"]
    );
    assert_eq!(statuses(&model, &id), [LaunchStatus::Pending]);
}

#[test]
fn the_previous_snapshot_is_used_by_script_and_when_replication_stands_still() {
    let stalled = ServerSpec {
        replication: Replication::Stalled,
        lag: SignedDuration::from_mins(40),
        ..specs(1).remove(0)
    };
    let models = [
        model_with(Effect::PreviousSnapshot, None),
        Model::new(&fleet(vec![stalled]), start()),
    ];
    for mut model in models {
        let id = start_drill(&mut model, [0], 0).unwrap();
        model.advance(at(1_000));
        assert_eq!(events(&model, &id)[2], "USING_PREVIOUS_SNAPSHOT");
        assert_eq!(statuses(&model, &id), [LaunchStatus::Launched]);
        let instance = estate(&model).recovery_instances().next().unwrap();
        assert!(
            instance.point_in_time < start(),
            "its data is older than the call"
        );
    }
}

#[test]
fn a_server_whose_snapshots_are_all_too_old_fails() {
    let spec = ServerSpec {
        replication: Replication::Disconnected,
        lag: SignedDuration::from_hours(24 * 30),
        ..specs(1).remove(0)
    };
    let mut model = Model::new(&fleet(vec![spec]), start());
    let id = start_drill(&mut model, [0], 0).unwrap();
    model.advance(at(1_000));
    assert_eq!(events(&model, &id)[2], "USING_PREVIOUS_SNAPSHOT_FAILED");
    assert_eq!(statuses(&model, &id), [LaunchStatus::Failed]);
}

#[test]
fn a_server_without_a_first_copy_cannot_be_launched() {
    let spec = ServerSpec {
        replication: Replication::InitialSync,
        ..specs(1).remove(0)
    };
    let mut model = Model::new(&fleet(vec![spec]), start());
    assert!(matches!(
        start_drill(&mut model, [0], 0),
        Err(Refusal::Invalid { .. })
    ));
}

#[test]
fn a_pinned_launch_carries_the_data_of_its_snapshot() {
    let mut model = model(2);
    let server = estate(&model).source_server(&server_id(0)).unwrap().clone();
    let snapshot = model.recovery_snapshots(&server).remove(0);
    let mut request = drill([0]);
    request.servers[0].snapshot = Some(snapshot.id.clone());
    let id = model.start_recovery(&place(), &request, at(1)).unwrap().id;
    model.advance(at(1_000));
    assert!(!events(&model, &id).contains(&"SNAPSHOT_START"));
    let instance = estate(&model).recovery_instances().next().unwrap();
    assert_eq!(instance.point_in_time, snapshot.taken_at);
    // A snapshot belongs to its own server.
    request.servers[0].server = server_id(1);
    let refusal = model
        .start_recovery(&place(), &request, at(1_000))
        .unwrap_err();
    assert!(matches!(
        refusal,
        Refusal::NotFound {
            kind: ResourceKind::RecoverySnapshot,
            ..
        }
    ));
}

#[test]
fn launching_again_replaces_the_older_instance() {
    let mut model = model(1);
    start_drill(&mut model, [0], 0).unwrap();
    model.advance(at(1_000));
    let old = estate(&model)
        .recovery_instances()
        .next()
        .unwrap()
        .id
        .clone();
    let id = start_drill(&mut model, [0], 1_000).unwrap();
    model.advance(at(1_010));
    let instance = estate(&model).recovery_instance(&old).unwrap();
    assert_eq!(instance.state, InstanceState::ShuttingDown);
    model.advance(at(2_000));
    assert_eq!(
        events(&model, &id)[..3],
        ["JOB_START", "CLEANUP_START", "CLEANUP_END"]
    );
    assert_eq!(events(&model, &id)[3..], LAUNCHED[1..]);
    let left: Vec<_> = estate(&model).recovery_instances().collect();
    assert_eq!(left.len(), 1);
    assert_ne!(left[0].id, old);
}

#[test]
fn ids_do_not_depend_on_what_was_refused() {
    let (mut one, mut two) = (model(2), model(2));
    start_drill(&mut two, [9], 0).unwrap_err();
    assert_eq!(
        start_drill(&mut one, [0], 5).unwrap(),
        start_drill(&mut two, [0], 5).unwrap()
    );
}
