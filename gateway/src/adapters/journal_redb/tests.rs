//! What only this journal promises. What every journal promises is in the
//! conformance suite.

mod disk;
mod failing;
mod files;
mod hooks;
mod inline;
mod page_log;
mod power;

use bytes::Bytes;

use self::disk::{Disk, Switches};
use super::{OpenProblem, RedbJournal, Settings, page_log::Shape};

use crate::ports::journal::{Append, HeadUpdate};

/// A first record of an execution.
fn first_record(execution: &str) -> Append {
    Append {
        execution: execution.into(),
        revision: 1,
        record: Bytes::from_static(b"record"),
        head: Some(HeadUpdate {
            live: true,
            summary: Bytes::from_static(b"summary"),
        }),
        claim: None,
        holds: None,
    }
}

/// A new journal on disks that are switched together.
fn open_on(switches: &Switches) -> Result<RedbJournal, OpenProblem> {
    let [pages, log] = [(); 2].map(|()| Disk::new(switches));
    RedbJournal::on_disks(pages, log, Shape::default(), &Settings::default())
}
