//! What can happen, one small step at a time: nothing here is atomic that is
//! not atomic in the world.

use super::{
    explore::Model,
    rules,
    world::{Answer, Attempt, Change, Faults, Job, Launch, Left, Owner, Record, Setting, World},
};

/// Which of the two places for a process.
pub(crate) type Slot = usize;

/// Something that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    /// A process starts and reads the log. Leases are for liveness only, so
    /// this may happen although another one lives (DESIGN 3).
    Starts(Slot),
    /// A process dies; what it sent stays on its way.
    Dies(Slot),
    /// It sends the record by which it takes over.
    TakesOver(Slot),
    /// It sends a record of what it decided.
    Decides(Slot),
    /// An append reaches the journal.
    AppendArrives(u8),
    /// Its record stands at its position: heard, or read because the answer
    /// was lost.
    HearsItIsWritten(Slot),
    /// Somebody else's record stands there: it stops.
    HearsItIsFenced(Slot),
    /// The same, but it had not taken over yet: it reads the log again.
    ReadsAgain(Slot),
    /// It calls StartRecovery.
    Calls(Slot, Attempt),
    /// The same, although another process has taken over and it does not know.
    CallsLate(Slot, Attempt),
    /// The connection was never made, and it knows.
    CannotCall(Slot),
    /// It has waited long enough for the answer.
    GivesUpWaiting(Slot),
    /// It hears the answer.
    HearsAnswer(Slot, Answer),
    /// The answer is not wanted any more.
    IgnoresAnswer(Slot),
    /// DRS shows it what there is.
    Looks(Slot, Option<Job>),
    /// It adopts what the look found.
    Adopts(Slot, Job),
    /// The look found nothing, and this counts.
    HearsOfNothing(Slot),
    /// A person lets it ask again.
    Resumes(Slot),
    /// It sees that the job has ended.
    SeesTheEnd(Slot),
    /// A call arrives, and a job begins.
    Accepted(Attempt),
    /// The same, and nobody hears of it.
    AcceptedUnheard(Attempt),
    /// A call arrives while the server is in a live job: ConflictException.
    Conflict(Attempt),
    /// DRS does not take it now.
    Throttled(Attempt),
    /// A call is lost.
    Lost(Attempt),
    /// A call is doubled.
    Doubled(Attempt),
    /// A job can be seen.
    Shown(Job),
    /// A job ends.
    Ends(Job),
    /// The settle window of an attempt has passed.
    WindowPasses(Attempt),
}

pub(super) type Next = Vec<(Step, World)>;

impl Model for Setting {
    type State = World;
    type Step = Step;

    fn first(&self) -> World {
        let created = Record {
            writer: 0,
            change: Change::Created,
        };
        let creator = Owner {
            drives: true,
            ..Owner::new(0, 1, Launch::Wanted)
        };
        World {
            log: vec![created],
            puts: Vec::new(),
            owners: [Some(creator), None],
            next_writer: 1,
            calls: Vec::new(),
            called: Vec::new(),
            jobs: Vec::new(),
            settled: Vec::new(),
            left: Left {
                starts: self.starts,
                mishaps: self.mishaps,
                duplicates: self.duplicates,
                approvals: self.approvals,
            },
            faults: Faults::default(),
        }
    }

    fn steps(&self, world: &World) -> Next {
        let mut next = Vec::new();
        for slot in 0..world.owners.len() {
            match &world.owners[slot] {
                None => self.start(world, slot, &mut next),
                Some(owner) => {
                    self.die(world, slot, &mut next);
                    self.own(world, slot, owner, &mut next);
                }
            }
        }
        self.journal(world, &mut next);
        self.drs(world, &mut next);
        self.time(world, &mut next);
        next
    }

    fn broken(&self, world: &World, is_end: bool) -> Vec<&'static str> {
        rules::broken(self, world, is_end)
    }
}

pub(super) fn mishap(world: &World) -> Option<World> {
    let mishaps = world.left.mishaps.checked_sub(1)?;
    let mut world = world.clone();
    world.left.mishaps = mishaps;
    Some(world)
}

/// In order: where calls are on their way together, none is the first.
pub(super) fn insert(calls: &mut Vec<Attempt>, attempt: Attempt) {
    calls.push(attempt);
    calls.sort_unstable();
}

pub(super) fn small(number: usize) -> u8 {
    u8::try_from(number).expect("models are small")
}
