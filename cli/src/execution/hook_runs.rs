//! The hooks of an execution as people read them.

use tidegate_proto::v1::{Execution, HookRun, Wave};

use crate::{
    names,
    print::table,
    watch::{hook_runs, lines::one_line},
};

/// The newest run of each hook, and what they hold against going on; in
/// detail also what they used, and everything that they found. Empty if none
/// ran.
pub(super) fn shown(execution: &Execution, verbose: bool) -> String {
    let runs = || {
        let waves = execution.waves.iter();
        waves.flat_map(|wave| wave.hook_runs.iter().map(move |run| (wave, run)))
    };
    if runs().next().is_none() {
        return String::new();
    }
    let mut text = if verbose {
        let rows = runs().map(|(wave, run)| {
            let [name, hook, phase, attempt, outcome, message] = row(wave, run);
            let [fuel, memory, probes] = used(run);
            [
                name, hook, phase, attempt, outcome, fuel, memory, probes, message,
            ]
        });
        table(
            [
                "WAVE", "HOOK", "PHASE", "ATTEMPT", "OUTCOME", "FUEL", "MEMORY", "PROBES",
                "MESSAGE",
            ],
            rows,
        )
    } else {
        table(
            ["WAVE", "HOOK", "PHASE", "ATTEMPT", "OUTCOME", "MESSAGE"],
            runs().map(|(wave, run)| row(wave, run)),
        )
    };
    for (wave, run) in runs() {
        for line in findings(run, verbose) {
            let line = format!("{}/{} {line}", wave.name, run.hook);
            text.push('\n');
            text.push_str(&one_line(&line));
        }
    }
    text
}

fn row(wave: &Wave, run: &HookRun) -> [String; 6] {
    [
        wave.name.clone(),
        run.hook.clone(),
        names::hook_phase(run.phase()).to_owned(),
        run.attempt.to_string(),
        hook_runs::outcome(run),
        one_line(&run.message),
    ]
}

fn used(run: &HookRun) -> [String; 3] {
    [
        run.fuel.to_string(),
        format!("{} KiB", run.peak_memory_bytes.div_ceil(1_024)),
        run.probe_count.to_string(),
    ]
}

fn findings(run: &HookRun, verbose: bool) -> Vec<String> {
    if !verbose {
        return hook_runs::told(run);
    }
    let mut all: Vec<String> = run.findings.iter().map(hook_runs::measured).collect();
    let total = usize::try_from(run.finding_count).unwrap_or(usize::MAX);
    if total > all.len() {
        all.push(format!("and {} more", total - all.len()));
    }
    all
}

#[cfg(test)]
mod tests {
    use tidegate_proto::v1::{HookFinding, HookOutcome, HookPhase, HookSeverity};

    use super::*;

    fn execution() -> Execution {
        let finding = |severity: HookSeverity, subject: &str| HookFinding {
            code: "port-closed".to_owned(),
            severity: severity.into(),
            subject: subject.to_owned(),
            message: "5432 is\nclosed".to_owned(),
            evidence: [("elapsed".to_owned(), "3ms".to_owned())].into(),
        };
        let fine = HookRun {
            hook: "quota".to_owned(),
            phase: HookPhase::PreWave.into(),
            attempt: 1,
            outcome: HookOutcome::Proceed.into(),
            fuel: 900,
            ..HookRun::default()
        };
        let held = HookRun {
            hook: "db-ready".to_owned(),
            phase: HookPhase::PostWave.into(),
            attempt: 2,
            outcome: HookOutcome::Hold.into(),
            message: "not all answer".to_owned(),
            findings: vec![
                finding(HookSeverity::Error, "s-2"),
                finding(HookSeverity::Info, "s-1"),
            ],
            finding_count: 30,
            fuel: 123_456,
            peak_memory_bytes: 1_048_577,
            probe_count: 2,
            ..HookRun::default()
        };
        Execution {
            waves: vec![Wave {
                name: "db".to_owned(),
                hook_runs: vec![fine, held],
                ..Wave::default()
            }],
            ..Execution::default()
        }
    }

    #[test]
    fn hooks_are_shown_with_what_they_hold_against_going_on() {
        insta::assert_snapshot!(shown(&execution(), false), @r"
        WAVE  HOOK      PHASE      ATTEMPT  OUTCOME  MESSAGE
        db    quota     PRE_WAVE   1        PROCEED
        db    db-ready  POST_WAVE  2        HOLD     not all answer
        db/db-ready s-2 port-closed: 5432 is closed
        ");
    }

    #[test]
    fn in_detail_hooks_show_what_they_used_and_found() {
        insta::assert_snapshot!(shown(&execution(), true), @r"
        WAVE  HOOK      PHASE      ATTEMPT  OUTCOME  FUEL    MEMORY    PROBES  MESSAGE
        db    quota     PRE_WAVE   1        PROCEED  900     0 KiB     0
        db    db-ready  POST_WAVE  2        HOLD     123456  1025 KiB  2       not all answer
        db/db-ready ERROR s-2 port-closed: 5432 is closed elapsed=3ms
        db/db-ready INFO s-1 port-closed: 5432 is closed elapsed=3ms
        db/db-ready and 28 more
        ");
    }

    #[test]
    fn an_execution_without_hooks_has_no_table_of_them() {
        assert_eq!(shown(&Execution::default(), true), "");
    }
}
