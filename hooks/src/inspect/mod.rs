//! Reads a component without compiling or running it: whether it is one,
//! within which bounds, of which contract, with which manifest, and what it
//! imports. What passes here may still be refused by the compiler.

mod bounds;
mod contract;
mod error;
mod shape;
mod walk;

pub use self::{bounds::Bound, contract::Contract, error::InspectError};
use crate::{COMPONENT_BYTES, Digest, Manifest, engine::engine};

/// What a component says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// The name of its bytes.
    pub digest: Digest,
    /// Its description of itself.
    pub manifest: Manifest,
    /// Which contract it is of.
    pub contract: Contract,
    /// The names of all that it imports, sorted.
    pub imports: Vec<String>,
}

/// Inspects a component. Takes time and memory in proportion to its size, so
/// an async caller does this on a thread where it may block.
pub fn inspect(component: &[u8]) -> Result<Inspection, InspectError> {
    if component.len() > COMPONENT_BYTES {
        return Err(InspectError::TooLarge {
            bytes: component.len(),
        });
    }
    recognize(component)?;
    let features = engine()
        .map_err(|error| InspectError::Engine(error.to_string()))?
        .get_wasm_features();
    let outline = walk::walk(component, features)?;
    let contract = contract::exported(&outline)?;
    let manifest = manifest(&outline.manifests)?;
    contract::imported(&outline, manifest.profile)?;
    let mut imports: Vec<_> = outline
        .imports
        .iter()
        .map(|&name| name.to_owned())
        .collect();
    imports.sort();
    Ok(Inspection {
        digest: Digest::of(component),
        manifest,
        contract,
        imports,
    })
}

/// Tells what is no component at all from what is a damaged one.
fn recognize(component: &[u8]) -> Result<(), InspectError> {
    const MAGIC: &[u8] = b"\0asm";
    if component.is_empty() {
        return Err(InspectError::Empty);
    }
    if !component.starts_with(MAGIC) {
        return Err(InspectError::NotWasm);
    }
    if wasmparser::Parser::is_core_wasm(component) {
        return Err(InspectError::CoreModule);
    }
    Ok(())
}

fn manifest(sections: &[&[u8]]) -> Result<Manifest, InspectError> {
    match sections {
        [] => Err(InspectError::NoManifest),
        [one] => Ok(Manifest::parse(one)?),
        _ => Err(InspectError::SeveralManifests {
            count: sections.len(),
        }),
    }
}
