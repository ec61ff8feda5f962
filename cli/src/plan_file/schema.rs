//! JSON Schema of plan files, for editors.

use schemars::generate::SchemaSettings;

use super::syntax::PlanFile;

/// The schema, draft-07 because that is what editors' YAML support reads.
pub(crate) fn json_schema() -> serde_json::Value {
    SchemaSettings::draft07()
        .into_generator()
        .into_root_schema_for::<PlanFile>()
        .to_value()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_is_draft_07_and_closed() {
        let schema = json_schema();
        assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#");
        assert_eq!(schema["additionalProperties"], false);
        assert_eq!(schema["definitions"]["Wave"]["additionalProperties"], false);
    }
}
