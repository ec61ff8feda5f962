//! From what a compiler leaves to a component that says who it is.

use std::borrow::Cow;

use thiserror::Error;
use wasmparser::{Parser, Payload};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::{Resolve, SourceMap, WorldId};

use crate::{Manifest, attach};

/// The contract's files: name and text.
pub(crate) const CONTRACT: [(&str, &str); 4] = [
    ("hook.wit", include_str!("../../wit/v1/hook.wit")),
    ("log.wit", include_str!("../../wit/v1/log.wit")),
    ("probe.wit", include_str!("../../wit/v1/probe.wit")),
    ("types.wit", include_str!("../../wit/v1/types.wit")),
];

/// What a guest's exports and imports are checked against.
const WORLD: &str = "gate";

/// Custom sections by which a core module says what component it wants to be.
/// Rust's bindings write one; a C compiler does not.
const TYPE_SECTION: &str = "component-type";

/// Why no component can be made.
#[derive(Debug, Error)]
pub enum EncodeError {
    /// Not WebAssembly at all.
    #[error("what the build left is not WebAssembly: {0}")]
    NotWasm(String),
    /// A core module that does not fit the contract.
    #[error("what the build left does not fit the contract tidegate:hooks@1: {0}")]
    Contract(String),
}

/// Makes a component with this manifest of what a build left: a core module or
/// a component.
///
/// # Errors
/// What is wrong with it.
pub fn encode(output: &[u8], manifest: &Manifest) -> Result<Vec<u8>, EncodeError> {
    if Parser::is_component(output) {
        return Ok(attach(output, manifest));
    }
    let component = of_core_module(output, is_typed(output)?).map_err(EncodeError::Contract)?;
    Ok(attach(&component, manifest))
}

/// Whether a core module says what component it wants to be.
fn is_typed(module: &[u8]) -> Result<bool, EncodeError> {
    for payload in Parser::new(0).parse_all(module) {
        let payload = payload.map_err(|error| EncodeError::NotWasm(error.to_string()))?;
        if let Payload::CustomSection(section) = payload
            && section.name().starts_with(TYPE_SECTION)
        {
            return Ok(true);
        }
    }
    Ok(false)
}

fn of_core_module(module: &[u8], typed: bool) -> Result<Vec<u8>, String> {
    let mut module = Cow::Borrowed(module);
    if !typed {
        let (resolve, world) = contract();
        embed_component_metadata(module.to_mut(), &resolve, world, StringEncoding::UTF8)
            .map_err(|error| format!("{error:#}"))?;
    }
    ComponentEncoder::default()
        .validate(true)
        .module(&module)
        .and_then(|mut encoder| encoder.encode())
        // With its causes, on one line.
        .map_err(|error| format!("{error:#}"))
}

fn contract() -> (Resolve, WorldId) {
    let mut sources = SourceMap::new();
    for (name, text) in CONTRACT {
        sources.push_str(name, text);
    }
    let Ok(group) = sources.parse() else {
        panic!("the contract's own files are WIT")
    };
    let mut resolve = Resolve::default();
    let package = resolve
        .push_group(group)
        .expect("the contract's own files need no others");
    let world = resolve
        .select_world(&[package], Some(WORLD))
        .expect("the contract has this world");
    (resolve, world)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Phase, Profile};

    fn manifest() -> Manifest {
        Manifest {
            name: "a".to_owned(),
            version: "1".to_owned(),
            description: String::new(),
            phases: vec![Phase::PreWave],
            profile: Profile::Plain,
            needs: Vec::new(),
        }
    }

    #[test]
    fn a_component_stays_as_it_is_but_for_its_manifest() {
        let plain = wat::parse_str("(component (core module))").unwrap();
        let component = encode(&plain, &manifest()).unwrap();
        assert!(component.starts_with(&plain));
        assert_eq!(component, attach(&plain, &manifest()));
    }

    #[test]
    fn a_module_without_the_contracts_exports_is_refused() {
        let module = wat::parse_str("(module)").unwrap();
        let error = encode(&module, &manifest()).unwrap_err();
        assert!(matches!(error, EncodeError::Contract(_)), "{error}");
        assert!(error.to_string().contains("tidegate:hooks"), "{error}");
    }

    #[test]
    fn text_is_not_webassembly() {
        assert!(matches!(
            encode(b"#!/bin/sh\n", &manifest()),
            Err(EncodeError::NotWasm(_))
        ));
    }
}
