//! `tidegate hook replay`.

use serde::Serialize;
use tidegate_hooks::{Difference, Extent, Usage, replay};

use super::{
    compiler::host,
    numbers,
    run::outcome,
    tapes::{Take, TapeArgs},
};
use crate::{
    failure::{Exit, Failure},
    print::table,
    session::Session,
};

/// Make recorded decisions again and compare.
///
/// The components are fetched and verified, and run on this machine on what
/// they were told and answered then. The same component decides the same, with
/// the same number of instructions. Exits 12 if anything differs.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Replay {
    #[command(flatten)]
    tapes: TapeArgs,
}

/// What came of all tapes.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Replays {
    attempts: usize,
    different: usize,
    /// Cut when they were recorded.
    unplayable: usize,
    replays: Vec<Replayed>,
}

/// What came of one tape.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Replayed {
    tape: String,
    hook: String,
    digest: String,
    recorded: String,
    /// Not there if the attempt was stopped before it decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    again: Option<String>,
    recorded_usage: Usage,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage_again: Option<Usage>,
    extent: Extent,
    /// The engine of the tape, if it is another: fuel is then not compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    other_engine: Option<String>,
    differences: Vec<Difference>,
    /// Why it cannot be played, if it cannot.
    #[serde(skip_serializing_if = "String::is_empty")]
    cut: String,
}

impl Replay {
    /// Runs the verb.
    pub(super) async fn run(self, session: &Session) -> Result<Exit, Failure> {
        let host = host()?;
        let mut takes = self.tapes.takes(session, &host).await?;
        let mut replays = Vec::new();
        while let Some(take) = takes.next().await? {
            let again = replay(&host, &take.hook, &take.tape).await;
            replays.push(replayed(take, again));
        }
        let different = replays.iter().filter(|it| !it.differences.is_empty());
        let unplayable = replays.iter().filter(|it| it.extent == Extent::Nothing);
        let replays = Replays {
            attempts: replays.len(),
            different: different.count(),
            unplayable: unplayable.count(),
            replays,
        };
        session
            .printer
            .own_list(&replays, &replays.replays, |it| it.tape.clone(), as_text)?;
        Ok(if replays.different == 0 {
            Exit::Ok
        } else {
            Exit::Differs
        })
    }
}

fn replayed(take: Take, replay: tidegate_hooks::Replay) -> Replayed {
    Replayed {
        tape: take.label,
        hook: take.hook.manifest().name.clone(),
        digest: take.tape.digest.to_string(),
        recorded: outcome(&take.tape.outcome),
        again: replay.again.as_ref().map(|tape| outcome(&tape.outcome)),
        recorded_usage: take.tape.usage,
        usage_again: replay.again.map(|tape| tape.usage),
        extent: replay.extent,
        other_engine: replay.other_engine,
        differences: replay.differences,
        cut: take.tape.cut,
    }
}

fn as_text(replays: &Replays) -> String {
    let rows = replays.replays.iter().map(|it| {
        [
            it.tape.clone(),
            it.hook.clone(),
            it.recorded.clone(),
            it.again.clone().unwrap_or_else(|| "-".to_owned()),
            numbers::count(it.recorded_usage.fuel),
            same(it),
        ]
    });
    let heading = ["ATTEMPT", "HOOK", "RECORDED", "AGAIN", "FUEL", "SAME"];
    let mut text = table(heading, rows);
    for it in &replays.replays {
        for difference in &it.differences {
            text += &format!("\n\n{}: {difference}", it.tape);
        }
    }
    for it in replays.replays.iter().filter(|it| !it.cut.is_empty()) {
        text += &format!("\n\n{}: {}", it.tape, it.cut);
    }
    let alike = replays.replays.iter().filter(|it| is_alike(it)).count();
    let attempts = replays.attempts;
    text += &format!("\n\n{alike} of {attempts} attempts decide the same again");
    if replays.unplayable > 0 {
        let unplayable = replays.unplayable;
        text += &format!("; {unplayable} cannot be played, their tapes were cut");
    }
    text
}

fn is_alike(it: &Replayed) -> bool {
    it.differences.is_empty() && it.extent != Extent::Nothing
}

fn same(it: &Replayed) -> String {
    match (it.differences.is_empty(), it.extent, &it.other_engine) {
        (false, _, _) => "NO".to_owned(),
        (true, Extent::Nothing, _) => "cannot be played".to_owned(),
        (true, Extent::UntilStopped, _) => "until it was stopped".to_owned(),
        (true, Extent::Whole, Some(engine)) => format!("verdict (fuel is of {engine})"),
        (true, Extent::Whole, None) => "verdict and fuel".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replayed(differences: Vec<Difference>) -> Replayed {
        Replayed {
            tape: "web post-wave 1 attempt 1".to_owned(),
            hook: "db-ready".to_owned(),
            digest: "sha256:00".to_owned(),
            recorded: "proceed".to_owned(),
            again: Some("proceed".to_owned()),
            recorded_usage: Usage {
                fuel: 12_345,
                ..Usage::default()
            },
            usage_again: None,
            extent: Extent::Whole,
            other_engine: None,
            differences,
            cut: String::new(),
        }
    }

    #[test]
    fn a_difference_is_named_and_counted() {
        let fuel = Difference::Fuel {
            recorded: 12_345,
            played: 12_346,
        };
        let replays = Replays {
            attempts: 2,
            different: 1,
            unplayable: 0,
            replays: vec![replayed(Vec::new()), replayed(vec![fuel])],
        };
        insta::assert_snapshot!(as_text(&replays), @r#"
        ATTEMPT                    HOOK      RECORDED  AGAIN    FUEL   SAME
        web post-wave 1 attempt 1  db-ready  proceed   proceed  12.3k  verdict and fuel
        web post-wave 1 attempt 1  db-ready  proceed   proceed  12.3k  NO

        web post-wave 1 attempt 1: it used 12345 instructions, now 12346

        1 of 2 attempts decide the same again
        "#);
    }

    #[test]
    fn a_tape_that_was_cut_is_neither_the_same_nor_different() {
        let cut = Replayed {
            again: None,
            extent: Extent::Nothing,
            cut: "the whole tape has 20000000 bytes".to_owned(),
            ..replayed(Vec::new())
        };
        let replays = Replays {
            attempts: 2,
            different: 0,
            unplayable: 1,
            replays: vec![replayed(Vec::new()), cut],
        };
        insta::assert_snapshot!(as_text(&replays), @r#"
        ATTEMPT                    HOOK      RECORDED  AGAIN    FUEL   SAME
        web post-wave 1 attempt 1  db-ready  proceed   proceed  12.3k  verdict and fuel
        web post-wave 1 attempt 1  db-ready  proceed   -        12.3k  cannot be played

        web post-wave 1 attempt 1: the whole tape has 20000000 bytes

        1 of 2 attempts decide the same again; 1 cannot be played, their tapes were cut
        "#);
    }
}
