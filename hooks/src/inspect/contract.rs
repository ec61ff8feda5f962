//! Whether a component keeps the contract that it claims. Functions are
//! compared by the shape of their types: what they are called in the source
//! is the author's affair, and what wasmtime would refuse later is refused
//! here by name.

use wasmparser::component_types::{ComponentAnyTypeId, ComponentEntityType, ComponentInstanceType};

use super::{InspectError, shape, walk::Outline};
use crate::Profile;

/// The functions of version 1, one a line: interface, function, type. It says
/// what `wit/v1` says.
const V1: &str = include_str!("contract-v1.txt");

/// What the names of all interfaces begin with.
const PACKAGE: &str = "tidegate:hooks/";

/// A version of the guest contract that this host runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contract {
    /// `tidegate:hooks@1.0.0`.
    V1,
}

impl Contract {
    const ALL: [Self; 1] = [Self::V1];

    /// As it stands in the names of interfaces.
    #[must_use]
    pub const fn version(self) -> &'static str {
        match self {
            Self::V1 => "1.0.0",
        }
    }

    /// The versions that this host runs, for people.
    pub(super) fn versions() -> String {
        Self::ALL.map(Self::version).join(", ")
    }

    /// The interface that a hook exports.
    pub(super) fn interface(self) -> String {
        self.name("hook")
    }

    /// The full name of an interface.
    fn name(self, interface: &str) -> String {
        format!("{PACKAGE}{interface}@{}", self.version())
    }

    /// Functions of an interface, and their types.
    fn functions(self, interface: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
        let text = match self {
            Self::V1 => V1,
        };
        text.lines().filter_map(move |line| {
            let (name, rest) = line.split_once(' ')?;
            (name == interface).then_some(rest)?.split_once(' ')
        })
    }
}

/// The contract that a component exports, if it keeps its side of it.
pub(super) fn exported(outline: &Outline<'_>) -> Result<Contract, InspectError> {
    let contract = Contract::ALL
        .into_iter()
        .find(|contract| outline.exports.contains(&contract.interface().as_str()));
    let Some(contract) = contract else {
        return Err(unclaimed(&outline.exports));
    };
    let name = contract.interface();
    let types = outline.types.as_ref();
    let item = types.component_item_for_export(&name);
    let instance = instance(outline, &name, item.map(|item| item.ty))?;
    for (function, expected) in contract.functions("hook") {
        let Some(item) = instance.exports.get(function) else {
            return Err(signature(&name, function, "is missing".to_owned()));
        };
        compare(outline, &name, function, item.ty, expected)?;
    }
    Ok(contract)
}

fn unclaimed(exports: &[&str]) -> InspectError {
    let hook = format!("{PACKAGE}hook");
    let other = exports
        .iter()
        .find(|name| name.split('@').next() == Some(&hook));
    match other {
        Some(found) => InspectError::OtherVersion {
            found: (*found).to_owned(),
        },
        None => InspectError::AnotherContract {
            exports: exports.iter().map(|&name| name.to_owned()).collect(),
        },
    }
}

/// Whether a component imports only what it may.
pub(super) fn imported(outline: &Outline<'_>, profile: Profile) -> Result<(), InspectError> {
    outline
        .imports
        .iter()
        .try_for_each(|name| import(outline, profile, name))
}

fn import(outline: &Outline<'_>, profile: Profile, name: &str) -> Result<(), InspectError> {
    if is_wasi(name) {
        return match profile {
            Profile::Wasi => Ok(()),
            Profile::Plain => Err(InspectError::Wasi {
                name: name.to_owned(),
            }),
        };
    }
    let interface = name
        .strip_prefix(PACKAGE)
        .and_then(|rest| rest.split('@').next())
        .filter(|interface| matches!(*interface, "types" | "probe" | "log"));
    let Some(interface) = interface else {
        return Err(InspectError::Import {
            name: name.to_owned(),
        });
    };
    if Contract::V1.name(interface) != name {
        return Err(InspectError::OtherVersion {
            found: name.to_owned(),
        });
    }
    let types = outline.types.as_ref();
    let item = types.component_item_for_import(name);
    let instance = instance(outline, name, item.map(|item| item.ty))?;
    for (item, entity) in &instance.exports {
        imported_item(outline, name, interface, item, entity.ty)?;
    }
    Ok(())
}

/// An interface is imported as far as it is used, so nothing need be there;
/// types without a function that uses them do not matter.
fn imported_item(
    outline: &Outline<'_>,
    name: &str,
    interface: &str,
    item: &str,
    entity: ComponentEntityType,
) -> Result<(), InspectError> {
    let of_values = matches!(
        entity,
        ComponentEntityType::Type {
            referenced: ComponentAnyTypeId::Defined(_),
            ..
        }
    );
    if of_values {
        return Ok(());
    }
    let expected = Contract::V1
        .functions(interface)
        .find(|(function, _)| *function == item);
    match expected {
        Some((_, expected)) => compare(outline, name, item, entity, expected),
        None => Err(signature(name, item, "is not in it".to_owned())),
    }
}

/// WASI 0.2 in any of its releases.
fn is_wasi(name: &str) -> bool {
    name.strip_prefix("wasi:")
        .and_then(|rest| rest.split_once('@'))
        .and_then(|(_, version)| version.strip_prefix("0.2."))
        .is_some_and(|patch| !patch.is_empty() && patch.bytes().all(|byte| byte.is_ascii_digit()))
}

fn instance<'o>(
    outline: &'o Outline<'_>,
    name: &str,
    entity: Option<ComponentEntityType>,
) -> Result<&'o ComponentInstanceType, InspectError> {
    match entity {
        Some(ComponentEntityType::Instance(id)) => Ok(&outline.types[id]),
        _ => Err(InspectError::Signature {
            interface: name.to_owned(),
            item: "item of that name".to_owned(),
            problem: "is not an instance".to_owned(),
        }),
    }
}

fn compare(
    outline: &Outline<'_>,
    interface: &str,
    function: &str,
    entity: ComponentEntityType,
    expected: &str,
) -> Result<(), InspectError> {
    let ComponentEntityType::Func(id) = entity else {
        return Err(signature(
            interface,
            function,
            "is not a function".to_owned(),
        ));
    };
    let found = shape::of(outline.types.as_ref(), id);
    if found == expected {
        return Ok(());
    }
    let problem = format!("has another type: {}", difference(&found, expected));
    Err(signature(interface, function, problem))
}

fn signature(interface: &str, item: &str, problem: String) -> InspectError {
    InspectError::Signature {
        interface: interface.to_owned(),
        item: format!("item `{item}`"),
        problem,
    }
}

/// Where two shapes part: they have a kilobyte, and the difference is often a
/// word.
fn difference(found: &str, expected: &str) -> String {
    const BEFORE: usize = 40;
    const AFTER: usize = 60;
    let same = found
        .bytes()
        .zip(expected.bytes())
        .take_while(|(found, expected)| found == expected)
        .count();
    // Shapes are ASCII: so are names in the component model.
    let excerpt = |text: &str| {
        let start = same.saturating_sub(BEFORE);
        let end = (same + AFTER).min(text.len());
        let cut = |at: bool| if at { "…" } else { "" };
        let middle = text.get(start..end).unwrap_or_default();
        format!("`{}{middle}{}`", cut(start > 0), cut(end < text.len()))
    };
    format!("{} instead of {}", excerpt(found), excerpt(expected))
}
