//! What the journal says, folded record by record beside the driver, and the
//! rules that every record keeps.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::FutureExt as _;
use tidegate_core::{
    ExecutionId, LaunchIx, Span, WaveIx,
    engine::{Change, Closing, CommandId, Execution, Genesis, LaunchState, Settings, WaveState},
};
use tidegate_emulator::model::JobPhase;
use tidegate_gateway::{
    driver::RecordView,
    journal_format::{self, DecodedRecord, RecordHash},
    ports::journal::Journal as _,
};

use crate::{
    chance::Chance,
    plans,
    truth::{Truth, job_id},
    world::World,
};

/// How old an observation may be when it is decided upon: a process may have
/// been stalled meanwhile.
const STALE: Span = Span::from_secs(20);

pub(crate) struct Ledger {
    settings: Settings,
    pub(crate) logs: BTreeMap<ExecutionId, Log>,
    /// Which request started which execution.
    starts: BTreeMap<String, ExecutionId>,
}

pub(crate) struct Log {
    /// The state after each revision, from 0.
    pub(crate) history: Vec<Execution>,
    pub(crate) records: Vec<RecordView>,
    last_hash: Option<RecordHash>,
    /// At which revision each request was recorded.
    pub(crate) requests: BTreeMap<String, u64>,
    /// At which revision each launch was last to be asked for.
    pub(crate) intents: BTreeMap<String, u64>,
}

impl Log {
    pub(crate) fn newest(&self) -> &Execution {
        self.history.last().expect("there is the beginning")
    }

    pub(crate) fn revision(&self) -> u64 {
        self.records.len() as u64
    }
}

impl Ledger {
    pub(crate) fn new(settings: Settings) -> Self {
        Self {
            settings,
            logs: BTreeMap::new(),
            starts: BTreeMap::new(),
        }
    }

    /// One of the executions, if there is any.
    pub(crate) fn any(&self, chance: &mut Chance) -> Option<ExecutionId> {
        let known: Vec<&ExecutionId> = self.logs.keys().collect();
        (!known.is_empty()).then(|| known[chance.index(known.len())].clone())
    }

    /// What is not over, and what it waits for.
    pub(crate) fn open(&self) -> String {
        let logs = self.logs.values().map(Log::newest);
        let open = logs.filter(|execution| !execution.state().is_terminal());
        let lines: Vec<String> = open
            .map(|it| {
                let (id, state, owner) = (it.id(), it.state(), it.owner());
                let (wanted, next) = (it.outstanding(), it.next_deadline());
                format!("{id} {state:?} {owner:?} {wanted:?} {next:?}")
            })
            .collect();
        lines.join("; ")
    }

    /// Whether an execution is recorded that is not over.
    pub(crate) fn all_over(&self) -> bool {
        let mut logs = self.logs.values();
        logs.all(|log| log.newest().state().is_terminal())
    }

    /// Reads what is new, and checks it.
    pub(crate) fn read(&mut self, world: &mut World) -> Result<(), String> {
        let heads = world.journal.heads(None, false, 1_000).now_or_never();
        let heads = heads.expect("nothing waits").map_err(|e| e.to_string())?;
        for head in heads {
            let id = head.execution;
            let after = self.logs.get(&id).map_or(0, Log::revision);
            let stored = world.journal.read(&id, after, 1_000).now_or_never();
            let stored = stored.expect("nothing waits").map_err(|e| e.to_string())?;
            for record in stored {
                let hash = journal_format::hash(&record.record);
                let decoded = journal_format::decode(&record.record).map_err(|e| e.to_string())?;
                world.say(format_args!(
                    "record {id}@{} {:?} {}",
                    record.revision,
                    decoded.view.changes,
                    journal_format::hex(&hash)
                ));
                self.fold(&id, decoded, hash, &world.truth)
                    .map_err(|rule| format!("{id}@{}: {rule}", record.revision))?;
            }
        }
        Ok(())
    }

    fn fold(
        &mut self,
        id: &ExecutionId,
        record: DecodedRecord,
        hash: RecordHash,
        truth: &Truth,
    ) -> Result<(), String> {
        if let Some(genesis) = &record.genesis {
            let execution = Execution::new(
                Genesis {
                    id: genesis.execution.clone(),
                    kind: genesis.kind,
                    plan: plans::decode(&genesis.origin.plan)?.into(),
                    created_at: genesis.created_at,
                },
                self.settings,
            );
            self.logs.insert(id.clone(), Log::new(execution));
            let request = record.view.request_id.clone();
            if let Some(other) = self.starts.insert(request, id.clone()) {
                return Err(format!("the same request has started {other}"));
            }
        }
        let log = self
            .logs
            .get_mut(id)
            .ok_or("the first record has no origin")?;
        log.fold(record, hash, truth)
    }
}

impl Log {
    fn new(execution: Execution) -> Self {
        Self {
            history: vec![execution],
            records: Vec::new(),
            last_hash: None,
            requests: BTreeMap::new(),
            intents: BTreeMap::new(),
        }
    }

