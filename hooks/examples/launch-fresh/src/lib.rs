//! No server of the wave would be launched from too old a snapshot.

use std::num::NonZeroU32;

use tidegate_hook::{Context, Error, Finding, Hook, Parameters, Report, Server};

struct LaunchFresh;

fn max_age(parameters: &Parameters) -> Result<Option<u32>, Error> {
    parameters.only(&["max-age-seconds"])?;
    let age = parameters.optional::<NonZeroU32>("max-age-seconds")?;
    Ok(age.map(NonZeroU32::get))
}

impl Hook for LaunchFresh {
    fn accepts(parameters: &Parameters) -> Result<(), Error> {
        max_age(parameters).map(drop)
    }

    fn check(context: &Context) -> Result<Report, Error> {
        // The parameter is nearer to the wave than the plan's objective.
        let allowed = match max_age(&context.parameters)? {
            Some(age) => age,
            None => match context.facts.get("rpo-seconds") {
                Some(rpo) => rpo.parse()?,
                None => {
                    return Ok(Report::hold(
                        "nothing says how old a snapshot may be: set the parameter \
                         max-age-seconds, or the plan's recovery point objective",
                    ));
                }
            },
        };
        let mut findings = Vec::new();
        let mut stale = Vec::new();
        for server in &context.servers {
            let (fresh, finding) = look_at(server, allowed)?;
            findings.push(finding.about(&server.id));
            if !fresh {
                stale.push(server.name());
            }
        }
        let all = context.servers.len();
        let report = if stale.is_empty() {
            Report::proceed().reason(format!("{all} snapshots are at most {allowed} s old"))
        } else {
            let (some, names) = (stale.len(), stale.join(", "));
            Report::hold(format!(
                "{some} of {all} servers have no snapshot of the last {allowed} s: {names}"
            ))
        };
        Ok(report.findings(findings))
    }
}

/// Whether its snapshot is fresh enough, and the evidence.
fn look_at(server: &Server, allowed: u32) -> Result<(bool, Finding), Error> {
    let Some(age) = server.facts.get("snapshot-age-seconds") else {
        let finding = Finding::error("no-snapshot").message("no snapshot is known");
        return Ok((false, finding));
    };
    let age: u32 = age.parse()?;
    let finding = if age <= allowed {
        Finding::info("snapshot-fresh")
    } else {
        let over = age - allowed;
        Finding::error("snapshot-too-old").message(format!("{over} s older than allowed"))
    };
    let finding = finding
        .evidence("age-seconds", age)
        .evidence("allowed-seconds", allowed);
    Ok((age <= allowed, finding))
}

tidegate_hook::export!(LaunchFresh);
