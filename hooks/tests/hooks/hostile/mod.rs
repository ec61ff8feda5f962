//! Guests that mean harm. Of each: which failure it is, in what words, that
//! it was stopped in time, and that a good guest still runs on the same host.

mod floods;
mod greed;
mod lies;
mod loops;
mod resident;
mod wasi;

use std::time::{Duration, Instant};

use tidegate_hooks::{FailureKind, Host, Limits, Outcome, Phase, Tape, Verdict};

use crate::{
    guests,
    hosts::{self, World},
};

/// A guest and how it must end.
pub(crate) struct Case {
    name: &'static str,
    component: Vec<u8>,
    limits: Limits,
    world: World,
    phase: Phase,
    ends: Ends,
}

/// How an attempt must end.
pub(crate) enum Ends {
    /// With this verdict.
    With(Verdict),
    /// With this kind of failure, whose message contains these words.
    In(FailureKind, &'static str),
    /// At its deadline, whose message contains these words.
    Late(&'static str),
}

/// How late an attempt may be stopped on a machine that does other things as
/// well. The bench measures what it is on one that does not.
const SLACK: Duration = Duration::from_millis(50);

/// How often an attempt that was stopped later than that is made again: the
/// machine may have been busy, but it is not always.
const TRIES: usize = 5;

impl Case {
    fn new(name: &'static str, component: Vec<u8>, ends: Ends) -> Self {
        let wall = match ends {
            Ends::Late(_) => Duration::from_millis(100),
            Ends::With(_) | Ends::In(..) => Duration::from_secs(20),
        };
        Self {
            name,
            component,
            limits: Limits {
                wall,
                fuel: Limits::CEILING.fuel,
                ..hosts::limits()
            },
            world: World::Connects,
            phase: Phase::PreWave,
            ends,
        }
    }

    fn limits(mut self, change: impl FnOnce(&mut Limits)) -> Self {
        change(&mut self.limits);
        self
    }

    fn world(mut self, world: World) -> Self {
        self.world = world;
        self
    }

    fn phase(mut self, phase: Phase) -> Self {
        self.phase = phase;
        self
    }

    /// Makes the attempt and compares.
    #[expect(clippy::print_stdout, reason = "the figures are worth a look")]
    async fn run(&self, host: &Host) -> Tape {
        let name = self.name;
        let hook = hosts::prepare(host, name, &self.component).await;
        let mut over = Duration::MAX;
        for _ in 0..TRIES {
            let mut context = hosts::context();
            context.phase = self.phase;
            let started = Instant::now();
            let tape = host.check(&hook, &self.limits, &context, &self.world).await;
            over = started.elapsed().saturating_sub(self.limits.wall);
            self.compare(&tape);
            if let Ends::Late(_) = self.ends {
                println!("{name}: stopped {over:.1?} after its deadline");
            }
            if over < SLACK {
                return tape;
            }
        }
        panic!("{name}: stopped {over:?} after its deadline");
    }

    fn compare(&self, tape: &Tape) {
        let name = self.name;
        match (&self.ends, &tape.outcome) {
            (Ends::With(verdict), Outcome::Report(report)) => {
                assert_eq!(report.verdict, *verdict, "{name}");
            }
            (Ends::In(kind, says), Outcome::Failure(failure)) => {
                assert_eq!(failure.kind, *kind, "{name}: {failure}");
                assert!(failure.message.contains(says), "{name}: {failure}");
            }
            (Ends::Late(says), Outcome::Failure(failure)) => {
                assert_eq!(failure.kind, FailureKind::Timeout, "{name}: {failure}");
                assert!(failure.message.contains(says), "{name}: {failure}");
            }
            (Ends::With(_), Outcome::Failure(_))
            | (Ends::In(..) | Ends::Late(_), Outcome::Report(_)) => {
                panic!("{name}: ended with {}", tape.outcome)
            }
        }
    }
}

/// Runs each, and after each a guest that means no harm.
async fn run_all(host: &Host, cases: &[Case]) {
    let good = hosts::prepare(host, "the good guest", &guests::proceeding()).await;
    for case in cases {
        case.run(host).await;
        let (limits, context) = (hosts::limits(), hosts::context());
        let after = host.check(&good, &limits, &context, &World::Silent);
        match after.await.outcome {
            Outcome::Report(report) => assert_eq!(report.verdict, Verdict::Proceed),
            Outcome::Failure(failure) => panic!("after {}: {failure}", case.name),
        }
    }
}
