//! `tidegate hook sensitivity`.

use std::collections::BTreeMap;

use serde::Serialize;
use tidegate_hooks::{Flip, Method, Probe, Request, Standing, Target, sensitivity};

use super::{
    compiler::host,
    run::outcome,
    tapes::{Take, TapeArgs},
};
use crate::{
    failure::{Exit, Failure},
    print::table,
    session::Session,
};

/// Find out what moves recorded decisions; a hook that nothing moves is no gate.
///
/// Each recorded answer is turned around, and the decision is made again on
/// this machine. Exits 12 if there is a hook that asks and that no answer
/// moves.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Sensitivity {
    #[command(flatten)]
    tapes: TapeArgs,
}

/// What came of all tapes.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Sensitivities {
    hooks: Vec<Judged>,
    attempts: Vec<Attempt>,
}

/// What came of all tapes of one hook.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Judged {
    hook: String,
    digest: String,
    standing: Standing,
}

/// What came of one tape.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Attempt {
    tape: String,
    hook: String,
    digest: String,
    standing: Standing,
    #[serde(flatten)]
    sensitivity: tidegate_hooks::Sensitivity,
}

impl Sensitivity {
    /// Runs the verb.
    pub(super) async fn run(self, session: &Session) -> Result<Exit, Failure> {
        let host = host()?;
        let mut takes = self.tapes.takes(session, &host).await?;
        let mut attempts = Vec::new();
        while let Some(take) = takes.next().await? {
            if !take.tape.is_whole() {
                let Take { label, tape, .. } = &take;
                let note = format!("{label} cannot be judged: {}", tape.cut);
                session.printer.note(&note);
                continue;
            }
            let sensitivity = sensitivity(&host, &take.hook, &take.tape).await;
            attempts.push(Attempt {
                tape: take.label,
                hook: take.hook.manifest().name.clone(),
                digest: take.hook.digest().to_string(),
                standing: sensitivity.standing(),
                sensitivity,
            });
        }
        let found = Sensitivities {
            hooks: judged(&attempts),
            attempts,
        };
        session
            .printer
            .own_list(&found, &found.attempts, |it| it.tape.clone(), as_text)?;
        let unmoved = found
            .hooks
            .iter()
            .any(|it| it.standing == Standing::Unmoved);
        Ok(if unmoved { Exit::Differs } else { Exit::Ok })
    }
}

/// A hook stands as it does on its best tape: on another the decision may
/// have been clear whatever was answered.
fn judged(attempts: &[Attempt]) -> Vec<Judged> {
    let mut best: BTreeMap<(&str, &str), Standing> = BTreeMap::new();
    for attempt in attempts {
        let key = (attempt.hook.as_str(), attempt.digest.as_str());
        let standing = best.entry(key).or_insert(attempt.standing);
        if rank(attempt.standing) > rank(*standing) {
            *standing = attempt.standing;
        }
    }
    let judged = best.into_iter().map(|((hook, digest), standing)| Judged {
        hook: hook.to_owned(),
        digest: digest.to_owned(),
        standing,
    });
    judged.collect()
}

fn rank(standing: Standing) -> u8 {
    match standing {
        Standing::AsksNothing => 0,
        Standing::Unmoved => 1,
        Standing::MovedTogether => 2,
        Standing::Moved => 3,
    }
}

fn as_text(found: &Sensitivities) -> String {
    let rows = found.attempts.iter().flat_map(rows);
    let heading = ["ATTEMPT", "HOOK", "PROBE", "IF", "THEN", "MOVED"];
    let mut text = table(heading, rows);
    text.push('\n');
    for it in &found.hooks {
        text += &format!("\n{}: {}", it.hook, sentence(it.standing));
    }
    text
}

fn sentence(standing: Standing) -> &'static str {
    match standing {
        Standing::Moved => "a gate; single answers move it",
        Standing::MovedTogether => "a gate; only all answers together move it",
        Standing::Unmoved => "NOT A GATE; it asks, and no answer moves it",
        Standing::AsksNothing => "asks nothing; it decides by what it is told alone",
    }
}

fn rows(attempt: &Attempt) -> Vec<[String; 6]> {
    let row = |probe: String, flip: &Flip| {
        [
            attempt.tape.clone(),
            attempt.hook.clone(),
            probe,
            flip.change.to_owned(),
            outcome(&flip.outcome),
            if flip.moved { "yes" } else { "no" }.to_owned(),
        ]
    };
    let sensitivity = &attempt.sensitivity;
    let each = sensitivity.probes.iter().flat_map(|influence| {
        let flips = influence.flips.iter();
        flips.map(|flip| row(asked(&influence.probe), flip))
    });
    let together = sensitivity.together.iter();
    let together = together.map(|flip| row("all".to_owned(), flip));
    each.chain(together).collect()
}

fn asked(probe: &Probe) -> String {
    let target = match &probe.target {
        Target::Server { server, port } => format!("{server} port {port}"),
        Target::Endpoint(name) => format!("endpoint {name}"),
    };
    match &probe.request {
        Request::Tcp => target,
        Request::Http { method, path } => {
            let method = match method {
                Method::Get => "GET",
                Method::Head => "HEAD",
            };
            format!("{target} {method} {path}")
        }
    }
}

#[cfg(test)]
mod tests {
    use tidegate_hooks::{Influence, Outcome, Report, Verdict};

    use super::*;

    fn report(verdict: Verdict) -> Outcome {
        Outcome::Report(Report {
            verdict,
            reason: String::new(),
            findings: Vec::new(),
        })
    }

    fn attempt(hook: &str, verdict: Verdict) -> Attempt {
        let flip = Flip {
            change: "refused",
            outcome: report(verdict),
            moved: verdict != Verdict::Proceed,
        };
        let sensitivity = tidegate_hooks::Sensitivity {
            unflipped: report(Verdict::Proceed),
            probes: vec![Influence {
                probe: Probe {
                    target: Target::Server {
                        server: "s-1".to_owned(),
                        port: 443,
                    },
                    timeout_ms: 0,
                    request: Request::Tcp,
                },
                flips: vec![flip],
            }],
            together: None,
        };
        Attempt {
            tape: "a.json".to_owned(),
            hook: hook.to_owned(),
            digest: format!("sha256:{hook}"),
            standing: sensitivity.standing(),
            sensitivity,
        }
    }

    #[test]
    fn a_hook_that_nothing_moves_is_named() {
        let attempts = vec![
            attempt("always", Verdict::Proceed),
            attempt("ready", Verdict::Proceed),
            attempt("ready", Verdict::Hold),
        ];
        let found = Sensitivities {
            hooks: judged(&attempts),
            attempts,
        };
        insta::assert_snapshot!(as_text(&found), @r#"
        ATTEMPT  HOOK    PROBE         IF       THEN     MOVED
        a.json   always  s-1 port 443  refused  proceed  no
        a.json   ready   s-1 port 443  refused  proceed  no
        a.json   ready   s-1 port 443  refused  hold     yes

        always: NOT A GATE; it asks, and no answer moves it
        ready: a gate; single answers move it
        "#);
    }
}
