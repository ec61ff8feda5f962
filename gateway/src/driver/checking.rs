//! Running a hook: what DRS says of the servers is looked up first, so that
//! the hook is told the present and not what was known at the launch.

use std::{collections::BTreeMap, sync::Arc};

use futures::future::BoxFuture;
use tidegate_core::{
    SourceServerId, WaveIx,
    engine::{CommandId, Event, Execution},
    plan::{HookPhase, HookUse, Target},
};

use super::{Shared, reads::Purpose};
use crate::ports::{
    drs::{DrsError, ServerQuery},
    hooks::{HookCall, ServerFacts},
};

/// Servers whose snapshots are asked for together. Each costs a call of its
/// own, and where one is throttled all of them are asked for again.
const SNAPSHOTS_AT_ONCE: usize = 16;

type Facts = BTreeMap<SourceServerId, ServerFacts>;

/// Looks the servers up and runs the hook once. DRS is asked as often as it
/// takes: the engine bounds the time of all attempts together.
pub(super) async fn check(
    shared: &Arc<Shared>,
    state: Execution,
    command: CommandId,
    hook: HookUse,
) -> Event {
    let mut facts = Facts::new();
    let before_launch = matches!(
        command,
        CommandId::Hook {
            phase: HookPhase::PreWave,
            ..
        }
    );
    for (target, servers) in servers_by_target(&state, command.wave()) {
        facts.extend(
            look_up(
                (shared, state.id().as_str()),
                &target,
                &servers,
                before_launch,
            )
            .await,
        );
    }
    let call = HookCall {
        execution: state.id().clone(),
        command,
        hook,
        state,
        now: shared.ports.clock.now(),
        servers: facts,
    };
    let answer = shared.ports.hooks.run(call).await;
    Event::HookAnswered { command, answer }
}

fn servers_by_target(
    state: &Execution,
    wave: WaveIx,
) -> BTreeMap<Arc<Target>, Vec<SourceServerId>> {
    let mut waves = state.plan().upstream(wave);
    waves.insert(wave);
    let mut servers: BTreeMap<Arc<Target>, Vec<SourceServerId>> = BTreeMap::new();
    for run in waves
        .into_iter()
        .flat_map(|wave| state.wave(wave).servers())
    {
        let selected = &run.selected;
        let of_target = servers.entry(Arc::clone(&selected.target)).or_default();
        of_target.push(selected.id.clone());
    }
    servers
}

/// What DRS says of these servers of one target.
async fn look_up(
    (shared, subject): (&Arc<Shared>, &str),
    target: &Arc<Target>,
    servers: &[SourceServerId],
    before_launch: bool,
) -> Facts {
    let drs = &shared.ports.drs;
    let described = again((shared, subject), target, || {
        let query = ServerQuery::Ids(servers.to_vec());
        drs.source_servers(Arc::clone(target), query)
    })
    .await;
    let mut facts: Facts = described
        .into_iter()
        .map(|server| {
            let known = ServerFacts {
                hostname: server.hostname,
                tags: server.tags,
                replication_state: server.replication_state,
                lag: server.lag,
                snapshot_time: None,
                addresses: Vec::new(),
            };
            (server.id, known)
        })
        .collect();
    let instances = again((shared, subject), target, || {
        drs.recovery_instances(Arc::clone(target), servers.to_vec())
    })
    .await;
    for instance in instances {
        let known = facts.entry(instance.server).or_default();
        known.addresses = instance.addresses;
        known.snapshot_time = instance.snapshot_time;
    }
    if before_launch {
        for some in servers.chunks(SNAPSHOTS_AT_ONCE) {
            let newest = again((shared, subject), target, || {
                drs.newest_snapshots(Arc::clone(target), some.to_vec())
            });
            for (server, taken) in newest.await {
                facts.entry(server).or_default().snapshot_time = Some(taken);
            }
        }
    }
    facts
}

/// Asks until there is an answer. What DRS refuses for good is told to the
/// hook as something that is not known.
async fn again<'a, T: Default>(
    (shared, subject): (&Arc<Shared>, &str),
    target: &Target,
    ask: impl FnMut() -> BoxFuture<'a, Result<T, DrsError>>,
) -> T {
    let answer = shared.read_until_answered(target, Purpose::Facts, subject, ask);
    answer.await.unwrap_or_else(|error| {
        tracing::warn!(%error, "a hook is not told what DRS knows");
        T::default()
    })
}
