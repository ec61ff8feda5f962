//! Opening: what the log holds, and the pages may lack, is written to them
//! again.

use std::{io, sync::Arc};

use redb::StorageBackend;

use super::{
    FoundLog, Shape,
    halves::{Log, Place},
    record::Record,
};

/// Why a log cannot be used.
#[derive(Debug, thiserror::Error)]
pub(in crate::adapters::journal_redb) enum ReplayError {
    /// Records that the pages need are not there.
    #[error("its log lacks the records {from} to {to}")]
    Gap {
        /// The first of them.
        from: u64,
        /// The last of them.
        to: u64,
    },
    /// The operating system refused.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// The log, ready for the next record, and what it was before.
pub(super) fn replay<P: StorageBackend, L: StorageBackend>(
    pages: &Arc<P>,
    file: L,
    shape: Shape,
) -> Result<(Log<L>, FoundLog), ReplayError> {
    let bytes = read(&file, shape)?;
    let (first, second) = bytes.split_at(shape.half);
    let mut chains = [Chain::read(first, 0), Chain::read(second, 1)];
    chains.sort_by_key(|chain| chain.newest().map(|newest| newest.sequence));
    let [older, newer] = chains;
    let Some(newest) = newer.newest() else {
        return Ok((
            Log::new(file, shape, 1, 1, Place::default()),
            FoundLog::Unused,
        ));
    };
    let next = newest.sequence + 1;
    let needed: Vec<&Record<'_>> = older
        .records
        .iter()
        .chain(&newer.records)
        .filter(|record| record.sequence >= newest.since)
        .collect();
    check_whole(&needed, newest)?;
    for (offset, data) in needed.iter().flat_map(|record| record.writes()) {
        let end = offset + data.len() as u64;
        if pages.len()? < end {
            pages.set_len(end)?;
        }
        pages.write(offset, data)?;
    }
    let place = Place {
        half: newer.half,
        at: newer.end,
    };
    let mut log = Log::new(file, shape, next, newest.since, place);
    if !needed.is_empty() {
        log.sync_pages(pages)?;
    }
    Ok((log, FoundLog::Used))
}

/// The whole log; zeros where it is too short.
fn read<L: StorageBackend>(file: &L, shape: Shape) -> io::Result<Vec<u8>> {
    let whole = shape.log_len() as u64;
    if file.len()? < whole {
        file.set_len(whole)?;
    }
    let mut bytes = vec![0; shape.log_len()];
    file.read(0, &mut bytes)?;
    Ok(bytes)
}

/// From `since` to the newest, each once.
fn check_whole(needed: &[&Record<'_>], newest: &Record<'_>) -> Result<(), ReplayError> {
    for (expected, record) in (newest.since..).zip(needed) {
        if record.sequence != expected {
            return Err(ReplayError::Gap {
                from: expected,
                to: record.sequence.saturating_sub(1),
            });
        }
    }
    Ok(())
}

/// The records of a half, from its start to the first that is none, is torn,
/// or is left from an earlier use of the half.
struct Chain<'a> {
    half: usize,
    records: Vec<Record<'a>>,
    end: usize,
}

impl<'a> Chain<'a> {
    fn read(bytes: &'a [u8], half: usize) -> Self {
        let mut records: Vec<Record<'a>> = Vec::new();
        let mut end = 0;
        while let Some(record) = bytes.get(end..).and_then(Record::parse) {
            let follows = records
                .last()
                .is_none_or(|before| record.sequence == before.sequence + 1);
            if !follows {
                break;
            }
            end += record.stored_len();
            records.push(record);
        }
        Self { half, records, end }
    }

    fn newest(&self) -> Option<&Record<'a>> {
        self.records.last()
    }
}
