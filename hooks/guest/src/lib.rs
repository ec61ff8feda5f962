//! What the author of a Tidegate hook depends on.
//!
//! A hook answers one question about one wave of a recovery: go on? It is a
//! WebAssembly component in a sandbox: it has no clock, no files and no
//! network. What it knows stands in its [`Context`], what it wants to know it
//! asks by [`probe`], and to wait it answers [`Report::retry_after_ms`] and is
//! asked again.
//!
//! ```
//! use std::num::NonZeroU16;
//! use tidegate_hook::{Context, Error, Finding, Hook, Parameters, Report, probe};
//!
//! struct PortOpen;
//!
//! impl Hook for PortOpen {
//!     fn accepts(parameters: &Parameters) -> Result<(), Error> {
//!         parameters.only(&["port"])?;
//!         parameters.required::<NonZeroU16>("port")?;
//!         Ok(())
//!     }
//!
//!     fn check(context: &Context) -> Result<Report, Error> {
//!         let port = context.parameters.required::<NonZeroU16>("port")?.get();
//!         for server in &context.servers {
//!             if let Err(failure) = probe::tcp(server.port(port)).timeout_ms(2_000).connect() {
//!                 return Ok(Report::retry_after_ms(15_000, "not all servers answer yet").finding(
//!                     Finding::error("port-closed").about(&server.id).message(failure),
//!                 ));
//!             }
//!         }
//!         Ok(Report::proceed())
//!     }
//! }
//!
//! tidegate_hook::export!(PortOpen);
//! ```
//!
//! It builds for `wasm32-unknown-unknown` as a `cdylib`. Natively it builds as
//! well, so that a hook can be tested like any other code; there [`testing`]
//! answers the probes.
//!
//! An `Err` and a panic both say that the hook could not tell, which never
//! means "proceed". Both name the file and the line.

mod bindings;
mod context;
mod entries;
mod error;
mod export;
pub mod log;
mod parameters;
pub mod probe;
mod report;
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;

#[doc(hidden)]
pub use export::{Exported, generated};

pub use context::{Context, Earlier, Launch, Mode, Phase, Server};
pub use entries::Entries;
pub use error::Error;
pub use parameters::{Parameters, Value};
pub use report::{Finding, Report, Severity, Verdict};

/// A check of one wave. [`export!`] makes a component of it.
pub trait Hook {
    /// Whether these are parameters that [`Hook::check`] can work with. Asked
    /// when a plan is accepted, so that a typing mistake is found then and not
    /// during a recovery. Probes are denied here.
    ///
    /// # Errors
    /// For whoever wrote the plan: which parameter is wrong and what to write.
    fn accepts(parameters: &Parameters) -> Result<(), Error> {
        let _ = parameters;
        Ok(())
    }

    /// Answers: go on?
    ///
    /// # Errors
    /// The hook could not tell. What that means stands in the plan.
    fn check(context: &Context) -> Result<Report, Error>;
}

/// Makes this type, which implements [`Hook`], the component's hook.
///
/// Once a crate, at its root. Natively it only checks the type.
#[macro_export]
macro_rules! export {
    ($hook:ty) => {
        const _: () = {
            type Exported = $crate::Exported<$hook>;
            #[cfg(not(target_arch = "wasm32"))]
            const _: fn() = Exported::check_type;
            #[cfg(target_arch = "wasm32")]
    $crate::generated::export!(Exported with_types_in $crate::generated);
        };
    };
}
