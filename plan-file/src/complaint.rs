//! What the YAML reader complains about, in words for authors of plans.

use serde_saphyr::{DefaultMessageFormatter, Error};

use super::mistake::{Mistake, Place};

/// The reader's error as a mistake.
pub(crate) fn of(error: &Error) -> Mistake {
    let error = error.without_snippet();
    let (text, help) = words(error);
    Mistake {
        text,
        place: error.location().and_then(|location| {
            let line = usize::try_from(location.line()).ok()?;
            let column = usize::try_from(location.column()).ok()?;
            (line > 0).then_some(Place { line, column })
        }),
        help,
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the reader's errors are open; what is not named here has its own good words"
)]
fn words(error: &Error) -> (String, Option<String>) {
    match error {
        Error::SerdeUnknownField {
            field, expected, ..
        } => (
            format!("unknown field {field:?}"),
            Some(suggestion(field, expected)),
        ),
        Error::SerdeUnknownVariant {
            variant, expected, ..
        } => (
            format!("unknown value {variant:?}"),
            Some(suggestion(variant, expected)),
        ),
        Error::Unexpected { expected, .. } => (format!("expected {}", plainly(expected)), None),
        Error::SerdeMissingField { field, .. } => (format!("the field {field:?} is missing"), None),
        Error::DuplicateMappingKey { key, .. } => (
            match key {
                Some(key) => format!("the key {key:?} occurs twice"),
                None => "a key occurs twice".to_owned(),
            },
            Some("remove one of the two".to_owned()),
        ),
        Error::SerdeInvalidType {
            unexpected,
            expected,
            ..
        } => (format!("{unexpected} does not fit here"), wanted(expected)),
        Error::SerdeInvalidValue {
            unexpected,
            expected,
            ..
        } => (format!("{unexpected} is not allowed"), wanted(expected)),
        Error::AliasReplayLimitExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. }
        | Error::AliasReplayCounterOverflow { .. } => too_many_aliases(),
        Error::Budget { breach, .. } => (
            format!("the file is too large or too deep: {breach:?}"),
            Some("a plan has at most 200 waves and 5,000 servers".to_owned()),
        ),
        Error::MultipleDocuments { .. } => (
            "the file has more than one document".to_owned(),
            Some("one file, one plan: remove what follows the second ---".to_owned()),
        ),
        Error::AliasError { error, .. } => words(error),
        Error::Message { msg, .. } => (msg.clone(), None),
        other => (bare(other), None),
    }
}

fn too_many_aliases() -> (String, Option<String>) {
    (
        "the file's aliases stand for too much".to_owned(),
        Some("write the values out instead of nesting aliases".to_owned()),
    )
}

/// The reader's names for containers in words for people.
fn plainly(expected: &str) -> &str {
    match expected {
        "sequence start" => "a list",
        "mapping start" => "a mapping (key: value)",
        "string scalar" => "a text",
        other => other,
    }
}

fn wanted(expected: &str) -> Option<String> {
    let expected = match expected {
        "a nonzero u32" | "a nonzero u64" => "a number above zero",
        other => other,
    };
    Some(format!("expected {expected}"))
}

/// The reader's own words without the position, which is shown elsewhere.
fn bare(error: &Error) -> String {
    let text = error.render_with_formatter(&DefaultMessageFormatter);
    let line = text.lines().next().unwrap_or_default();
    match line.split_once(" at line ") {
        Some((words, _)) => words.to_owned(),
        None => line.to_owned(),
    }
}

