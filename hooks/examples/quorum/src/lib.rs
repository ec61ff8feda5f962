//! Enough servers of the wave answer: `need: 2`, or `need: 50%`.

use std::num::{NonZeroU16, NonZeroU32};

use tidegate_hook::{
    Context, Error, Finding, Hook, Parameters, Report, Server, Value,
    probe::{self, Failure},
};

struct Quorum;

struct Settings {
    need: Need,
    port: u16,
    /// HTTP if there is one, TCP if not.
    path: Option<String>,
    timeout_ms: u32,
    retry_ms: u32,
}

#[derive(Clone, Copy)]
enum Need {
    Servers(u32),
    Percent(u32),
}

impl Value for Need {
    const FORM: &'static str = "a number of servers such as 2, or a part of them such as 50%";

    fn read(text: &str) -> Option<Self> {
        match text.strip_suffix('%') {
            None => NonZeroU32::read(text).map(|servers| Self::Servers(servers.get())),
            Some(part) => {
                let percent = u32::read(part)?;
                (1..=100)
                    .contains(&percent)
                    .then_some(Self::Percent(percent))
            }
        }
    }
}

impl Need {
    /// How many of so many; of a part, rounded up.
    fn of(self, all: usize) -> usize {
        match self {
            Self::Servers(servers) => servers as usize,
            Self::Percent(percent) => (all * percent as usize).div_ceil(100),
        }
    }
}

impl Settings {
    fn read(parameters: &Parameters) -> Result<Self, Error> {
        parameters.only(&["need", "port", "path", "timeout-ms", "retry-ms"])?;
        let milliseconds = |name, default| match parameters.optional::<NonZeroU32>(name)? {
            Some(value) => Ok::<u32, Error>(value.get()),
            None => Ok(default),
        };
        Ok(Self {
            need: parameters.required("need")?,
            port: parameters.required::<NonZeroU16>("port")?.get(),
            path: parameters.optional("path")?,
            timeout_ms: milliseconds("timeout-ms", 2_000)?,
            retry_ms: milliseconds("retry-ms", 15_000)?,
        })
    }
}

impl Hook for Quorum {
    fn accepts(parameters: &Parameters) -> Result<(), Error> {
        Settings::read(parameters).map(drop)
    }

    fn check(context: &Context) -> Result<Report, Error> {
        let settings = Settings::read(&context.parameters)?;
        let all = context.servers.len();
        let need = settings.need.of(all);
        if need > all || all == 0 {
            return Ok(Report::hold(format!(
                "{need} servers are needed, and the wave has {all}"
            )));
        }
        let mut findings = Vec::new();
        let mut good = 0;
        for server in &context.servers {
            let finding = match ask(server, &settings) {
                Ok(()) => {
                    good += 1;
                    Finding::info("answers")
                }
                // Not an error yet: others may be enough.
                Err(reason) => Finding::warning("no-answer").message(reason),
            };
            findings.push(finding.about(&server.id));
        }
        let reason = format!("{good} of {all} servers answer, {need} are needed");
        let report = if good >= need {
            Report::proceed().reason(reason)
        } else {
            Report::retry_after_ms(settings.retry_ms, reason)
        };
        Ok(report.findings(findings))
    }
}

fn ask(server: &Server, settings: &Settings) -> Result<(), String> {
    let target = server.port(settings.port);
    let told = |failure: Failure| failure.to_string();
    match &settings.path {
        None => {
            let probe = probe::tcp(target).timeout_ms(settings.timeout_ms);
            probe.connect().map(drop).map_err(told)
        }
        Some(path) => {
            let probe = probe::http(target, path).timeout_ms(settings.timeout_ms);
            match probe.get().map_err(told)?.status {
                200..=299 => Ok(()),
                status => Err(format!("HTTP status {status}")),
            }
        }
    }
}

tidegate_hook::export!(Quorum);
