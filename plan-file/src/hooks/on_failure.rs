//! What a failure of a hook itself means: one word for all kinds, or a mapping
//! by kind.
//!
//! It is read by hand, not with serde's untagged enums, because those lose the
//! line and column of a mistake.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, MapAccess, Visitor, value},
    ser::SerializeMap as _,
};
use tidegate_core::plan::HookFailureKind;

/// The key for all kinds that the mapping does not name.
const DEFAULT: &str = "default";

/// Every key of the mapping.
const KEYS: [&str; HookFailureKind::ALL.len() + 1] = {
    let mut keys = [DEFAULT; HookFailureKind::ALL.len() + 1];
    let mut at = 0;
    while at < HookFailureKind::ALL.len() {
        keys[at + 1] = HookFailureKind::ALL[at].name();
        at += 1;
    }
    keys
};

/// What a failure of a hook itself (not its verdict) means.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct OnHookFailure {
    /// For kinds that are not in `kinds`. Not given: hold.
    pub(crate) default: Option<Policy>,
    /// For single kinds, in the order of the file.
    pub(crate) kinds: Vec<(HookFailureKind, Policy)>,
}

/// What a failure means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Policy {
    /// Pause for a person.
    Hold,
    /// Fail the wave.
    Abort,
    /// Ask again, as though the hook had said so.
    Retry,
    /// Go on, and end with warnings. For single kinds only.
    Waive,
}

impl Serialize for OnHookFailure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match (self.default, self.kinds.as_slice()) {
            (Some(policy), []) => policy.serialize(serializer),
            (default, kinds) => {
                let mut map = serializer.serialize_map(None)?;
                if let Some(policy) = default {
                    map.serialize_entry(DEFAULT, &policy)?;
                }
                for (kind, policy) in kinds {
                    map.serialize_entry(kind.name(), policy)?;
                }
                map.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for OnHookFailure {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Answers;

        impl<'de> Visitor<'de> for Answers {
            type Value = OnHookFailure;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("hold, abort or retry, or a mapping of these by kind of failure")
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<OnHookFailure, E> {
                let policy = Policy::deserialize(value::StrDeserializer::new(word))?;
                Ok(OnHookFailure {
                    default: Some(policy),
                    kinds: Vec::new(),
                })
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<OnHookFailure, A::Error> {
                let mut answers = OnHookFailure::default();
                while let Some(key) = map.next_key::<Key>()? {
                    let policy = map.next_value()?;
                    match key.0 {
                        None => answers.default = Some(policy),
                        Some(kind) => answers.kinds.push((kind, policy)),
                    }
                }
                Ok(answers)
            }
        }

        deserializer.deserialize_any(Answers)
    }
}

/// A key of the mapping: a kind, or `None` for all others.
struct Key(Option<HookFailureKind>);

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Word;

        impl Visitor<'_> for Word {
            type Value = Key;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"default\" or a kind of failure")
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<Key, E> {
                if word == DEFAULT {
                    return Ok(Key(None));
                }
                let known = HookFailureKind::ALL.into_iter();
                match known.into_iter().find(|kind| kind.name() == word) {
                    Some(kind) => Ok(Key(Some(kind))),
                    None => Err(E::unknown_variant(word, &KEYS)),
                }
            }
        }

        deserializer.deserialize_str(Word)
    }
}

impl JsonSchema for OnHookFailure {
    fn schema_name() -> Cow<'static, str> {
        "OnHookFailure".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let for_all = serde_json::json!({"enum": ["hold", "abort", "retry"]});
        let for_one = serde_json::json!({"enum": ["hold", "abort", "retry", "waive"]});
        let kinds = HookFailureKind::ALL.into_iter().map(|kind| {
            let answer = if kind.is_waivable() {
                &for_one
            } else {
                &for_all
            };
            (kind.name().to_owned(), answer.clone())
        });
        let mut properties: serde_json::Map<_, _> = kinds.collect();
        properties.insert(DEFAULT.to_owned(), for_all.clone());
        json_schema!({
            "description": "What a failure of the hook itself means: for all kinds, or by kind.",
            "oneOf": [
                for_all,
                {"type": "object", "properties": properties, "additionalProperties": false},
            ],
        })
    }
}
