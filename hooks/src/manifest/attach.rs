//! Puts a manifest into a component.

use std::ops::Range;

use wasm_encoder::{ComponentSection as _, CustomSection};
use wasmparser::BinaryReader;

use super::{Manifest, SECTION};

/// Magic, version and layer.
const HEADER: usize = 8;

/// The component with this manifest, in place of any that it has at its top.
/// Nothing else of it is changed or judged: what is no component before is
/// none afterwards, and [`crate::inspect`] says why.
#[must_use]
pub fn attach(component: &[u8], manifest: &Manifest) -> Vec<u8> {
    let data = manifest.to_section();
    let mut with = Vec::with_capacity(component.len() + data.len() + 32);
    let mut copied = 0;
    for section in manifests(component) {
        with.extend_from_slice(&component[copied..section.start]);
        copied = section.end;
    }
    with.extend_from_slice(&component[copied..]);
    CustomSection {
        name: SECTION.into(),
        data: data.into(),
    }
    .append_to_component(&mut with);
    with
}

/// Where the manifests at the top of a component stand.
fn manifests(component: &[u8]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let Some(sections) = component.get(HEADER..) else {
        return found;
    };
    let mut reader = BinaryReader::new(sections, HEADER);
    while !reader.eof() {
        let start = reader.original_position();
        match is_manifest(&mut reader) {
            Ok(true) => found.push(start..reader.original_position()),
            Ok(false) => {}
            Err(_) => break,
        }
    }
    found
}

/// Reads one section.
fn is_manifest(reader: &mut BinaryReader<'_>) -> wasmparser::Result<bool> {
    const CUSTOM: u8 = 0;
    let id = reader.read_u8()?;
    let size = reader.read_var_u32()?;
    let start = reader.original_position();
    let content = reader.read_bytes(size as usize)?;
    Ok(id == CUSTOM
        && BinaryReader::new(content, start)
            .read_string()
            .is_ok_and(|name| name == SECTION))
}
