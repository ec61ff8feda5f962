//! Calls meet their fates.

use std::sync::Arc;

use futures::future::{BoxFuture, FutureExt as _};
use tidegate_core::{
    Span,
    engine::{CommandId, HookAnswer, HookVerdict, LaunchAnswer},
    plan::{HookFailureKind, HookPhase, Target},
};
use tidegate_gateway::ports::{
    cluster::{Cluster as _, ClusterError},
    drs::DrsError,
    hooks::HookCall,
    journal::{Append, AppendError, Journal as _, ReadError},
};
use tokio::sync::oneshot::Sender;

use crate::{
    calls::{Call, DrsRead, Fate, JournalRead, Told, What},
    chance::Chance,
    truth::Order,
    world::World,
};

impl World {
    /// Lets a call meet its fate, and answers it where the fate says so.
    pub(crate) fn settle(&mut self, call: Call, fate: Fate, chance: &mut Chance) {
        self.say(format_args!("{call}: {fate:?}"));
        match call.what {
            What::Change(order, reply) => self.settle_change(order, reply, fate, chance),
            What::Append(append, reply) => self.settle_append(append, reply, fate, chance),
            What::Hook(call, reply) => {
                let answer = verdict(&call, fate, chance);
                self.say(format_args!("hook answers {:?}", answer.verdict));
                let _ = reply.send(answer);
            }
            What::Look(order, reply) => {
                let found = self.truth.look(&order, self.now);
                self.say(format_args!("look finds {found:?}"));
                read(reply, found, fate, "look", &order.target, chance);
            }
            What::Observe(target, jobs, reply) => {
                self.observations += 1;
                let reports = self.truth.observe(&target, &jobs, self.now);
                read(reply, reports, fate, "observe", &target, chance);
            }
            What::Sources(target, query, reply) => {
                let found = self.truth.sources(&target, &query);
                read(reply, found, fate, "source servers", &target, chance);
            }
            What::Instances(target, servers, reply) => {
                let found = self.truth.instances(&target, &servers);
                read(reply, found, fate, "recovery instances", &target, chance);
            }
            What::Snapshots(reply) => {
                let _ = reply.send(Ok(Vec::new()));
            }
            What::Read(execution, after, limit, reply) => {
                journal_read(reply, self.journal.read(&execution, after, limit), fate);
            }
            What::Head(execution, reply) => {
                journal_read(reply, self.journal.head(&execution), fate);
            }
            What::Heads(before, live, limit, reply) => {
                let heads = self.journal.heads(before.as_ref(), live, limit);
                journal_read(reply, heads, fate);
            }
            What::Claim(key, reply) => journal_read(reply, self.journal.claim(&key), fate),
            What::Holds(after, reply) => journal_read(reply, self.journal.holds(after), fate),
            What::Beat(member, beat, lease, reply) => {
                self.beats
                    .beat((&member, beat), (call.process, fate), self.now);
                tell(reply, || self.cluster.beat(&member, beat, lease), fate);
            }
            What::Lease(was, owner, reply) => {
                tell(reply, || self.cluster.change(was, owner), fate);
            }
            What::Leave(member, reply) => {
                self.beats.leave(&member, fate);
                tell(reply, || self.cluster.leave(&member), fate);
            }
            What::Nudge(partition, execution, reply) => {
                tell(reply, || self.cluster.nudge(partition, &execution), fate);
            }
            // What could not be read was not taken.
            What::Nudges(member, reply) => {
                let was_lost = matches!(fate, Fate::DoneAndLost);
                let fate = if was_lost { Fate::Lost } else { fate };
                tell(reply, || self.cluster.nudges(&member), fate);
            }
        }
    }

    fn settle_change(
        &mut self,
        order: Order,
        reply: Sender<LaunchAnswer>,
        fate: Fate,
        chance: &mut Chance,
    ) {
        let unknown = || LaunchAnswer::Unknown {
            reason: "the answer was lost".into(),
        };
        let answer = match fate {
            Fate::Done => self.truth.perform(&order, self.now, Self::lag(chance)),
            Fate::DoneAndLost => {
                let lost = self.truth.perform(&order, self.now, Self::lag(chance));
                self.say(format_args!("lost: {lost:?}"));
                unknown()
            }
            Fate::Lost => unknown(),
            Fate::Late => {
                self.order_later(order, chance);
                unknown()
            }
            Fate::Twice => {
                let answer = self.truth.perform(&order, self.now, Self::lag(chance));
                if matches!(answer, LaunchAnswer::Accepted(_)) {
                    self.repeat_later(order, chance);
                }
                if chance.percent(50) {
                    answer
                } else {
                    unknown()
                }
            }
            Fate::Refused => LaunchAnswer::Refused {
                reason: "not permitted".into(),
            },
            Fate::Throttled => LaunchAnswer::Deferred {
                reason: "slower".into(),
                after: chance
                    .percent(50)
                    .then(|| Span::from_secs(chance.between(1, 30))),
            },
        };
        self.say(format_args!("answer {answer:?}"));
        let _ = reply.send(answer);
    }

