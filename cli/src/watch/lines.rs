//! One line for each change, for logs and pipes.
//!
//! The form is stable: `TIME INDEX SUBJECT WORD [detail]`, separated by single
//! spaces, where TIME is RFC 3339 in UTC and SUBJECT is one of `execution`,
//! `hold`, `wave/NAME`, `server/WAVE/ID`, `launch/KEY`, `hook/WAVE/HOOK` and
//! `owner`.

use tidegate_proto::v1::{self, Change, Commit, HookRun, Launch, change};

use crate::{names, time};

/// A line for each change of a commit, without line breaks.
pub(crate) fn of(commit: &Commit) -> impl Iterator<Item = String> {
    let time = time::instant(commit.time);
    commit.changes.iter().filter_map(move |change| {
        let Change { index, kind } = change;
        let (subject, rest) = words(kind.as_ref()?);
        Some(format!(
            "{time} {index} {subject} {}",
            one_line(rest.trim_end())
        ))
    })
}

/// The lines that are about the execution, its holds and its waves. A wave
/// passes through several steps within a state; they are one line.
pub(crate) fn milestones(commit: &Commit) -> impl Iterator<Item = String> {
    let mut last = String::new();
    of(commit).filter(move |line| {
        let text = line.splitn(3, ' ').nth(2).unwrap_or_default();
        let about = text.split([' ', '/']).next().unwrap_or_default();
        let is_news = text != last;
        text.clone_into(&mut last);
        is_news && ["execution", "hold", "wave"].contains(&about)
    })
}

/// Texts come from DRS, hooks and people: a line stays a line.
fn one_line(text: &str) -> String {
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
            detailed(names::execution_state(moved.state()), &moved.detail),
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
                detailed(&word, &moved.detail),
            )
        }
        change::Kind::ServersSelected(selected) => (
            format!("wave/{}", selected.wave),
            format!("SELECTED {} servers", selected.servers.len()),
        ),
        change::Kind::Server(moved) => (
            format!("server/{}/{}", moved.wave, moved.server),
            detailed(&server_words(moved), &moved.detail),
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
        detailed(&text, &launch.detail),
    )
}

fn hook(wave: &str, run: Option<&HookRun>) -> (String, String) {
    let Some(run) = run else {
        return (format!("hook/{wave}"), String::new());
    };
    let word = names::hook_outcome(run.outcome());
    let text = format!("{word} attempt {}", run.attempt);
    (
        format!("hook/{wave}/{}", run.hook),
        detailed(&text, &run.message),
    )
}

fn detailed(word: &str, detail: &str) -> String {
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

    #[test]
    fn milestones_leave_servers_out() {
        let server = change::Kind::Server(v1::ServerMoved::default());
        let wave = change::Kind::Wave(v1::WaveMoved {
            wave: "db".to_owned(),
            ..v1::WaveMoved::default()
        });
        let commit = commit(vec![server, wave]);
        let shown: Vec<String> = milestones(&commit).collect();
        assert_eq!(shown.len(), 1);
        assert!(shown[0].contains("wave/db"));
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
