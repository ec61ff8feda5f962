//! One execution's log: what was folded so far, and the way to the next
//! record.

use std::{collections::BTreeMap, sync::Arc};

use tidegate_core::{
    ExecutionId, Timestamp,
    engine::{Change, Event, Execution, Genesis},
};

use super::{
    DriverError, DriverPorts, Origin, Planted, RecordView, RequestStamp, Shared, View, writing,
};
use crate::{
    journal_format::{self, DecodedRecord, GenesisRecord, RecordDraft, RecordHash},
    ports::journal::{Append, AppendError, Claim, HeadUpdate, Holds},
};

/// Records that are read at once.
const PAGE: usize = 512;

/// An execution as its log says.
#[derive(Debug)]
pub(super) struct Log {
    pub(super) execution: Arc<Execution>,
    pub(super) revision: u64,
    pub(super) updated_at: Timestamp,
    pub(super) origin: Arc<Origin>,
    /// Which request was recorded at which revision.
    pub(super) requests: BTreeMap<String, ([u8; 32], u64)>,
    last_hash: Option<RecordHash>,
}

/// A decision to be recorded.
pub(super) struct Decided {
    pub(super) changes: Vec<Change>,
    /// The state after them.
    pub(super) next: Arc<Execution>,
    pub(super) at: Timestamp,
    pub(super) stamp: Option<RequestStamp>,
}

/// What is taken together with a record.
#[derive(Default)]
pub(super) struct With {
    pub(super) claim: Option<Claim>,
    pub(super) holds: Option<Holds>,
}

impl Decided {
    /// Decides what follows at the same instant, for the same record.
    pub(super) fn hear_also(&mut self, event: Event) {
        if let Ok((changes, next)) = self.next.decide_folded(event, self.at) {
            self.changes.extend(changes);
            self.next = Arc::new(next);
        }
    }
}

impl Log {
    /// The log of an execution to which nothing has happened.
    pub(super) fn new(execution: Execution, origin: Arc<Origin>) -> Self {
        Self {
            updated_at: execution.created_at(),
            execution: Arc::new(execution),
            revision: 0,
            origin,
            requests: BTreeMap::new(),
            last_hash: None,
        }
    }

    /// Folds a stored log up to `until`, or to its end.
    pub(super) async fn read(
        shared: &Shared,
        id: &ExecutionId,
        until: Option<u64>,
    ) -> Result<Self, DriverError> {
        let mut log: Option<Self> = None;
        loop {
            let after = log.as_ref().map_or(0, |log| log.revision);
            let limit = until.map_or(PAGE, |until| {
                usize::try_from(until.saturating_sub(after)).map_or(PAGE, |left| left.min(PAGE))
            });
            if limit == 0 {
                break;
            }
            let records = shared.ports.journal.read(id, after, limit).await?;
            if records.is_empty() {
                break;
            }
            for stored in records {
                let record = decode(&stored.record)?;
                let log = match &mut log {
                    Some(log) => log,
                    None => log.insert(Self::begin(shared, id, &record)?),
                };
                log.fold(&record, journal_format::hash(&stored.record))?;
            }
        }
        if let Some(log) = log
            .as_mut()
            .filter(|_| shared.settings.has(Planted::ForgetsRequests))
        {
            log.requests.clear();
        }
        log.ok_or_else(|| DriverError::NotFound(id.clone()))
    }

    /// Folds what others recorded behind this, and returns it: all of it, or as
    /// much as the journal gave before it stopped answering.
    pub(super) async fn read_on(
        &mut self,
        shared: &Shared,
    ) -> Result<Vec<(View, Arc<RecordView>)>, DriverError> {
        let mut news = Vec::new();
        loop {
            let journal = &shared.ports.journal;
            let records = journal.read(self.execution.id(), self.revision, PAGE).await;
            let records = match records {
                Ok(records) => records,
                // What is folded by now is read only this once.
                Err(_) if !news.is_empty() => return Ok(news),
                Err(error) => return Err(error.into()),
            };
            if records.is_empty() {
                return Ok(news);
            }
            for stored in records {
                let record = decode(&stored.record)?;
                self.fold(&record, journal_format::hash(&stored.record))?;
                news.push((self.view(), Arc::new(record.view)));
            }
        }
    }

    /// The revision at which this request was recorded before.
    pub(super) fn answered_before(
        &self,
        stamp: Option<&RequestStamp>,
    ) -> Result<Option<u64>, DriverError> {
        let Some(stamp) = stamp else {
            return Ok(None);
        };
        match self.requests.get(&stamp.id) {
            Some((digest, revision)) if *digest == stamp.digest => Ok(Some(*revision)),
            Some(_) => Err(DriverError::RequestIdReused(stamp.id.clone())),
            None => Ok(None),
        }
    }

    /// Bounds what a log can grow to, but never keeps anybody from stopping
    /// what goes on.
    pub(super) fn admit(&self, limit: usize, event: &Event) -> Result<(), DriverError> {
        let stops = matches!(event, Event::Pause { .. } | Event::Cancel { .. });
        if stops || self.requests.len() < limit {
            Ok(())
        } else {
            Err(DriverError::TooManyRequests { limit })
        }
    }

