//! DescribeRecoverySnapshots.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::answer::{Call, Reply};
use super::check::Fields;
use super::error::ServiceError;
use super::page::{Pager, descending_key, key};
use super::shape::page::{PageShape, listing};
use super::shape::recovery_snapshot::RecoverySnapshotShape;
use crate::model::{RecoverySnapshot, Refusal, ResourceKind, SourceServerId};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    #[serde(rename = "sourceServerID")]
    source_server_id: Option<String>,
    filters: Option<Filters>,
    order: Option<Order>,
    max_results: Option<i64>,
    next_token: Option<String>,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Filters {
    from_date_time: Option<String>,
    to_date_time: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize, Serialize)]
#[serde(rename_all = "UPPERCASE")]
enum Order {
    #[default]
    Asc,
    Desc,
}

pub(super) fn perform(call: &mut Call<'_>) -> Result<Reply, ServiceError> {
    let request: Request = call.request()?;
    let filters = request.filters.unwrap_or_default();
    let order = request.order.unwrap_or_default();
    let mut fields = Fields::default();
    let text = request.source_server_id;
    let id = fields.required("sourceServerID", text.as_ref(), SourceServerId::parse);
    let from = fields.time("filters.fromDateTime", filters.from_date_time.as_ref());
    let to = fields.time("filters.toDateTime", filters.to_date_time.as_ref());
    let token = request.next_token.as_deref();
    let listing = listing(&(&filters, order, &text));
    let pager = Pager::of(
        call.operation,
        &listing,
        request.max_results,
        token,
        &mut fields,
    );
    fields.finish()?;
    let estate = call
        .model
        .estate(&call.place)
        .map_err(|refusal| call.refused(&refusal))?;
    let server = id.and_then(|id| estate.source_server(&id)).ok_or_else(|| {
        let id = text.unwrap_or_default();
        call.refused(&Refusal::NotFound {
            kind: ResourceKind::SourceServer,
            id,
        })
    })?;
    let mut found = call.model.told_recovery_snapshots(server);
    found.retain(|snapshot| {
        from.is_none_or(|from| snapshot.taken_at >= from)
            && to.is_none_or(|to| snapshot.taken_at <= to)
    });
    if matches!(order, Order::Desc) {
        found.reverse();
    }
    let (items, next_token) = pager.cut(
        found
            .into_iter()
            .map(|snapshot| (position(&snapshot, order), snapshot)),
    );
    let shape = |snapshot| RecoverySnapshotShape::of(call.model.seed(), &snapshot);
    Ok(Reply::ok(&PageShape {
        items: items.into_iter().map(shape).collect(),
        next_token,
    }))
}

/// A position in time, so that a page stays right while old snapshots are thinned out.
fn position(snapshot: &RecoverySnapshot, order: Order) -> String {
    let since_epoch = snapshot.expected_at.duration_since(Timestamp::UNIX_EPOCH);
    let second = usize::try_from(since_epoch.as_secs()).unwrap_or_default();
    match order {
        Order::Asc => key(second),
        Order::Desc => descending_key(second),
    }
}
