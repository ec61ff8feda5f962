//! What the seeds reach: a rule that is never put to the test holds for
//! nothing.

use std::collections::BTreeMap;

use crate::run;

const SEEDS: u64 = 300;

/// What happens in some seeds, by how it reads in a trace, and in how many it
/// must.
const MARKS: [(&str, usize); 28] = [
    ("OwnerChanged", 100),
    (" stops", 20),
    ("fails to start", 10),
    ("AnswerLost", 100),
    ("late append", 20),
    ("Unavailable", 30),
    ("orphan", 20),
    ("lost: Accepted", 20),
    ("late 0", 5),
    ("repeated 0", 5),
    ("is already part of job", 5),
    ("duplicates: [\"", 2),
    ("Concurrent jobs in progress", 5),
    ("code: Adopted", 20),
    ("code: NoTrace", 10),
    ("code: OwnerLost", 10),
    ("code: Deferred", 20),
    ("cause: Approval", 5),
    ("cause: Operator", 50),
    ("cause: Planned", 20),
    ("cause: Hook", 20),
    ("cause: WaveFailed", 20),
    ("RetryScheduled", 20),
    ("to: Terminated", 10),
    ("to: Cancelled", 20),
    ("code: Timeout", 20),
    ("append Err(Taken", 10),
    ("Closing", 20),
];

#[test]
fn the_seeds_reach_what_matters() {
    let mut reached: BTreeMap<&str, usize> = BTreeMap::new();
    for seed in 0..SEEDS {
        let lines = run::once(seed, None).lines;
        for (mark, _) in MARKS {
            let is_there = lines.iter().any(|line| line.contains(mark));
            *reached.entry(mark).or_default() += usize::from(is_there);
        }
    }
    println!("of {SEEDS} seeds: {reached:#?}");
    let missed: Vec<_> = MARKS
        .into_iter()
        .filter(|(mark, seeds)| reached[mark] < *seeds)
        .collect();
    assert_eq!(missed, [], "reached too seldom");
}