    fn begin(
        shared: &Shared,
        id: &ExecutionId,
        record: &DecodedRecord,
    ) -> Result<Self, DriverError> {
        let Some(genesis) = &record.genesis else {
            return Err(DriverError::Damaged(
                "the first record has no origin".into(),
            ));
        };
        if genesis.execution != *id {
            return Err(DriverError::Damaged(format!(
                "the first record of {id} is one of {}",
                genesis.execution
            )));
        }
        let plan = (shared.ports.codec.plan)(&genesis.origin.plan)
            .map_err(|why| DriverError::Damaged(format!("the pinned plan: {why}")))?;
        let execution = Execution::new(
            Genesis {
                id: genesis.execution.clone(),
                kind: genesis.kind,
                plan: Arc::new(plan),
                created_at: genesis.created_at,
            },
            shared.settings.engine,
        );
        Ok(Self::new(execution, Arc::clone(&genesis.origin)))
    }

    fn fold(&mut self, record: &DecodedRecord, hash: RecordHash) -> Result<(), DriverError> {
        let revision = self.revision + 1;
        if record.view.revision != revision || record.previous != self.last_hash {
            return Err(DriverError::Damaged(format!(
                "record {} of {} does not follow the record before it",
                record.view.revision,
                self.execution.id()
            )));
        }
        self.fold_changes(&record.view)?;
        self.advance(record.view.at, hash, record.request.as_ref());
        Ok(())
    }

    /// Folds what fits. The journal is not trusted to hold only what an engine
    /// decided: a change that would be ignored, or lead into nothing later, is
    /// damage.
    fn fold_changes(&mut self, record: &RecordView) -> Result<(), DriverError> {
        // The creation itself is the change with index 1.
        let expected = self.execution.change_count() + 2;
        if record.first_index != expected {
            return Err(self.does_not_fit(
                record,
                &format!(
                    "its changes are counted from {} instead of {expected}",
                    record.first_index
                ),
            ));
        }
        for (index, change) in (record.first_index..).zip(&record.changes) {
            if let Err(misfit) = self.execution.fits(change) {
                let name = change.name();
                let what = format!("its change {index}, {name}: {misfit}");
                return Err(self.does_not_fit(record, &what));
            }
            Arc::make_mut(&mut self.execution).apply(change, record.at);
        }
        Ok(())
    }

    fn does_not_fit(&self, record: &RecordView, what: &str) -> DriverError {
        let (revision, id) = (record.revision, self.execution.id());
        DriverError::Damaged(format!("record {revision} of {id} does not fit: {what}"))
    }

    fn advance(&mut self, at: Timestamp, hash: RecordHash, stamp: Option<&RequestStamp>) {
        self.revision += 1;
        self.updated_at = at;
        self.last_hash = Some(hash);
        if let Some(stamp) = stamp {
            self.requests
                .insert(stamp.id.clone(), (stamp.digest, self.revision));
        }
    }

    pub(super) fn view(&self) -> View {
        View {
            execution: Arc::clone(&self.execution),
            revision: self.revision,
            updated_at: self.updated_at,
            origin: Arc::clone(&self.origin),
        }
    }

    /// Makes a decision durable, then folds it. Nothing is folded that is not
    /// durable. While the journal says that it wrote nothing, this goes on
    /// trying; where its answer was lost, the log itself tells.
    pub(super) async fn append(
        &mut self,
        shared: &Shared,
        decided: Decided,
        with: With,
    ) -> Result<Arc<RecordView>, AppendError> {
        let genesis = (self.revision == 0).then(|| GenesisRecord {
            execution: self.execution.id().clone(),
            kind: self.execution.kind(),
            created_at: self.execution.created_at(),
            origin: Arc::clone(&self.origin),
        });
        // The creation itself is the change with index 1.
        let first_index = self.execution.change_count() + 2;
        let next = decided.next;
        let nonce = shared.settings.random.nonce();
        let draft = RecordDraft {
            revision: self.revision + 1,
            at: decided.at,
            previous: self.last_hash.as_ref(),
            nonce,
            epoch: next.epoch(),
            request: decided.stamp.as_ref(),
            genesis: genesis.as_ref(),
            first_index,
            changes: &decided.changes,
        };
        let record = journal_format::encode(&draft);
        let view = Arc::new(RecordView::from(&draft));
        let append = Append {
            execution: self.execution.id().clone(),
            revision: self.revision + 1,
            record: record.clone(),
            head: self.head(&shared.ports, &next, decided.at),
            claim: with.claim,
            holds: with.holds,
        };
        writing::write(shared, append, nonce).await?;
        self.execution = next;
        let hash = journal_format::hash(&record);
        self.advance(decided.at, hash, decided.stamp.as_ref());
        Ok(view)
    }

    /// The head changes when the execution begins and when it is over.
    fn head(
        &self,
        ports: &DriverPorts,
        next: &Arc<Execution>,
        at: Timestamp,
    ) -> Option<HeadUpdate> {
        let live = !next.state().is_terminal();
        if self.revision > 0 && live {
            return None;
        }
        let view = View {
            execution: Arc::clone(next),
            revision: self.revision + 1,
            updated_at: at,
            origin: Arc::clone(&self.origin),
        };
        let summary = (ports.codec.summary)(&view);
        Some(HeadUpdate { live, summary })
    }
}

/// One stored record.
pub(super) fn decode(record: &[u8]) -> Result<DecodedRecord, DriverError> {
    journal_format::decode(record).map_err(|error| DriverError::Damaged(error.to_string()))
}
