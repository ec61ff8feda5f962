//! Facts about the engine, a theme per file, as given, when, then.

mod cancel;
mod cleanup;
mod failure;
mod gates;
mod graph;
mod hook_evidence;
mod hook_failures;
mod hooks;
mod misfits;
mod operator;
mod pause;
mod queue;
mod reconciliation;
mod retry;
mod selection;
mod splitting;
mod timeouts;
mod tolerance;
