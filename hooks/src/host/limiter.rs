//! Counts what a guest allocates. wasmtime's own limits are per memory and per
//! table and leave no trace; these are for an attempt as a whole, and they
//! remember each denial, because nothing else tells a guest that ran out of
//! memory from one that trapped for its own reasons.

use wasmtime::ResourceLimiter;

use crate::Limits;

/// Core instances of one attempt. Components of wit-component have three,
/// those of componentize-py some 35. Setting one up cannot be interrupted and
/// costs no fuel (90 ns for each element that is placed by more than a
/// constant), so there are not many more.
pub(super) const INSTANCES: usize = 64;
/// Linear memories of one attempt.
pub(super) const MEMORIES: usize = 20;
/// Tables of one attempt.
pub(super) const TABLES: usize = 100;

/// What one attempt has allocated and was denied.
#[derive(Debug)]
pub(super) struct Limiter {
    pub(super) memory: Pool,
    pub(super) tables: Pool,
}

/// Something of which an attempt may have so much in all.
#[derive(Debug)]
pub(super) struct Pool {
    pub(super) limit: usize,
    /// Held now. Nothing is given back before the attempt ends.
    held: usize,
    pub(super) denials: u32,
}

impl Limiter {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            memory: Pool::new(limits.memory),
            tables: Pool::new(limits.table_elements),
        }
    }
}

impl Pool {
    fn new(limit: usize) -> Self {
        Self {
            limit,
            held: 0,
            denials: 0,
        }
    }

    /// Most held at once: what is held at the end.
    pub(super) fn peak(&self) -> usize {
        self.held
    }

    pub(super) fn denied(&self) -> bool {
        self.denials > 0
    }

    fn deny(&mut self) {
        self.denials = self.denials.saturating_add(1);
    }

    fn grow(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> bool {
        let held = self.held.saturating_add(desired.saturating_sub(current));
        if held > self.limit {
            self.deny();
            return false;
        }
        // Within our limits but not within those that the guest declares.
        if maximum.is_some_and(|maximum| desired > maximum) {
            return false;
        }
        self.held = held;
        true
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(self.memory.grow(current, desired, maximum))
    }

    // Asked for more than 4 GiB, or the machine has none left. What was
    // counted for it stays counted.
    fn memory_grow_failed(&mut self, _: wasmtime::Error) -> wasmtime::Result<()> {
        self.memory.deny();
        Ok(())
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(self.tables.grow(current, desired, maximum))
    }

    fn table_grow_failed(&mut self, _: wasmtime::Error) -> wasmtime::Result<()> {
        self.tables.deny();
        Ok(())
    }

    fn instances(&self) -> usize {
        INSTANCES
    }

    fn memories(&self) -> usize {
        MEMORIES
    }

    fn tables(&self) -> usize {
        TABLES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limiter() -> Limiter {
        Limiter::new(&Limits {
            memory: 100,
            table_elements: 10,
            ..Limits::DEFAULT
        })
    }

    #[test]
    fn memories_are_counted_together() {
        let mut limiter = limiter();
        assert!(limiter.memory_growing(0, 60, None).expect("it answers"));
        assert!(!limiter.memory_growing(0, 60, None).expect("it answers"));
        assert!(limiter.memory_growing(0, 40, None).expect("it answers"));
        assert!(!limiter.memory_growing(40, 41, None).expect("it answers"));
        assert_eq!((limiter.memory.peak(), limiter.memory.denials), (100, 2));
        assert!(!limiter.tables.denied());
    }

    #[test]
    fn tables_are_counted_apart_from_memories() {
        let mut limiter = limiter();
        assert!(limiter.table_growing(0, 10, None).expect("it answers"));
        assert!(!limiter.table_growing(10, 11, None).expect("it answers"));
        assert_eq!(limiter.tables.denials, 1);
        assert!(limiter.memory_growing(0, 100, None).expect("it answers"));
    }

    #[test]
    fn a_guest_that_hits_its_own_maximum_was_not_denied() {
        let mut limiter = limiter();
        assert!(!limiter.memory_growing(0, 60, Some(50)).expect("it answers"));
        assert_eq!((limiter.memory.peak(), limiter.memory.denials), (0, 0));
    }
}
