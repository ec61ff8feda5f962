//! What is asked of DynamoDB, counted.

use std::sync::atomic::{AtomicU64, Ordering};

use aws_sdk_dynamodb::types::ConsumedCapacity;

/// What was asked of DynamoDB: answered and failed calls alike, except for the
/// units, which DynamoDB only tells of calls that it performed.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Usage {
    /// PutItem.
    pub puts: u64,
    /// UpdateItem.
    pub updates: u64,
    /// DeleteItem.
    pub deletes: u64,
    /// TransactWriteItems.
    pub transactions: u64,
    /// Writes inside those.
    pub transaction_writes: u64,
    /// GetItem and Query.
    pub reads: u64,
    /// Write request units, indexes and the surcharge for transactions
    /// included.
    pub write_units: f64,
    /// Read request units.
    pub read_units: f64,
}

impl Usage {
    /// What was asked since an earlier count.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        Self {
            puts: self.puts - earlier.puts,
            updates: self.updates - earlier.updates,
            deletes: self.deletes - earlier.deletes,
            transactions: self.transactions - earlier.transactions,
            transaction_writes: self.transaction_writes - earlier.transaction_writes,
            reads: self.reads - earlier.reads,
            write_units: self.write_units - earlier.write_units,
            read_units: self.read_units - earlier.read_units,
        }
    }
}

/// Counts up.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) puts: AtomicU64,
    pub(super) updates: AtomicU64,
    pub(super) deletes: AtomicU64,
    pub(super) transactions: AtomicU64,
    pub(super) transaction_writes: AtomicU64,
    pub(super) reads: AtomicU64,
    /// The smallest thing that DynamoDB counts is half a unit.
    write_half_units: AtomicU64,
    read_half_units: AtomicU64,
}

impl Counters {
    pub(super) fn wrote(&self, consumed: &[ConsumedCapacity]) {
        add(&self.write_half_units, half_units(consumed));
    }

    pub(super) fn read(&self, consumed: &[ConsumedCapacity]) {
        add(&self.read_half_units, half_units(consumed));
    }

    pub(super) fn usage(&self) -> Usage {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        // Exact up to 2^52 units.
        let units = |counter| of(counter) as f64 / 2.0;
        Usage {
            puts: of(&self.puts),
            updates: of(&self.updates),
            deletes: of(&self.deletes),
            transactions: of(&self.transactions),
            transaction_writes: of(&self.transaction_writes),
            reads: of(&self.reads),
            write_units: units(&self.write_half_units),
            read_units: units(&self.read_half_units),
        }
    }
}

/// Counts one, or more.
pub(super) fn add(counter: &AtomicU64, more: u64) {
    counter.fetch_add(more, Ordering::Relaxed);
}

/// Small positive numbers: nothing is cut off.
fn half_units(consumed: &[ConsumedCapacity]) -> u64 {
    let units = consumed.iter().filter_map(ConsumedCapacity::capacity_units);
    (units.sum::<f64>() * 2.0).round() as u64
}
