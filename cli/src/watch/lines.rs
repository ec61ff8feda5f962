//! One line for each change, for logs and pipes.
//!
//! The form is stable: `TIME INDEX SUBJECT WORD [detail]`, separated by single
//! spaces, where TIME is RFC 3339 in UTC and SUBJECT is one of `execution`,
//! `hold`, `wave/NAME`, `server/WAVE/ID`, `launch/KEY`, `hook/WAVE/HOOK` and
//! `owner`. In detail, a hook that ended has further lines with the same TIME,
//! INDEX and SUBJECT and the words `FINDING`, `LOG` and `USED`, and
//! `TAPE none` where no tape was stored.

use tidegate_proto::v1::{self, Change, Commit, HookMoved, HookOutcome, HookRun, Launch, change};

use super::hook_runs;
use crate::{names, time};

/// A line for each change of a commit, without line breaks.
pub(crate) fn of(commit: &Commit) -> impl Iterator<Item = String> {
    let time = time::instant(commit.time);
    commit.changes.iter().filter_map(move |change| {
        let Change { index, kind } = change;
        let (subject, rest) = words(kind.as_ref()?);
        Some(line(&time, *index, &subject, &rest))
    })
}

/// The same, with what each hook that ended found, said and used.
pub(crate) fn detailed(commit: &Commit) -> impl Iterator<Item = String> {
    let time = time::instant(commit.time);
    commit.changes.iter().flat_map(move |change| {
        let mut told: Vec<(String, String)> = change.kind.iter().map(words).collect();
        if let Some(change::Kind::Hook(moved)) = &change.kind {
            told.extend(hook_details(moved));
        }
        let lines = told
            .iter()
            .map(|(subject, rest)| line(&time, change.index, subject, rest));
        lines.collect::<Vec<_>>()
    })
}

fn line(time: &str, index: u64, subject: &str, rest: &str) -> String {
    format!("{time} {index} {subject} {}", one_line(rest.trim_end()))
}

/// The lines that are about the execution, its holds, its waves and their
/// hooks. A wave passes through several steps within a state; they are one line.
pub(crate) fn milestones(commit: &Commit) -> impl Iterator<Item = String> {
    let mut last = String::new();
    of(commit).filter(move |line| {
        let text = line.splitn(3, ' ').nth(2).unwrap_or_default();
        let about = text.split([' ', '/']).next().unwrap_or_default();
        let is_news = text != last;
        text.clone_into(&mut last);
        is_news && ["execution", "hold", "wave", "hook"].contains(&about)
    })
}

/// Texts come from DRS, hooks and people: a line stays a line.
pub(crate) fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

fn words(kind: &change::Kind) -> (String, String) {
    match kind {
        change::Kind::Created(created) => (
            "execution".to_owned(),
            format!(
                "CREATED {} of {} revision {}",
                names::kind(created.kind()),
                created.plan,
                created.plan_revision
            ),
        ),
        change::Kind::Execution(moved) => (
            "execution".to_owned(),
            with_detail(names::execution_state(moved.state()), &moved.detail),
        ),
        change::Kind::HoldPlaced(placed) => {
            ("hold".to_owned(), hold("PLACED", placed.hold.as_ref()))
        }
        change::Kind::HoldLifted(lifted) => {
            ("hold".to_owned(), hold("LIFTED", lifted.hold.as_ref()))
        }
        change::Kind::Wave(moved) => {
            let word = names::wave_state(moved.state());
            let word = match moved.attempt {
                0 | 1 => word.to_owned(),
                attempt => format!("{word} attempt {attempt}"),
            };
            (
                format!("wave/{}", moved.wave),
                with_detail(&word, &moved.detail),
            )
        }
        change::Kind::ServersSelected(selected) => (
            format!("wave/{}", selected.wave),
            format!("SELECTED {} servers", selected.servers.len()),
        ),
        change::Kind::Server(moved) => (
            format!("server/{}/{}", moved.wave, moved.server),
            with_detail(&server_words(moved), &moved.detail),
        ),
        change::Kind::ServerWarned(warned) => (
            format!("server/{}/{}", warned.wave, warned.server),
            format!("WARNING {}", warned.warning),
        ),
        change::Kind::Launch(moved) => launch(&moved.wave, moved.launch.as_ref()),
        change::Kind::Hook(moved) => hook(&moved.wave, moved.run.as_ref()),
        change::Kind::Owner(owner) => (
            "owner".to_owned(),
            format!("{} epoch {}", owner.owner, owner.epoch),
        ),
    }
}

