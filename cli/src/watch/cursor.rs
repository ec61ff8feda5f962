//! Where a reader of a watch stream stands, and whether what comes next fits.
//!
//! The cursor makes a broken stream invisible: what was seen already is taken
//! out, and what is missing is noticed.

use tidegate_proto::v1::{Commit, WatchHeader};

/// What a reader has seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cursor {
    /// The last revision of which every change was seen.
    revision: u64,
    /// The last change that was seen; it may be in a later, unfinished commit.
    index: u64,
    /// Whether a header was seen.
    begun: bool,
}

/// A stream that does not go on where the reader stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gap {
    /// The change that should have come.
    pub(crate) expected: u64,
    /// The change that came.
    pub(crate) got: u64,
}

impl Cursor {
    /// What to pass as `after_revision`; `None` before the first header.
    pub(crate) fn after(&self) -> Option<u64> {
        self.begun.then_some(self.revision)
    }

    /// Takes the header of a stream; the first one is where the reader begins.
    ///
    /// # Errors
    /// Changes between the cursor and the snapshot were not seen.
    pub(crate) fn header(&mut self, header: &WatchHeader) -> Result<(), Gap> {
        if !self.begun {
            *self = Self {
                revision: header.revision,
                index: header.change_index,
                begun: true,
            };
            return Ok(());
        }
        if header.change_index > self.index {
            return Err(Gap {
                expected: self.index + 1,
                got: header.change_index,
            });
        }
        Ok(())
    }

    /// Takes a commit and leaves in it what was not seen before; `None` if that is nothing.
    ///
    /// # Errors
    /// A change is missing.
    pub(crate) fn commit(&mut self, mut commit: Commit) -> Result<Option<Commit>, Gap> {
        let seen = self.index;
        commit.changes.retain(|change| change.index > seen);
        for change in &commit.changes {
            if change.index != self.index + 1 {
                return Err(Gap {
                    expected: self.index + 1,
                    got: change.index,
                });
            }
            self.index = change.index;
        }
        if commit.complete {
            self.revision = self.revision.max(commit.revision);
        }
        Ok((!commit.changes.is_empty()).then_some(commit))
    }
}

#[cfg(test)]
mod tests {
    use tidegate_proto::v1::Change;

    use super::*;

    fn header(revision: u64, change_index: u64) -> WatchHeader {
        WatchHeader {
            revision,
            change_index,
            complete: true,
            ..WatchHeader::default()
        }
    }

    fn commit(revision: u64, indices: std::ops::RangeInclusive<u64>, complete: bool) -> Commit {
        Commit {
            revision,
            complete,
            changes: indices.map(|index| Change { index, kind: None }).collect(),
            ..Commit::default()
        }
    }

    fn begun(revision: u64, index: u64) -> Cursor {
        let mut cursor = Cursor::default();
        assert_eq!(cursor.header(&header(revision, index)), Ok(()));
        cursor
    }

    #[test]
    fn a_stream_goes_on_where_it_broke() {
        let mut cursor = begun(3, 10);
        assert!(cursor.commit(commit(4, 11..=13, true)).unwrap().is_some());
        assert_eq!(cursor.after(), Some(4));
        assert_eq!(cursor.header(&header(4, 13)), Ok(()));
        assert!(cursor.commit(commit(5, 14..=14, true)).unwrap().is_some());
    }

    #[test]
    fn a_commit_that_broke_in_the_middle_repeats_nothing() {
        let mut cursor = begun(3, 10);
        cursor.commit(commit(4, 11..=12, false)).unwrap();
        assert_eq!(cursor.after(), Some(3), "the commit is not complete");
        assert_eq!(cursor.header(&header(3, 10)), Ok(()));
        let rest = cursor.commit(commit(4, 11..=14, true)).unwrap().unwrap();
        let indices: Vec<u64> = rest.changes.iter().map(|change| change.index).collect();
        assert_eq!(indices, [13, 14]);
        assert_eq!(cursor.after(), Some(4));
    }

    #[test]
    fn a_commit_that_was_seen_is_nothing_new() {
        let mut cursor = begun(3, 10);
        cursor.commit(commit(4, 11..=12, true)).unwrap();
        assert_eq!(cursor.commit(commit(4, 11..=12, true)), Ok(None));
    }

    #[test]
    fn a_missing_change_is_noticed() {
        let mut cursor = begun(3, 10);
        let gap = Err(Gap {
            expected: 11,
            got: 12,
        });
        assert_eq!(cursor.commit(commit(4, 12..=12, true)), gap);
        assert!(begun(3, 10).header(&header(9, 20)).is_err());
    }
}
