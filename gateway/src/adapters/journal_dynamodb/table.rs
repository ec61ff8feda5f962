//! Making the table.
//!
//! On-demand billing, since a recovery must not meet a limit that somebody
//! guessed; point-in-time recovery; and expiry by an attribute that only
//! rubbish has. Run again, it checks what is there and adds what is missing.

use std::{num::NonZeroU16, time::Duration};

use aws_sdk_dynamodb::{
    client::Waiters as _,
    error::BuildError,
    operation::{
        describe_table::DescribeTableError, update_continuous_backups::UpdateContinuousBackupsError,
    },
    types::{
        AttributeDefinition, BillingMode, KeySchemaElement, KeyType, LocalSecondaryIndex,
        PointInTimeRecoverySpecification, Projection, ProjectionType, ScalarAttributeType,
        TableDescription, TimeToLiveSpecification,
    },
};
use futures::{StreamExt as _, TryStreamExt as _, stream};

use super::{
    calls::{Calls, settled},
    client, item,
    keys::{self, EXPIRES, LIVE, PARTITION, SORT},
    meaning::Failure,
    open::{FORMAT, OpenError, PROJECTED, expires, has_backups, partitions, schema, unfinished},
    settings::Settings,
    write::Write,
};

/// How long a new table may take until it can be used; it is seconds.
const MAKING: Duration = Duration::from_secs(180);

/// Tries at turning backups on: DynamoDB refuses that for a while after it
/// made a table.
const TRIES: usize = 20;

/// The wait between those.
const WAIT: Duration = Duration::from_secs(3);

/// Leases that are written at the same time.
const AT_ONCE: usize = 8;

/// What was made, and what was there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Created {
    /// The Region.
    pub region: String,
    /// Whether the table is new.
    pub is_new: bool,
    /// Into how many partitions executions are divided.
    pub partitions: u16,
    /// Whether point-in-time recovery is on; DynamoDB Local has none.
    pub has_backups: bool,
}

/// Makes a table, or checks and completes one that is there. The number of
/// partitions of a table stays as it was when it was made.
///
/// # Errors
/// DynamoDB refuses, or the table is one of something else.
pub async fn create_table(settings: &Settings, wanted: NonZeroU16) -> Result<Created, OpenError> {
    let calls = Calls::new(client::connect(settings, None).await, settings);
    let is_new = match describe(&calls).await? {
        Some(found) => {
            schema(&settings.table, &found)?;
            false
        }
        None => {
            make(&calls).await?;
            true
        }
    };
    let has_backups = back_up(&calls, settings.endpoint.is_some()).await?;
    expire(&calls).await?;
    let partitions = divide(&calls, wanted).await?;
    Ok(Created {
        region: calls.place.region.clone(),
        is_new,
        partitions,
        has_backups,
    })
}

async fn describe(calls: &Calls) -> Result<Option<TableDescription>, OpenError> {
    let ask = calls.client.describe_table().table_name(&calls.place.table);
    match ask.send().await {
        Ok(found) => Ok(found.table),
        Err(error) => match error.as_service_error() {
            Some(DescribeTableError::ResourceNotFoundException(_)) => Ok(None),
            Some(_) | None => Err(calls.unread(&error).into()),
        },
    }
}

/// Makes the table and waits until it can be used.
async fn make(calls: &Calls) -> Result<(), OpenError> {
    let order = calls
        .client
        .create_table()
        .table_name(&calls.place.table)
        .billing_mode(BillingMode::PayPerRequest)
        .set_attribute_definitions(Some(attributes().map_err(unbuilt)?))
        .set_key_schema(Some(key(SORT).map_err(unbuilt)?))
        .local_secondary_indexes(index().map_err(unbuilt)?);
    order.send().await.map_err(|error| calls.unread(&error))?;
    let wait = calls.client.wait_until_table_exists();
    let made = wait.table_name(&calls.place.table).wait(MAKING).await;
    made.map_err(|error| OpenError::Unavailable(format!("{error}; try again")))?;
    Ok(())
}

fn attributes() -> Result<Vec<AttributeDefinition>, BuildError> {
    let text = |name| {
        AttributeDefinition::builder()
            .attribute_name(name)
            .attribute_type(ScalarAttributeType::S)
            .build()
    };
    [PARTITION, SORT, LIVE].into_iter().map(text).collect()
}

