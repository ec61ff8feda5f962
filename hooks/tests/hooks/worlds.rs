//! Components of contracts that are not quite ours, or not ours at all.

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::{Resolve, SourceMap, WorldId};

/// The files of the contract.
const V1: [(&str, &str); 4] = [
    ("hook.wit", include_str!("../../wit/v1/hook.wit")),
    ("log.wit", include_str!("../../wit/v1/log.wit")),
    ("probe.wit", include_str!("../../wit/v1/probe.wit")),
    ("types.wit", include_str!("../../wit/v1/types.wit")),
];

/// A module that exports what the contract asks for and imports nothing.
pub(crate) const EXPORTS: &str = r#"
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (unreachable))
  (func (export "tidegate:hooks/hook@1.0.0#check") (param i32) (result i32) (unreachable))
  (func (export "tidegate:hooks/hook@1.0.0#accepts") (param i32 i32) (result i32) (unreachable))
"#;

/// A component of the contract in which this text of the file stands instead
/// of that.
pub(crate) fn edited(file: &str, from: &str, to: &str, module: &str) -> Vec<u8> {
    let mut sources = SourceMap::default();
    for (name, text) in V1 {
        if name == file {
            assert!(text.contains(from), "{file} has no {from:?}");
            sources.push_str(name, text.replacen(from, to, 1));
        } else {
            sources.push_str(name, text);
        }
    }
    let Ok(group) = sources.parse() else {
        panic!("{file} with {to:?} is not WIT")
    };
    let mut resolve = Resolve::default();
    let package = resolve.push_group(group).expect("it needs no others");
    let world = resolve.select_world(&[package], Some("gate"));
    component(&resolve, world.expect("it has the world"), module)
}

/// A component of the contract, with more in its world.
pub(crate) fn extended(packages: &[&str], more: &str, module: &str) -> Vec<u8> {
    let mut resolve = Resolve::default();
    let contract = concat!(env!("CARGO_MANIFEST_DIR"), "/wit/v1");
    resolve.push_dir(contract).expect("the contract is valid");
    for package in packages {
        let pushed = resolve.push_str("other.wit", package);
        pushed.expect("the package is valid");
    }
    let text = format!(
        "package test:guest;
        world guest {{ include tidegate:hooks/gate@1.0.0; {more} }}"
    );
    let package = resolve.push_str("guest.wit", &text);
    let package = package.expect("the world is valid");
    let world = resolve.select_world(&[package], Some("guest"));
    component(&resolve, world.expect("it is there"), module)
}

/// A component of one package with one world.
pub(crate) fn foreign(wit: &str, module: &str) -> Vec<u8> {
    let mut resolve = Resolve::default();
    let package = resolve.push_str("foreign.wit", wit);
    let package = package.expect("the package is valid");
    let world = resolve.select_world(&[package], None);
    component(&resolve, world.expect("it has one world"), module)
}

fn component(resolve: &Resolve, world: WorldId, module: &str) -> Vec<u8> {
    let text = format!("(module {module})");
    let mut module = wat::parse_str(text).expect("the module's text is right");
    embed_component_metadata(&mut module, resolve, world, StringEncoding::UTF8)
        .expect("the world can be embedded");
    ComponentEncoder::default()
        .module(&module)
        .expect("the module speaks the contract")
        .encode()
        .expect("the module can be made a component")
}
