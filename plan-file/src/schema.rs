//! JSON Schema of plan files, for editors.

use schemars::generate::SchemaSettings;

use super::syntax::PlanFile;

/// The schema, draft-07 because that is what editors' YAML support reads.
#[must_use]
pub fn json_schema() -> serde_json::Value {
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

    #[test]
    fn the_schema_says_which_failures_can_be_waived() {
        let schema = json_schema();
        let kinds = &schema["definitions"]["OnHookFailure"]["oneOf"][1];
        assert_eq!(kinds["additionalProperties"], false);
        let waivable = |kind: &str| {
            let answers = kinds["properties"][kind]["enum"].as_array().unwrap();
            answers.contains(&"waive".into())
        };
        assert!(waivable("timeout"));
        assert!(!waivable("digest-mismatch"));
        assert!(!waivable("default"));
    }

    #[test]
    fn the_schema_describes_endpoints_and_limits() {
        let schema = json_schema();
        let endpoint = &schema["definitions"]["Endpoint"];
        assert_eq!(endpoint["additionalProperties"], false);
        for field in ["pathPrefix", "cidrs", "caPem", "caFile", "serverName"] {
            assert!(endpoint["properties"][field].is_object(), "{field}");
        }
        let fuel = &schema["definitions"]["HookLimits"]["properties"]["fuel"];
        assert_eq!(fuel["minimum"], 1);
        assert_eq!(fuel["maximum"], 100_000_000_000_u64);
    }
}
