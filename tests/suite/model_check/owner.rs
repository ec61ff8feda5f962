//! What a process does that drives the execution, or thinks so.

use super::{
    steps::{Next, Slot, Step, insert, mishap, small},
    world::{
        Answer, Attempt, Call, Change, Launch, Look, Nothing, Owner, Put, Record, Setting, World,
    },
};

impl Owner {
    pub(super) fn new(writer: u8, folded: u8, launch: Launch) -> Self {
        Self {
            writer,
            folded,
            launch,
            drives: false,
            appending: None,
            call: Call::None,
            look: None,
        }
    }
}

impl Setting {
    pub(super) fn start(&self, world: &World, slot: Slot, next: &mut Next) {
        let (_, launch) = world.folded(self);
        // Free places are alike.
        let first_free = world.owners.iter().position(Option::is_none);
        let is_over = matches!(launch, Launch::Ended(_));
        if world.left.starts == 0 || is_over || first_free != Some(slot) {
            return;
        }
        next.push((Step::Starts(slot), {
            let mut world = world.clone();
            world.left.starts -= 1;
            let folded = small(world.log.len());
            world.owners[slot] = Some(Owner::new(world.next_writer, folded, launch));
            world.next_writer += 1;
            world
        }));
    }

    /// Only if another one can follow: that somebody lives in the end is
    /// assumed, not promised.
    pub(super) fn die(&self, world: &World, slot: Slot, next: &mut Next) {
        let (_, launch) = world.folded(self);
        if world.left.starts > 0 && !matches!(launch, Launch::Ended(_)) {
            let mut dead = world.clone();
            dead.owners[slot] = None;
            next.push((Step::Dies(slot), dead));
        }
    }

    pub(super) fn own(&self, world: &World, slot: Slot, owner: &Owner, next: &mut Next) {
        if let Some(change) = owner.appending {
            self.hear_journal(world, slot, owner, change, next);
        } else if !owner.drives {
            if !matches!(owner.launch, Launch::Ended(_)) {
                let taking = append(world, slot, owner, Change::Owner);
                next.push((Step::TakesOver(slot), taking));
            }
        } else {
            self.drive(world, slot, owner, next);
        }
        if let Call::Open(attempt) = owner.call {
            self.wait(world, slot, attempt, next);
        }
    }

    /// Nothing is folded that is not in the log (`driver::log::Log::append`).
    /// An answer that was lost is settled by reading the position and
    /// comparing the writer, so that it makes no difference here.
    fn hear_journal(
        &self,
        world: &World,
        slot: Slot,
        owner: &Owner,
        change: Change,
        next: &mut Next,
    ) {
        let record = Record {
            writer: owner.writer,
            change,
        };
        let put = Put {
            after: owner.folded,
            record,
        };
        let stands = world.log.get(usize::from(owner.folded));
        let is_written = if self.fence {
            stands == Some(&record)
        } else {
            !world.puts.contains(&put)
        };
        let mut heard = world.clone();
        if is_written {
            heard.owners[slot] = Some(Owner {
                folded: owner.folded + 1,
                launch: owner.launch.after(change, self),
                drives: true,
                appending: None,
                ..*owner
            });
            next.push((Step::HearsItIsWritten(slot), heard));
        } else if stands.is_some() && self.fence {
            if owner.drives {
                heard.owners[slot] = None;
                next.push((Step::HearsItIsFenced(slot), heard));
            } else {
                let (_, launch) = world.folded(self);
                let folded = small(world.log.len());
                heard.owners[slot] = Some(Owner::new(owner.writer, folded, launch));
                next.push((Step::ReadsAgain(slot), heard));
            }
        }
    }

    /// What is outstanding (`core::engine::outstanding`) and what is due.
    fn drive(&self, world: &World, slot: Slot, owner: &Owner, next: &mut Next) {
        match owner.launch {
            Launch::Wanted => next.push(decide(world, slot, owner, Launch::Asking(1))),
            Launch::Asking(attempt) if owner.call == Call::None => {
                self.call(world, slot, owner, attempt, next);
            }
            Launch::Deferred(attempt) if attempt < self.attempts => {
                next.push(decide(world, slot, owner, Launch::Asking(attempt + 1)));
            }
            Launch::Reconciling(attempt) | Launch::Traceless(attempt) => {
                self.look(world, slot, owner, attempt, next);
            }
            Launch::Running(job) if !world.jobs[usize::from(job)].lives => {
                let (_, ended) = decide(world, slot, owner, Launch::Ended(job));
                next.push((Step::SeesTheEnd(slot), ended));
            }
            Launch::Asking(_) | Launch::Deferred(_) | Launch::Running(_) | Launch::Ended(_) => {}
        }
        if let Call::Answered(attempt, answer) = owner.call {
            self.hear_answer(world, slot, owner, (attempt, answer), next);
        }
        if let (Launch::Traceless(attempt), 1..) = (owner.launch, world.left.approvals) {
            let (_, mut resumed) = decide(world, slot, owner, Launch::Deferred(attempt));
            resumed.left.approvals -= 1;
            next.push((Step::Resumes(slot), resumed));
        }
    }

