//! The calls that change something at DRS, from what the state says of them.

use std::{collections::BTreeSet, sync::Arc};

use tidegate_core::{
    JobId, LaunchIx, WaveIx,
    engine::{Execution, Kind, Launch, LaunchAnswer, ServerRun, WaveRun},
};

use crate::ports::{
    drs::{Drs, LaunchOrder, LookBy, LookOrder, OrderKind, TerminateOrder},
    warrant::Warrant,
};

/// One call.
#[derive(Debug)]
pub(super) enum Order {
    Launch(LaunchOrder),
    Terminate(TerminateOrder),
    /// Nothing that DRS could be asked for.
    Impossible(&'static str),
}

impl Order {
    fn may_be_sent(&self) -> bool {
        match self {
            Self::Launch(order) => order.warrant.holds(),
            Self::Terminate(order) => order.warrant.holds(),
            Self::Impossible(_) => true,
        }
    }
}

/// The call that a launch command means, which may be made as long as the
/// warrant holds.
pub(super) fn order(
    execution: &Execution,
    (wave, ix): (WaveIx, LaunchIx),
    warrant: Warrant,
) -> Order {
    let Some(launch) = execution.wave(wave).launch(ix) else {
        return Order::Impossible("there is no such launch");
    };
    let key = execution.launch_key(wave, ix);
    let target = Arc::clone(&launch.target);
    let servers = servers(execution, wave, launch);
    match execution.kind() {
        Kind::Drill | Kind::Recovery => Order::Launch(LaunchOrder {
            key,
            target,
            servers: servers
                .map(|run| (run.selected.id.clone(), run.selected.snapshot.clone()))
                .collect(),
            is_drill: execution.kind() == Kind::Drill,
            warrant,
        }),
        Kind::Cleanup => {
            let instances: Option<Vec<_>> = servers
                .map(|run| Some((run.selected.id.clone(), run.instance.clone()?)))
                .collect();
            match instances {
                Some(instances) => Order::Terminate(TerminateOrder {
                    key,
                    target,
                    instances,
                    warrant,
                }),
                None => Order::Impossible("a server's instance is not known"),
            }
        }
    }
}

/// Calls DRS once. The adapter looks at the warrant again, as late as it can.
pub(super) async fn call(drs: &dyn Drs, order: Order) -> LaunchAnswer {
    if !order.may_be_sent() {
        return not_ours_now();
    }
    match order {
        Order::Launch(order) => drs.start_recovery(order).await,
        Order::Terminate(order) => drs.terminate(order).await,
        Order::Impossible(why) => LaunchAnswer::Refused {
            reason: Arc::from(why),
        },
    }
}

/// What to look for when a call's answer was lost.
pub(super) fn look_order(
    execution: &Execution,
    by: &BTreeSet<LookBy>,
    wave: WaveIx,
    ix: LaunchIx,
) -> Option<LookOrder> {
    let launch = execution.wave(wave).launch(ix)?;
    Some(LookOrder {
        key: execution.launch_key(wave, ix),
        target: Arc::clone(&launch.target),
        servers: servers(execution, wave, launch)
            .map(|run| run.selected.id.clone())
            .collect(),
        since: launch.intended_at,
        kind: match execution.kind() {
            Kind::Drill => OrderKind::Drill,
            Kind::Recovery => OrderKind::Recovery,
            Kind::Cleanup => OrderKind::Terminate,
        },
        by: by.clone(),
        not: known_jobs(execution),
    })
}

/// Jobs whose orders are known.
fn known_jobs(execution: &Execution) -> BTreeSet<JobId> {
    let launches = execution.waves().flat_map(WaveRun::launches);
    launches
        .filter_map(|launch| launch.state.job().cloned())
        .collect()
}

fn servers<'a>(
    execution: &'a Execution,
    wave: WaveIx,
    launch: &'a Launch,
) -> impl Iterator<Item = &'a ServerRun> {
    let servers = execution.wave(wave).servers();
    let positions = launch.servers.iter();
    positions.filter_map(|server| servers.get(server.index()))
}

/// The answer to a call that was not made, because another member of the
/// cluster may drive the execution by now.
fn not_ours_now() -> LaunchAnswer {
    LaunchAnswer::Deferred {
        reason: Arc::from(
            "this gateway was not heard by its cluster for too long; nothing was sent",
        ),
        after: None,
    }
}
