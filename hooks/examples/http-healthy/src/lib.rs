//! All servers of the wave answer a health check as they should.

use std::num::{NonZeroU16, NonZeroU32};

use tidegate_hook::{
    Context, Error, Finding, Hook, Parameters, Report, Server, Value,
    probe::{self, Response},
};

struct HttpHealthy;

struct Settings {
    port: u16,
    path: String,
    status: u16,
    body_contains: String,
    latency_ms: u32,
    timeout_ms: u32,
    retry_ms: u32,
}

/// A path with which a request can begin.
struct Path(String);

impl Value for Path {
    const FORM: &'static str = "a path that begins with /";

    fn read(text: &str) -> Option<Self> {
        text.starts_with('/').then(|| Self(text.to_owned()))
    }
}

/// An HTTP status.
struct Status(u16);

impl Value for Status {
    const FORM: &'static str = "an HTTP status from 200 to 599";

    fn read(text: &str) -> Option<Self> {
        let status = u16::read(text)?;
        (200..=599).contains(&status).then_some(Self(status))
    }
}

impl Settings {
    fn read(parameters: &Parameters) -> Result<Self, Error> {
        parameters.only(&[
            "port",
            "path",
            "status",
            "body-contains",
            "latency-ms",
            "timeout-ms",
            "retry-ms",
        ])?;
        let milliseconds = |name, default| match parameters.optional::<NonZeroU32>(name)? {
            Some(value) => Ok::<u32, Error>(value.get()),
            None => Ok(default),
        };
        Ok(Self {
            port: parameters.required::<NonZeroU16>("port")?.get(),
            path: parameters.or("path", Path("/".to_owned()))?.0,
            status: parameters.or("status", Status(200))?.0,
            body_contains: parameters.or("body-contains", String::new())?,
            latency_ms: milliseconds("latency-ms", u32::MAX)?,
            timeout_ms: milliseconds("timeout-ms", 5_000)?,
            retry_ms: milliseconds("retry-ms", 15_000)?,
        })
    }
}

impl Hook for HttpHealthy {
    fn accepts(parameters: &Parameters) -> Result<(), Error> {
        Settings::read(parameters).map(drop)
    }

    fn check(context: &Context) -> Result<Report, Error> {
        let settings = Settings::read(&context.parameters)?;
        let mut findings = Vec::new();
        let mut unhealthy = Vec::new();
        for server in &context.servers {
            match ask(server, &settings) {
                Ok(finding) => findings.push(finding.about(&server.id)),
                Err(finding) => {
                    findings.push(finding.about(&server.id));
                    unhealthy.push(server.name());
                }
            }
        }
        let report = if unhealthy.is_empty() {
            Report::proceed().reason(format!("{} servers are healthy", context.servers.len()))
        } else {
            let (some, all) = (unhealthy.len(), context.servers.len());
            let names = unhealthy.join(", ");
            let reason = format!("{some} of {all} servers are not healthy: {names}");
            Report::retry_after_ms(settings.retry_ms, reason)
        };
        Ok(report.findings(findings))
    }
}

/// The good finding or the bad one.
fn ask(server: &Server, settings: &Settings) -> Result<Finding, Finding> {
    let request = probe::http(server.port(settings.port), &settings.path);
    match request.timeout_ms(settings.timeout_ms).get() {
        Ok(response) => judge(&response, settings),
        Err(failure) => Err(Finding::error("no-response")
            .message(&failure.message)
            .evidence("problem", failure.code())),
    }
}

fn judge(response: &Response, settings: &Settings) -> Result<Finding, Finding> {
    let wrong = if response.status != settings.status {
        let wanted = settings.status;
        Some(Finding::error("wrong-status").message(format!("the status is not {wanted}")))
    } else if !response.text().contains(&settings.body_contains) {
        let wanted = &settings.body_contains;
        // The text may stand in the part that was cut off.
        let message = match response.truncated {
            true => format!("{wanted:?} is not in the beginning of the body"),
            false => format!("{wanted:?} is not in the body"),
        };
        Some(Finding::error("wrong-body").message(message))
    } else if response.elapsed_ms > settings.latency_ms {
        let wanted = settings.latency_ms;
        Some(Finding::error("slow").message(format!("took longer than {wanted} ms")))
    } else {
        None
    };
    let measured = |finding: Finding| {
        finding
            .evidence("status", response.status)
            .evidence("elapsed-ms", response.elapsed_ms)
    };
    match wrong {
        Some(finding) => Err(measured(finding)),
        None => Ok(measured(Finding::info("healthy"))),
    }
}

tidegate_hook::export!(HttpHealthy);