    /// One call for one record, without retries (`adapters::drs_aws::launch`).
    fn call(&self, world: &World, slot: Slot, owner: &Owner, attempt: Attempt, next: &mut Next) {
        let wanted = Record {
            writer: owner.writer,
            change: Change::Launch(Launch::Asking(attempt)),
        };
        let mut called = world.clone();
        let again = world.called.contains(&attempt);
        called.faults.unrecorded_call |= again || !world.log.contains(&wanted);
        called.called.push(attempt);
        insert(&mut called.calls, attempt);
        set(&mut called, slot).call = Call::Open(attempt);
        let (named, _) = world.folded(self);
        next.push(if named == owner.writer {
            (Step::Calls(slot, attempt), called)
        } else {
            (Step::CallsLate(slot, attempt), called)
        });
        if let Some(mut unable) = mishap(world) {
            set(&mut unable, slot).call = Call::Answered(attempt, Answer::Deferred);
            next.push((Step::CannotCall(slot), unable));
        }
    }

    /// No answer: the call, or its answer, is lost, or only late.
    fn wait(&self, world: &World, slot: Slot, attempt: Attempt, next: &mut Next) {
        let waited = if world.calls.contains(&attempt) {
            mishap(world)
        } else {
            Some(world.clone())
        };
        if let Some(mut waited) = waited {
            set(&mut waited, slot).call = Call::Answered(attempt, Answer::Unknown);
            next.push((Step::GivesUpWaiting(slot), waited));
        }
    }

    /// `decide::launches::launch_answered`.
    fn hear_answer(
        &self,
        world: &World,
        slot: Slot,
        owner: &Owner,
        (attempt, answer): (Attempt, Answer),
        next: &mut Next,
    ) {
        let is_asking = owner.launch == Launch::Asking(attempt);
        let to = match answer {
            Answer::Accepted(job) => Some(Launch::Running(job)),
            Answer::Deferred => Some(Launch::Deferred(attempt)),
            Answer::Unknown => is_asking.then(|| Launch::lost(attempt, self)),
        };
        let is_awaited = owner.launch.awaited() == Some(attempt);
        let (step, mut heard) = match to.filter(|_| is_awaited) {
            Some(to) => (
                Step::HearsAnswer(slot, answer),
                decide(world, slot, owner, to).1,
            ),
            None => (Step::IgnoresAnswer(slot), world.clone()),
        };
        set(&mut heard, slot).call = Call::None;
        next.push((step, heard));
    }

    /// `driver::looking`, and `decide::launches::launch_looked`. A look is
    /// made at one instant and heard at another; one that changes nothing is
    /// forgotten when the next is made.
    fn look(&self, world: &World, slot: Slot, owner: &Owner, attempt: Attempt, next: &mut Next) {
        let shown = world.jobs.iter().position(|job| job.shown);
        let now_settled = world.settled.contains(&attempt);
        let look = Look {
            attempt,
            found: shown.map(small),
            begun_settled: now_settled,
        };
        // That a look found nothing, and does not count, changes nothing.
        let is_idle = look.found.is_none() && !now_settled && self.nothing == Nothing::BegunAfter;
        if owner.look != Some(look) && !is_idle {
            let mut looked = world.clone();
            set(&mut looked, slot).look = Some(look);
            next.push((Step::Looks(slot, look.found), looked));
        }
        let Some(look) = owner.look else {
            return;
        };
        let counts = match self.nothing {
            Nothing::BegunAfter => look.begun_settled && look.attempt == attempt,
            Nothing::HeardAfter => now_settled,
        };
        let waits_for_person = matches!(owner.launch, Launch::Traceless(_));
        let (step, to) = match look.found {
            Some(job) => (Step::Adopts(slot, job), Launch::Running(job)),
            None if !counts || waits_for_person => return,
            None if self.asks_person => (Step::HearsOfNothing(slot), Launch::Traceless(attempt)),
            None => (Step::HearsOfNothing(slot), Launch::Deferred(attempt)),
        };
        let (_, mut heard) = decide(world, slot, owner, to);
        set(&mut heard, slot).look = None;
        next.push((step, heard));
    }
}

fn decide(world: &World, slot: Slot, owner: &Owner, to: Launch) -> (Step, World) {
    let decided = append(world, slot, owner, Change::Launch(to));
    (Step::Decides(slot), decided)
}

/// Persist, then act: what was decided is acted upon when it is in the log.
fn append(world: &World, slot: Slot, owner: &Owner, change: Change) -> World {
    let mut world = world.clone();
    let record = Record {
        writer: owner.writer,
        change,
    };
    world.puts.push(Put {
        after: owner.folded,
        record,
    });
    set(&mut world, slot).appending = Some(change);
    world
}

fn set(world: &mut World, slot: Slot) -> &mut Owner {
    world.owners[slot].as_mut().expect("this process lives")
}
