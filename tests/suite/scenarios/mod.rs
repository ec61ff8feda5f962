//! Whole drills: the real binary, the real wire protocols, the real journal.

mod checks;
mod cleanup;
mod full_disk;
mod graphs;
pub(crate) mod kill_and_resume;
mod places;
mod quotas;
mod recorded_drill;
pub(crate) mod watching;
