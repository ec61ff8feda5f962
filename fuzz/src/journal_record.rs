//! Journal records: bytes are a record or are refused with a reason; what is a
//! record is written again as the same record, and in one way only.

use tidegate_gateway::{
    driver::RecordView,
    journal_format::{DecodedRecord, RecordDraft, decode, encode},
};

/// Reads the bytes as a record.
///
/// # Panics
/// If the property does not hold.
pub fn check(bytes: &[u8]) {
    let record = match decode(bytes) {
        Ok(record) => record,
        Err(error) => {
            assert!(!error.to_string().is_empty(), "an error says something");
            return;
        }
    };
    let written = encode(&draft(&record));
    let again = decode(&written).expect("what is written is a record");
    assert_eq!(again, record, "it is written as the same record");
    assert_eq!(encode(&draft(&again)), written, "it is written in one way");
    assert_eq!(RecordView::from(&draft(&record)), record.view);
}

fn draft(record: &DecodedRecord) -> RecordDraft<'_> {
    RecordDraft {
        revision: record.view.revision,
        at: record.view.at,
        previous: record.previous.as_ref(),
        nonce: record.nonce,
        epoch: record.epoch,
        request: record.request.as_ref(),
        genesis: record.genesis.as_ref(),
        first_index: record.view.first_index,
        changes: &record.view.changes,
    }
}
