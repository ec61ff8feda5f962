//! Makes guests from WebAssembly text: small, without a toolchain, and able
//! to do what no compiler would emit.

use wasm_encoder::{Component, ComponentSection, CustomSection};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// The data that every guest has.
const DATA: &str = r#"
  (data (i32.const 1024) "s-11111111111111111")
  (data (i32.const 1056) "/health")
  (data (i32.const 1088) "because")
  (data (i32.const 1120) "erp")
  (data (i32.const 1152) "\ff\fe\fd")
"#;

/// Helpers that every guest has.
///
/// The report lies at 256: the result's case, the verdict's case at 260, its
/// milliseconds at 264, the reason at 268, the findings at 276.
const HELPERS: &str = r#"
  (func $answer (param $verdict i32) (param $ms i32) (result i32)
    (i32.store8 (i32.const 256) (i32.const 0))
    (i32.store8 (i32.const 260) (local.get $verdict))
    (i32.store (i32.const 264) (local.get $ms))
    (i32.store (i32.const 268) (i32.const 1088))
    (i32.store (i32.const 272) (i32.const 7))
    (i32.store (i32.const 276) (i32.const 0))
    (i32.store (i32.const 280) (i32.const 0))
    (i32.const 256))
  (func $proceed (result i32) (call $answer (i32.const 0) (i32.const 0)))
  ;; Whether a TCP connection to the server's port stands: 0 if it does.
  (func $probe (param $port i32) (param $timeout i32) (result i32)
    (local $top i32)
    (local.set $top (global.get $top))
    (call $tcp (i32.const 0) (i32.const 1024) (i32.const 19) (local.get $port)
      (local.get $timeout) (i32.const 512))
    (global.set $top (local.get $top))
    (i32.load8_u (i32.const 512)))
  ;; Status of a GET of /health from the endpoint "erp", 0 without an answer.
  (func $get (result i32)
    (local $top i32)
    (local.set $top (global.get $top))
    (call $http (i32.const 1) (i32.const 1120) (i32.const 3) (i32.const 0)
      (i32.const 0) (i32.const 1056) (i32.const 7) (i32.const 0) (i32.const 512))
    (global.set $top (local.get $top))
    (if (result i32) (i32.load8_u (i32.const 512))
      (then (i32.const 0))
      (else (i32.load (i32.const 516)))))
"#;

const BUMP: &str = r#"
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $top) (i32.const 7)) (i32.const -8)))
    (global.set $top (i32.add (local.get $at) (local.get $size)))
    (local.get $at)
"#;

/// A guest to be. What is not set is harmless.
pub(crate) struct Guest {
    check: String,
    accepts: String,
    clean: String,
    allocate: String,
    fields: String,
    pages: u32,
    wasi: Option<&'static str>,
}

/// A guest whose `check` is this. It has the context's address in `$context`
/// and leaves the result's.
pub(crate) fn check(body: &str) -> Guest {
    Guest {
        check: body.to_owned(),
        accepts: "(i32.store8 (i32.const 256) (i32.const 0)) (i32.const 256)".to_owned(),
        clean: String::new(),
        allocate: BUMP.to_owned(),
        fields: String::new(),
        pages: 4,
        wasi: None,
    }
}

/// The guest that finds nothing wrong.
pub(crate) fn proceeding() -> Vec<u8> {
    check("(call $proceed)").component()
}

/// A loop without an end.
pub(crate) const FOREVER: &str = "(loop $again (br $again)) (unreachable)";

impl Guest {
    /// The body of `accepts`, with its list in `$list` and `$count`.
    pub(crate) fn accepts(mut self, body: &str) -> Self {
        self.accepts = body.to_owned();
        self
    }

    /// What runs after `check`, when the result was read.
    pub(crate) fn clean(mut self, body: &str) -> Self {
        self.clean = body.to_owned();
        self
    }

    /// The body of the allocator, with `$old`, `$old_size`, `$align` and
    /// `$size`.
    pub(crate) fn allocate(mut self, body: &str) -> Self {
        self.allocate = body.to_owned();
        self
    }

    /// More fields of the module.
    pub(crate) fn fields(mut self, fields: &str) -> Self {
        self.fields = fields.to_owned();
        self
    }

    /// Pages of memory at the start.
    pub(crate) fn pages(mut self, pages: u32) -> Self {
        self.pages = pages;
        self
    }

    /// Imports this of WASI: interfaces of a world, in WIT. The core imports
    /// go into [`Self::fields`].
    pub(crate) fn wasi(mut self, imports: &'static str) -> Self {
        self.wasi = Some(imports);
        self
    }

