//! How much structure a component may have. The largest guest in use, CPython
//! from componentize-py, is within these numbers. What is small and still slow
//! to compile is stopped by the compile limits.

use std::fmt;

use wasmparser::{ElementItems, ElementSectionReader, Payload, TableSectionReader};

use super::InspectError;
use crate::Limits;

/// What there can be too much of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// Core modules.
    Modules,
    /// Components within it.
    Components,
    /// Instances of modules and of components.
    Instances,
    /// Defined core functions.
    Functions,
    /// Core and component types.
    Types,
    /// Entries of all other sections: imports, exports, aliases, canonical
    /// functions, globals, segments.
    Entries,
    /// Elements of all element segments, active, passive and declared. Placing
    /// one in a table takes some 90 ns when a module is instantiated, in one
    /// go that cannot be interrupted; one that waits in a passive segment
    /// takes 16 bytes of the host in each instance.
    Elements,
    /// Tables.
    Tables,
    /// Entries that all tables begin with.
    TableEntries,
    /// Bytes of code.
    Code,
    /// Components within components.
    Nesting,
}

impl Bound {
    const ALL: [Self; 11] = [
        Self::Modules,
        Self::Components,
        Self::Instances,
        Self::Functions,
        Self::Types,
        Self::Entries,
        Self::Elements,
        Self::Tables,
        Self::TableEntries,
        Self::Code,
        Self::Nesting,
    ];

    /// How much is allowed.
    #[must_use]
    pub const fn most(self) -> usize {
        match self {
            Self::Modules | Self::Components => 200,
            Self::Instances => 500,
            Self::Functions => 100_000,
            Self::Types => 50_000,
            Self::Entries => 500_000,
            Self::Elements => 50_000,
            // No attempt is given more.
            Self::Tables => 100,
            Self::TableEntries => Limits::CEILING.table_elements,
            Self::Code => 24 << 20,
            Self::Nesting => 8,
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Modules => "core modules",
            Self::Components => "nested components",
            Self::Instances => "instances",
            Self::Functions => "functions",
            Self::Types => "types",
            Self::Entries => "imports, exports, aliases and the like",
            Self::Elements => "elements in element segments",
            Self::Tables => "tables",
            Self::TableEntries => "table entries to begin with",
            Self::Code => "bytes of code",
            Self::Nesting => "components within one another",
        })
    }
}

/// What was counted so far.
#[derive(Debug, Default)]
pub(super) struct Counts([usize; Bound::ALL.len()]);

impl Counts {
    /// Counts what a payload announces, before anything else of it is read.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "what has no number is not counted, and the validator refuses what it does not know"
    )]
    pub(super) fn count(&mut self, payload: &Payload<'_>) -> Result<(), InspectError> {
        use Payload as P;
        let (bound, amount) = match payload {
            P::ModuleSection { .. } => (Bound::Modules, 1),
            P::ComponentSection { .. } => (Bound::Components, 1),
            P::InstanceSection(section) => (Bound::Instances, section.count()),
            P::ComponentInstanceSection(section) => (Bound::Instances, section.count()),
            P::FunctionSection(section) => (Bound::Functions, section.count()),
            P::TypeSection(section) => (Bound::Types, section.count()),
            P::CoreTypeSection(section) => (Bound::Types, section.count()),
            P::ComponentTypeSection(section) => (Bound::Types, section.count()),
            P::ImportSection(section) => (Bound::Entries, section.count()),
            P::TableSection(section) => return self.tables(section),
            P::MemorySection(section) => (Bound::Entries, section.count()),
            P::TagSection(section) => (Bound::Entries, section.count()),
            P::GlobalSection(section) => (Bound::Entries, section.count()),
            P::ExportSection(section) => (Bound::Entries, section.count()),
            P::ElementSection(section) => return self.elements(section),
            P::DataSection(section) => (Bound::Entries, section.count()),
            P::ComponentAliasSection(section) => (Bound::Entries, section.count()),
            P::ComponentCanonicalSection(section) => (Bound::Entries, section.count()),
            P::ComponentImportSection(section) => (Bound::Entries, section.count()),
            P::ComponentExportSection(section) => (Bound::Entries, section.count()),
            P::CodeSectionStart { size, .. } => (Bound::Code, *size),
            _ => return Ok(()),
        };
        self.add(bound, amount.into())
    }

    /// What is malformed is not counted: the validator says what is wrong.
    fn tables(&mut self, section: &TableSectionReader<'_>) -> Result<(), InspectError> {
        self.add(Bound::Tables, section.count().into())?;
        for table in section.clone().into_iter().flatten() {
            self.add(Bound::TableEntries, table.ty.initial)?;
        }
        Ok(())
    }

    fn elements(&mut self, section: &ElementSectionReader<'_>) -> Result<(), InspectError> {
        self.add(Bound::Entries, section.count().into())?;
        for segment in section.clone().into_iter().flatten() {
            let elements = match segment.items {
                ElementItems::Functions(functions) => functions.count(),
                ElementItems::Expressions(_, expressions) => expressions.count(),
            };
            self.add(Bound::Elements, elements.into())?;
        }
        Ok(())
    }

    fn add(&mut self, bound: Bound, amount: u64) -> Result<(), InspectError> {
        let amount = usize::try_from(amount).unwrap_or(usize::MAX);
        let counted = &mut self.0[bound as usize];
        *counted = counted.saturating_add(amount);
        if *counted > bound.most() {
            return Err(InspectError::Bound { bound });
        }
        Ok(())
    }
}
