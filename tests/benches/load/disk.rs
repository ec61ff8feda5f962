//! What the disk can do by itself, in the same run: the ceiling.

use std::{fs::File, io::Write as _, time::Instant};

use super::Percentiles;

/// Latency of appending 300 bytes and making them durable, one at a time.
pub(crate) fn raw_appends(count: usize) -> Percentiles {
    let folder = tempfile::tempdir().expect("a folder");
    let mut file = File::create(folder.path().join("log")).expect("a file");
    let mut latencies = Vec::with_capacity(count);
    for _ in 0..count {
        let began = Instant::now();
        file.write_all(&[0x5a; 300]).expect("the disk has room");
        file.sync_data().expect("the disk works");
        latencies.push(began.elapsed());
    }
    Percentiles::of(latencies)
}
