//! Random executions before a DRS with hidden limits: no limit is ever
//! broken, nothing is given back twice, and everybody has a turn in the end.

use proptest::prelude::*;

use super::*;

/// One thing that happens.
#[derive(Clone, Debug)]
enum Step {
    Queue {
        who: u8,
        size: u32,
    },
    /// An execution is held, or its launch is not wanted any more.
    Withdraw {
        who: u8,
    },
    /// A job ends.
    End {
        nth: u8,
    },
    Pass {
        secs: u64,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (0..6_u8, 1..60_u32).prop_map(|(who, size)| Step::Queue { who, size }),
        1 => (0..6_u8).prop_map(|who| Step::Withdraw { who }),
        4 => any::<u8>().prop_map(|nth| Step::End { nth }),
        1 => (0..900_u64).prop_map(|secs| Step::Pass { secs }),
    ];
    prop::collection::vec(step, 0..120)
}

struct World {
    hall: Hall,
    /// What DRS really allows.
    allowed: Limits,
    running: Vec<(String, u16)>,
    next_wave: u16,
}

impl World {
    fn step(&mut self, step: &Step) {
        match *step {
            Step::Queue { who, size } => {
                let class = Class {
                    priority: [Priority::Low, Priority::Normal, Priority::High]
                        [usize::from(who % 3)],
                    is_recovery: who > 3,
                };
                let wave = self.next_wave;
                self.next_wave += 1;
                self.hall
                    .set(&name(who), class, part(wave), Need::Turn, size);
            }
            Step::Withdraw { who } => self.withdraw(&name(who)),
            Step::End { nth } => self.end(usize::from(nth)),
            Step::Pass { secs } => self.hall.pass(secs),
        }
        self.serve();
    }

    fn withdraw(&mut self, who: &str) {
        if let Some((_, wanted)) = self.hall.wanted.get_mut(who) {
            wanted.retain(|_, wanted| wanted.need != Need::Turn);
            self.hall.declare(who);
            self.hall.declare(who);
        }
    }

    fn end(&mut self, nth: usize) {
        if !self.running.is_empty() {
            let (who, wave) = self.running.swap_remove(nth % self.running.len());
            self.hall.end(&who, wave);
        }
    }

    /// DRS answers whatever has its turn.
    fn serve(&mut self) {
        loop {
            let given = self.hall.ledger.give_turns(self.hall.now);
            self.check();
            if given.is_empty() {
                return;
            }
            for (execution, part) in given {
                let who = execution.as_str();
                let (class, wanted) = &self.hall.wanted[&execution];
                let (class, servers) = (*class, wanted[&part].servers);
                self.hall.set(who, class, part, Need::Asked, servers);
                match self.refusal(servers) {
                    Some(quota) => self.hall.exceeded(who, part.0.0, quota),
                    None => {
                        self.hall.set(who, class, part, Need::Runs, servers);
                        self.running.push((who.to_owned(), part.0.0));
                    }
                }
                self.check();
            }
        }
    }

    fn refusal(&self, servers: u32) -> Option<Quota> {
        let jobs = u32::try_from(self.running.len()).expect("few jobs");
        if jobs + 1 > self.allowed.jobs {
            Some(Quota::Jobs)
        } else if self.running_servers() + servers > self.allowed.servers {
            Some(Quota::Servers)
        } else {
            None
        }
    }

    fn running_servers(&self) -> u32 {
        let servers = |(who, wave): &(String, u16)| {
            let (_, wanted) = &self.hall.wanted[who.as_str()];
            wanted[&part(*wave)].servers
        };
        self.running.iter().map(servers).sum()
    }

    /// The sums are those of what is declared, and within the limits.
    fn check(&self) {
        let ledger = &self.hall.ledger;
        let rooms = || {
            ledger
                .parties
                .values()
                .flat_map(|party| party.room.values())
        };
        assert_eq!(ledger.jobs as usize, rooms().count());
        assert_eq!(
            ledger.servers,
            rooms().map(|room| room.servers).sum::<u32>()
        );
        assert!(ledger.jobs <= ledger.limits.jobs);
        assert!(ledger.servers <= ledger.limits.servers);
        let waiting = ledger.parties.values().map(|party| party.waiting.len());
        assert_eq!(ledger.waiting, waiting.sum::<usize>());
    }

    /// Jobs end and time passes, and nobody comes new.
    fn drain(&mut self) {
        let mut rounds = 0;
        while self.hall.ledger.waiting > 0 {
            rounds += 1;
            assert!(
                rounds < 10_000,
                "somebody waits for ever: {:#?}",
                self.hall.ledger
            );
            self.end(rounds);
            if let Some(at) = self.hall.ledger.next_probe()
                && self.running.is_empty()
            {
                self.hall.now = self.hall.now.max(at);
            }
            self.serve();
        }
        while !self.running.is_empty() {
            self.end(0);
        }
        self.check();
        assert_eq!((self.hall.ledger.jobs, self.hall.ledger.servers), (0, 0));
    }
}

fn name(who: u8) -> String {
    format!("execution{who}")
}

proptest! {
    #[test]
    fn no_limit_is_broken_and_everybody_has_a_turn(
        jobs in 1..6_u32,
        servers in 60..200_u32,
        (fewer_jobs, fewer_servers) in (0..3_u32, 0..100_u32),
        steps in steps(),
    ) {
        let allowed = limits(
            jobs.saturating_sub(fewer_jobs).max(1),
            servers.saturating_sub(fewer_servers).max(60),
        );
        let mut world = World {
            hall: Hall::new(limits(jobs, servers)),
            allowed,
            running: Vec::new(),
            next_wave: 0,
        };
        for step in &steps {
            world.step(step);
        }
        world.drain();
    }
}