/// The nearest possible word, or all of them.
fn suggestion(written: &str, possible: &[&'static str]) -> String {
    let nearest = possible
        .iter()
        .map(|word| (strsim::damerau_levenshtein(written, word), word))
        .filter(|(distance, word)| *distance <= 1 + word.len() / 3)
        .min();
    match nearest {
        Some((_, word)) => format!("did you mean {word:?}?"),
        None => format!("possible here: {}", possible.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use crate::parse;

    const HEAD: &str = "apiVersion: tidegate/v1\nkind: Plan\nmetadata: {name: a}\n";

    /// What a person sees for a file of this `spec`.
    fn refusal(spec: &str) -> String {
        refusal_of(&format!("{HEAD}{spec}"))
    }

    fn refusal_of(text: &str) -> String {
        parse(text).unwrap_err().render("plan.yaml", text)
    }

    #[test]
    fn an_unknown_field_is_shown_with_a_suggestion() {
        insta::assert_snapshot!(refusal(
            "spec:\n  waves:\n    - name: db\n      servers: {tags: {a: b}}\n      verifi: []\n"
        ), @r#"
        unknown field "verifi"
          --> plan.yaml:8:7
           |
         8 |       verifi: []
           |       ^^^^^^
          = did you mean "verify"?
        "#);
    }

    #[test]
    fn an_unknown_field_within_a_group_keeps_its_place() {
        insta::assert_snapshot!(refusal(
            "spec:\n  waves:\n    - name: db\n      servers: {tag: {a: b}}\n"
        ), @r#"
        unknown field "tag"
          --> plan.yaml:7:17
           |
         7 |       servers: {tag: {a: b}}
           |                 ^^^
          = did you mean "tags"?
        "#);
    }

    #[test]
    fn another_version_or_kind_is_refused() {
        insta::assert_snapshot!(refusal_of("apiVersion: tidegate/v9\nkind: Plan\n"), @r#"
        unknown value "tidegate/v9"
          --> plan.yaml:1:13
           |
         1 | apiVersion: tidegate/v9
           |             ^^^^^^^^^^^
          = did you mean "tidegate/v1"?
        "#);
        insta::assert_snapshot!(refusal_of("apiVersion: tidegate/v1\nkind: Deployment\n"), @r#"
        unknown value "Deployment"
          --> plan.yaml:2:7
           |
         2 | kind: Deployment
           |       ^^^^^^^^^^
          = possible here: Plan
        "#);
    }

    #[test]
    fn a_bad_duration_is_shown() {
        insta::assert_snapshot!(refusal("spec:\n  timeout: 15 minutes\n  waves: []\n"), @r#"
        "15 minutes" is not a duration; write for example 15m, 1h30m, 90s or 500ms
          --> plan.yaml:5:12
           |
         5 |   timeout: 15 minutes
           |            ^^
        "#);
    }

    #[test]
    fn a_key_that_occurs_twice_is_refused() {
        insta::assert_snapshot!(refusal("spec:\n  timeout: 1m\n  timeout: 2m\n  waves: []\n"), @r#"
        the key "timeout" occurs twice
          --> plan.yaml:6:3
           |
         6 |   timeout: 2m
           |   ^^^^^^^
          = remove one of the two
        "#);
    }

    #[test]
    fn broken_yaml_is_refused_with_its_place() {
        insta::assert_snapshot!(refusal("spec:\n  waves: [\n"), @r#"
        unclosed bracket '['
          --> plan.yaml:5:10
           |
         5 |   waves: [
           |          ^
        "#);
        insta::assert_snapshot!(refusal("spec: {waves: []}\n---\nspec: {}\n"), @r#"
        the file has more than one document
          --> plan.yaml:6:1
           |
         6 | spec: {}
           | ^^^^
          = one file, one plan: remove what follows the second ---
        "#);
        insta::assert_snapshot!(refusal("spec:\n  waves: 5\n"), @r#"
        expected a list
          --> plan.yaml:5:10
           |
         5 |   waves: 5
           |          ^
        "#);
        insta::assert_snapshot!(refusal("spec:\n  waves:\n  - name: db\n    servers: 7\n"), @r#"
        integer `7` does not fit here
          --> plan.yaml:7:5
           |
         7 |     servers: 7
           |     ^^^^^^^
          = expected a group of servers ({ids: [..]} or {tags: {..}}) or a list of groups
        "#);
        insta::assert_snapshot!(refusal("spec:\n  waves:\n  - name: db\n"), @r#"
        the field "servers" is missing
          --> plan.yaml:6:5
           |
         6 |   - name: db
           |     ^^^^
        "#);
    }

    #[test]
    fn an_alias_bomb_is_refused() {
        let ids = "s-00000000000000000, ".repeat(200);
        let wave = format!("&w {{name: a, servers: {{ids: [{ids}]}}}}");
        let aliases = "*w, ".repeat(1_000);
        let text = refusal(&format!("spec: {{waves: [{wave}, {aliases}]}}\n"));
        assert!(text.contains("aliases"), "{text}");
    }

    #[test]
    fn nested_aliases_are_refused() {
        let mut labels = "x0: &x0 [a]\n".to_owned();
        for level in 1..30 {
            let inner = level - 1;
            labels.push_str(&format!("  x{level}: &x{level} [*x{inner}, *x{inner}]\n"));
        }
        assert!(parse(&format!("{HEAD}spec:\n  {labels}")).is_err());
    }

    #[test]
    fn a_few_aliases_are_fine() {
        let text = format!(
            "{HEAD}spec:\n  waves:\n    - {{name: a, servers: &s {{tags: {{a: b}}}}}}\n    \
             - {{name: b, servers: *s}}\n"
        );
        assert_eq!(parse(&text).unwrap().spec.waves.len(), 2);
    }

    #[test]
    fn json_is_read_as_well() {
        let text = "{\n\t\"apiVersion\": \"tidegate/v1\", \"kind\": \"Plan\",\n\t\"metadata\": {\"name\": \"a\"},\n\t\"spec\": {\"waves\": []}\n}";
        assert_eq!(parse(text).unwrap().metadata.name, "a");
    }
}
