//! The wave engine from outside: facts, pinned tables, and properties.
//!
//! `TIDEGATE_CASES` sets how many cases the property runs; 8,000 otherwise.

mod drafts;
mod facts;
mod lines;
mod property;
mod run;
mod tables;