    fn fold(
        &mut self,
        record: DecodedRecord,
        hash: RecordHash,
        truth: &Truth,
    ) -> Result<(), String> {
        let before = self.newest().clone();
        self.follows(&record, &before)?;
        let mut after = before.clone();
        for change in &record.view.changes {
            let next = {
                let mut next = after.clone();
                next.apply(change, record.view.at);
                next
            };
            offers_nothing_while_held(&after, &next, change)?;
            after = next;
        }
        if record.epoch != after.epoch() {
            return Err("a record of another owner".to_owned());
        }
        if let Some(violation) = after.violations().first() {
            return Err(format!("{}: {}", violation.rule, violation.found));
        }
        agrees_with_truth(&before, &after, record.view.at, truth)?;
        self.remember_intents(&before, &after);
        self.last_hash = Some(hash);
        let revision = record.view.revision;
        if let Some(request) = record.request
            && self.requests.insert(request.id.clone(), revision).is_some()
        {
            return Err(format!("request {} is recorded twice", request.id));
        }
        self.records.push(record.view);
        self.history.push(after);
        Ok(())
    }

    /// Dense, chained, and nothing after the end.
    fn follows(&self, record: &DecodedRecord, before: &Execution) -> Result<(), String> {
        let view = &record.view;
        if view.revision != self.revision() + 1 {
            return Err("a gap".to_owned());
        }
        if record.previous != self.last_hash {
            return Err("the hash of another record before it".to_owned());
        }
        if view.first_index != before.change_count() + 2 {
            return Err("the index of its first change is wrong".to_owned());
        }
        if before.state().is_terminal() {
            return Err("a terminal state is terminal".to_owned());
        }
        Ok(())
    }

    fn remember_intents(&mut self, before: &Execution, after: &Execution) {
        let revision = self.revision() + 1;
        for (wave, launch, state) in launches(after) {
            let was = before.wave(wave).launch(launch).map(|launch| &launch.state);
            if matches!(state, LaunchState::Asking { .. }) && was != Some(state) {
                let key = after.launch_key(wave, launch);
                self.intents.insert(key, revision);
            }
        }
    }
}

fn launches(execution: &Execution) -> impl Iterator<Item = (WaveIx, LaunchIx, &LaunchState)> {
    (0..)
        .map(WaveIx)
        .zip(execution.waves())
        .flat_map(|(ix, wave)| {
            let launches = (0..).map(LaunchIx).zip(wave.launches());
            launches.map(move |(launch, run)| (ix, launch, &run.state))
        })
}

fn offers_nothing_while_held(
    before: &Execution,
    after: &Execution,
    change: &Change,
) -> Result<(), String> {
    let held = !before.holds().is_empty() && !after.holds().is_empty();
    let ending = before
        .closing()
        .is_some_and(|(closing, _)| closing >= Closing::Timeout);
    if !held && !ending {
        return Ok(());
    }
    let known: BTreeSet<CommandId> = before.outstanding().into_iter().collect();
    let new = after.outstanding().into_iter();
    match new
        .filter(|command| !command.is_observation())
        .find(|command| !known.contains(command))
    {
        Some(command) => Err(format!("{command} is new while held, by {change:?}")),
        None => Ok(()),
    }
}

/// A wave is judged when its jobs have really ended, and a launch is that of
/// the earliest job that DRS shows for it.
fn agrees_with_truth(
    before: &Execution,
    after: &Execution,
    at: tidegate_core::Timestamp,
    truth: &Truth,
) -> Result<(), String> {
    for (ix, wave) in (0..).map(WaveIx).zip(after.waves()) {
        let judged = |state| {
            matches!(
                state,
                WaveState::Verifying | WaveState::Succeeded | WaveState::SucceededWithWarnings
            )
        };
        let is_judged = judged(wave.state()) && !judged(before.wave(ix).state());
        for (launch_ix, launch) in (0..).map(LaunchIx).zip(wave.launches()) {
            let Some(id) = launch.state.job() else {
                continue;
            };
            let key = after.launch_key(ix, launch_ix);
            let Some(job) = truth.job(&launch.target, id) else {
                return Err(format!("{key} has job {id}, which DRS does not know"));
            };
            if is_judged && !matches!(job.phase, JobPhase::Completed { .. }) {
                return Err(format!("{key} is judged while {id} runs"));
            }
            let was = before.wave(ix).launch(launch_ix);
            let is_new = was.and_then(|launch| launch.state.job()).is_none();
            let earlier = truth.jobs_of(&key).find(|other| {
                let shown = truth.visible_from(other) + STALE <= at;
                other.created_at < job.created_at && shown
            });
            if let Some(earlier) = earlier.filter(|_| is_new) {
                return Err(format!("{key} adopts {id} and not {}", job_id(earlier)));
            }
        }
    }
    Ok(())
}