fn server_words(moved: &v1::ServerMoved) -> String {
    let word = names::server_state(moved.state());
    if moved.recovery_instance_id.is_empty() {
        word.to_owned()
    } else {
        format!("{word} {}", moved.recovery_instance_id)
    }
}

fn hold(word: &str, hold: Option<&v1::Hold>) -> String {
    let hold = hold.map(names::hold).unwrap_or_default();
    format!("{word} {hold}")
}

fn launch(wave: &str, launch: Option<&Launch>) -> (String, String) {
    let Some(launch) = launch else {
        return (format!("launch/{wave}"), String::new());
    };
    let word = names::launch_state(launch.state());
    let mut text = format!("{word} {} servers", launch.servers.len());
    if !launch.job_id.is_empty() {
        text = format!("{text} {}", launch.job_id);
    }
    (
        format!("launch/{}", launch.key),
        with_detail(&text, &launch.detail),
    )
}

fn hook(wave: &str, run: Option<&HookRun>) -> (String, String) {
    let Some(run) = run else {
        return (format!("hook/{wave}"), String::new());
    };
    let text = format!(
        "{} attempt {} {}",
        names::hook_outcome(run.outcome()),
        run.attempt,
        names::hook_phase(run.phase())
    );
    let text = if run.failure_kind() == v1::HookFailureKind::Unspecified {
        text
    } else {
        let kind = names::hook_failure_kind(run.failure_kind());
        format!("{text} {kind}")
    };
    let told = hook_runs::told(run).join("; ");
    (
        format!("hook/{wave}/{}", run.hook),
        format!("{} {told}", with_detail(&text, &run.message)),
    )
}

/// What a hook that ended found, said and used; nothing while it runs.
fn hook_details(moved: &HookMoved) -> Vec<(String, String)> {
    let Some(run) = &moved.run else {
        return Vec::new();
    };
    if run.outcome() == HookOutcome::Running {
        return Vec::new();
    }
    let findings = run
        .findings
        .iter()
        .map(|it| format!("FINDING {}", hook_runs::measured(it)));
    let log = moved.log.iter().map(|line| {
        format!(
            "LOG {} {}",
            names::hook_log_level(line.level()),
            line.message
        )
    });
    let dropped = (moved.log_dropped > 0).then(|| format!("LOG and {} more", moved.log_dropped));
    let used = format!(
        "USED fuel {} memory {} probes {}",
        run.fuel, run.peak_memory_bytes, run.probe_count
    );
    let subject = format!("hook/{}/{}", moved.wave, run.hook);
    findings
        .chain(log)
        .chain(dropped)
        .chain([used])
        .chain((!moved.taped && is_answer(run)).then(|| "TAPE none".to_owned()))
        .map(|rest| (subject.clone(), rest))
        .collect()
}

/// Whether the run ended with an answer that was heard.
fn is_answer(run: &HookRun) -> bool {
    match run.outcome() {
        HookOutcome::Unspecified | HookOutcome::Running | HookOutcome::Dropped => false,
        HookOutcome::Proceed
        | HookOutcome::Retry
        | HookOutcome::Hold
        | HookOutcome::Skip
        | HookOutcome::Abort
        | HookOutcome::Failed
        | HookOutcome::Waived => true,
    }
}

