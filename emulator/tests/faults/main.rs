//! Faults over real HTTP: what a caller hears, and what is true all the same.

mod calls;
mod control;
mod jobs;
mod rig;
mod service;
