//! What the hooks do, from outside. One binary, so that the crate is linked
//! once.

mod cache;
mod compile;
mod examples;
mod guests;
mod hostile;
mod hosts;
mod inspect;
mod manifest;
mod policy;
mod prepared;
mod probes;
mod replay;
mod runs;
mod worlds;
