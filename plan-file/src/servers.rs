//! The two places where a plan file takes a short and a long form: `servers`
//! (one group, or a list) and an entry of `ids` (an id, or a mapping).
//!
//! They are read by hand, not with serde's untagged enums, because those lose
//! the line and column of a mistake.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, MapAccess, SeqAccess, Visitor, value},
};

use super::syntax::Group;

/// The groups of a wave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Servers(pub(crate) Vec<Group>);

impl Serialize for Servers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.as_slice() {
            [one] => one.serialize(serializer),
            many => many.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Servers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Groups;

        impl<'de> Visitor<'de> for Groups {
            type Value = Servers;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a group of servers ({ids: [..]} or {tags: {..}}) or a list of groups")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Servers, A::Error> {
                Group::deserialize(value::MapAccessDeserializer::new(map))
                    .map(|group| Servers(vec![group]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Servers, A::Error> {
                Vec::deserialize(value::SeqAccessDeserializer::new(seq)).map(Servers)
            }
        }

        deserializer.deserialize_any(Groups)
    }
}

impl JsonSchema for Servers {
    fn schema_name() -> Cow<'static, str> {
        "Servers".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let group = generator.subschema_for::<Group>();
        json_schema!({
            "description": "One group of servers, or a list of groups.",
            "oneOf": [group, {"type": "array", "items": group, "minItems": 1}],
        })
    }
}

/// One source server by id. Written as the id alone if that says it all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServerEntry {
    /// "s-" and 17 hexadecimal digits, or the server's ARN.
    pub(crate) id: String,
    /// A failure of this server never fails the wave.
    pub(crate) optional: bool,
    /// Recovery snapshot to launch from; `None` is the latest.
    pub(crate) snapshot: Option<String>,
}

/// The long form.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Server")]
struct LongEntry {
    /// DRS source server id, or its ARN in the target's account and Region.
    id: String,
    /// A failure of this server never fails the wave.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    optional: bool,
    /// Recovery snapshot to launch from. Not given: the latest one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    snapshot: Option<String>,
}

impl Serialize for ServerEntry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !self.optional && self.snapshot.is_none() {
            return self.id.serialize(serializer);
        }
        LongEntry {
            id: self.id.clone(),
            optional: self.optional,
            snapshot: self.snapshot.clone(),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ServerEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entry;

        impl<'de> Visitor<'de> for Entry {
            type Value = ServerEntry;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a source server id, or a mapping {id, optional, snapshot}")
            }

            fn visit_str<E: de::Error>(self, id: &str) -> Result<ServerEntry, E> {
                Ok(ServerEntry {
                    id: id.to_owned(),
                    optional: false,
                    snapshot: None,
                })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ServerEntry, A::Error> {
                let long = LongEntry::deserialize(value::MapAccessDeserializer::new(map))?;
                Ok(ServerEntry {
                    id: long.id,
                    optional: long.optional,
                    snapshot: long.snapshot,
                })
            }
        }

        deserializer.deserialize_any(Entry)
    }
}

impl JsonSchema for ServerEntry {
    fn schema_name() -> Cow<'static, str> {
        "ServerEntry".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let long = generator.subschema_for::<LongEntry>();
        json_schema!({
            "description": "A source server id or ARN, or a mapping with details.",
            "oneOf": [{"type": "string", "pattern": "^(arn:aws[a-z-]*:drs:[a-z0-9-]+:[0-9]{12}:source-server/)?s-[0-9a-f]{17}$"}, long],
        })
    }
}
