//! Lines for whoever wonders later what a hook did. They are kept with the
//! attempt; what goes beyond its budget is counted and dropped.

pub use crate::bindings::generated::tidegate::hooks::log::Level;

/// For the author.
pub fn debug(message: impl ToString) {
    write(Level::Debug, &message.to_string());
}

/// For whoever reads.
pub fn info(message: impl ToString) {
    write(Level::Info, &message.to_string());
}

/// Worth a look.
pub fn warning(message: impl ToString) {
    write(Level::Warning, &message.to_string());
}

/// Something is wrong.
pub fn error(message: impl ToString) {
    write(Level::Error, &message.to_string());
}

#[cfg(target_arch = "wasm32")]
fn write(level: Level, message: &str) {
    crate::bindings::generated::tidegate::hooks::log::write(level, message);
}

#[cfg(not(target_arch = "wasm32"))]
fn write(level: Level, message: &str) {
    crate::testing::record(level, message);
}
