//! Calls to DynamoDB: counted, and with failures that say what they mean.

use std::{future::Future, time::Duration};

use aws_sdk_dynamodb::{
    Client,
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
    operation::{
        delete_item::DeleteItemError, put_item::PutItemError,
        transact_write_items::TransactWriteItemsError, update_item::UpdateItemError,
    },
    types::{AttributeValue, CancellationReason, ReturnConsumedCapacity},
};

use super::{
    client::{once, repeated},
    item::Item,
    keys::{Key, PARTITION},
    meaning::{Failure, Place},
    settings::{Settings, Timeouts},
    usage::{Counters, Usage, add},
    write::{Action, Write, conditioned, names},
};
use crate::{
    adapters::aws_failure::{self, Sent},
    ports::journal::ReadError,
};

/// Tries at a write that somebody else's transaction is in the way of, or
/// whose answer is lost.
const TRIES: u32 = 6;

/// The wait before the second try; it doubles.
const WAIT: Duration = Duration::from_millis(20);

/// One table.
#[derive(Debug)]
pub(super) struct Calls {
    pub(super) client: Client,
    pub(super) place: Place,
    timeouts: Timeouts,
    counters: Counters,
}

/// Items of one partition key, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Query {
    pub(super) pk: String,
    /// A condition on the sort key, and its values.
    pub(super) range: Option<(&'static str, Vec<(&'static str, AttributeValue)>)>,
    pub(super) index: Option<&'static str>,
    pub(super) newest_first: bool,
    /// The attributes that are wanted, unless all are.
    pub(super) only: Option<String>,
    /// At most so many.
    pub(super) limit: usize,
}

/// A part of what a query finds.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) items: Vec<Item>,
    /// Where to go on, unless this was the last.
    pub(super) next: Option<Item>,
}

/// Whether a second call changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Repeat {
    Never,
    Harmless,
}

/// Makes a call that writes one item, and says what became of it: its builders
/// and errors are types without a common trait.
macro_rules! made {
    ($calls:expr, $call:expr, $write:expr, $config:expr, $Error:ident) => {{
        let sent = Sent::default();
        let answer = conditioned!($call, $write, &$calls.place.table)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .customize()
            .config_override($config)
            .interceptor(sent.clone())
            .send()
            .await;
        let done = answer.map_err(|error| match error.as_service_error() {
            Some($Error::ConditionalCheckFailedException(found)) => {
                Failure::Refused(vec![Some(Item(found.item.clone().unwrap_or_default()))])
            }
            Some(_) | None => $calls.unwritten(&error, &sent),
        })?;
        $calls.counters.wrote(done.consumed_capacity.as_slice());
        Ok(())
    }};
}

impl Calls {
    pub(super) fn new(client: Client, settings: &Settings) -> Self {
        let region = client.config().region();
        let region = region.map_or_else(|| "(none)".to_owned(), ToString::to_string);
        Self {
            place: Place {
                table: settings.table.clone(),
                region,
            },
            client,
            timeouts: settings.timeouts,
            counters: Counters::default(),
        }
    }

    pub(super) fn usage(&self) -> Usage {
        self.counters.usage()
    }

    pub(super) async fn get(&self, key: &Key) -> Result<Option<Item>, ReadError> {
        add(&self.counters.reads, 1);
        let answer = self
            .client
            .get_item()
            .table_name(&self.place.table)
            .set_key(Some(key.attributes().into()))
            .consistent_read(true)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await;
        let found = answer.map_err(|error| self.unread(&error))?;
        self.counters.read(found.consumed_capacity.as_slice());
        Ok(found.item.map(Item))
    }

    /// Everything that a query finds.
    pub(super) async fn all(&self, query: &Query) -> Result<Vec<Item>, ReadError> {
        let mut found = Vec::new();
        let mut from = None;
        loop {
            let left = query.limit - found.len();
            if left == 0 {
                return Ok(found);
            }
            let page = self.page(query, left, from).await?;
            found.extend(page.items);
            match page.next {
                Some(next) => from = Some(next),
                None => return Ok(found),
            }
        }
    }

