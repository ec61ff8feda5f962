//! Between the wire and the domain. No type of `tidegate.v1` goes further
//! than this module and the RPCs that use it, and no conversion hides in a
//! `From` somewhere else.

pub(crate) mod action;
pub(crate) mod commit;
pub(crate) mod enums;
pub(crate) mod execution;
pub(crate) mod hook;
pub(crate) mod plan;
pub(crate) mod stored_hook;
pub(crate) mod summary;
pub(crate) mod time;
pub(crate) mod wave;