    fn settle_append(
        &mut self,
        append: Box<Append>,
        reply: Sender<Result<(), AppendError>>,
        fate: Fate,
        chance: &mut Chance,
    ) {
        let lost = || Err(AppendError::AnswerLost("as fate wills".to_owned()));
        let answer = match fate {
            Fate::Done | Fate::Twice => {
                let done = self.journal.append(*append).now_or_never();
                done.expect("nothing waits in the memory journal")
            }
            Fate::DoneAndLost => {
                self.commit(*append);
                lost()
            }
            Fate::Lost => lost(),
            Fate::Late => {
                self.append_later(append, chance);
                lost()
            }
            Fate::Refused | Fate::Throttled => {
                Err(AppendError::Unavailable("as fate wills".to_owned()))
            }
        };
        self.say(format_args!("append {answer:?}"));
        let _ = reply.send(answer);
    }
}

fn read<T>(
    reply: DrsRead<T>,
    found: T,
    fate: Fate,
    operation: &'static str,
    target: &Target,
    chance: &mut Chance,
) {
    let target = target.region.clone();
    let answer = match fate {
        Fate::Done | Fate::Twice => Ok(found),
        Fate::Throttled => Err(DrsError::Throttled {
            operation,
            target,
            after: chance
                .percent(50)
                .then(|| Span::from_secs(chance.between(1, 20))),
        }),
        Fate::Refused => Err(DrsError::Denied {
            operation,
            target,
            message: "as fate wills".to_owned(),
        }),
        Fate::DoneAndLost | Fate::Lost | Fate::Late => Err(DrsError::Failed {
            operation,
            target,
            message: "as fate wills".to_owned(),
        }),
    };
    let _ = reply.send(answer);
}

fn journal_read<T>(reply: JournalRead<T>, found: BoxFuture<'_, Result<T, ReadError>>, fate: Fate) {
    let answer = match fate {
        Fate::Done | Fate::Twice => {
            let found = found.now_or_never();
            found.expect("nothing waits in the memory journal")
        }
        Fate::DoneAndLost | Fate::Lost | Fate::Late | Fate::Refused | Fate::Throttled => {
            Err(ReadError::Unavailable("as fate wills".to_owned()))
        }
    };
    let _ = reply.send(answer);
}

/// What the cluster's table is asked, done or not.
fn tell<'a, T>(
    reply: Told<T>,
    work: impl FnOnce() -> BoxFuture<'a, Result<T, ClusterError>>,
    fate: Fate,
) {
    let now = |work: BoxFuture<'a, Result<T, ClusterError>>| {
        let done = work.now_or_never();
        done.expect("nothing waits in the memory cluster")
    };
    let unavailable = Err(ClusterError::Unavailable("as fate wills".to_owned()));
    let answer = match fate {
        Fate::Done | Fate::Twice => now(work()),
        Fate::DoneAndLost => now(work()).and(unavailable),
        Fate::Lost | Fate::Late | Fate::Refused | Fate::Throttled => unavailable,
    };
    let _ = reply.send(answer);
}

/// In good times hooks proceed; otherwise every kind of answer has its turn.
fn verdict(call: &HookCall, fate: Fate, chance: &mut Chance) -> HookAnswer {
    let before_launch = matches!(
        call.command,
        CommandId::Hook {
            phase: HookPhase::PreWave,
            ..
        }
    );
    let verdict = match fate {
        Fate::Done | Fate::Twice => HookVerdict::Proceed,
        Fate::Throttled | Fate::Late => HookVerdict::Retry {
            after: Span::from_secs(chance.between(0, 20)),
        },
        Fate::DoneAndLost => HookVerdict::Hold,
        Fate::Refused if before_launch && chance.percent(50) => HookVerdict::Skip,
        Fate::Refused => HookVerdict::Abort,
        Fate::Lost => HookVerdict::Failed {
            kind: chance.pick(&HookFailureKind::ALL),
        },
    };
    HookAnswer::bare(verdict, Arc::from("as fate wills"))
}
