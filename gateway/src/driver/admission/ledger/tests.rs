//! Facts about turns, and laws that hold whatever happens.

mod laws;

use tidegate_core::{Span, plan::Priority};

use super::*;

const NORMAL: Class = Class {
    priority: Priority::Normal,
    is_recovery: false,
};

/// A ledger with executions, driven by hand.
struct Hall {
    ledger: Ledger,
    now: Timestamp,
    wanted: BTreeMap<ExecutionId, (Class, BTreeMap<Part, Wanted>)>,
}

impl Hall {
    fn new(limits: Limits) -> Self {
        Self {
            ledger: Ledger::new(limits, Probing::default()),
            now: Timestamp::from_millis(1_000_000),
            wanted: BTreeMap::new(),
        }
    }

    /// An execution queues launches of these sizes, as its waves 0, 1, …
    fn queue(&mut self, execution: &str, class: Class, sizes: &[u32]) {
        for (wave, &servers) in (0..).zip(sizes) {
            self.set(execution, class, part(wave), Need::Turn, servers);
        }
    }

    fn set(&mut self, execution: &str, class: Class, part: Part, need: Need, servers: u32) {
        let (_, wanted) = self
            .wanted
            .entry(ExecutionId::from(execution))
            .or_insert_with(|| (class, BTreeMap::new()));
        wanted.insert(part, Wanted { need, servers });
        self.declare(execution);
    }

    /// The launch's job ended, or it is not wanted any more.
    fn end(&mut self, execution: &str, wave: u16) {
        let (_, wanted) = self.wanted.get_mut(execution).expect("it is known");
        wanted.remove(&part(wave)).expect("it has the launch");
        self.declare(execution);
    }

    fn declare(&mut self, execution: &str) {
        let (class, wanted) = &self.wanted[execution];
        let id = ExecutionId::from(execution);
        self.ledger.declare(&id, *class, wanted, self.now);
    }

    /// Gives turns, and has each of them collected: DRS has a job.
    fn turns(&mut self) -> Vec<(String, u16)> {
        let given = self.ledger.give_turns(self.now);
        let turns = given.into_iter().map(|(execution, part)| {
            let servers = self.wanted[&execution].1[&part].servers;
            let (class, _) = self.wanted[&execution];
            self.set(execution.as_str(), class, part, Need::Asked, servers);
            self.set(execution.as_str(), class, part, Need::Runs, servers);
            (execution.to_string(), part.0.0)
        });
        turns.collect()
    }

    /// DRS says that the launch, which had its turn, is too much.
    fn exceeded(&mut self, execution: &str, wave: u16, quota: Quota) {
        let ticket = (ExecutionId::from(execution), part(wave));
        self.ledger.exceeded(&ticket, quota, self.now);
        let (class, wanted) = &self.wanted[execution];
        let servers = wanted[&part(wave)].servers;
        self.set(execution, *class, part(wave), Need::Turn, servers);
    }

    fn standing(&self, execution: &str, wave: u16) -> String {
        let ticket = (ExecutionId::from(execution), part(wave));
        let standing = self.ledger.standing(&ticket);
        standing.map_or_else(String::new, |standing| standing.to_string())
    }

    fn pass(&mut self, secs: u64) {
        self.now = self.now + Span::from_secs(secs);
    }
}

#[test]
fn turns_are_given_up_to_each_limit() {
    let mut hall = Hall::new(limits(2, 500));
    hall.queue("a", NORMAL, &[1, 1, 1]);
    assert_eq!(hall.turns(), [turn("a", 0), turn("a", 1)]);
    hall.end("a", 0);
    assert_eq!(hall.turns(), [turn("a", 2)]);

    let mut hall = Hall::new(limits(20, 150));
    hall.queue("a", NORMAL, &[100, 50, 1]);
    assert_eq!(hall.turns(), [turn("a", 0), turn("a", 1)]);
}

