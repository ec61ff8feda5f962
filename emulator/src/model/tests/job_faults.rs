//! What goes wrong with single jobs.

use super::*;

fn start_faulty(model: &mut Model, servers: usize, fault: &JobFault) -> JobId {
    let request = drill(0..servers);
    let job = model.start_faulty_recovery(&place(), &request, fault, start());
    job.unwrap().id
}

fn striking(effect: Effect, count: usize) -> JobFault {
    JobFault::Servers { effect, count }
}

fn count(model: &Model, id: &JobId, status: LaunchStatus) -> usize {
    let all = statuses(model, id);
    all.into_iter().filter(|one| *one == status).count()
}

#[test]
fn so_many_of_a_jobs_servers_fail_in_the_phase_and_the_others_launch() {
    for effect in [
        Effect::FailSnapshot,
        Effect::FailConversion,
        Effect::FailLaunch,
    ] {
        let mut model = model(5);
        let id = start_faulty(&mut model, 5, &striking(effect, 2));
        model.advance(at(1_000));
        assert_eq!(count(&model, &id, LaunchStatus::Failed), 2, "{effect:?}");
        assert_eq!(count(&model, &id, LaunchStatus::Launched), 3, "{effect:?}");
        let again = start_drill(&mut model, 0..5, 1_001).unwrap();
        model.advance(at(2_000));
        assert_eq!(count(&model, &again, LaunchStatus::Launched), 5);
        assert_consistent(&model);
    }
}

#[test]
fn which_servers_are_struck_is_drawn_for_each_job_and_the_same_again() {
    let struck = |seed: u64| {
        let fleet = Fleet {
            seed: Seed(seed),
            ..fleet(specs(40))
        };
        let mut model = Model::new(&fleet, start());
        let id = start_faulty(&mut model, 40, &striking(Effect::Skip, 4));
        model.advance(at(1_000));
        statuses(&model, &id)
    };
    assert_eq!(struck(1), struck(1));
    assert_ne!(struck(1), struck(2));
}

#[test]
fn a_job_ends_with_servers_pending_or_in_progress() {
    for (effect, left) in [
        (Effect::Skip, LaunchStatus::Pending),
        (Effect::LeaveInProgress, LaunchStatus::InProgress),
    ] {
        let mut model = model(3);
        let id = start_faulty(&mut model, 3, &striking(effect, 1));
        model.advance(at(1_000));
        let phase = job(&model, &id).phase;
        assert!(matches!(phase, JobPhase::Completed { .. }), "{phase:?}");
        assert_eq!(count(&model, &id, left), 1, "{effect:?}");
        assert_eq!(count(&model, &id, LaunchStatus::Launched), 2);
        assert_consistent(&model);
    }
}

#[test]
fn an_instance_is_lost_although_its_server_is_launched() {
    let mut model = model(2);
    let id = start_faulty(&mut model, 2, &striking(Effect::LoseInstance, 1));
    model.advance(at(1_000));
    assert_eq!(count(&model, &id, LaunchStatus::Launched), 2);
    assert_eq!(estate(&model).recovery_instances().count(), 1);
    let with_instance = estate(&model)
        .source_servers()
        .filter(|server| server.recovery_instance.is_some());
    assert_eq!(with_instance.count(), 1);
    assert_consistent(&model);
}

#[test]
fn an_instance_is_there_and_its_job_does_not_name_it() {
    let mut model = model(2);
    let id = start_faulty(&mut model, 2, &striking(Effect::WithholdInstance, 1));
    model.advance(at(1_000));
    let participants = &job(&model, &id).participants;
    let named = participants.iter().filter(|p| p.instance.is_some());
    assert_eq!(named.count(), 1);
    assert_eq!(estate(&model).recovery_instances().count(), 2);
}

#[test]
fn a_launch_ends_in_a_status_that_no_sdk_lists() {
    let mut model = model(2);
    let id = start_faulty(&mut model, 2, &striking(Effect::EndUnlisted, 1));
    model.advance(at(1_000));
    assert_eq!(count(&model, &id, LaunchStatus::Unlisted), 1);
    assert_eq!(count(&model, &id, LaunchStatus::Launched), 1);
}

#[test]
fn a_forgotten_job_goes_on_and_is_told_by_nothing() {
    let mut model = model(1);
    let after = SignedDuration::from_secs(60);
    let id = start_faulty(&mut model, 1, &JobFault::Forgotten { after });
    model.advance(at(59));
    assert!(model.told_job(&place(), &id).unwrap().is_some());
    model.advance(at(60));
    assert!(model.told_job(&place(), &id).unwrap().is_none());
    assert_eq!(model.told_jobs(&place()).unwrap().count(), 0);
    let busy = start_drill(&mut model, [0], 61);
    assert!(matches!(busy, Err(Refusal::ServerBusy { .. })), "{busy:?}");
    model.advance(at(1_000));
    assert_eq!(statuses(&model, &id), [LaunchStatus::Launched]);
    assert!(start_drill(&mut model, [0], 1_001).is_ok());
}

#[test]
fn a_repeated_launch_makes_a_second_job_with_an_instance_of_its_own() {
    let mut model = model(2);
    let first = start_drill(&mut model, [0, 1], 0).unwrap();
    let second = model.repeat_recovery(&place(), &drill([0, 1]), start());
    let second = second.unwrap().id;
    assert_ne!(first, second);
    assert_eq!(model.launches().len(), 4, "each launch is recorded twice");
    model.advance(at(1_000));
    assert_eq!(count(&model, &first, LaunchStatus::Launched), 2);
    assert_eq!(count(&model, &second, LaunchStatus::Launched), 2);
    assert_eq!(estate(&model).recovery_instances().count(), 4);
    assert_consistent(&model);
}

#[test]
fn of_two_jobs_that_hold_a_server_the_later_end_sets_it_free() {
    let mut model = model(1);
    start_drill(&mut model, [0], 0).unwrap();
    let second = model.repeat_recovery(&place(), &drill([0]), at(20));
    let second = second.unwrap().id;
    let ends = estate(&model).jobs().iter().map(|job| job.id.clone());
    let ids: Vec<JobId> = ends.collect();
    let mut held_by_second_alone = false;
    while let Some(next) = model.next_change() {
        model.advance(next);
        let live: Vec<bool> = ids.iter().map(|id| job(&model, id).is_live()).collect();
        let server = estate(&model).source_server(&server_id(0)).unwrap();
        assert_eq!(server.live_job.is_some(), live.contains(&true));
        held_by_second_alone |= live == [false, true] && server.live_job.as_ref() == Some(&second);
    }
    assert!(held_by_second_alone);
}
