//! What is read off a component, and every way in which one is refused.

mod bounds;

use tidegate_hooks::{
    COMPONENT_BYTES, Contract, Digest, InspectError, Manifest, Phase, Profile, SECTION, attach,
    inspect,
};
use wasm_encoder::{
    Component, ComponentSection as _, ComponentSectionId, CustomSection, RawSection,
};

use crate::{
    guests,
    worlds::{self, EXPORTS},
};

fn manifest(profile: Profile) -> Manifest {
    Manifest {
        name: "guest".to_owned(),
        version: "1.0.0".to_owned(),
        description: String::new(),
        phases: vec![Phase::PreWave],
        profile,
        needs: Vec::new(),
    }
}

fn refusal(component: &[u8]) -> InspectError {
    inspect(component).expect_err("it is refused")
}

/// The refusal of a component that lacks nothing but what it is about.
fn refusal_with_manifest(component: &[u8]) -> InspectError {
    refusal(&attach(component, &manifest(Profile::Plain)))
}

#[test]
fn a_hook_is_read_without_being_compiled() {
    let component = guests::proceeding();
    let inspection = inspect(&component).expect("it is a hook");
    assert_eq!(inspection.digest, Digest::of(&component));
    assert_eq!(inspection.contract, Contract::V1);
    assert_eq!(inspection.manifest.name, "guest");
    assert_eq!(
        inspection.imports,
        [
            "tidegate:hooks/log@1.0.0",
            "tidegate:hooks/probe@1.0.0",
            "tidegate:hooks/types@1.0.0",
        ]
    );
}

#[test]
fn a_hook_need_not_import_anything() {
    let component = worlds::edited("hook.wit", "import probe;", "", EXPORTS);
    let component = attach(&component, &manifest(Profile::Plain));
    let inspection = inspect(&component).expect("it is a hook");
    assert_eq!(inspection.imports, ["tidegate:hooks/types@1.0.0"]);
}

#[test]
fn what_is_not_webassembly_is_told_from_what_is_no_component() {
    assert_eq!(refusal(b""), InspectError::Empty);
    assert_eq!(refusal(b"(component)"), InspectError::NotWasm);
    assert_eq!(refusal(b"\x7fELF\x02\x01\x01"), InspectError::NotWasm);
    let module = wat::parse_str("(module)").expect("it is right");
    assert_eq!(refusal(&module), InspectError::CoreModule);
    let text = InspectError::CoreModule.to_string();
    assert!(text.contains("core module") && text.contains("tidegate hook build"));
    let layer_of_the_future = b"\0asm\x0e\0\x01\0";
    assert!(matches!(
        refusal(layer_of_the_future),
        InspectError::Malformed(_)
    ));
}

#[test]
fn an_oversized_component_is_refused_by_its_size() {
    let mut component = guests::proceeding();
    component.resize(COMPONENT_BYTES + 1, 0);
    let bytes = component.len();
    assert_eq!(refusal(&component), InspectError::TooLarge { bytes });
}

#[test]
fn a_component_is_refused_wherever_it_is_cut() {
    let component = guests::proceeding();
    let mut truncated = 0;
    for end in 0..component.len() {
        if refusal(&component[..end]) == (InspectError::Truncated { at: end }) {
            truncated += 1;
        }
    }
    // The others end between two sections, or before there is a header.
    assert!(truncated > component.len() * 9 / 10, "{truncated}");
    let end = component.len() - 1;
    let text = refusal(&component[..end]).to_string();
    assert!(text.contains("truncated"), "{text}");
}

#[test]
fn a_component_of_another_contract_is_told_by_what_it_exports() {
    let component = worlds::foreign(
        "package other:thing@0.3.0;
        interface run { run: func(); }
        world app { export run; }",
        r#"(func (export "other:thing/run@0.3.0#run"))"#,
    );
    let error = refusal(&component);
    let exports = vec!["other:thing/run@0.3.0".to_owned()];
    assert_eq!(error, InspectError::AnotherContract { exports });
    let text = error.to_string();
    assert!(text.contains("`tidegate:hooks/hook@1.0.0`"), "{text}");
    assert!(text.contains("`other:thing/run@0.3.0`"), "{text}");
}

