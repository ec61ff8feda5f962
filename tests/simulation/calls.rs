//! Calls of the driver that wait for their fate.

use std::{fmt, time::Duration};

use bytes::Bytes;
use tidegate_core::{
    ExecutionId, JobId, OwnerId, SourceServerId, Timestamp,
    engine::{Change, HookAnswer, JobReport, LaunchAnswer, LaunchState, Looked},
    plan::Target,
};
use tidegate_gateway::{
    journal_format,
    ports::{
        cluster::{ClusterError, Lease, Roster},
        drs::{DrsError, LookOrder, RecoveryInstance, ServerQuery, SourceServer},
        hooks::HookCall,
        journal::{Append, AppendError, Head, HoldsSince, ReadError, StoredRecord},
    },
};
use tokio::sync::oneshot::Sender;

use crate::truth::Order;

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Done, and answered.
    Done,
    /// Done, and the answer is lost.
    DoneAndLost,
    /// Never done, and nobody is told so.
    Lost,
    /// Nobody is told, and it is done a while later.
    Late,
    /// Done and answered; and the network repeats it later.
    Twice,
    /// Not done, and never will be.
    Refused,
    /// Not done now.
    Throttled,
}

pub(crate) type DrsRead<T> = Sender<Result<T, DrsError>>;
pub(crate) type JournalRead<T> = Sender<Result<T, ReadError>>;
pub(crate) type Told<T> = Sender<Result<T, ClusterError>>;

/// What is called, and where the answer goes.
pub(crate) enum What {
    Change(Order, Sender<LaunchAnswer>),
    Look(LookOrder, DrsRead<Looked>),
    Observe(Target, Vec<JobId>, DrsRead<Vec<JobReport>>),
    Sources(Target, ServerQuery, DrsRead<Vec<SourceServer>>),
    Instances(Target, Vec<SourceServerId>, DrsRead<Vec<RecoveryInstance>>),
    Snapshots(DrsRead<Vec<(SourceServerId, Timestamp)>>),
    Append(Box<Append>, Sender<Result<(), AppendError>>),
    Read(ExecutionId, u64, usize, JournalRead<Vec<StoredRecord>>),
    Head(ExecutionId, JournalRead<Option<Head>>),
    Heads(Option<ExecutionId>, bool, usize, JournalRead<Vec<Head>>),
    Claim(String, JournalRead<Option<Bytes>>),
    Holds(u64, JournalRead<HoldsSince>),
    Beat(OwnerId, u64, Duration, Told<Roster>),
    Lease(Lease, Option<OwnerId>, Told<bool>),
    Leave(OwnerId, Told<()>),
    Nudge(u16, ExecutionId, Told<()>),
    Nudges(OwnerId, Told<Vec<ExecutionId>>),
    Hook(Box<HookCall>, Sender<HookAnswer>),
}

pub(crate) struct Call {
    pub(crate) number: u64,
    pub(crate) process: u32,
    /// When it must have met its fate.
    pub(crate) deadline: Timestamp,
    pub(crate) what: What,
}

impl What {
    /// Whether it records a launch that DRS is asked for next.
    pub(crate) fn intends(&self) -> bool {
        let Self::Append(append, _) = self else {
            return false;
        };
        let record = journal_format::decode(&append.record);
        record.is_ok_and(|record| {
            let mut changes = record.view.changes.iter();
            changes.any(|change| {
                let asking = |to: &LaunchState| matches!(to, LaunchState::Asking { .. });
                matches!(change, Change::LaunchIntended { .. })
                    || matches!(change, Change::LaunchMoved { to, .. } if asking(to))
            })
        })
    }

    /// Whether it tells an owner of what was written into its log.
    pub(crate) fn tells(&self) -> bool {
        matches!(self, Self::Nudge(..))
    }

    /// Whether nobody waits for the answer and nothing is changed by it.
    pub(crate) fn is_idle(&self) -> bool {
        match self {
            Self::Change(..) | Self::Append(..) => false,
            Self::Look(_, reply) => reply.is_closed(),
            Self::Observe(.., reply) => reply.is_closed(),
            Self::Sources(.., reply) => reply.is_closed(),
            Self::Instances(.., reply) => reply.is_closed(),
            Self::Snapshots(reply) => reply.is_closed(),
            Self::Read(.., reply) => reply.is_closed(),
            Self::Head(_, reply) => reply.is_closed(),
            Self::Heads(.., reply) => reply.is_closed(),
            Self::Claim(_, reply) => reply.is_closed(),
            Self::Holds(_, reply) => reply.is_closed(),
            Self::Beat(.., reply) => reply.is_closed(),
            Self::Lease(.., reply) => reply.is_closed(),
            Self::Leave(_, reply) | Self::Nudge(.., reply) => reply.is_closed(),
            Self::Nudges(_, reply) => reply.is_closed(),
            Self::Hook(_, reply) => reply.is_closed(),
        }
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "p{} #{} ", self.process, self.number)?;
        match &self.what {
            What::Change(Order::Launch(order), _) => write!(f, "launch {}", order.key),
            What::Change(Order::Terminate(order), _) => write!(f, "terminate {}", order.key),
            What::Look(order, _) => write!(f, "look {}", order.key),
            What::Observe(target, jobs, _) => {
                write!(f, "observe {} in {}", jobs.len(), target.region)
            }
            What::Sources(..) => f.write_str("source servers"),
            What::Instances(..) => f.write_str("recovery instances"),
            What::Snapshots(_) => f.write_str("snapshots"),
            What::Append(append, _) => write!(f, "append {}@{}", append.execution, append.revision),
            What::Read(execution, after, ..) => write!(f, "read {execution} after {after}"),
            What::Head(execution, _) => write!(f, "head {execution}"),
            What::Heads(..) => f.write_str("heads"),
            What::Claim(key, _) => write!(f, "claim {key}"),
            What::Holds(after, _) => write!(f, "holds after {after}"),
            What::Beat(member, beat, ..) => write!(f, "beat {beat} of {member}"),
            What::Lease(lease, to, _) => write!(f, "lease {} to {to:?}", lease.partition),
            What::Leave(member, _) => write!(f, "leave {member}"),
            What::Nudge(partition, execution, _) => write!(f, "nudge {partition} {execution}"),
            What::Nudges(member, _) => write!(f, "nudges of {member}"),
            What::Hook(call, _) => write!(f, "hook {} {}", call.execution, call.command),
        }
    }
}
