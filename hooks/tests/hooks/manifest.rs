//! What a manifest may say.

use tidegate_hooks::{Manifest, ManifestError, Need, NeedTarget, Phase, ProbeKind, Profile};

/// A manifest with every field.
fn full() -> Manifest {
    Manifest {
        name: "port-open".to_owned(),
        version: "1.2.3".to_owned(),
        description: "Asks whether a port accepts connections.".to_owned(),
        phases: vec![Phase::PreWave, Phase::PostWave],
        profile: Profile::Plain,
        needs: vec![
            Need {
                probe: ProbeKind::Tcp,
                target: NeedTarget::PortParameter("port".to_owned()),
                reason: "To see whether it is open.".to_owned(),
            },
            Need {
                probe: ProbeKind::Http,
                target: NeedTarget::Port(8080),
                reason: "To read its health page.".to_owned(),
            },
        ],
    }
}

#[test]
fn a_manifest_reads_what_it_writes() {
    assert_eq!(Manifest::parse(&full().to_section()), Ok(full()));
}

#[test]
fn an_author_writes_it_as_toml() {
    let text = r#"
        name = "port-open"
        version = "1.2.3"
        description = "Asks whether a port accepts connections."
        phases = ["pre-wave", "post-wave"]

        [[needs]]
        probe = "tcp"
        target = { port-parameter = "port" }
        reason = "To see whether it is open."

        [[needs]]
        probe = "http"
        target = { port = 8080 }
        reason = "To read its health page."
    "#;
    let manifest: Manifest = toml::from_str(text).expect("it is right");
    assert_eq!(manifest.check(), Ok(()));
    assert_eq!(manifest, full());
}

/// Edits of a manifest in JSON, and what the refusal says.
const EDITS: [(&str, &str, &str); 17] = [
    (
        r#""name":"port-open""#,
        r#""name":"Port_Open""#,
        "name: \"Port_Open\" is not a name",
    ),
    (
        r#""name":"port-open""#,
        r#""name":"""#,
        "name: \"\" is not a name",
    ),
    (r#""name":"port-open""#, r#""name":"-a""#, "a letter first"),
    (r#""name":"port-open","#, "", "missing field `name`"),
    (
        r#""version":"1.2.3""#,
        r#""version":" ""#,
        "version: is empty; write the author's version",
    ),
    (
        r#""version":"1.2.3""#,
        r#""version":"1\n2""#,
        "version: must be one line",
    ),
    (
        r#""version":"1.2.3""#,
        r#""version":1"#,
        "version: invalid type",
    ),
    (
        "Asks whether",
        r"Asks\u001b[31m whether",
        "description: must be one line",
    ),
    (
        r#"["pre-wave","post-wave"]"#,
        "[]",
        "phases: is empty; write \"pre-wave\"",
    ),
    (
        r#"["pre-wave","post-wave"]"#,
        r#"["pre-wave","pre-wave"]"#,
        "phases: \"pre-wave\" is there twice",
    ),
    (
        r#"["pre-wave","post-wave"]"#,
        r#"["between"]"#,
        "phases[0]: unknown variant `between`",
    ),
    (
        r#""profile":"plain""#,
        r#""profile":"root""#,
        "profile: unknown variant `root`",
    ),
    (
        r#""reason":"To see whether it is open.""#,
        r#""reason":"""#,
        "needs[0].reason: is empty; write why",
    ),
    (
        r#"{"port":8080}"#,
        r#"{"port":0}"#,
        "needs[1].target.port: 0 is not a port",
    ),
    (r#"{"port":8080}"#, r#"{"port":65536}"#, "needs[1].target"),
    (
        r#"{"port":8080}"#,
        r#"{"host":"a.example"}"#,
        "unknown variant `host`",
    ),
    (
        r#"{"port-parameter":"port"}"#,
        r#"{"port-parameter":"the port"}"#,
        "needs[0].target.port-parameter: \"the port\" is not a name",
    ),
];

#[test]
fn a_refusal_names_the_field_and_says_what_to_write() {
    let json = String::from_utf8(full().to_section()).expect("JSON is text");
    for (from, to, wanted) in EDITS {
        assert!(json.contains(from), "{json} has no {from}");
        let edited = json.replacen(from, to, 1);
        let error = Manifest::parse(edited.as_bytes()).expect_err(to);
        assert!(error.to_string().contains(wanted), "{to}: {error}");
    }
}

#[test]
fn a_field_that_nobody_knows_is_refused() {
    let json = String::from_utf8(full().to_section()).expect("JSON is text");
    let edited = json.replacen('{', r#"{"nam":"x","#, 1);
    let error = Manifest::parse(edited.as_bytes()).expect_err("it is a typing mistake");
    assert!(error.to_string().contains("unknown field `nam`"), "{error}");
}

#[test]
fn lengths_have_bounds() {
    let mut long = full();
    long.name = "n".repeat(63);
    assert_eq!(long.check(), Ok(()));
    long.name.push('n');
    assert!(matches!(long.check(), Err(ManifestError::Name { .. })));

    let mut long = full();
    long.description = "d".repeat(301);
    assert!(matches!(long.check(), Err(ManifestError::Line { .. })));

    let mut many = full();
    many.needs = vec![many.needs[0].clone(); 65];
    assert_eq!(many.check(), Err(ManifestError::TooManyNeeds { count: 65 }));

    let bytes = (64 << 10) + 1;
    let spaces = vec![b' '; bytes];
    assert_eq!(
        Manifest::parse(&spaces),
        Err(ManifestError::TooLong { bytes })
    );
}

#[test]
fn what_follows_the_manifest_is_refused() {
    let mut json = full().to_section();
    json.extend(b" {}");
    assert!(matches!(
        Manifest::parse(&json),
        Err(ManifestError::Shape(_))
    ));
}
