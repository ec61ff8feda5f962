//! Which partition an execution is in. Every member, of every version, must
//! find the same one.

use sha2::{Digest as _, Sha256};
use tidegate_core::ExecutionId;

/// The partition of an execution, below `partitions`.
pub(super) fn of(execution: &ExecutionId, partitions: u16) -> u16 {
    let digest = Sha256::digest(execution.as_str().as_bytes());
    let (first, _) = digest.split_at(8);
    let number = first
        .iter()
        .fold(0_u64, |number, &byte| number << 8 | u64::from(byte));
    let partition = number % u64::from(partitions.max(1));
    u16::try_from(partition).expect("it is below a number of sixteen bits")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_partition_of_an_id_never_changes() {
        let of = |id: &str| super::of(&ExecutionId::from(id), 64);
        assert_eq!(of("01k0000000000000000000000a"), 40);
        assert_eq!(of("01k0000000000000000000000b"), 50);
        assert_eq!(of(""), 20);
    }

    #[test]
    fn ids_are_spread_evenly() {
        let mut counts = [0_u32; 64];
        for number in 0..64_000 {
            let id = ExecutionId::new(format!("{number:026}"));
            counts[usize::from(of(&id, 64))] += 1;
        }
        assert!(counts.iter().all(|count| (850..1_150).contains(count)));
    }
}
