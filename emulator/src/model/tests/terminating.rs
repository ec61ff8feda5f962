//! What a termination does.

use super::*;

/// A model with so many servers, all launched, and their instances.
fn launched(servers: usize) -> (Model, Vec<InstanceId>) {
    let mut model = model(servers);
    start_drill(&mut model, 0..servers, 0).unwrap();
    model.advance(at(1_000));
    let ids = estate(&model)
        .recovery_instances()
        .map(|instance| instance.id.clone())
        .collect();
    (model, ids)
}

#[test]
fn a_terminated_instance_shuts_down_and_is_gone() {
    let (mut model, ids) = launched(2);
    let job = model
        .terminate_recovery_instances(&place(), &ids[..1], at(1_000))
        .unwrap();
    assert_eq!(job.initiated_by, Initiator::Termination);
    model.advance(at(1_005));
    let state = estate(&model).recovery_instance(&ids[0]).unwrap().state;
    assert_eq!(state, InstanceState::ShuttingDown);
    model.advance(at(1_200));
    assert_eq!(
        events(&model, &job.id),
        ["JOB_START", "CLEANUP_START", "CLEANUP_END", "JOB_END"]
    );
    assert_eq!(statuses(&model, &job.id), [LaunchStatus::Terminated]);
    assert!(estate(&model).recovery_instance(&ids[0]).is_none());
    assert!(
        estate(&model).recovery_instance(&ids[1]).is_some(),
        "the other one runs on"
    );
    let server = job.participants[0].source_server.clone();
    assert_eq!(
        estate(&model)
            .source_server(&server)
            .unwrap()
            .recovery_instance,
        None
    );
    assert_consistent(&model);
}

#[test]
fn a_termination_leaves_the_last_launch_as_it_was() {
    let (mut model, ids) = launched(1);
    model
        .terminate_recovery_instances(&place(), &ids, at(1_000))
        .unwrap();
    model.advance(at(1_200));
    let server = estate(&model).source_server(&server_id(0)).unwrap();
    assert_eq!(
        server.last_launch.as_ref().unwrap().status,
        LaunchStatus::Launched
    );
    assert_eq!(model.launches().len(), 1, "and is no launch");
}

#[test]
fn a_server_is_not_launched_while_its_instance_is_terminated() {
    let (mut model, ids) = launched(1);
    model
        .terminate_recovery_instances(&place(), &ids, at(1_000))
        .unwrap();
    let launched = start_drill(&mut model, [0], 1_000).unwrap_err();
    assert!(matches!(launched, Refusal::ServerBusy { .. }));
    let again = model
        .terminate_recovery_instances(&place(), &ids, at(1_001))
        .unwrap_err();
    assert!(matches!(again, Refusal::ServerBusy { .. }));
}

#[test]
fn an_instance_that_is_still_launching_cannot_be_terminated() {
    let mut model = model(1);
    start_drill(&mut model, [0], 0).unwrap();
    model.advance(at(300));
    let ids: Vec<InstanceId> = estate(&model)
        .recovery_instances()
        .map(|instance| instance.id.clone())
        .collect();
    let refusal = model
        .terminate_recovery_instances(&place(), &ids, at(300))
        .unwrap_err();
    assert!(matches!(refusal, Refusal::ServerBusy { .. }));
}

#[test]
fn unknown_and_repeated_instances_are_refused() {
    let (mut model, ids) = launched(1);
    let twice = [ids[0].clone(), ids[0].clone()];
    let refusal = model
        .terminate_recovery_instances(&place(), &twice, at(1_000))
        .unwrap_err();
    assert!(matches!(
        refusal,
        Refusal::Invalid {
            field: "recoveryInstanceIDs",
            ..
        }
    ));
    let unknown = [InstanceId::parse("i-0ffffffffffffffff").unwrap()];
    let refusal = model
        .terminate_recovery_instances(&place(), &unknown, at(1_000))
        .unwrap_err();
    assert!(matches!(
        refusal,
        Refusal::NotFound {
            kind: ResourceKind::RecoveryInstance,
            ..
        }
    ));
}

#[test]
fn an_instance_that_cannot_be_terminated_runs_on() {
    let mut model = model_with(Effect::FailCleanup, Some(1));
    start_drill(&mut model, [0], 0).unwrap();
    model.advance(at(1_000));
    let ids: Vec<InstanceId> = estate(&model)
        .recovery_instances()
        .map(|i| i.id.clone())
        .collect();
    let first = model
        .terminate_recovery_instances(&place(), &ids, at(1_000))
        .unwrap();
    model.advance(at(2_000));
    assert_eq!(events(&model, &first.id)[2], "CLEANUP_FAIL");
    assert_eq!(statuses(&model, &first.id), [LaunchStatus::Failed]);
    let instance = estate(&model).recovery_instance(&ids[0]).unwrap();
    assert_eq!(instance.state, InstanceState::Running);
    let second = model
        .terminate_recovery_instances(&place(), &ids, at(2_000))
        .unwrap();
    model.advance(at(3_000));
    assert_eq!(statuses(&model, &second.id), [LaunchStatus::Terminated]);
    assert_eq!(estate(&model).recovery_instances().count(), 0);
}