    /// The component, with its manifest.
    pub(crate) fn component(&self) -> Vec<u8> {
        let mut module = wat::parse_str(self.text()).expect("the guest's text is right");
        let (resolve, world) = self.world();
        embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)
            .expect("the world can be embedded");
        let mut component = ComponentEncoder::default()
            .module(&module)
            .expect("the module speaks the contract")
            .encode()
            .expect("the module can be made a component");
        self.manifest().append_to_component(&mut component);
        component
    }

    fn manifest(&self) -> CustomSection<'static> {
        let profile = if self.wasi.is_some() { "wasi" } else { "plain" };
        let manifest = format!(
            r#"{{"name":"guest","version":"1.0.0","description":"A guest of the tests.",
                "phases":["pre-wave","post-wave"],"profile":"{profile}","needs":[]}}"#
        );
        CustomSection {
            name: tidegate_hooks::SECTION.into(),
            data: manifest.into_bytes().into(),
        }
    }

    fn world(&self) -> (Resolve, wit_parser::WorldId) {
        let mut resolve = Resolve::default();
        let contract = concat!(env!("CARGO_MANIFEST_DIR"), "/wit/v1");
        let (package, _) = resolve.push_dir(contract).expect("the contract is valid");
        let Some(imports) = self.wasi else {
            let world = resolve.select_world(&[package], Some("gate"));
            return (resolve, world.expect("the contract has the world"));
        };
        for (path, text) in WASI {
            resolve.push_str(path, text).expect("the excerpt is valid");
        }
        let text = format!(
            "package test:guest;
            world guest {{ include tidegate:hooks/gate@1.0.0; {imports} }}"
        );
        let package = resolve.push_str("guest.wit", &text);
        let package = package.expect("the guest's world is valid");
        let world = resolve.select_world(&[package], Some("guest"));
        (resolve, world.expect("the package has the world"))
    }

    fn text(&self) -> String {
        let Self {
            check,
            accepts,
            clean,
            allocate,
            fields,
            pages,
            wasi: _,
        } = self;
        format!(
            r#"(module
  (import "tidegate:hooks/probe@1.0.0" "tcp"
    (func $tcp (param i32 i32 i32 i32 i32 i32)))
  (import "tidegate:hooks/probe@1.0.0" "http"
    (func $http (param i32 i32 i32 i32 i32 i32 i32 i32 i32)))
  (import "tidegate:hooks/log@1.0.0" "write" (func $log (param i32 i32 i32)))
  {fields}
  (memory (export "memory") {pages})
  (global $top (mut i32) (i32.const 65536))
  {DATA}
  {HELPERS}
  (func (export "cabi_realloc")
    (param $old i32) (param $old_size i32) (param $align i32) (param $size i32) (result i32)
    {allocate})
  (func (export "tidegate:hooks/hook@1.0.0#check") (param $context i32) (result i32)
    (local $i i32)
    {check})
  (func (export "cabi_post_tidegate:hooks/hook@1.0.0#check") (param $result i32)
    {clean})
  (func (export "tidegate:hooks/hook@1.0.0#accepts")
    (param $list i32) (param $count i32) (result i32)
    {accepts})
)"#
        )
    }
}

/// What the guests import of WASI, no more.
const WASI: [(&str, &str); 5] = [
    (
        "io.wit",
        "package wasi:io@0.2.0;
        interface poll { resource pollable { block: func(); } }
        interface error { resource error; }
        interface streams { use error.{error};
            variant stream-error { last-operation-failed(error), closed }
            resource output-stream {
                blocking-write-and-flush: func(contents: list<u8>) -> result<_, stream-error>;
            } }",
    ),
    (
        "exit.wit",
        "package wasi:cli@0.2.0;
        interface exit { exit: func(status: result); }
        interface environment {
            get-environment: func() -> list<tuple<string, string>>;
            get-arguments: func() -> list<string>; }
        interface stdout { use wasi:io/streams@0.2.0.{output-stream};
            get-stdout: func() -> output-stream; }",
    ),
    (
        "clocks.wit",
        "package wasi:clocks@0.2.0;
        interface monotonic-clock { use wasi:io/poll@0.2.0.{pollable};
            now: func() -> u64;
            subscribe-duration: func(when: u64) -> pollable; }
        interface wall-clock { record datetime { seconds: u64, nanoseconds: u32 }
            now: func() -> datetime; }",
    ),
    (
        "random.wit",
        "package wasi:random@0.2.0;
        interface random { get-random-u64: func() -> u64; }",
    ),
    (
        "filesystem.wit",
        "package wasi:filesystem@0.2.0;
        interface types { resource descriptor; }
        interface preopens { use types.{descriptor};
            get-directories: func() -> list<tuple<descriptor, string>>; }",
    ),
];

/// A component with more at its end: `modules` of this text, each
/// instantiated so many times.
pub(crate) fn burdened(component: &[u8], module: &str, instances: usize) -> Vec<u8> {
    let module = wat::parse_str(module).expect("the module's text is right");
    burdened_by(component, &module, instances)
}

/// The same with a module that is no text.
pub(crate) fn burdened_by(component: &[u8], module: &[u8], instances: usize) -> Vec<u8> {
    let modules = wasmparser::Parser::new(0)
        .parse_all(component)
        .filter(|payload| matches!(payload, Ok(wasmparser::Payload::ModuleSection { .. })))
        .count();
    let mut more = Component::new();
    more.section(&wasm_encoder::RawSection {
        id: wasm_encoder::ComponentSectionId::CoreModule as u8,
        data: module,
    });
    let mut section = wasm_encoder::InstanceSection::new();
    for _ in 0..instances {
        let none: [(&str, wasm_encoder::ModuleArg); 0] = [];
        section.instantiate(u32::try_from(modules).expect("there are few"), none);
    }
    more.section(&section);
    let mut burdened = component.to_vec();
    burdened.extend_from_slice(&more.finish()[Component::HEADER.len()..]);
    burdened
}
