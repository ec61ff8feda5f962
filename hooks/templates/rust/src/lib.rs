//! All servers of the wave accept a TCP connection.

use std::num::NonZeroU16;

use tidegate_hook::{Context, Error, Finding, Hook, Parameters, Report, probe};

struct MyHook;

fn port(parameters: &Parameters) -> Result<u16, Error> {
    parameters.only(&["port"])?;
    Ok(parameters.required::<NonZeroU16>("port")?.get())
}

impl Hook for MyHook {
    fn accepts(parameters: &Parameters) -> Result<(), Error> {
        port(parameters).map(drop)
    }

    fn check(context: &Context) -> Result<Report, Error> {
        let port = port(&context.parameters)?;
        let mut closed = Vec::new();
        let mut findings = Vec::new();
        for server in &context.servers {
            let probe = probe::tcp(server.port(port)).timeout_ms(2_000);
            if let Err(failure) = probe.connect() {
                let finding = Finding::error("port-closed").about(&server.id);
                findings.push(finding.message(failure));
                closed.push(server.name());
            }
        }
        if closed.is_empty() {
            return Ok(Report::proceed());
        }
        let reason = format!("port {port} is closed on {}", closed.join(", "));
        Ok(Report::retry_after_ms(15_000, reason).findings(findings))
    }
}

tidegate_hook::export!(MyHook);

#[cfg(test)]
mod tests {
    use tidegate_hook::{Server, Verdict, probe::Connection, testing};

    use super::*;

    #[test]
    fn an_open_port_is_enough() {
        testing::on_tcp(|_target, _timeout_ms| Ok(Connection { elapsed_ms: 3 }));
        let server = Server {
            id: "s-1".to_owned(),
            ..Server::default()
        };
        let report = MyHook::check(&Context {
            servers: vec![server],
            parameters: Parameters::from([("port", 443)]),
            ..Context::default()
        });
        assert!(matches!(report.unwrap().verdict, Verdict::Proceed));
    }
}