fn key(sort: &str) -> Result<Vec<KeySchemaElement>, BuildError> {
    let part = |name: &str, kind| {
        KeySchemaElement::builder()
            .attribute_name(name)
            .key_type(kind)
            .build()
    };
    Ok(vec![
        part(PARTITION, KeyType::Hash)?,
        part(sort, KeyType::Range)?,
    ])
}

fn index() -> Result<LocalSecondaryIndex, BuildError> {
    let projection = Projection::builder()
        .projection_type(ProjectionType::Include)
        .set_non_key_attributes(Some(PROJECTED.map(ToOwned::to_owned).into()))
        .build();
    LocalSecondaryIndex::builder()
        .index_name(LIVE)
        .set_key_schema(Some(key(LIVE)?))
        .projection(projection)
        .build()
}

/// Turns point-in-time recovery on; says whether it is on. Only an endpoint
/// may have none.
async fn back_up(calls: &Calls, is_endpoint: bool) -> Result<bool, OpenError> {
    match has_backups(calls).await {
        Ok(true) => return Ok(true),
        Err(_) if is_endpoint => return Ok(false),
        Err(error) => return Err(error.into()),
        Ok(false) => {}
    }
    let on = PointInTimeRecoverySpecification::builder().point_in_time_recovery_enabled(true);
    let on = on.build().map_err(unbuilt)?;
    for _ in 1..TRIES {
        let order = calls.client.update_continuous_backups();
        let order = order.table_name(&calls.place.table);
        let answer = order
            .point_in_time_recovery_specification(on.clone())
            .send()
            .await;
        match answer {
            Ok(_) => return Ok(true),
            Err(_) if is_endpoint => return Ok(false),
            Err(error) => match error.as_service_error() {
                Some(UpdateContinuousBackupsError::ContinuousBackupsUnavailableException(_)) => {
                    tokio::time::sleep(WAIT).await;
                }
                Some(_) | None => return Err(calls.unread(&error).into()),
            },
        }
    }
    Err(OpenError::Unavailable(format!(
        "DynamoDB does not turn point-in-time recovery on for table {}; run the command again",
        calls.place.table
    )))
}

/// Lets DynamoDB delete rubbish.
async fn expire(calls: &Calls) -> Result<(), OpenError> {
    match expires(calls).await? {
        Some(attribute) if attribute == EXPIRES => return Ok(()),
        Some(attribute) => {
            return Err(OpenError::NotAJournal {
                table: calls.place.table.clone(),
                reason: format!("its items expire by the attribute {attribute:?}"),
            });
        }
        None => {}
    }
    let on = TimeToLiveSpecification::builder()
        .enabled(true)
        .attribute_name(EXPIRES);
    let order = calls.client.update_time_to_live();
    let order = order.table_name(&calls.place.table);
    let order = order.time_to_live_specification(on.build().map_err(unbuilt)?);
    order.send().await.map_err(|error| calls.unread(&error))?;
    Ok(())
}

/// Writes the number of partitions, and a lease for each. Leases that are
/// there stay as they are.
async fn divide(calls: &Calls, wanted: NonZeroU16) -> Result<u16, OpenError> {
    let table = Write::put(keys::table())
        .set("format", item::number(FORMAT))
        .set("partitions", item::number(u64::from(wanted.get())))
        .if_absent();
    there(settled(|| calls.write(&table)).await)?;
    let partitions = partitions(calls).await?.ok_or_else(|| unfinished(calls))?;
    let leases = (0..partitions).map(|partition| {
        Write::put(keys::lease(partition))
            .set("epoch", item::number(0))
            .if_absent()
    });
    stream::iter(leases)
        .map(|lease| async move { there(settled(|| calls.write(&lease)).await) })
        .buffer_unordered(AT_ONCE)
        .try_collect::<()>()
        .await?;
    Ok(partitions)
}

/// Whether something is there, now or before.
fn there(written: Result<(), Failure>) -> Result<(), OpenError> {
    match written {
        Ok(()) | Err(Failure::Refused(_)) => Ok(()),
        Err(failure) => Err(OpenError::Unavailable(failure.text())),
    }
}

/// A bug of ours: something that the SDK wants is not given.
fn unbuilt(error: BuildError) -> OpenError {
    OpenError::Unavailable(error.to_string())
}
