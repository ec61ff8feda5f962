//! Behaviour pinned as files under `snapshots`: a change of it is a diff.

mod graph;
mod requests;
mod stations;
mod waves;