#[test]
fn a_closed_place_gives_no_turns_and_says_why() {
    let mut hall = Hall::new(Limits::default());
    hall.ledger = hall.ledger.closed();
    hall.queue("a", NORMAL, &[1]);
    assert_eq!(hall.turns(), []);
    let standing = "position 1 of 1, the quotas of DRS are being read";
    assert_eq!(hall.standing("a", 0), standing);
    hall.ledger.open();
    assert_eq!(hall.turns(), [turn("a", 0)]);
}

#[test]
fn other_limits_hold_at_once_and_take_nothing_from_those_who_have_it() {
    let mut hall = Hall::new(limits(2, 500));
    hall.queue("a", NORMAL, &[1, 1, 1, 1]);
    assert_eq!(hall.turns().len(), 2);
    assert!(hall.ledger.limit(limits(1, 500)));
    assert!(!hall.ledger.limit(limits(1, 500)), "they hold already");
    hall.end("a", 0);
    assert_eq!(hall.turns(), [], "one runs, and one may");
    assert!(hall.ledger.limit(limits(3, 500)));
    assert_eq!(hall.turns(), [turn("a", 2), turn("a", 3)]);
}

#[test]
fn limits_that_rise_do_not_undo_what_drs_refused() {
    let mut hall = Hall::new(limits(20, 500));
    hall.queue("a", NORMAL, &[1, 1, 1]);
    assert_eq!(hall.turns().len(), 3);
    hall.exceeded("a", 2, Quota::Jobs);
    hall.ledger.limit(limits(40, 500));
    assert_eq!(hall.turns(), []);
}

#[test]
fn whoever_waits_with_a_launch_that_became_too_large_is_named() {
    let mut hall = Hall::new(limits(1, 500));
    hall.queue("a", NORMAL, &[1]);
    hall.queue("b", NORMAL, &[1, 60]);
    hall.queue("c", NORMAL, &[50]);
    assert_eq!(hall.turns(), [turn("a", 0)]);
    assert_eq!(hall.ledger.too_large(), []);
    hall.ledger.limit(Limits {
        servers_per_job: 50,
        ..limits(1, 500)
    });
    let named = (ExecutionId::from("b"), part(1));
    assert_eq!(hall.ledger.too_large(), [named]);
}

#[test]
fn a_plan_of_one_server_is_served_with_the_first_room_beside_one_of_thousands() {
    let mut hall = Hall::new(Limits::default());
    hall.queue("large", NORMAL, &[100; 50]);
    assert_eq!(hall.turns().len(), 5);
    hall.queue("small", NORMAL, &[1]);
    assert_eq!(hall.turns(), []);
    hall.end("large", 0);
    assert_eq!(hall.turns()[0], turn("small", 0));
}

#[test]
fn executions_that_are_equal_take_turns() {
    let mut hall = Hall::new(limits(1, 500));
    hall.queue("a", NORMAL, &[10, 10, 10]);
    let mut order = hall.turns();
    hall.queue("b", NORMAL, &[10, 10, 10]);
    for _ in 0..5 {
        let (execution, wave) = order.last().cloned().expect("somebody had a turn");
        hall.end(&execution, wave);
        order.extend(hall.turns());
    }
    let names: String = order.into_iter().map(|(execution, _)| execution).collect();
    assert_eq!(names, "abbaba".replace("bbaba", "babab"));
}

#[test]
fn nobody_gathers_credit_by_being_idle() {
    let mut hall = Hall::new(limits(1, 500));
    hall.queue("idle", NORMAL, &[1]);
    hall.turns();
    hall.end("idle", 0);
    hall.queue("busy", NORMAL, &[1; 9]);
    for wave in 0..5 {
        assert_eq!(hall.turns(), [turn("busy", wave)]);
        hall.end("busy", wave);
    }
    hall.queue("idle", NORMAL, &[1; 9]);
    let mut names = String::new();
    for _ in 0..4 {
        let (execution, wave) = hall.turns().remove(0);
        hall.end(&execution, wave);
        names += &execution[..1];
    }
    assert_eq!(names, "ibib");
}

