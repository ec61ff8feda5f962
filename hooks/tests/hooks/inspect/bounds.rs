//! Components that are too large within, or no components at all.

use proptest::prelude::*;
use tidegate_hooks::{Bound, InspectError, Profile, attach, inspect};
use wasm_encoder::{Component, ComponentSectionId, RawSection};

use super::{manifest, refusal, refusal_with_manifest};
use crate::{
    guests,
    worlds::{self, EXPORTS},
};

fn with_sections(sections: impl IntoIterator<Item = (ComponentSectionId, Vec<u8>)>) -> Vec<u8> {
    let mut component = Component::new();
    for (id, data) in sections {
        component.section(&RawSection {
            id: id as u8,
            data: &data,
        });
    }
    component.finish()
}

fn nested(depth: usize) -> Vec<u8> {
    (0..depth).fold(Component::new().finish(), |inner, _| {
        with_sections([(ComponentSectionId::Component, inner)])
    })
}

fn module(text: &str) -> Vec<u8> {
    wat::parse_str(format!("(module {text})")).expect("it is right")
}

/// A module with so many functions of so many instructions that do nothing.
fn of_nops(functions: u32, nops: usize) -> Vec<u8> {
    let mut types = wasm_encoder::TypeSection::new();
    types.ty().function([], []);
    let mut declared = wasm_encoder::FunctionSection::new();
    let mut code = wasm_encoder::CodeSection::new();
    for _ in 0..functions {
        declared.function(0);
        let mut function = wasm_encoder::Function::new([]);
        function.raw(std::iter::repeat_n(1, nops));
        function.instruction(&wasm_encoder::Instruction::End);
        code.function(&function);
    }
    let mut module = wasm_encoder::Module::new();
    module.section(&types).section(&declared).section(&code);
    module.finish()
}

/// Segments of every kind, this many elements in each.
fn segments(elements: usize) -> [String; 5] {
    let functions = "$f ".repeat(elements);
    let expressions = "(ref.func $f) ".repeat(elements);
    let segment = |segment: &str| format!("(table 1 funcref) (func $f) {segment}");
    [
        segment(&format!("(elem (i32.const 0) func {functions})")),
        segment(&format!("(elem func {functions})")),
        segment(&format!("(elem declare func {functions})")),
        segment(&format!("(elem funcref {expressions})")),
        segment(&format!(
            "(elem (offset (i32.add (i32.const 0) (i32.const 0))) funcref {expressions})"
        )),
    ]
}

#[test]
fn elements_are_counted_in_segments_of_every_kind() {
    let one = |text: &str| with_sections([(ComponentSectionId::CoreModule, module(text))]);
    let most = Bound::Elements.most();
    for text in segments(most + 1) {
        let error = refusal(&one(&text));
        assert_eq!(
            error.to_string(),
            "the component has more than 50000 elements in element segments, which no hook needs"
        );
    }
    // As many as allowed are refused for something else.
    for text in segments(most) {
        let error = refusal(&one(&text));
        assert!(
            matches!(error, InspectError::AnotherContract { .. }),
            "{error}"
        );
    }
}

/// However the elements are shared out.
#[test]
fn elements_of_many_segments_and_modules_are_counted_together() {
    let [first, ..] = segments(Bound::Elements.most() / 20);
    let one = |text: &str| (ComponentSectionId::CoreModule, module(text));
    let many = |modules| with_sections(std::iter::repeat_n(one(&first), modules));
    let error = refusal(&many(21));
    let bound = Bound::Elements;
    assert_eq!(error, InspectError::Bound { bound });
    assert!(matches!(
        refusal(&many(20)),
        InspectError::AnotherContract { .. }
    ));
    let small = format!(
        "(table 1 funcref) (func $f) {}",
        "(elem (i32.const 0) func $f) ".repeat(Bound::Elements.most() + 1)
    );
    assert_eq!(
        refusal(&with_sections([one(&small)])),
        InspectError::Bound { bound }
    );
}

