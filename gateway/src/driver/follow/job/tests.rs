use std::sync::Arc;

use tidegate_core::engine::ServerReport;

use super::*;

const FORGOTTEN: Duration = Duration::from_secs(120);

#[test]
fn a_job_passes_its_phases_and_says_how_long_it_was_in_each() {
    use ServerState::{Conversion, Launch, Launched, Snapshot};
    let mut job = followed(OrderKind::Drill);
    let course = [
        (2, Snapshot, Some((Phase::Requested, 1))),
        (50, Snapshot, None),
        (54, Conversion, Some((Phase::Snapshot, 51))),
        (250, Conversion, None),
        (252, Launch, Some((Phase::Conversion, 199))),
        (530, Launch, None),
        (532, Launched, Some((Phase::Launch, 280))),
    ];
    for (secs, state, passed) in course {
        let seen = job.observe(report(&[state]), Depth::Log, at(secs));
        let wanted = passed.map(|(phase, secs)| (phase, Span::from_secs(secs)));
        assert_eq!(seen.passed, wanted, "after {secs} s");
    }
}

#[test]
fn a_job_is_as_far_as_the_last_of_its_servers_that_is_open() {
    use ServerState::{Conversion, Failed, Launch, Launched};
    for (states, wanted) in [
        (&[Launch, Conversion][..], Phase::Conversion),
        (&[Launch, Failed], Phase::Launch),
        (&[Launched, Failed], Phase::Closing),
        (&[], Phase::Requested),
    ] {
        let mut job = followed(OrderKind::Drill);
        job.observe(report(states), Depth::Log, at(10));
        assert_eq!(job.phase(), wanted, "{states:?}");
    }
}

#[test]
fn what_failed_or_was_not_seen_step_by_step_teaches_nothing() {
    use ServerState::{Failed, Launch, Launched};
    let mut failed = followed(OrderKind::Recovery);
    failed.observe(report(&[Launch]), Depth::Log, at(10));
    let seen = failed.observe(ended(&[Failed]), Depth::Log, at(20));
    assert_eq!(seen.passed, None);
    let mut unseen = followed(OrderKind::Recovery);
    let seen = unseen.observe(ended(&[Launched]), Depth::Log, at(500));
    assert_eq!(seen.passed, None);
}

#[test]
fn a_termination_passes_from_requested_to_its_end() {
    use ServerState::{Launch, Terminated};
    let mut job = followed(OrderKind::Terminate);
    job.observe(report(&[Launch]), Depth::Log, at(2));
    let seen = job.observe(ended(&[Terminated]), Depth::Log, at(62));
    assert_eq!(seen.passed, Some((Phase::Launch, Span::from_secs(31))));
}

#[test]
fn a_look_at_its_status_alone_does_not_show_that_a_phase_goes_on() {
    use ServerState::{Conversion, Launch};
    let mut job = followed(OrderKind::Drill);
    job.observe(report(&[Conversion]), Depth::Log, at(10));
    assert!(!job.is_seen(Depth::Status));
    job.observe(report(&[Conversion]), Depth::Status, at(90));
    let seen = job.observe(report(&[Launch]), Depth::Log, at(110));
    assert_eq!(seen.passed, Some((Phase::Conversion, Span::from_secs(55))));
    assert!(job.is_seen(Depth::Status));
}

#[test]
fn only_what_is_new_is_news() {
    let mut job = followed(OrderKind::Drill);
    let snapshot = report(&[ServerState::Snapshot]);
    let seen = job.observe(snapshot.clone(), Depth::Log, at(1));
    assert_eq!(seen.news, Some(snapshot.clone()));
    assert_eq!(job.observe(snapshot, Depth::Log, at(2)).news, None);
}

#[test]
fn a_log_is_wanted_while_it_alone_tells_the_phase_and_then_seldom() {
    let seldom = Duration::from_secs(120);
    let mut job = followed(OrderKind::Drill);
    assert!(job.wants_log(at(0), seldom));
    job.log_was_asked_for(at(0));
    job.observe(report(&[ServerState::Conversion]), Depth::Log, at(1));
    assert!(job.wants_log(at(1), seldom));
    job.observe(report(&[ServerState::Launch]), Depth::Log, at(2));
    assert!(!job.wants_log(at(3), seldom));
    assert!(job.wants_log(at(120), seldom));
}

#[test]
fn a_job_that_is_missing_is_forgotten_after_a_while_and_given_up_after_a_long_while() {
    let mut job = followed(OrderKind::Drill);
    let mut missing = |secs| job.is_missing(at(secs), FORGOTTEN);
    assert_eq!(missing(10), Missing::NotYet);
    assert_eq!(missing(129), Missing::NotYet);
    let wanted = Missing::Forgotten { is_last: false };
    assert_eq!(missing(130), wanted);
    let wanted = Missing::Forgotten { is_last: true };
    assert_eq!(missing(1_210), wanted);
    // Named again, it begins anew.
    job.observe(report(&[ServerState::Launch]), Depth::Log, at(1_220));
    assert_eq!(job.is_missing(at(1_230), FORGOTTEN), Missing::NotYet);
}

fn followed(kind: OrderKind) -> Followed {
    let (mailbox, _) = Mailbox::new();
    Followed {
        follower: Follower::new(WaveIx(0), LaunchIx(0), mailbox),
        kind,
        wave: Arc::from("shop/web"),
        servers: Vec::new(),
        accepted_at: at(0),
        phase: Phase::Requested,
        since: at(0),
        seen_at: at(0),
        log_read_at: None,
        next_at: at(0),
        last: None,
        missing_since: None,
    }
}

fn at(secs: u64) -> Timestamp {
    Timestamp::from_millis(secs * 1_000)
}

fn report(states: &[ServerState]) -> JobReport {
    let servers = states.iter().enumerate().map(|(n, state)| ServerReport {
        server: SourceServerId::new(format!("s-{n}")),
        state: *state,
        instance: None,
        detail: Arc::from(""),
        warnings: Vec::new(),
    });
    JobReport {
        job: "drsjob-1".into(),
        ended: false,
        servers: servers.collect(),
    }
}

fn ended(states: &[ServerState]) -> JobReport {
    JobReport {
        ended: true,
        ..report(states)
    }
}
