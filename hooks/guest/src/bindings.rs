//! The contract, as generated from `wit/v1`. Nothing outside this crate sees
//! it: when a newer contract comes, hooks are rebuilt and not rewritten.

#[allow(
    missing_docs,
    unreachable_pub,
    clippy::allow_attributes_without_reason,
    reason = "generated; what is linted differs between the targets"
)]
pub mod generated {
    wit_bindgen::generate!({
        path: "../wit/v1",
        world: "gate",
        pub_export_macro: true,
        default_bindings_module: "tidegate_hook::generated",
    });
}
