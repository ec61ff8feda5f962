//! Which servers live executions hold.
//!
//! The fence has one number. Whoever takes servers moves it on by one, in the
//! transaction of its append, from the number up to which it knows what the
//! others hold; two who do not know of each other cannot both succeed. The
//! execution that moved it to n is noted in slot n modulo [`SLOTS`], so that a
//! reader who is not far behind reads a few anchors and not all.

use std::collections::BTreeSet;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use tidegate_core::{ExecutionId, SourceServerId};

use super::{
    calls::{Calls, Query},
    item::{self, Item},
    keys::{self, EXECUTIONS, LIVE},
    write::Write,
};
use crate::ports::journal::{HoldsSince, ReadError};

/// Takers that the fence remembers.
const SLOTS: u64 = 16;

/// Anchors that are read at the same time.
const AT_ONCE: usize = 8;

/// The write that moves the fence on from a number.
pub(super) fn advance(after: u64, taker: &ExecutionId) -> Write {
    let next = after.saturating_add(1);
    let slot = slot(next);
    let expression = format!("SET #number = :next, #{slot} = :taker");
    let write = Write::update(keys::fence(), expression)
        .with("next", item::number(next))
        .with("taker", item::text(taker.as_str()));
    match after {
        0 => write.only_if("attribute_not_exists(#number)"),
        _ => write
            .only_if("#number = :after")
            .with("after", item::number(after)),
    }
}

/// The number of the holds now.
pub(super) async fn number(calls: &Calls) -> Result<u64, ReadError> {
    match calls.get(&keys::fence()).await? {
        Some(fence) => number_in(&fence),
        None => Ok(0),
    }
}

/// What was taken since a number. The fence is read first: whatever is read
/// after it is at least as new.
pub(super) async fn since(calls: &Calls, after: u64) -> Result<HoldsSince, ReadError> {
    let Some(fence) = calls.get(&keys::fence()).await? else {
        return Ok(HoldsSince::default());
    };
    let newest = number_in(&fence)?;
    let held = if newest <= after {
        Vec::new()
    } else if newest - after <= SLOTS {
        let takers = (after + 1..=newest).map(|number| {
            let taker = fence.text(&slot(number));
            taker
                .map(ExecutionId::from)
                .ok_or_else(|| fence.damaged(&format!("no taker {number}")))
        });
        of_takers(calls, takers.collect::<Result<_, _>>()?).await?
    } else {
        of_all(calls).await?
    };
    Ok(HoldsSince { newest, held })
}

type Held = Vec<(ExecutionId, Vec<SourceServerId>)>;

async fn of_takers(calls: &Calls, takers: BTreeSet<ExecutionId>) -> Result<Held, ReadError> {
    let anchors: Vec<Option<Item>> = stream::iter(takers)
        .map(|taker| async move { calls.get(&keys::anchor(&taker)).await })
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    let anchors = anchors.into_iter().flatten();
    anchors.map(|anchor| held(&anchor)).collect()
}

async fn of_all(calls: &Calls) -> Result<Held, ReadError> {
    let live = Query {
        index: Some(LIVE),
        ..Query::of(EXECUTIONS)
    };
    let live = calls.all(&live).await?;
    let holding = live
        .iter()
        .filter(|anchor| !anchor.texts("servers").is_empty());
    holding.map(held).collect()
}

/// One that is over holds nothing.
fn held(anchor: &Item) -> Result<(ExecutionId, Vec<SourceServerId>), ReadError> {
    let is_live = anchor.text(LIVE).is_some();
    let servers = anchor.texts("servers");
    let mut servers: Vec<SourceServerId> = servers
        .iter()
        .filter(|_| is_live)
        .map(|server| server.as_str().into())
        .collect();
    servers.sort();
    Ok((anchor.name()?.into(), servers))
}

fn number_in(fence: &Item) -> Result<u64, ReadError> {
    fence
        .number("number")
        .ok_or_else(|| fence.damaged("no number"))
}

fn slot(number: u64) -> String {
    format!("taker{}", number % SLOTS)
}