#[test]
fn another_version_of_the_contract_is_told_with_those_that_run_here() {
    let component = worlds::foreign(
        "package tidegate:hooks@2.0.0;
        interface hook { check: func(); }
        world gate { export hook; }",
        r#"(func (export "tidegate:hooks/hook@2.0.0#check"))"#,
    );
    let error = refusal_with_manifest(&component);
    let found = "tidegate:hooks/hook@2.0.0".to_owned();
    assert_eq!(error, InspectError::OtherVersion { found });
    assert!(error.to_string().contains("this host runs version 1.0.0"));
}

/// Edits of the contract, and the item that then is not as it should be.
const EDITS: [(&str, &str, &str, &str); 12] = [
    (
        "hook.wit",
        "accepts: func(parameters:",
        "accepts: func(given:",
        "accepts",
    ),
    (
        "hook.wit",
        "result<_, string>",
        "result<_, list<u8>>",
        "accepts",
    ),
    (
        "hook.wit",
        "result<report, string>",
        "result<report, list<u8>>",
        "check",
    ),
    ("types.wit", "retry(u32)", "retry(u64)", "check"),
    ("types.wit", "    skip,\n", "", "check"),
    ("types.wit", "attempt: u32", "attempt: s32", "check"),
    (
        "types.wit",
        "remaining-ms: u32",
        "remaining-ms: option<u32>",
        "check",
    ),
    (
        "types.wit",
        "facts: list<entry>",
        "facts: list<tuple<string, string>>",
        "check",
    ),
    (
        "types.wit",
        "    info,\n    warning,",
        "    warning,\n    info,",
        "check",
    ),
    ("types.wit", "launched(string)", "launched", "check"),
    (
        "types.wit",
        "enum mode {",
        "enum mode {\n    rehearsal,",
        "check",
    ),
    (
        "types.wit",
        "record report {",
        "record report {\n    more: string,",
        "check",
    ),
];

#[test]
fn a_component_that_claims_the_contract_must_keep_it() {
    for (file, from, to, item) in EDITS {
        let error = refusal_with_manifest(&worlds::edited(file, from, to, EXPORTS));
        let InspectError::Signature {
            interface,
            item: found,
            problem,
        } = &error
        else {
            panic!("{from} -> {to}: {error}");
        };
        assert_eq!(interface, "tidegate:hooks/hook@1.0.0");
        assert_eq!(*found, format!("item `{item}`"), "{from} -> {to}");
        assert!(problem.starts_with("has another type"), "{problem}");
    }
}

#[test]
fn a_difference_is_shown_where_it_is() {
    let edited = worlds::edited("types.wit", "retry(u32)", "retry(u64)", EXPORTS);
    let text = refusal_with_manifest(&edited).to_string();
    assert!(text.contains("retry: u64"), "{text}");
    assert!(text.contains("retry: u32"), "{text}");
    assert!(text.len() < 500, "{text}");
}

#[test]
fn a_function_that_is_missing_is_named() {
    let without = worlds::edited(
        "hook.wit",
        "accepts: func",
        "approves: func",
        &EXPORTS.replace("#accepts", "#approves"),
    );
    let text = refusal_with_manifest(&without).to_string();
    assert!(text.contains("item `accepts` is missing"), "{text}");
}

#[test]
fn what_is_imported_must_be_as_in_the_contract_too() {
    let edits = [
        (
            "log.wit",
            "error,",
            "error,\n    fatal,",
            r#"(import "tidegate:hooks/log@1.0.0" "write" (func (param i32 i32 i32)))"#,
            "item `write` has another type",
        ),
        (
            "log.wit",
            "write:",
            "flush: func();\n  write:",
            r#"(import "tidegate:hooks/log@1.0.0" "flush" (func))"#,
            "item `flush` is not in it",
        ),
        (
            "probe.wit",
            "elapsed-ms: u32,\n  }",
            "elapsed-us: u32,\n  }",
            r#"(import "tidegate:hooks/probe@1.0.0" "tcp" (func (param i32 i32 i32 i32 i32 i32)))"#,
            "item `tcp` has another type",
        ),
        (
            "probe.wit",
            "tcp: func",
            "resource socket;\n  tcp: func",
            r#"(import "tidegate:hooks/probe@1.0.0" "[resource-drop]socket" (func (param i32)))"#,
            "item `socket` is not in it",
        ),
    ];
    for (file, from, to, import, wanted) in edits {
        let component = worlds::edited(file, from, to, &format!("{import}{EXPORTS}"));
        let text = refusal_with_manifest(&component).to_string();
        assert!(text.contains(wanted), "{text}");
    }
}

