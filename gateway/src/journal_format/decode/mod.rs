//! From stored bytes to the engine's values.

mod change;
mod hook;
mod value;

use std::sync::Arc;

use prost::Message as _;
use tidegate_core::{ExecutionId, Timestamp};
use tidegate_proto::journal::v1 as stored;

use super::{DecodedRecord, FORMAT, FormatError, GenesisRecord, RecordHash, enums, hex};
use crate::driver::{Origin, RecordView, RequestStamp};

/// Decodes a record.
pub fn decode(bytes: &[u8]) -> Result<DecodedRecord, FormatError> {
    let record =
        stored::Record::decode(bytes).map_err(|error| FormatError::Malformed(error.to_string()))?;
    check_format(record.format)?;
    let previous = to_previous(record.revision, &record.previous_hash)?;
    let genesis = to_genesis(record.revision, record.origin)?;
    let request = record.request.map(to_request).transpose()?;
    let changes = record.changes.into_iter().map(change::to_change);
    let view = RecordView {
        revision: record.revision,
        at: Timestamp::from_millis(record.at_ms),
        first_index: record.first_index,
        changes: changes.collect::<Result<_, _>>()?,
        request_id: request
            .as_ref()
            .map_or_else(String::new, |request| request.id.clone()),
        previous_hash: previous.as_ref().map(hex).unwrap_or_default(),
        origin: genesis.as_ref().map(|genesis| genesis.origin.clone()),
    };
    Ok(DecodedRecord {
        view,
        previous,
        nonce: exactly("nonce", &record.nonce)?,
        epoch: record.epoch,
        request,
        genesis,
    })
}

fn check_format(found: u32) -> Result<(), FormatError> {
    match found {
        0 => Err(FormatError::Missing { field: "format" }),
        1..=FORMAT => Ok(()),
        _ => Err(FormatError::Newer {
            found,
            newest: FORMAT,
        }),
    }
}

fn to_previous(revision: u64, bytes: &[u8]) -> Result<Option<RecordHash>, FormatError> {
    const FIELD: &str = "hash of the record before";
    match (revision, bytes) {
        (0, _) => Err(FormatError::Missing { field: "revision" }),
        (1, []) => Ok(None),
        (1, _) => Err(FormatError::Unexpected { field: FIELD }),
        (_, []) => Err(FormatError::Missing { field: FIELD }),
        (_, bytes) => exactly(FIELD, bytes).map(Some),
    }
}

fn to_request(request: stored::Request) -> Result<RequestStamp, FormatError> {
    Ok(RequestStamp {
        digest: exactly("digest of the request", &request.digest)?,
        id: request.id,
    })
}

fn to_genesis(
    revision: u64,
    origin: Option<stored::Origin>,
) -> Result<Option<GenesisRecord>, FormatError> {
    const FIELD: &str = "origin";
    match (revision, origin) {
        (1, Some(origin)) => to_origin(origin).map(Some),
        (1, None) => Err(FormatError::Missing { field: FIELD }),
        (_, Some(_)) => Err(FormatError::Unexpected { field: FIELD }),
        (_, None) => Ok(None),
    }
}

fn to_origin(origin: stored::Origin) -> Result<GenesisRecord, FormatError> {
    Ok(GenesisRecord {
        execution: ExecutionId::new(origin.execution_id),
        kind: enums::to_kind(origin.kind)?,
        created_at: Timestamp::from_millis(origin.created_at_ms),
        origin: Arc::new(Origin {
            plan_revision: origin.plan_revision,
            plan_digest: origin.plan_digest,
            plan: origin.plan,
            source: origin.source_execution.map(ExecutionId::new),
        }),
    })
}

fn exactly<const N: usize>(field: &'static str, bytes: &[u8]) -> Result<[u8; N], FormatError> {
    bytes.try_into().map_err(|_| FormatError::Length {
        field,
        found: bytes.len(),
        wanted: N,
    })
}
