//! Whether a table is one of ours.

use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, PointInTimeRecoveryStatus,
    ScalarAttributeType, TableDescription, TableStatus, TimeToLiveDescription, TimeToLiveStatus,
};

use super::{
    calls::Calls,
    keys::{self, EXPIRES, LIVE, PARTITION, SORT},
};
use crate::ports::journal::ReadError;

/// The layout that this code writes and reads.
pub(super) const FORMAT: u64 = 1;

/// Why a table cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// DynamoDB does not answer, or with an error; says what to do.
    #[error("the journal's table cannot be used: {0}")]
    Unavailable(String),
    /// It is a table of something else.
    #[error(
        "table {table} is not a journal: {reason}; name another table in journal.dynamodb.table, \
         or make one with `tidegate aws create-table`"
    )]
    NotAJournal {
        /// The table.
        table: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Whoever made it did not come to the end.
    #[error("table {table} is not finished: run `tidegate aws create-table --table {table}` again")]
    Unfinished {
        /// The table.
        table: String,
    },
    /// A newer version of Tidegate wrote it.
    #[error(
        "table {table} has format {found}, and this version knows formats up to {supported}; \
         start a newer version"
    )]
    NewerFormat {
        /// The table.
        table: String,
        /// Its format.
        found: u64,
        /// The newest one that is known here.
        supported: u64,
    },
}

impl From<ReadError> for OpenError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Unavailable(why) | ReadError::Damaged(why) => Self::Unavailable(why),
        }
    }
}

/// Checks a table, and says into how many partitions executions are divided.
pub(super) async fn check(calls: &Calls) -> Result<u16, OpenError> {
    let answer = calls.client.describe_table().table_name(&calls.place.table);
    let found = answer.send().await.map_err(|error| calls.unread(&error))?;
    let table = &calls.place.table;
    let found = found.table.ok_or_else(|| unfinished(calls))?;
    schema(table, &found)?;
    match found.table_status() {
        Some(TableStatus::Active | TableStatus::Updating) => {}
        other => {
            let status = other.map_or("unknown", TableStatus::as_str);
            return Err(OpenError::Unavailable(format!(
                "table {table} in Region {} has the status {status}; wait until it is ACTIVE",
                calls.place.region
            )));
        }
    }
    warn_of_billing(table, &found);
    warn_of_backups(calls).await;
    warn_of_expiry(calls).await;
    partitions(calls).await?.ok_or_else(|| unfinished(calls))
}

/// The number of partitions, if the table has one.
pub(super) async fn partitions(calls: &Calls) -> Result<Option<u16>, OpenError> {
    let Some(item) = calls.get(&keys::table()).await? else {
        return Ok(None);
    };
    let table = calls.place.table.clone();
    let number = |name| {
        item.number(name).ok_or_else(|| OpenError::NotAJournal {
            table: table.clone(),
            reason: format!("its item {:?} has no number {name:?}", keys::table()),
        })
    };
    let found = number("format")?;
    if found > FORMAT {
        let supported = FORMAT;
        return Err(OpenError::NewerFormat {
            table,
            found,
            supported,
        });
    }
    let partitions = number("partitions")?;
    match u16::try_from(partitions) {
        Ok(partitions) if partitions > 0 => Ok(Some(partitions)),
        _ => Err(OpenError::NotAJournal {
            table: table.clone(),
            reason: format!("it has {partitions} partitions"),
        }),
    }
}

/// Whether keys and index are as they must be.
pub(super) fn schema(table: &str, found: &TableDescription) -> Result<(), OpenError> {
    let wrong = |reason| OpenError::NotAJournal {
        table: table.to_owned(),
        reason,
    };
    let definitions = found.attribute_definitions();
    let keys = described(found.key_schema(), definitions);
    if keys != expected(SORT) {
        let wanted = expected(SORT);
        return Err(wrong(format!("its key is {keys}, not {wanted}")));
    }
    let index = found
        .local_secondary_indexes()
        .iter()
        .find(|index| index.index_name() == Some(LIVE));
    let Some(index) = index else {
        return Err(wrong(format!("it has no local secondary index {LIVE:?}")));
    };
    let keys = described(index.key_schema(), definitions);
    if keys != expected(LIVE) {
        let wanted = expected(LIVE);
        return Err(wrong(format!(
            "the key of its index {LIVE:?} is {keys}, not {wanted}"
        )));
    }
    let projection = index.projection();
    let projected = projection.map_or(&[][..], |it| it.non_key_attributes());
    match PROJECTED
        .iter()
        .find(|name| !projected.iter().any(|it| it == *name))
    {
        Some(name) => Err(wrong(format!("its index {LIVE:?} does not hold {name:?}"))),
        None => Ok(()),
    }
}

