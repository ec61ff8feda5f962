//! All servers of the wave accept a TCP connection.

use std::num::{NonZeroU16, NonZeroU32};

use tidegate_hook::{Context, Error, Finding, Hook, Launch, Parameters, Report, Server, probe};

struct TcpReachable;

struct Settings {
    port: u16,
    timeout_ms: u32,
    retry_ms: u32,
}

impl Settings {
    fn read(parameters: &Parameters) -> Result<Self, Error> {
        parameters.only(&["port", "timeout-ms", "retry-ms"])?;
        let milliseconds = |name, default| match parameters.optional::<NonZeroU32>(name)? {
            Some(value) => Ok::<u32, Error>(value.get()),
            None => Ok(default),
        };
        Ok(Self {
            port: parameters.required::<NonZeroU16>("port")?.get(),
            timeout_ms: milliseconds("timeout-ms", 2_000)?,
            retry_ms: milliseconds("retry-ms", 15_000)?,
        })
    }
}

/// What a server is to the question.
enum Standing {
    Open,
    /// Waiting may help.
    Closed,
    /// It did not come up; waiting does not help.
    Dead,
}

impl Hook for TcpReachable {
    fn accepts(parameters: &Parameters) -> Result<(), Error> {
        Settings::read(parameters).map(drop)
    }

    fn check(context: &Context) -> Result<Report, Error> {
        let settings = Settings::read(&context.parameters)?;
        if context.servers.is_empty() {
            return Ok(Report::hold("the wave has no servers").finding(
                Finding::warning("no-servers").message("there is nothing to connect to"),
            ));
        }
        let mut findings = Vec::new();
        let mut closed = Vec::new();
        let mut dead = Vec::new();
        for server in &context.servers {
            let (standing, finding) = look_at(server, &settings);
            findings.push(finding.about(&server.id));
            match standing {
                Standing::Open => {}
                Standing::Closed => closed.push(server.name()),
                Standing::Dead => dead.push(server.name()),
            }
        }
        let all = context.servers.len();
        let port = settings.port;
        let report = if !dead.is_empty() {
            let (dead, names) = (dead.len(), list(&dead));
            Report::hold(format!("{dead} of {all} servers did not launch: {names}"))
        } else if !closed.is_empty() {
            let (closed, names) = (closed.len(), list(&closed));
            let reason = format!("port {port} is closed on {closed} of {all} servers: {names}");
            Report::retry_after_ms(settings.retry_ms, reason)
        } else {
            Report::proceed().reason(format!("port {port} is open on {all} of {all} servers"))
        };
        Ok(report.findings(findings))
    }
}

fn look_at(server: &Server, settings: &Settings) -> (Standing, Finding) {
    match &server.launch {
        Launch::Failed(reason) => {
            let finding = Finding::error("not-launched").message(reason);
            (Standing::Dead, finding)
        }
        Launch::Pending => {
            let finding = Finding::warning("launch-pending").message("its launch is under way");
            (Standing::Closed, finding)
        }
        Launch::Launched(_) => {
            let probe = probe::tcp(server.port(settings.port)).timeout_ms(settings.timeout_ms);
            match probe.connect() {
                Ok(connection) => {
                    let finding = Finding::info("port-open");
                    let finding = finding.evidence("elapsed-ms", connection.elapsed_ms);
                    (Standing::Open, finding)
                }
                Err(failure) => {
                    let finding = Finding::error("port-closed").message(&failure.message);
                    (
                        Standing::Closed,
                        finding.evidence("problem", failure.code()),
                    )
                }
            }
        }
    }
}

/// At most five names.
fn list(names: &[&str]) -> String {
    match names.split_at_checked(5) {
        Some((first, rest)) if !rest.is_empty() => {
            format!("{} and {} more", first.join(", "), rest.len())
        }
        Some(_) | None => names.join(", "),
    }
}

tidegate_hook::export!(TcpReachable);
