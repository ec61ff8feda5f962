//! One pass over the bytes: counts, validates, and notes what stands at the
//! top. Functions are validated as they come, so nothing is gathered up.

use std::ops::ControlFlow;

use wasmparser::{
    Chunk, FuncValidatorAllocations, Parser, Payload, ValidPayload, Validator, WasmFeatures,
    types::Types,
};

use super::{Bound, InspectError, bounds::Counts};
use crate::manifest::SECTION;

/// What stands at the top of a component.
pub(super) struct Outline<'a> {
    /// The types of all that follows.
    pub(super) types: Types,
    pub(super) imports: Vec<&'a str>,
    pub(super) exports: Vec<&'a str>,
    /// The contents of each manifest section.
    pub(super) manifests: Vec<&'a [u8]>,
}

pub(super) fn walk(component: &[u8], features: WasmFeatures) -> Result<Outline<'_>, InspectError> {
    let mut parser = Parser::new(0);
    parser.set_features(features);
    let mut walk = Walk {
        validator: Validator::new_with_features(features),
        allocations: FuncValidatorAllocations::default(),
        counts: Counts::default(),
        parser,
        end: component.len(),
        outer: Vec::new(),
        imports: Vec::new(),
        exports: Vec::new(),
        manifests: Vec::new(),
    };
    let mut rest = component;
    loop {
        // Bytes that end where they were announced to are no truncation.
        let end = rest.is_empty() && component.len() == walk.end;
        match walk.parser.parse(rest, end).map_err(malformed)? {
            Chunk::NeedMoreData(_) => {
                return Err(InspectError::Truncated {
                    at: component.len(),
                });
            }
            Chunk::Parsed { consumed, payload } => {
                rest = &rest[consumed..];
                if let ControlFlow::Break(types) = walk.take(payload)? {
                    return Ok(Outline {
                        types,
                        imports: walk.imports,
                        exports: walk.exports,
                        manifests: walk.manifests,
                    });
                }
            }
        }
    }
}

struct Walk<'a> {
    validator: Validator,
    allocations: FuncValidatorAllocations,
    counts: Counts,
    /// Of the present component or module.
    parser: Parser,
    /// Where that ends.
    end: usize,
    /// Both, of the components around it.
    outer: Vec<(Parser, usize)>,
    imports: Vec<&'a str>,
    exports: Vec<&'a str>,
    manifests: Vec<&'a [u8]>,
}

impl<'a> Walk<'a> {
    /// Breaks with the types when the outermost component has ended.
    fn take(&mut self, payload: Payload<'a>) -> Result<ControlFlow<Types>, InspectError> {
        self.counts.count(&payload)?;
        let verdict = self.validator.payload(&payload).map_err(malformed)?;
        if self.outer.is_empty() {
            self.note(&payload)?;
        }
        let inner_end = end_of_inner(&payload);
        match verdict {
            ValidPayload::Ok => {}
            ValidPayload::Parser(mut inner) => {
                if self.outer.len() == Bound::Nesting.most() {
                    return Err(InspectError::Bound {
                        bound: Bound::Nesting,
                    });
                }
                inner.set_features(*self.validator.features());
                let parser = std::mem::replace(&mut self.parser, inner);
                self.outer.push((parser, self.end));
                self.end = inner_end.unwrap_or(self.end);
            }
            ValidPayload::Func(function, body) => {
                let mut validator = function.into_validator(std::mem::take(&mut self.allocations));
                validator.validate(&body).map_err(malformed)?;
                self.allocations = validator.into_allocations();
            }
            ValidPayload::End(types) => match self.outer.pop() {
                Some(around) => (self.parser, self.end) = around,
                None => return Ok(ControlFlow::Break(types)),
            },
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Notes what a section of the outermost component says.
    fn note(&mut self, payload: &Payload<'a>) -> Result<(), InspectError> {
        if let Payload::ComponentImportSection(section) = payload {
            for import in section.clone() {
                self.imports.push(import.map_err(malformed)?.name.name);
            }
        } else if let Payload::ComponentExportSection(section) = payload {
            for export in section.clone() {
                self.exports.push(export.map_err(malformed)?.name.name);
            }
        } else if let Payload::CustomSection(section) = payload
            && section.name() == SECTION
        {
            self.manifests.push(section.data());
        }
        Ok(())
    }
}

/// Where the module or component ends that begins here.
fn end_of_inner(payload: &Payload<'_>) -> Option<usize> {
    if let Payload::ModuleSection {
        unchecked_range, ..
    }
    | Payload::ComponentSection {
        unchecked_range, ..
    } = payload
    {
        return Some(unchecked_range.end);
    }
    None
}

fn malformed(error: wasmparser::Error) -> InspectError {
    InspectError::Malformed(error.to_string())
}
