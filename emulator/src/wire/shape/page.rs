//! One page of a listing.

use serde::Serialize;

/// `items` and, unless it is the last page, `nextToken`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::wire) struct PageShape<T> {
    pub(in crate::wire) items: Vec<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::wire) next_token: Option<String>,
}

/// What tells one listing from another: its filters.
pub(in crate::wire) fn listing(filters: &impl Serialize) -> String {
    serde_json::to_string(filters).expect("filters are plain values")
}
