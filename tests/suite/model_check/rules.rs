//! What must hold in every state.

use super::world::{Launch, Setting, World};

pub(crate) const ONE_LIVE_JOB: &str = "a server is never in two live jobs of ours";
pub(crate) const ONE_JOB: &str = "a launch has at most one job";
pub(crate) const ONE_WRITER: &str = "each position of the log is written once";
pub(crate) const DENSE: &str = "the log is dense";
pub(crate) const OWNED: &str = "a record is written by the owner that the log names";
pub(crate) const RECORDED: &str = "who calls DRS has recorded it, and calls once for a record";
pub(crate) const SETTLED: &str = "in the end the launch is adopted and over, or a person is asked";

/// The rules that this state breaks.
pub(crate) fn broken(setting: &Setting, world: &World, is_end: bool) -> Vec<&'static str> {
    let (_, launch) = world.folded(setting);
    let is_bound = launch == Launch::Deferred(setting.attempts) && !setting.timely;
    let settled = is_bound || matches!(launch, Launch::Ended(_) | Launch::Traceless(_));
    let rules = [
        (
            ONE_LIVE_JOB,
            world.jobs.iter().filter(|job| job.lives).count() <= 1,
        ),
        (ONE_JOB, world.jobs.len() <= 1),
        (ONE_WRITER, !world.faults.overwritten),
        (DENSE, !world.faults.gap),
        (OWNED, is_owned(world)),
        (RECORDED, !world.faults.unrecorded_call),
        (SETTLED, !is_end || settled),
    ];
    let broken = rules.into_iter().filter(|(_, holds)| !holds);
    broken.map(|(rule, _)| rule).collect()
}

fn is_owned(world: &World) -> bool {
    let mut owner = None;
    world.log.iter().all(|record| {
        if record.change.changes_owner() {
            owner = Some(record.writer);
        }
        owner == Some(record.writer)
    })
}