#[test]
fn priority_goes_first_and_a_recovery_before_a_drill_of_the_same() {
    let class = |priority, is_recovery| Class {
        priority,
        is_recovery,
    };
    let mut hall = Hall::new(limits(1, 500));
    hall.queue("first", NORMAL, &[1]);
    hall.turns();
    hall.queue("low", class(Priority::Low, true), &[1]);
    hall.queue("drill", class(Priority::Normal, false), &[1]);
    hall.queue("recovery", class(Priority::Normal, true), &[1]);
    hall.queue("high", class(Priority::High, false), &[1]);
    assert_eq!(hall.standing("low", 0), "position 4 of 4, 1 of 1 jobs run");
    let mut last = "first".to_owned();
    for wanted in ["high", "recovery", "drill", "low"] {
        hall.end(&last, 0);
        assert_eq!(hall.turns(), [turn(wanted, 0)]);
        last = wanted.to_owned();
    }
}

#[test]
fn what_is_too_large_for_the_room_is_passed_over_and_not_for_ever() {
    let mut hall = Hall::new(limits(20, 100));
    hall.queue("using", NORMAL, &[50]);
    hall.turns();
    hall.queue("large", NORMAL, &[80]);
    let mut passed = 0;
    loop {
        let name = format!("small{passed:02}");
        hall.queue(&name, NORMAL, &[1]);
        if hall.turns().is_empty() {
            break;
        }
        passed += 1;
        hall.end(&name, 0);
    }
    assert_eq!(passed, PATIENCE);
    hall.end("using", 0);
    assert_eq!(hall.turns()[0], turn("large", 0));
}

#[test]
fn a_turn_that_is_not_collected_is_given_back_with_the_next_declaration() {
    let mut hall = Hall::new(limits(1, 500));
    hall.queue("held", NORMAL, &[1]);
    hall.queue("other", NORMAL, &[1]);
    let given = hall.ledger.give_turns(hall.now);
    assert_eq!(given, [(ExecutionId::from("held"), part(0))]);
    assert_eq!(hall.ledger.turns_of(&"held".into()), [part(0)]);
    assert!(hall.ledger.give_turns(hall.now).is_empty());

    hall.end("held", 0);
    assert_eq!(hall.turns(), [turn("other", 0)]);
}

#[test]
fn what_drs_says_is_full_is_full_until_a_job_ends() {
    let mut hall = Hall::new(Limits::default());
    hall.queue("a", NORMAL, &[1, 1, 1]);
    hall.turns();
    hall.exceeded("a", 2, Quota::Jobs);
    assert_eq!(hall.turns(), []);
    assert_eq!(hall.standing("a", 2), "position 1 of 1, 2 of 2 jobs run");

    hall.end("a", 0);
    assert_eq!(hall.turns(), [turn("a", 2)]);
    hall.queue("b", NORMAL, &[1]);
    assert_eq!(hall.turns(), []);
}

#[test]
fn more_than_is_believed_is_tried_seldom_while_jobs_of_ours_run() {
    let mut hall = Hall::new(Limits::default());
    hall.queue("a", NORMAL, &[1, 1, 1]);
    hall.turns();
    hall.exceeded("a", 2, Quota::Jobs);
    for wait in [300, 600, 1_200, 2_400, 3_600, 3_600] {
        assert_eq!(
            hall.ledger.next_probe(),
            Some(hall.now + Span::from_secs(wait))
        );
        hall.pass(wait - 1);
        assert_eq!(hall.turns(), []);
        hall.pass(1);
        let given = hall.ledger.give_turns(hall.now);
        assert_eq!(given, [(ExecutionId::from("a"), part(2))], "{wait}");
        hall.set("a", NORMAL, part(2), Need::Asked, 1);
        hall.exceeded("a", 2, Quota::Jobs);
    }
}