/// What the index holds besides keys: what lists and holds are made of.
pub(super) const PROJECTED: [&str; 3] = ["summary", "servers", "id"];

/// A key, for people.
fn described(key: &[KeySchemaElement], definitions: &[AttributeDefinition]) -> String {
    let parts = key.iter().map(|part| {
        let name = part.attribute_name();
        let definition = definitions.iter().find(|it| it.attribute_name() == name);
        let kind = definition.map_or("?", |it| it.attribute_type().as_str());
        format!("{name} ({}, {kind})", part.key_type().as_str())
    });
    parts.collect::<Vec<_>>().join(" and ")
}

fn expected(sort: &str) -> String {
    let text = ScalarAttributeType::S;
    let text = text.as_str();
    let (hash, range) = (KeyType::Hash, KeyType::Range);
    format!(
        "{PARTITION} ({}, {text}) and {sort} ({}, {text})",
        hash.as_str(),
        range.as_str()
    )
}

fn warn_of_billing(table: &str, found: &TableDescription) {
    let mode = found.billing_mode_summary();
    let mode = mode.and_then(|summary| summary.billing_mode());
    if mode != Some(&BillingMode::PayPerRequest) {
        tracing::warn!(
            table,
            "the journal's table has provisioned capacity: when it is used up, recoveries wait; \
             on-demand billing has no such limit"
        );
    }
}

/// Only a warning, also if it cannot be found out.
async fn warn_of_backups(calls: &Calls) {
    let table = &calls.place.table;
    match has_backups(calls).await {
        Ok(true) => {}
        Ok(false) => tracing::warn!(
            table,
            "point-in-time recovery of the journal's table is off: what is deleted by mistake \
             is gone; `tidegate aws create-table` turns it on"
        ),
        Err(error) => {
            tracing::info!(table, %error, "it is not known whether the table is backed up")
        }
    }
}

async fn warn_of_expiry(calls: &Calls) {
    let table = &calls.place.table;
    match expires(calls).await {
        Ok(Some(attribute)) if attribute == EXPIRES => {}
        Ok(other) => tracing::warn!(
            table,
            attribute = other,
            "DynamoDB does not delete expired items of the journal's table: rubbish stays; \
             `tidegate aws create-table` turns it on"
        ),
        Err(error) => tracing::info!(table, %error, "it is not known whether rubbish is deleted"),
    }
}

/// Whether point-in-time recovery is on.
pub(super) async fn has_backups(calls: &Calls) -> Result<bool, ReadError> {
    let ask = calls.client.describe_continuous_backups();
    let answer = ask.table_name(&calls.place.table).send().await;
    let answer = answer.map_err(|error| calls.unread(&error))?;
    let recovery = answer
        .continuous_backups_description()
        .and_then(|backups| backups.point_in_time_recovery_description());
    let status = recovery.and_then(|recovery| recovery.point_in_time_recovery_status());
    Ok(status == Some(&PointInTimeRecoveryStatus::Enabled))
}

/// The attribute by which DynamoDB deletes what has expired.
pub(super) async fn expires(calls: &Calls) -> Result<Option<String>, ReadError> {
    let ask = calls.client.describe_time_to_live();
    let answer = ask.table_name(&calls.place.table).send().await;
    let answer = answer.map_err(|error| calls.unread(&error))?;
    let description = answer.time_to_live_description;
    let is_on = |it: &TimeToLiveDescription| {
        matches!(
            it.time_to_live_status(),
            Some(TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling)
        )
    };
    Ok(description.filter(is_on).and_then(|it| it.attribute_name))
}

pub(super) fn unfinished(calls: &Calls) -> OpenError {
    OpenError::Unfinished {
        table: calls.place.table.clone(),
    }
}
