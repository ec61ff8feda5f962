//! Writes the type of a component's function as text, aliases resolved and
//! type names left out, so that two types are the same exactly if the texts
//! are.

use wasmparser::{
    component_types::{ComponentDefinedType as Defined, ComponentFuncTypeId, ComponentValType},
    types::TypesRef,
};

/// Bytes of text after which writing stops: a type may refer to one type
/// many times, and its text doubles with each step. The longest of the
/// contract has about a kilobyte.
const MOST: usize = 16 << 10;

/// The text of a function's type.
pub(super) fn of(types: TypesRef<'_>, function: ComponentFuncTypeId) -> String {
    let mut shape = Shape {
        types,
        text: String::new(),
    };
    shape.function(function);
    shape.text
}

struct Shape<'a> {
    types: TypesRef<'a>,
    text: String,
}

impl Shape<'_> {
    fn function(&mut self, id: ComponentFuncTypeId) {
        let types = self.types;
        let function = &types[id];
        if function.async_ {
            self.text += "async ";
        }
        self.text += "func";
        let params = function.params.iter();
        self.named(
            '(',
            params.map(|(name, ty)| (name.as_str(), Some(*ty))),
            ')',
        );
        if let Some(result) = function.result {
            self.text += " -> ";
            self.value(result);
        }
    }

    fn value(&mut self, ty: ComponentValType) {
        if self.text.len() > MOST {
            return;
        }
        match ty {
            ComponentValType::Primitive(primitive) => self.text += &primitive.to_string(),
            ComponentValType::Type(id) => {
                let types = self.types;
                self.defined(&types[id]);
            }
        }
    }

    fn defined(&mut self, ty: &Defined) {
        match ty {
            Defined::Primitive(primitive) => self.text += &primitive.to_string(),
            Defined::Record(record) => {
                self.text += "record";
                let fields = record.fields.iter();
                self.named(
                    '{',
                    fields.map(|(name, ty)| (name.as_str(), Some(*ty))),
                    '}',
                );
            }
            Defined::Variant(variant) => {
                self.text += "variant";
                let cases = variant.cases.iter();
                self.named('{', cases.map(|(name, case)| (name.as_str(), case.ty)), '}');
            }
            Defined::Enum(cases) => {
                self.text += "enum";
                self.named('{', cases.iter().map(|name| (name.as_str(), None)), '}');
            }
            Defined::Flags(flags) => {
                self.text += "flags";
                self.named('{', flags.iter().map(|name| (name.as_str(), None)), '}');
            }
            Defined::List { element, .. } => self.generic("list", [Some(*element)]),
            Defined::FixedLengthList {
                element, length, ..
            } => {
                self.generic("list", [Some(*element)]);
                self.text += &format!("*{length}");
            }
            Defined::Map { key, value, .. } => self.generic("map", [Some(*key), Some(*value)]),
            Defined::Tuple(tuple) => {
                self.generic("tuple", tuple.types.iter().map(|ty| Some(*ty)));
            }
            Defined::Option { ty, .. } => self.generic("option", [Some(*ty)]),
            Defined::Result { ok, err, .. } => self.generic("result", [*ok, *err]),
            Defined::Own(_) => self.text += "own<resource>",
            Defined::Borrow(_) => self.text += "borrow<resource>",
            Defined::Future { ty, .. } => self.generic("future", [*ty]),
            Defined::Stream { ty, .. } => self.generic("stream", [*ty]),
        }
    }

    fn generic(&mut self, name: &str, types: impl IntoIterator<Item = Option<ComponentValType>>) {
        self.text += name;
        self.text.push('<');
        for (index, ty) in types.into_iter().enumerate() {
            if index > 0 {
                self.text += ", ";
            }
            match ty {
                Some(ty) => self.value(ty),
                None => self.text.push('_'),
            }
        }
        self.text.push('>');
    }

    fn named<'n>(
        &mut self,
        open: char,
        items: impl Iterator<Item = (&'n str, Option<ComponentValType>)>,
        close: char,
    ) {
        self.text.push(open);
        for (index, (name, ty)) in items.enumerate() {
            if self.text.len() > MOST {
                return;
            }
            if index > 0 {
                self.text += ", ";
            }
            self.text += name;
            if let Some(ty) = ty {
                self.text += ": ";
                self.value(ty);
            }
        }
        self.text.push(close);
    }
}
