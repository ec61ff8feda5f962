//! A record of the log: the page writes between two syncs.
//!
//! | bytes | what |
//! |---|---|
//! | 8 | `tidelog1` |
//! | 8 | sequence: one more than that of the record before |
//! | 8 | since: the first record that the synced pages may lack |
//! | 8 | length of the writes |
//! | 4 | CRC-32 of all of this, and of the writes |
//! | | the writes: offset (8), length (4), bytes |
//! | | zeros up to a whole block |
//!
//! Numbers are little-endian. No block holds parts of two records, so a write
//! that is torn can spoil no other.

/// What records are padded to: nothing smaller is written by a disk in part.
pub(super) const BLOCK: usize = 4096;

const MAGIC: [u8; 8] = *b"tidelog1";
/// Up to the checksum, and with it.
const SUMMED: usize = 32;
const HEADER: usize = SUMMED + 4;
/// Before the bytes of each write.
const PLACE: usize = 12;
/// What a draft keeps of its memory for the next one.
const KEPT: usize = 1 << 20;

/// A record that is still being written.
#[derive(Debug)]
pub(super) struct Draft(Vec<u8>);

impl Draft {
    pub(super) fn new() -> Self {
        Self(vec![0; HEADER])
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.len() == HEADER
    }

    /// Its length in the log if this were added.
    pub(super) fn len_with(&self, data: &[u8]) -> usize {
        (self.0.len() + PLACE + data.len()).next_multiple_of(BLOCK)
    }

    /// Its length in the log.
    pub(super) fn stored_len(&self) -> usize {
        self.0.len().next_multiple_of(BLOCK)
    }

    pub(super) fn add(&mut self, offset: u64, data: &[u8]) {
        let length = u32::try_from(data.len()).expect("a half is shorter than 4 GiB");
        self.0.extend_from_slice(&offset.to_le_bytes());
        self.0.extend_from_slice(&length.to_le_bytes());
        self.0.extend_from_slice(data);
    }

    /// The record's bytes, ready to be stored.
    pub(super) fn seal(&mut self, sequence: u64, since: u64) -> &[u8] {
        let length = (self.0.len() - HEADER) as u64;
        let (header, writes) = self.0.split_at_mut(HEADER);
        let numbers = [sequence, since, length].map(u64::to_le_bytes);
        for (place, bytes) in header
            .chunks_exact_mut(8)
            .zip([MAGIC].into_iter().chain(numbers))
        {
            place.copy_from_slice(&bytes);
        }
        let sum = checksum(&header[..SUMMED], writes);
        header[SUMMED..].copy_from_slice(&sum.to_le_bytes());
        self.0.resize(self.stored_len(), 0);
        &self.0
    }

    pub(super) fn clear(&mut self) {
        self.0.truncate(HEADER);
        self.0.shrink_to(KEPT);
    }
}

/// A record that was stored.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record<'a> {
    pub(super) sequence: u64,
    pub(super) since: u64,
    writes: &'a [u8],
}

impl<'a> Record<'a> {
    /// What starts here; `None` if it is no record, or not all of one.
    pub(super) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (header, rest) = bytes.split_at_checked(HEADER)?;
        let (summed, sum) = header.split_at(SUMMED);
        let [magic, sequence, since, length] = [0, 8, 16, 24].map(|at| number(summed, at));
        let writes = rest.get(..usize::try_from(length?).ok()?)?;
        let whole = magic == Some(u64::from_le_bytes(MAGIC))
            && sum == checksum(summed, writes).to_le_bytes();
        whole.then_some(Self {
            sequence: sequence?,
            since: since?,
            writes,
        })
    }

    /// Its length in the log.
    pub(super) fn stored_len(&self) -> usize {
        (HEADER + self.writes.len()).next_multiple_of(BLOCK)
    }

    /// Offset and bytes of each write, in order.
    pub(super) fn writes(&self) -> impl Iterator<Item = (u64, &'a [u8])> + use<'a> {
        let mut rest = self.writes;
        std::iter::from_fn(move || {
            let offset = number(rest, 0)?;
            let length = rest.get(8..PLACE)?.first_chunk().copied()?;
            let length = usize::try_from(u32::from_le_bytes(length)).ok()?;
            let data = rest.get(PLACE..PLACE + length)?;
            rest = &rest[PLACE + length..];
            Some((offset, data))
        })
    }
}

fn number(bytes: &[u8], at: usize) -> Option<u64> {
    let bytes = bytes.get(at..)?.first_chunk().copied()?;
    Some(u64::from_le_bytes(bytes))
}

fn checksum(header: &[u8], writes: &[u8]) -> u32 {
    let mut sum = crc32fast::Hasher::new();
    sum.update(header);
    sum.update(writes);
    sum.finalize()
}
