//! Between the contract's calls and the author's [`Hook`].

use std::marker::PhantomData;

pub use crate::bindings::generated;
use crate::{
    Context, Hook, Parameters,
    bindings::generated::{
        exports::tidegate::hooks::hook::Guest,
        tidegate::hooks::types::{self, Entry},
    },
};

/// A hook behind the contract's exports.
#[doc(hidden)]
pub struct Exported<H>(PhantomData<H>);

impl<H: Hook> Exported<H> {
    /// Compiles if the type is a hook.
    #[doc(hidden)]
    pub fn check_type() {}
}

impl<H: Hook> Guest for Exported<H> {
    fn accepts(parameters: Vec<Entry>) -> Result<(), String> {
        report_panics();
        H::accepts(&Parameters::from_contract(parameters)).map_err(|error| error.describe())
    }

    fn check(context: types::Context) -> Result<types::Report, String> {
        report_panics();
        match H::check(&Context::from_contract(context)) {
            Ok(report) => Ok(report.into_contract()),
            Err(error) => Err(error.describe()),
        }
    }
}

/// A panic ends in `unreachable`, which tells nobody anything. What it said,
/// and where, goes out as an error line before that; the host puts that line
/// into the failure.
fn report_panics() {
    #[cfg(target_arch = "wasm32")]
    std::panic::set_hook(Box::new(|panic| {
        let message = panic.payload_as_str().unwrap_or("no message");
        let place = match panic.location() {
            Some(place) => format!("{}:{}", place.file(), place.line()),
            None => "an unknown place".to_owned(),
        };
        crate::log::error(format!("panicked at {place}: {message}"));
    }));
}