    /// At most `limit` items, from behind `from`; DynamoDB ends a page at one
    /// MiB.
    pub(super) async fn page(
        &self,
        query: &Query,
        limit: usize,
        from: Option<Item>,
    ) -> Result<Page, ReadError> {
        add(&self.counters.reads, 1);
        let (range, values) = query.range.clone().unwrap_or_default();
        let condition = match range {
            "" => format!("#{PARTITION} = :pk"),
            range => format!("#{PARTITION} = :pk AND {range}"),
        };
        let values = values
            .into_iter()
            .map(|(name, value)| (format!(":{name}"), value));
        let answer = self
            .client
            .query()
            .table_name(&self.place.table)
            .set_index_name(query.index.map(ToOwned::to_owned))
            .set_expression_attribute_names(names([
                &*condition,
                query.only.as_deref().unwrap_or_default(),
            ]))
            .set_expression_attribute_values(Some(values.collect()))
            .expression_attribute_values(":pk", AttributeValue::S(query.pk.clone()))
            .key_condition_expression(condition)
            .set_projection_expression(query.only.clone())
            .scan_index_forward(!query.newest_first)
            .set_limit(i32::try_from(limit).ok())
            .set_exclusive_start_key(from.map(|key| key.0))
            .consistent_read(true)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await;
        let found = answer.map_err(|error| self.unread(&error))?;
        self.counters.read(found.consumed_capacity.as_slice());
        let items = found.items.unwrap_or_default();
        Ok(Page {
            items: items.into_iter().map(Item).collect(),
            next: found.last_evaluated_key.map(Item),
        })
    }

    /// Makes one write, once.
    pub(super) async fn write(&self, write: &Write) -> Result<(), Failure> {
        unless_in_conflict(|| self.single(write, Repeat::Never)).await
    }

    /// Makes one write that a second time changes nothing: one that replaces
    /// or deletes whatever is there.
    pub(super) async fn write_again(&self, write: &Write) -> Result<(), Failure> {
        unless_in_conflict(|| self.single(write, Repeat::Harmless)).await
    }

    /// Makes all of these writes, or none, once.
    pub(super) async fn transact(&self, writes: &[Write]) -> Result<(), Failure> {
        let token = ulid::Ulid::new().to_string();
        unless_in_conflict(|| self.transaction(writes, &token)).await
    }

    /// The same, tried until the answer is known: DynamoDB performs one
    /// transaction of a token only, and answers as it did.
    pub(super) async fn transact_surely(&self, writes: &[Write]) -> Result<(), Failure> {
        let token = ulid::Ulid::new().to_string();
        settled(|| unless_in_conflict(|| self.transaction(writes, &token))).await
    }

    async fn single(&self, write: &Write, repeat: Repeat) -> Result<(), Failure> {
        let config = match repeat {
            Repeat::Never => once(&self.timeouts),
            Repeat::Harmless => repeated(&self.timeouts),
        };
        match &write.action {
            Action::Put(item) => {
                add(&self.counters.puts, 1);
                let call = self.client.put_item().set_item(Some(item.clone()));
                made!(self, call, write, config, PutItemError)
            }
            Action::Update(expression) => {
                add(&self.counters.updates, 1);
                let key = Some(write.key.attributes().into());
                let call = self.client.update_item().set_key(key);
                let call = call.update_expression(expression);
                made!(self, call, write, config, UpdateItemError)
            }
            Action::Delete => {
                add(&self.counters.deletes, 1);
                let key = Some(write.key.attributes().into());
                let call = self.client.delete_item().set_key(key);
                made!(self, call, write, config, DeleteItemError)
            }
        }
    }

    async fn transaction(&self, writes: &[Write], token: &str) -> Result<(), Failure> {
        add(&self.counters.transactions, 1);
        add(&self.counters.transaction_writes, writes.len() as u64);
        let table = &self.place.table;
        let items = writes.iter().map(|write| write.in_transaction(table));
        let items = items.collect::<Result<_, _>>();
        let items = items.map_err(|error| Failure::Unavailable(error.to_string()))?;
        let sent = Sent::default();
        let answer = self
            .client
            .transact_write_items()
            .set_transact_items(Some(items))
            .client_request_token(token)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .customize()
            .config_override(once(&self.timeouts))
            .interceptor(sent.clone())
            .send()
            .await;
        let done = answer.map_err(|error| match error.as_service_error() {
            Some(TransactWriteItemsError::TransactionCanceledException(why)) => {
                self.cancelled(why.cancellation_reasons())
            }
            Some(_) | None => self.unwritten(&error, &sent),
        })?;
        self.counters.wrote(done.consumed_capacity());
        Ok(())
    }