#[test]
fn an_import_that_hooks_do_not_get_is_named() {
    let cases = [
        (
            "package other:io; interface out { write: func(); }",
            "import other:io/out;",
            "other:io/out",
            "write",
        ),
        (
            "package wasi:cli@0.3.0; interface exit { exit: func(); }",
            "import wasi:cli/exit@0.3.0;",
            "wasi:cli/exit@0.3.0",
            "exit",
        ),
        ("package a:b;", "import shell: func();", "$root", "shell"),
    ];
    for (package, import, interface, function) in cases {
        let module = format!(r#"(import "{interface}" "{function}" (func)){EXPORTS}"#);
        let component = worlds::extended(&[package], import, &module);
        for profile in [Profile::Plain, Profile::Wasi] {
            let error = refusal(&attach(&component, &manifest(profile)));
            let name = if interface == "$root" {
                function
            } else {
                interface
            };
            let name = name.to_owned();
            assert_eq!(error, InspectError::Import { name });
        }
    }
}

#[test]
fn wasi_is_imported_only_by_who_says_so() {
    let component = worlds::extended(
        &["package wasi:random@0.2.3; interface random { get-random-u64: func() -> u64; }"],
        "import wasi:random/random@0.2.3;",
        &format!(
            r#"(import "wasi:random/random@0.2.3" "get-random-u64" (func (result i64))){EXPORTS}"#
        ),
    );
    let inspection = inspect(&attach(&component, &manifest(Profile::Wasi)));
    let imports = inspection.expect("it says so").imports;
    assert_eq!(
        imports.last().map(String::as_str),
        Some("wasi:random/random@0.2.3")
    );
    let error = refusal(&attach(&component, &manifest(Profile::Plain)));
    let name = "wasi:random/random@0.2.3".to_owned();
    assert_eq!(error, InspectError::Wasi { name });
    assert!(error.to_string().contains("profile = \"wasi\""));
}

#[test]
fn there_is_exactly_one_manifest_and_it_is_at_the_top() {
    let bare = worlds::edited("hook.wit", "import log;", "", EXPORTS);
    assert_eq!(refusal(&bare), InspectError::NoManifest);

    let section = CustomSection {
        name: SECTION.into(),
        data: manifest(Profile::Plain).to_section().into(),
    };
    let mut twice = bare.clone();
    section.append_to_component(&mut twice);
    inspect(&twice).expect("one is right");
    section.append_to_component(&mut twice);
    assert_eq!(refusal(&twice), InspectError::SeveralManifests { count: 2 });

    let mut inner = Component::new();
    inner.section(&section);
    let mut within = bare.clone();
    RawSection {
        id: ComponentSectionId::Component as u8,
        data: inner.as_slice(),
    }
    .append_to_component(&mut within);
    assert_eq!(refusal(&within), InspectError::NoManifest);
}

#[test]
fn attaching_replaces_whatever_manifest_is_there() {
    let bare = worlds::edited("hook.wit", "import log;", "", EXPORTS);
    let mut second = manifest(Profile::Plain);
    second.name = "second".to_owned();
    let once = attach(&bare, &second);
    let thrice = attach(&attach(&once, &manifest(Profile::Plain)), &second);
    assert_eq!(once, thrice);
    assert_eq!(inspect(&once).expect("it is a hook").manifest, second);
    // What is no component stays none.
    assert_eq!(refusal_with_manifest(b"text"), InspectError::NotWasm);
    assert_eq!(refusal_with_manifest(b""), InspectError::NotWasm);
}

#[test]
fn a_feature_that_the_engine_does_not_have_is_refused() {
    let bodies = [
        "(memory 1 1 shared)",
        "(memory i64 1)",
        "(func (return_call 0))",
        "(tag)",
        "(type (struct))",
    ];
    for body in bodies {
        let component = guests::burdened(&guests::proceeding(), &format!("(module {body})"), 0);
        assert!(
            matches!(refusal(&component), InspectError::Malformed(_)),
            "{body}"
        );
    }
}