fn with_detail(word: &str, detail: &str) -> String {
    if detail.is_empty() {
        word.to_owned()
    } else {
        format!("{word} ({detail})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commit(kinds: Vec<change::Kind>) -> Commit {
        Commit {
            time: Some(prost_types::Timestamp {
                seconds: 1_700_000_000,
                nanos: 0,
            }),
            changes: (7..)
                .zip(kinds)
                .map(|(index, kind)| Change {
                    index,
                    kind: Some(kind),
                })
                .collect(),
            ..Commit::default()
        }
    }

    fn lines(kinds: Vec<change::Kind>) -> String {
        of(&commit(kinds)).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn the_form_of_a_line_is_stable() {
        let kinds = vec![
            change::Kind::Created(v1::ExecutionCreated {
                kind: v1::ExecutionKind::Drill.into(),
                plan: "shop".to_owned(),
                plan_revision: 3,
                plan_digest: String::new(),
            }),
            change::Kind::Wave(v1::WaveMoved {
                wave: "db".to_owned(),
                state: v1::WaveState::Launching.into(),
                detail: "2 jobs".to_owned(),
                attempt: 2,
                retry_time: None,
            }),
            change::Kind::Server(v1::ServerMoved {
                wave: "db".to_owned(),
                server: "s-1".to_owned(),
                state: v1::ServerState::Launched.into(),
                recovery_instance_id: "i-1".to_owned(),
                ..v1::ServerMoved::default()
            }),
            change::Kind::HoldPlaced(v1::HoldPlaced {
                hold: Some(v1::Hold {
                    reason: v1::PauseReason::Planned.into(),
                    wave: "web".to_owned(),
                    detail: String::new(),
                }),
            }),
            change::Kind::Launch(v1::LaunchMoved {
                wave: "db".to_owned(),
                launch: Some(Launch {
                    key: "01J/db/1/1".to_owned(),
                    state: v1::LaunchState::Running.into(),
                    servers: vec!["s-1".to_owned()],
                    job_id: "drsjob-1".to_owned(),
                    ..Launch::default()
                }),
            }),
        ];
        insta::assert_snapshot!(lines(kinds), @r#"
        2023-11-14T22:13:20Z 7 execution CREATED DRILL of shop revision 3
        2023-11-14T22:13:20Z 8 wave/db LAUNCHING attempt 2 (2 jobs)
        2023-11-14T22:13:20Z 9 server/db/s-1 LAUNCHED i-1
        2023-11-14T22:13:20Z 10 hold PLACED PLANNED (wave web)
        2023-11-14T22:13:20Z 11 launch/01J/db/1/1 RUNNING 1 servers drsjob-1
        "#);
    }

    /// A hook that holds, with all that a change says of it.
    fn held() -> change::Kind {
        let finding = |severity: v1::HookSeverity, subject: &str| v1::HookFinding {
            code: "port-closed".to_owned(),
            severity: severity.into(),
            subject: subject.to_owned(),
            message: "5432 is closed".to_owned(),
            evidence: [("elapsed".to_owned(), "3ms".to_owned())].into(),
        };
        change::Kind::Hook(HookMoved {
            wave: "db".to_owned(),
            run: Some(HookRun {
                hook: "db-ready".to_owned(),
                phase: v1::HookPhase::PostWave.into(),
                attempt: 2,
                outcome: HookOutcome::Hold.into(),
                message: "not all answer".to_owned(),
                findings: vec![
                    finding(v1::HookSeverity::Info, "s-1"),
                    finding(v1::HookSeverity::Error, "s-2"),
                ],
                finding_count: 2,
                fuel: 123_456,
                peak_memory_bytes: 1_048_576,
                probe_count: 2,
                ..HookRun::default()
            }),
            log: vec![v1::HookLogLine {
                level: v1::HookLogLevel::Warning.into(),
                message: "slow\nanswer".to_owned(),
            }],
            log_dropped: 4,
            taped: true,
        })
    }

    #[test]
    fn a_hook_is_told_with_what_it_holds_against_going_on() {
        insta::assert_snapshot!(lines(vec![held()]), @"2023-11-14T22:13:20Z 7 hook/db/db-ready HOLD attempt 2 POST_WAVE (not all answer) s-2 port-closed: 5432 is closed");
    }

    #[test]
    fn in_detail_a_hook_tells_what_it_found_said_and_used() {
        let owner = change::Kind::Owner(v1::OwnerChanged::default());
        let shown: Vec<String> = detailed(&commit(vec![held(), owner])).collect();
        insta::assert_snapshot!(shown.join("\n"), @r"
        2023-11-14T22:13:20Z 7 hook/db/db-ready HOLD attempt 2 POST_WAVE (not all answer) s-2 port-closed: 5432 is closed
        2023-11-14T22:13:20Z 7 hook/db/db-ready FINDING INFO s-1 port-closed: 5432 is closed elapsed=3ms
        2023-11-14T22:13:20Z 7 hook/db/db-ready FINDING ERROR s-2 port-closed: 5432 is closed elapsed=3ms
        2023-11-14T22:13:20Z 7 hook/db/db-ready LOG WARNING slow answer
        2023-11-14T22:13:20Z 7 hook/db/db-ready LOG and 4 more
        2023-11-14T22:13:20Z 7 hook/db/db-ready USED fuel 123456 memory 1048576 probes 2
        2023-11-14T22:13:20Z 8 owner  epoch 0
        ");
    }

    #[test]
    fn in_detail_a_hook_without_a_tape_says_so() {
        let change::Kind::Hook(mut moved) = held() else {
            panic!("it is a hook");
        };
        moved.taped = false;
        let shown = detailed(&commit(vec![change::Kind::Hook(moved)])).last();
        let expected = "2023-11-14T22:13:20Z 7 hook/db/db-ready TAPE none";
        assert_eq!(shown.as_deref(), Some(expected));
    }

    #[test]
    fn a_hook_that_still_runs_has_used_nothing_yet() {
        let started = change::Kind::Hook(HookMoved {
            wave: "db".to_owned(),
            run: Some(HookRun {
                hook: "db-ready".to_owned(),
                phase: v1::HookPhase::PreWave.into(),
                attempt: 1,
                outcome: HookOutcome::Running.into(),
                ..HookRun::default()
            }),
            ..HookMoved::default()
        });
        let shown: Vec<String> = detailed(&commit(vec![started])).collect();
        assert_eq!(
            shown,
            ["2023-11-14T22:13:20Z 7 hook/db/db-ready RUNNING attempt 1 PRE_WAVE"]
        );
    }

    #[test]
    fn a_failure_of_the_hook_itself_is_told_with_its_kind() {
        let failed = change::Kind::Hook(HookMoved {
            wave: "db".to_owned(),
            run: Some(HookRun {
                hook: "db-ready".to_owned(),
                phase: v1::HookPhase::PostWave.into(),
                attempt: 3,
                outcome: HookOutcome::Failed.into(),
                failure_kind: v1::HookFailureKind::Timeout.into(),
                ..HookRun::default()
            }),
            ..HookMoved::default()
        });
        let shown = lines(vec![failed]);
        assert!(
            shown.ends_with("FAILED attempt 3 POST_WAVE TIMEOUT"),
            "{shown}"
        );
    }

    #[test]
    fn milestones_leave_servers_and_launches_out_and_tell_each_step_of_a_hook() {
        let server = change::Kind::Server(v1::ServerMoved::default());
        let launch = change::Kind::Launch(v1::LaunchMoved::default());
        let wave = change::Kind::Wave(v1::WaveMoved {
            wave: "db".to_owned(),
            state: v1::WaveState::Verifying.into(),
            ..v1::WaveMoved::default()
        });
        let started = change::Kind::Hook(HookMoved {
            wave: "db".to_owned(),
            run: Some(HookRun {
                hook: "db-ready".to_owned(),
                phase: v1::HookPhase::PostWave.into(),
                attempt: 2,
                outcome: HookOutcome::Running.into(),
                ..HookRun::default()
            }),
            ..HookMoved::default()
        });
        let commit = commit(vec![server, launch, wave, started, held()]);
        let shown: Vec<String> = milestones(&commit).collect();
        insta::assert_snapshot!(shown.join("\n"), @r"
        2023-11-14T22:13:20Z 9 wave/db VERIFYING
        2023-11-14T22:13:20Z 10 hook/db/db-ready RUNNING attempt 2 POST_WAVE
        2023-11-14T22:13:20Z 11 hook/db/db-ready HOLD attempt 2 POST_WAVE (not all answer) s-2 port-closed: 5432 is closed
        ");
    }

    #[test]
    fn a_text_from_outside_stays_in_its_line() {
        let moved = v1::ExecutionMoved {
            state: v1::ExecutionState::Failed.into(),
            detail: "a\nb\u{1b}[2J".to_owned(),
        };
        let shown = lines(vec![change::Kind::Execution(moved)]);
        assert_eq!(shown.lines().count(), 1);
        assert!(!shown.contains('\u{1b}'));
    }
}
