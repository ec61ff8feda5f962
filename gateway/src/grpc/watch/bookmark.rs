//! Bookmarks: signs of life, and what is worth seeing though it is not
//! journaled.

use tidegate_core::Timestamp;
use tidegate_proto::v1;

use crate::{
    driver::{Driver, View},
    grpc::convert::{action, enums, time::timestamp},
};

/// A bookmark of `Watch`: everything up to `revision` was sent, and this is
/// what the newest view says beside it.
pub(super) fn bookmark(
    driver: &Driver,
    view: &View,
    revision: u64,
    now: Timestamp,
) -> v1::Bookmark {
    let execution = &*view.execution;
    let deadline = execution.next_deadline();
    v1::Bookmark {
        revision,
        time: Some(timestamp(now)),
        next_deadline: deadline.map(|deadline| timestamp(deadline.at)),
        next_deadline_reason: deadline
            .map(|deadline| enums::deadline_reason(deadline.reason, execution.plan()))
            .unwrap_or_default(),
        outstanding: driver.outstanding(view),
        allowed_actions: action::allowed(&execution.allowed_actions(), execution.plan()),
    }
}