#[test]
fn a_try_that_is_taken_is_soon_followed_by_the_next() {
    let mut hall = Hall::new(limits(3, 500));
    hall.queue("a", NORMAL, &[1, 1, 1, 1]);
    hall.turns();
    hall.exceeded("a", 1, Quota::Jobs);
    hall.exceeded("a", 2, Quota::Jobs);
    hall.pass(300);
    assert_eq!(hall.turns(), [turn("a", 1)]);
    hall.pass(2);
    assert_eq!(hall.turns(), [turn("a", 2)]);
    assert_eq!(
        hall.ledger.next_probe(),
        None,
        "all that is configured is used"
    );
    hall.end("a", 0);
    assert_eq!(hall.turns(), [turn("a", 3)]);
}

#[test]
fn where_nothing_of_ours_runs_more_is_tried_soon() {
    let mut hall = Hall::new(Limits::default());
    hall.queue("a", NORMAL, &[1]);
    hall.turns();
    hall.exceeded("a", 0, Quota::Unnamed);
    assert_eq!(
        hall.standing("a", 0),
        "position 1 of 1, DRS has no room for a job"
    );
    for wait in [2, 4, 8, 16, 32, 60, 60] {
        assert_eq!(
            hall.ledger.next_probe(),
            Some(hall.now + Span::from_secs(wait))
        );
        hall.pass(wait);
        assert_eq!(hall.ledger.give_turns(hall.now).len(), 1);
        hall.set("a", NORMAL, part(0), Need::Asked, 1);
        hall.exceeded("a", 0, Quota::Unnamed);
    }
    hall.end("a", 0);
    assert_eq!(hall.ledger.next_probe(), None, "nobody waits");
}

#[test]
fn smaller_launches_may_still_fit_where_servers_are_short() {
    let mut hall = Hall::new(Limits::default());
    hall.queue("a", NORMAL, &[40, 30]);
    hall.turns();
    hall.exceeded("a", 1, Quota::Servers);
    hall.queue("b", NORMAL, &[20]);
    assert_eq!(hall.turns(), [turn("b", 0)]);
    let wanted = "position 1 of 1, 60 of 69 servers are in jobs and 30 are wanted";
    assert_eq!(hall.standing("a", 1), wanted);
}

#[test]
fn a_job_may_have_half_as_many_servers_when_drs_says_that_it_has_too_many() {
    let mut hall = Hall::new(Limits::default());
    assert_eq!(hall.ledger.most_per_job(), 100);
    hall.queue("a", NORMAL, &[100]);
    hall.turns();
    hall.exceeded("a", 0, Quota::ServersPerJob);
    assert_eq!(hall.ledger.most_per_job(), 50);
    assert_eq!(hall.turns(), [], "it is to come back in parts");
    hall.queue("b", NORMAL, &[50]);
    assert_eq!(hall.turns(), [turn("b", 0)], "others do not wait for it");
}

#[test]
fn what_runs_already_counts_also_above_a_limit() {
    let mut hall = Hall::new(limits(2, 500));
    for wave in 0..4 {
        hall.set("a", NORMAL, part(wave), Need::Runs, 1);
    }
    hall.queue("b", NORMAL, &[1]);
    for wave in 0..2 {
        hall.end("a", wave);
        assert_eq!(hall.turns(), []);
    }
    hall.end("a", 2);
    assert_eq!(hall.turns(), [turn("b", 0)]);
}

fn limits(jobs: u32, servers: u32) -> Limits {
    Limits {
        jobs,
        servers,
        ..Limits::default()
    }
}

fn part(wave: u16) -> Part {
    (WaveIx(wave), LaunchIx(0))
}

fn turn(execution: &str, wave: u16) -> (String, u16) {
    (execution.to_owned(), wave)
}
