//! Quotas of DRS, as AWS Service Quotas lists them for an account and Region.

use std::num::NonZeroU32;

use aws_sdk_servicequotas::Client;
use tidegate_core::engine::Quota;

use super::{classify, clients::Place};
use crate::ports::drs::{DrsError, GrantedQuotas};

/// DRS, as Service Quotas calls it.
const SERVICE: &str = "drs";

/// The applied values, by their codes. A quota that AWS lists without a value,
/// or not at all, is missing: what else is known of it is for others to say.
pub(super) async fn granted(client: &Client, place: &Place) -> Result<GrantedQuotas, DrsError> {
    let mut listed = client
        .list_service_quotas()
        .service_code(SERVICE)
        .into_paginator()
        .items()
        .send();
    let mut granted = GrantedQuotas::default();
    while let Some(quota) = listed.next().await {
        let quota = quota.map_err(|error| place.failed("ListServiceQuotas", &error))?;
        let value = quota.value().and_then(whole);
        match classify::named(quota.quota_code()) {
            Quota::Jobs => granted.jobs = value,
            Quota::Servers => granted.servers = value,
            Quota::ServersPerJob => granted.servers_per_job = value,
            Quota::Unnamed => {}
        }
    }
    Ok(granted)
}

/// A value that can be counted to. None at all would be a quota under which
/// nothing can ever be launched: that is for DRS to say.
fn whole(value: f64) -> Option<NonZeroU32> {
    // Casts saturate, and make zero of what is no number.
    NonZeroU32::new(value as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_value_that_allows_something_is_one() {
        let table = [
            (20.0, Some(20)),
            (20.9, Some(20)),
            (1e300, Some(u32::MAX)),
            (0.0, None),
            (-1.0, None),
            (f64::NAN, None),
        ];
        for (value, wanted) in table {
            assert_eq!(whole(value).map(NonZeroU32::get), wanted, "{value}");
        }
    }
}
