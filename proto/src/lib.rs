//! The written contracts of Tidegate.
//!
//! [`v1`] is the public gRPC API, [`journal`] the storage format. The Rust
//! code under `src/generated/` is generated from the `.proto` files beside it
//! and committed, so that nobody needs a protobuf compiler to build; the test
//! `generated_code_is_current` regenerates and compares.
//!
//! This crate holds no behaviour: domain types live in `tidegate-core`, and
//! conversions live at the edge that needs them.

/// The public gRPC API, `tidegate.v1`.
#[allow(
    missing_docs,
    unreachable_pub,
    reason = "generated; the .proto files carry the documentation"
)]
#[allow(
    clippy::all,
    clippy::wildcard_enum_match_arm,
    clippy::allow_attributes_without_reason,
    reason = "generated"
)]
pub mod v1 {
    include!("generated/tidegate.v1.rs");
}

/// The storage format, `tidegate.journal.v1`.
#[allow(
    missing_docs,
    unreachable_pub,
    reason = "generated; the .proto files carry the documentation"
)]
#[allow(
    clippy::all,
    clippy::wildcard_enum_match_arm,
    clippy::allow_attributes_without_reason,
    reason = "generated"
)]
pub mod journal {
    /// Version 1 of the storage format.
    pub mod v1 {
        include!("generated/tidegate.journal.v1.rs");
    }
}

/// Encoded `FileDescriptorSet` of `tidegate.v1` and what it imports; for
/// reflection and for protobuf JSON.
pub const DESCRIPTORS: &[u8] = include_bytes!("generated/tidegate.v1.bin");