    /// A condition counts only where nothing else was in the way: another
    /// transaction may be about to make more of them fail. Of what else was in
    /// the way, that counts which will always be.
    fn cancelled(&self, reasons: &[CancellationReason]) -> Failure {
        let is_condition = |reason: &CancellationReason| code(reason) == "ConditionalCheckFailed";
        let others = reasons
            .iter()
            .filter(|reason| code(reason) != "None" && !is_condition(reason))
            .map(|reason| {
                let said = reason.message().unwrap_or("a transaction was cancelled");
                Failure::cancelled(code(reason), said, &self.place)
            });
        let others: Vec<_> = others.collect();
        let never = others.iter().find(|it| matches!(it, Failure::Never(_)));
        if let Some(other) = never.or(others.first()) {
            return other.clone();
        }
        let items = reasons.iter().map(|reason| {
            let found = || Item(reason.item.clone().unwrap_or_default());
            is_condition(reason).then(found)
        });
        Failure::Refused(items.collect())
    }

    fn unwritten<E>(&self, error: &SdkError<E, HttpResponse>, sent: &Sent) -> Failure
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        Failure::of(aws_failure::Failure::of(error, sent), &self.place)
    }

    /// What the failure of a call means that writes nothing.
    pub(super) fn unread<E>(&self, error: &SdkError<E, HttpResponse>) -> ReadError
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        // Nobody asks whether a read was sent; what was not connected is told
        // apart all the same.
        ReadError::Unavailable(self.unwritten(error, &Sent::assumed()).text())
    }
}

impl Query {
    /// Everything at a partition key.
    pub(super) fn of(pk: impl Into<String>) -> Self {
        Self {
            pk: pk.into(),
            limit: usize::MAX,
            ..Self::default()
        }
    }
}

fn code(reason: &CancellationReason) -> &str {
    reason.code().unwrap_or("None")
}

/// Tries again while somebody else's transaction is in the way.
async fn unless_in_conflict<F>(mut attempt: impl FnMut() -> F) -> Result<(), Failure>
where
    F: Future<Output = Result<(), Failure>>,
{
    let mut wait = WAIT;
    for _ in 1..TRIES {
        match attempt().await {
            Err(Failure::Conflict(_)) => {}
            done @ (Ok(())
            | Err(
                Failure::Refused(_)
                | Failure::Unavailable(_)
                | Failure::Never(_)
                | Failure::Lost(_),
            )) => {
                return done;
            }
        }
        pause(&mut wait).await;
    }
    attempt().await
}

/// Tries again while the answer is lost. Only for what a second time changes
/// nothing, or answers as the first time.
pub(super) async fn settled<F>(mut attempt: impl FnMut() -> F) -> Result<(), Failure>
where
    F: Future<Output = Result<(), Failure>>,
{
    let mut wait = WAIT;
    let mut lost = None;
    for _ in 0..TRIES {
        match (attempt().await, lost.take()) {
            (Err(Failure::Lost(why)), _) => lost = Some(why),
            // That this one was not made says nothing of the one before.
            (
                Err(Failure::Unavailable(_) | Failure::Conflict(_) | Failure::Never(_)),
                Some(why),
            ) => lost = Some(why),
            (done, _) => return done,
        }
        tracing::warn!(why = lost, "an answer was lost; asking again");
        pause(&mut wait).await;
    }
    Err(Failure::Lost(lost.unwrap_or_default()))
}

/// Waits, and longer the next time. Those who met do not meet again.
async fn pause(wait: &mut Duration) {
    let thousandths = ulid::Ulid::new().random() % 1000;
    let share = 0.5 + f64::from(u16::try_from(thousandths).unwrap_or_default()) / 1000.0;
    tokio::time::sleep(wait.mul_f64(share)).await;
    *wait *= 2;
}
