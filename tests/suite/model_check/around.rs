//! What happens around the processes: the journal, DRS, and time.

use super::{
    steps::{Next, Step, insert, mishap, small},
    world::{Answer, Attempt, Call, Change, JobRun, Launch, Owner, Setting, World},
};

impl Setting {
    /// `ports::journal::Journal::append`: one above the newest, or nothing.
    pub(super) fn journal(&self, world: &World, next: &mut Next) {
        for (ix, put) in world.puts.iter().enumerate() {
            let mut put_there = world.clone();
            put_there.puts.remove(ix);
            let place = usize::from(put.after);
            if place == world.log.len() {
                put_there.log.push(put.record);
                // Those that will be refused need not arrive.
                put_there
                    .puts
                    .retain(|late| !self.fence || late.after > put.after);
            } else if place > world.log.len() {
                put_there.faults.gap = true;
            } else if !self.fence {
                put_there.log[place] = put.record;
                put_there.faults.overwritten = true;
            }
            next.push((Step::AppendArrives(put.record.writer), put_there));
        }
    }

    /// A DRS without a client token, whose lists lag (DESIGN 4).
    pub(super) fn drs(&self, world: &World, next: &mut Next) {
        let mut calls = world.calls.clone();
        calls.dedup();
        for attempt in calls {
            let arrived = without_call(world, attempt);
            if self.one_live_job && world.jobs.iter().any(|job| job.lives) {
                let answered = answered(&arrived, attempt, Answer::Unknown);
                next.push((Step::Conflict(attempt), answered));
            } else {
                self.accept(&arrived, attempt, next);
            }
            if let Some(lost) = mishap(&arrived) {
                next.push((Step::Lost(attempt), lost));
            }
            if world.left.duplicates > 0 {
                let mut doubled = world.clone();
                doubled.left.duplicates -= 1;
                insert(&mut doubled.calls, attempt);
                next.push((Step::Doubled(attempt), doubled));
            }
        }
        for (ix, job) in world.jobs.iter().enumerate() {
            if !job.shown {
                let mut shown = world.clone();
                shown.jobs[ix].shown = true;
                next.push((Step::Shown(small(ix)), shown));
            }
            if job.lives && (!self.timely || world.calls.is_empty()) {
                let mut ended = world.clone();
                ended.jobs[ix].lives = false;
                next.push((Step::Ends(small(ix)), ended));
            }
        }
    }

    fn accept(&self, arrived: &World, attempt: Attempt, next: &mut Next) {
        let mut accepted = arrived.clone();
        accepted.jobs.push(JobRun {
            lives: true,
            shown: false,
        });
        let job = small(accepted.jobs.len() - 1);
        let heard = answered(&accepted, attempt, Answer::Accepted(job));
        next.push((Step::Accepted(attempt), heard));
        if let Some(unheard) = mishap(&accepted) {
            next.push((Step::AcceptedUnheard(attempt), unheard));
        }
        let has_copy = arrived.calls.contains(&attempt);
        if let Some(throttled) = mishap(arrived).filter(|_| !self.timely || !has_copy) {
            let throttled = answered(&throttled, attempt, Answer::Deferred);
            next.push((Step::Throttled(attempt), throttled));
        }
    }

    /// The settle window counts from the record that the answer is lost.
    pub(super) fn time(&self, world: &World, next: &mut Next) {
        let owners = world.owners.iter().flatten();
        for owner in owners {
            let Launch::Reconciling(attempt) = owner.launch else {
                continue;
            };
            let too_early = self.timely && !is_quiet(world, attempt);
            if too_early || world.settled.contains(&attempt) {
                continue;
            }
            let mut passed = world.clone();
            passed.settled.push(attempt);
            next.push((Step::WindowPasses(attempt), passed));
        }
    }
}

/// Nobody calls any more for this attempt, no call is on its way, and every
/// job can be seen.
fn is_quiet(world: &World, attempt: Attempt) -> bool {
    let asking = Launch::Asking(attempt);
    let may_call = |owner: &Owner| {
        let recorded = owner.launch == asking && owner.call == Call::None;
        recorded || owner.appending == Some(Change::Launch(asking))
    };
    world.calls.is_empty()
        && world.jobs.iter().all(|job| job.shown)
        && !world.owners.iter().flatten().any(may_call)
}

/// The process that waits for this answer has it, if it still waits.
fn answered(world: &World, attempt: Attempt, answer: Answer) -> World {
    let mut world = world.clone();
    let mut owners = world.owners.iter_mut().flatten();
    if let Some(owner) = owners.find(|owner| owner.call == Call::Open(attempt)) {
        owner.call = Call::Answered(attempt, answer);
    }
    world
}

fn without_call(world: &World, attempt: Attempt) -> World {
    let mut world = world.clone();
    let place = world.calls.iter().position(|call| *call == attempt);
    world.calls.remove(place.expect("it is on its way"));
    world
}