/// A few bytes that would be megabytes of the host: a table is laid out, up to
/// its last element, when it is compiled.
#[test]
fn tables_are_counted_by_number_and_by_what_they_begin_with() {
    let one = |text: &str| with_sections([(ComponentSectionId::CoreModule, module(text))]);
    let filled = "(func $f) (table 600000 funcref) (elem (i32.const 599999) func $f)";
    for (text, bound) in [
        ("(table 0 funcref)".repeat(101), Bound::Tables),
        ("(table 1000001 funcref)".to_owned(), Bound::TableEntries),
        ("(table 0xffffffff funcref)".to_owned(), Bound::TableEntries),
        (
            format!("{filled} (table 600000 funcref)"),
            Bound::TableEntries,
        ),
    ] {
        let error = refusal(&one(&text));
        assert_eq!(error, InspectError::Bound { bound });
        let most = bound.most().to_string();
        assert!(error.to_string().contains(&most), "{error}");
    }
    for text in ["(table 0 funcref)".repeat(100), filled.to_owned()] {
        let error = refusal(&one(&text));
        assert!(
            matches!(error, InspectError::AnotherContract { .. }),
            "{error}"
        );
    }
}

#[test]
fn structure_has_bounds() {
    let modules = Bound::Modules.most() + 1;
    let functions = "(func)".repeat(Bound::Functions.most() + 1);
    let types = "(type (func))".repeat(Bound::Types.most() + 1);
    let globals = "(global i32 (i32.const 0))".repeat(Bound::Entries.most() + 1);
    let nops = Bound::Code.most() / 5 + 1;
    let one = |text: &str| with_sections([(ComponentSectionId::CoreModule, module(text))]);
    let many = |id, data: Vec<u8>| with_sections(std::iter::repeat_n((id, data), modules));
    let instances = Bound::Instances.most() + 1;
    let cases = [
        (
            many(ComponentSectionId::CoreModule, module("")),
            Bound::Modules,
        ),
        (
            many(ComponentSectionId::Component, nested(0)),
            Bound::Components,
        ),
        (
            guests::burdened(&guests::proceeding(), "(module)", instances),
            Bound::Instances,
        ),
        (one(&functions), Bound::Functions),
        (one(&types), Bound::Types),
        (one(&globals), Bound::Entries),
        (
            with_sections([(ComponentSectionId::CoreModule, of_nops(5, nops))]),
            Bound::Code,
        ),
        (nested(Bound::Nesting.most() + 1), Bound::Nesting),
    ];
    for (component, bound) in cases {
        let error = refusal(&component);
        assert_eq!(error, InspectError::Bound { bound });
        assert!(
            error.to_string().contains(&bound.most().to_string()),
            "{error}"
        );
    }
    // One less is refused for something else.
    assert!(matches!(
        refusal(&nested(Bound::Nesting.most())),
        InspectError::AnotherContract { .. }
    ));
}

/// Each type has the former twice, so written out they are 2^14 records.
#[test]
fn a_type_that_doubles_with_each_step_is_not_written_out() {
    let mut types = String::from("record t0 { a: string }");
    for step in 1..=14 {
        let former = step - 1;
        types += &format!("type t{step} = tuple<t{former}, t{former}>;");
    }
    let to = format!("{types} variant verdict {{ deep(t14),");
    let component = worlds::edited("types.wit", "variant verdict {", &to, EXPORTS);
    let text = refusal_with_manifest(&component).to_string();
    assert!(text.contains("item `check` has another type"), "{text}");
    assert!(text.len() < 500, "{text}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn mutated_components_are_read_without_a_panic(
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        cut in prop::option::of(any::<prop::sample::Index>()),
        insert in prop::option::of((any::<prop::sample::Index>(), prop::collection::vec(any::<u8>(), 1..20))),
    ) {
        static COMPONENT: std::sync::LazyLock<Vec<u8>> =
            std::sync::LazyLock::new(guests::proceeding);
        let mut component = COMPONENT.clone();
        for (index, byte) in edits {
            let at = index.index(component.len());
            component[at] = byte;
        }
        if let Some((index, bytes)) = insert {
            let at = index.index(component.len());
            component.splice(at..at, bytes);
        }
        if let Some(index) = cut {
            component.truncate(index.index(component.len()));
        }
        let _ = inspect(&component);
        let _ = attach(&component, &manifest(Profile::Plain));
    }

    #[test]
    fn random_bytes_are_read_without_a_panic(
        headed in any::<bool>(),
        bytes in prop::collection::vec(any::<u8>(), 0..400),
    ) {
        let mut component = if headed { Component::HEADER.to_vec() } else { Vec::new() };
        component.extend(bytes);
        let _ = inspect(&component);
        let _ = attach(&component, &manifest(Profile::Plain));
    }
}
