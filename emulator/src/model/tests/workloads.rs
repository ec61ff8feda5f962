//! What recovered servers serve, and where.

use std::net::Ipv4Addr;

use super::*;

/// A model of so many databases that are ready ten seconds after their launch.
fn databases(count: usize) -> Model {
    let workload = Workload {
        ready_after: SignedDuration::from_secs(10),
        ..Workload::new([(5_432, Protocol::Tcp)])
    };
    let with_workload = |spec: ServerSpec| ServerSpec {
        workload: Some(workload.clone()),
        ..spec
    };
    let specs = specs(count).into_iter().map(with_workload).collect();
    let fleet = Fleet {
        loopback: Some(Loopback::default()),
        ..fleet(specs)
    };
    Model::new(&fleet, start())
}

fn state(model: &Model) -> WorkloadState {
    model.workload(&server_id(0)).unwrap().state
}

fn open(model: &Model) -> Vec<String> {
    let open = model
        .workloads()
        .flat_map(|served| served.open().collect::<Vec<_>>());
    open.map(|(address, _)| address.to_string()).collect()
}

/// Plays what happens by itself until the workload of the first server is in such a state.
fn play_until(model: &mut Model, wanted: fn(WorkloadState) -> bool) {
    while !wanted(state(model)) {
        let next = model.next_workload_change().expect("it comes to that");
        model.advance(next);
    }
}

#[test]
fn ports_open_when_the_instance_runs_and_is_ready() {
    let mut model = databases(2);
    let job_id = start_drill(&mut model, [0], 0).unwrap();
    play_until(&mut model, |state| state != WorkloadState::Down);
    let launched = job(&model, &job_id).log.last().unwrap();
    assert_eq!(launched.event.name(), "LAUNCH_END");
    assert_eq!(launched.at, model.now());
    assert!(
        open(&model).is_empty(),
        "a launched server is not ready yet"
    );
    let ready_at = launched.at + SignedDuration::from_secs(10);
    assert_eq!(state(&model), WorkloadState::Starting { ready_at });
    play_until(&mut model, |state| state == WorkloadState::Healthy);
    assert_eq!(model.now(), ready_at);
    assert_eq!(open(&model), ["127.80.0.9:5432"]);
}

#[test]
fn ports_close_with_the_termination_of_the_instance() {
    let mut model = databases(1);
    start_drill(&mut model, [0], 0).unwrap();
    play_until(&mut model, |state| state == WorkloadState::Healthy);
    model.advance(at(1_000));
    let ids: Vec<InstanceId> = estate(&model)
        .recovery_instances()
        .map(|i| i.id.clone())
        .collect();
    let now = model.now();
    model
        .terminate_recovery_instances(&place(), &ids, now)
        .unwrap();
    assert_eq!(open(&model).len(), 1, "accepted is not begun");
    play_until(&mut model, |state| state == WorkloadState::Down);
    let instance = estate(&model).recovery_instance(&ids[0]).unwrap();
    assert_eq!(instance.state, InstanceState::ShuttingDown);
    assert!(open(&model).is_empty());
}

#[test]
fn every_launch_of_a_server_has_its_own_address() {
    let mut model = databases(3);
    let mut seen = Vec::new();
    for launch in 0..3 {
        start_drill(&mut model, 0..3, launch * 2_000).unwrap();
        model.advance(at((launch + 1) * 2_000));
        seen.extend(estate(&model).recovery_instances().map(|i| i.address));
    }
    let different: std::collections::BTreeSet<Ipv4Addr> = seen.iter().copied().collect();
    assert_eq!((seen.len(), different.len()), (9, 9));
    assert!(different.iter().all(Ipv4Addr::is_loopback));
}

#[test]
fn without_a_loopback_network_addresses_are_private_and_the_same_each_time() {
    let addresses = || {
        let mut model = model(5);
        start_drill(&mut model, 0..5, 0).unwrap();
        model.advance(at(1_000));
        let instances = estate(&model).recovery_instances();
        instances.map(|i| i.address).collect::<Vec<_>>()
    };
    assert!(addresses().iter().all(Ipv4Addr::is_private));
    assert_eq!(addresses(), addresses());
}

#[test]
fn a_word_holds_for_later_instances_too() {
    let mut model = databases(1);
    model
        .tell_workload(&server_id(0), Health::Unhealthy)
        .unwrap();
    for launch in 0..2 {
        start_drill(&mut model, [0], launch * 2_000).unwrap();
        model.advance(at((launch + 1) * 2_000));
        assert_eq!(state(&model), WorkloadState::Unhealthy { until: None });
        assert!(open(&model).is_empty());
    }
    model.tell_workload(&server_id(0), Health::Healthy).unwrap();
    assert_eq!(open(&model).len(), 1);
}

#[test]
fn there_is_no_word_about_what_is_not_served() {
    let mut model = model(1);
    for id in [server_id(0), server_id(7)] {
        let refusal = model.tell_workload(&id, Health::Healthy).unwrap_err();
        assert!(matches!(
            refusal,
            Refusal::NotFound {
                kind: ResourceKind::Workload,
                ..
            }
        ));
    }
}
