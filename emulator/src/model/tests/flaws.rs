//! What the service tells when it does not tell the truth.

use super::*;

fn flawed(servers: usize, flaws: Flaws) -> Model {
    let mut model = model(servers);
    model.set_flaws(flaws);
    model
}

fn lagging(lag: Lag) -> Flaws {
    Flaws {
        lag,
        ..Flaws::default()
    }
}

fn seconds(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

#[test]
fn without_flaws_what_is_told_is_what_is() {
    let mut model = model(1);
    let id = start_drill(&mut model, [0], 0).unwrap();
    model.advance(at(1_000));
    let told = model.told_job(&place(), &id).unwrap().unwrap();
    assert!(matches!(told, std::borrow::Cow::Borrowed(_)));
    assert_eq!(*told, *job(&model, &id));
    let server = model.told_source_server(&place(), &server_id(0));
    assert_eq!(
        Some(&*server.unwrap().unwrap()),
        estate(&model).source_server(&server_id(0))
    );
}

#[test]
fn a_new_job_is_listed_after_its_lag_and_holds_its_servers_at_once() {
    let lag = Lag {
        jobs: seconds(5),
        ..Lag::default()
    };
    let mut model = flawed(1, lagging(lag));
    let id = start_drill(&mut model, [0], 0).unwrap();
    model.advance(at(4));
    assert_eq!(model.told_jobs(&place()).unwrap().count(), 0);
    assert!(model.told_job(&place(), &id).unwrap().is_none());
    assert!(start_drill(&mut model, [0], 4).is_err());
    model.advance(at(5));
    assert_eq!(model.told_jobs(&place()).unwrap().count(), 1);
    assert_eq!(
        model
            .told_job(&place(), &id)
            .unwrap()
            .map(|told| told.id.clone()),
        Some(id)
    );
}

#[test]
fn tags_are_told_after_their_lag_each_change_in_its_turn() {
    let lag = Lag {
        tags: seconds(10),
        ..Lag::default()
    };
    let mut model = flawed(1, lagging(lag));
    let request = LaunchRequest {
        tags: Tags::from([("a".to_owned(), "1".to_owned())]),
        ..drill([0])
    };
    let id = model
        .start_recovery(&place(), &request, start())
        .unwrap()
        .id;
    let arn = Resource::Job(id.clone()).arn(&place());
    model.advance(at(4));
    let more = Tags::from([("b".to_owned(), "2".to_owned())]);
    model.tag(&place(), &arn, &more).unwrap();
    let told = |model: &Model| {
        let job = model.told_job(&place(), &id).unwrap().unwrap();
        let keys: String = job.tags.keys().map(String::as_str).collect();
        let listed = model.tags(&place(), &arn).unwrap();
        assert_eq!(listed, job.tags, "both operations tell the same");
        keys
    };
    for (second, keys) in [(9, ""), (10, "a"), (13, "a"), (14, "ab")] {
        model.advance(at(second));
        assert_eq!(told(&model), keys, "after {second} s");
    }
    model.untag(&place(), &arn, &["a".to_owned()]).unwrap();
    assert_eq!(told(&model), "ab");
    model.set_flaws(Flaws::default());
    assert_eq!(told(&model), "b", "without a lag the truth is told");
}

#[test]
fn a_last_launch_is_told_after_its_lag_and_the_one_before_meanwhile() {
    let lag = Lag {
        last_launch: seconds(3),
        ..Lag::default()
    };
    let mut model = flawed(1, lagging(lag));
    let told = |model: &Model| {
        let server = model.told_source_server(&place(), &server_id(0));
        let server = server.unwrap().unwrap();
        server
            .last_launch
            .as_ref()
            .map(|last| (last.job.clone(), last.status))
    };
    let first = start_drill(&mut model, [0], 0).unwrap();
    model.advance(at(2));
    assert_eq!(told(&model), None);
    model.advance(at(3));
    assert_eq!(told(&model).unwrap().0, first);
    let second = start_drill(&mut model, [0], 1_000).unwrap();
    model.advance(at(1_002));
    assert_eq!(told(&model), Some((first, LaunchStatus::Launched)));
    model.advance(at(1_003));
    assert_eq!(told(&model).unwrap().0, second);
}

#[test]
fn the_three_lags_are_separate() {
    let mut model = flawed(
        1,
        lagging(Lag {
            tags: seconds(60),
            ..Lag::default()
        }),
    );
    let id = start_drill(&mut model, [0], 0).unwrap();
    assert!(model.told_job(&place(), &id).unwrap().is_some());
    let server = model.told_source_server(&place(), &server_id(0));
    assert!(server.unwrap().unwrap().last_launch.is_some());
}

#[test]
fn a_skewed_clock_moves_every_time_that_is_told() {
    for skew in [-90, 90] {
        let flaws = Flaws {
            clock_skew: seconds(skew),
            ..Flaws::default()
        };
        let mut model = flawed(1, flaws);
        let answered = model
            .start_recovery(&place(), &drill([0]), start())
            .unwrap();
        let id = answered.id.clone();
        assert_eq!(model.answered_job(answered).created_at, at(skew));
        model.advance(at(1_000));
        assert_eq!(model.told_now(), at(1_000 + skew));
        let (told, is) = (
            model.told_job(&place(), &id).unwrap().unwrap(),
            job(&model, &id),
        );
        assert_eq!(told.created_at, at(skew));
        for (told, is) in told.log.iter().zip(&is.log) {
            assert_eq!(told.at, is.at + seconds(skew));
        }
        let (JobPhase::Completed { ended_at: told }, JobPhase::Completed { ended_at: is }) =
            (told.phase, is.phase)
        else {
            panic!("it has ended");
        };
        assert_eq!(told, is + seconds(skew));
        let server = model.told_source_server(&place(), &server_id(0));
        let server = server.unwrap().unwrap().into_owned();
        assert_eq!(server.last_launch.as_ref().unwrap().called_at, at(skew));
        let snapshots = model.told_recovery_snapshots(&server);
        let newest = model.recovery_snapshots(&server).pop().unwrap();
        assert_eq!(
            snapshots.last().unwrap().taken_at,
            newest.taken_at + seconds(skew)
        );
        let instance = model.told_recovery_instances(&place()).unwrap().next();
        let truth = estate(&model).recovery_instances().next().unwrap();
        assert_eq!(
            instance.unwrap().launched_at,
            truth.launched_at + seconds(skew)
        );
    }
}

#[test]
fn quotas_may_be_lower_than_documented_and_come_back() {
    let flaws = Flaws {
        quotas: OtherQuotas {
            servers_per_job: Some(1),
            ..OtherQuotas::default()
        },
        ..Flaws::default()
    };
    let mut model = flawed(2, flaws);
    assert_eq!(model.quotas().concurrent_jobs, 20);
    let refusal = start_drill(&mut model, [0, 1], 0).unwrap_err();
    assert!(matches!(refusal, Refusal::QuotaExceeded { limit: 1, .. }));
    model.set_flaws(Flaws::default());
    assert!(start_drill(&mut model, [0, 1], 0).is_ok());
}

#[test]
fn what_passes_is_told_in_words_that_no_sdk_lists_and_the_end_as_it_is() {
    let flaws = Flaws {
        unlisted: Unlisted {
            job_status: true,
            launch_status: true,
            log_events: true,
        },
        ..Flaws::default()
    };
    let mut model = flawed(1, flaws);
    let id = start_drill(&mut model, [0], 0).unwrap();
    model.advance(at(100));
    let told = model.told_job(&place(), &id).unwrap().unwrap().into_owned();
    assert_eq!(told.phase, JobPhase::Unlisted);
    assert!(told.is_live());
    assert_eq!(told.participants[0].status, LaunchStatus::Unlisted);
    let names: Vec<&str> = told.log.iter().map(|item| item.event.name()).collect();
    assert_eq!(names[..3], ["JOB_START", "UNLISTED", "SNAPSHOT_START"]);
    model.advance(at(1_000));
    let told = model.told_job(&place(), &id).unwrap().unwrap();
    assert!(matches!(told.phase, JobPhase::Completed { .. }));
    assert_eq!(told.participants[0].status, LaunchStatus::Launched);
    assert_eq!(events(&model, &id).len() + 1, told.log.len());
}
