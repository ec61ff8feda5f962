//! Log lines of the real binary, joined to traces by their ids.

use serde_json::Value;
use tidegate_gateway::telemetry::trace_id;
use tidegate_tests::process::{last_line, run};

use crate::scenarios::kill_and_resume::{emulator, gateway_with};

#[tokio::test(flavor = "multi_thread")]
async fn a_log_line_about_an_execution_names_its_trace() {
    let served = emulator("shop", 300.0).await;
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data").display().to_string();
    let json = [("TIDEGATE__LOG__FORMAT", "json")];
    let gateway = gateway_with(&data, &served.address, &json);
    let plan = folder.path().join("plan.yaml");
    let written = std::fs::write(&plan, include_str!("../compatibility/plans/alone.yaml"));
    written.expect("the folder can be written to");
    let plan = plan.display().to_string();
    assert!(
        run(&["plan", "apply", &plan], gateway.address())
            .status
            .success()
    );
    let id = last_line(
        &["drill", "start", "alone", "-o", "name"],
        gateway.address(),
    );
    let ended = run(&["execution", "wait", &id], gateway.address());
    assert!(ended.status.success());
    let (status, log) = gateway.stop();
    assert!(status.success(), "{log}");

    let lines: Vec<Value> = log
        .lines()
        .filter(|line| line.starts_with('{'))
        .map(|line| serde_json::from_str(line).expect("a JSON object a line"))
        .collect();
    let about: Vec<&Value> = lines.iter().filter(|it| it["execution"] == *id).collect();
    assert!(about.len() >= 2, "it began and it ended: {log}");
    for line in about {
        assert_eq!(line["trace_id"], Value::String(trace_id(&id)), "{line}");
        assert_eq!(line["severity_text"], "INFO", "{line}");
        assert!(
            line["body"].is_string() && line["timestamp"].is_string(),
            "{line}"
        );
    }
}
