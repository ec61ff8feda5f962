//! `hooks/examples/tcp-reachable` as an Extism plugin: the same questions and
//! the same report, in JSON, which is how Extism's plugins speak.

use std::collections::BTreeMap;

use extism_pdk::{FnResult, Json, host_fn, plugin_fn};
use serde::{Deserialize, Serialize};

/// What it needs of the context. The rest is skipped unread.
#[derive(Deserialize)]
struct Context {
    servers: Vec<Server>,
    parameters: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Server {
    id: String,
    launch: Launch,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Launch {
    Pending,
    Launched(#[expect(dead_code, reason = "it stands in the context")] String),
    Failed(String),
}

#[derive(Serialize)]
struct Report {
    verdict: &'static str,
    reason: String,
    findings: Vec<Finding>,
}

#[derive(Serialize)]
struct Finding {
    code: &'static str,
    severity: &'static str,
    subject: String,
    message: String,
    evidence: BTreeMap<&'static str, String>,
}

#[host_fn]
extern "ExtismHost" {
    /// Takes a server and a port, gives milliseconds or the word `closed`.
    fn tcp(target: String) -> String;
}

#[plugin_fn]
pub fn check(Json(context): Json<Context>) -> FnResult<Json<Report>> {
    let port = context.parameters.get("port").map_or("", String::as_str);
    let mut findings = Vec::new();
    let mut closed = 0;
    let mut dead = 0;
    for server in context.servers {
        let (code, severity, message, evidence) = match server.launch {
            Launch::Failed(reason) => {
                dead += 1;
                ("not-launched", "error", reason, BTreeMap::new())
            }
            Launch::Pending => {
                closed += 1;
                let message = "its launch is under way".to_owned();
                ("launch-pending", "warning", message, BTreeMap::new())
            }
            Launch::Launched(_) => {
                let answer = unsafe { tcp(format!("{}:{port}", server.id))? };
                if answer == "closed" {
                    closed += 1;
                    ("port-closed", "error", answer, BTreeMap::new())
                } else {
                    let evidence = BTreeMap::from([("elapsed-ms", answer)]);
                    ("port-open", "info", String::new(), evidence)
                }
            }
        };
        findings.push(Finding {
            code,
            severity,
            subject: server.id,
            message,
            evidence,
        });
    }
    let all = findings.len();
    let (verdict, reason) = match (dead, closed) {
        (0, 0) => (
            "proceed",
            format!("port {port} is open on {all} of {all} servers"),
        ),
        (0, closed) => (
            "retry",
            format!("port {port} is closed on {closed} of {all} servers"),
        ),
        (dead, _) => ("hold", format!("{dead} of {all} servers did not launch")),
    };
    Ok(Json(Report {
        verdict,
        reason,
        findings,
    }))
}
