//! The live view as text: a pure function of what is known, the time and the
//! room.

use jiff::Timestamp;
use tidegate_proto::v1::{Execution, ExecutionState, ServerState, Wave, WaveState};

use super::{
    hooks,
    layout::{Parts, Room},
    next::Foot,
    paint::{self, BAD, BUSY, FAINT, GOOD, LOOK, Line, PLAIN, STRONG, bar},
    view::{ExecutionView, server_counts, troubled},
};
use crate::{command_line::CommandLine, names, time};

/// Troubled servers that are named; the rest is counted.
const NAMED: usize = 8;
/// Width of a wave's bar.
const BAR: usize = 20;

/// The view at `now` of our clock. Its lines fit the room.
pub(crate) fn render(
    view: &ExecutionView,
    now: Timestamp,
    room: Room,
    commands: &CommandLine,
) -> String {
    let now = view.gateway_time(now);
    let execution = view.execution();
    let (heading, waves) = waves(execution, now);
    let parts = Parts {
        header: header(view, now),
        heading,
        waves,
        details: [trouble(execution), hooks::lines(execution)].concat(),
        foot: Foot::new(view, now, room.width, commands),
    };
    paint::render(&parts.fit(room.height), room.width)
}

fn header(view: &ExecutionView, now: Timestamp) -> Vec<Line> {
    let execution = view.execution();
    let state = execution.state();
    let mut title = Line::default()
        .with(STRONG, names::kind(execution.kind()))
        .with(PLAIN, format!(" {} ", execution.plan))
        .with(FAINT, format!("r{} ", execution.plan_revision))
        .with(PLAIN, format!("{}  ", execution.id))
        .with(execution_style(state), names::execution_state(state));
    if !execution.state_detail.is_empty() {
        title = title.with(PLAIN, format!("  {}", execution.state_detail));
    }
    vec![title, clock(view, now), Line::default()]
}

/// Elapsed time, against the RTO if there is one.
fn clock(view: &ExecutionView, now: Timestamp) -> Line {
    let elapsed = view.elapsed(now);
    let line = Line::plain(format!("elapsed {}", time::span(elapsed)));
    let rto = view.execution().objectives.as_ref().and_then(|o| o.rto);
    match time::duration(rto).filter(|rto| !rto.is_zero()) {
        None => line,
        Some(rto) => {
            let share = elapsed.as_secs_f64() / rto.as_secs_f64();
            let style = match share {
                share if share > 1.0 => BAD,
                share if share > 0.8 => LOOK,
                _ => GOOD,
            };
            line.with(PLAIN, format!(" of RTO {}  ", time::span(rto)))
                .with(style, bar(share, 1.0, 2 * BAR))
                .with(PLAIN, format!(" {:.0} %", share * 100.0))
        }
    }
}

/// A heading, and a line for each wave.
fn waves(execution: &Execution, now: Timestamp) -> (Line, Vec<(WaveState, Line)>) {
    let width = |text: fn(&Wave) -> &str, heading: &str| {
        let longest = execution
            .waves
            .iter()
            .map(|wave| text(wave).chars().count());
        longest.max().unwrap_or(0).max(heading.len())
    };
    let name_width = width(|wave| &wave.name, "WAVE");
    let state_width = width(|wave| names::wave_state(wave.state()), "STATE");
    let heading = format!(
        "  {:name_width$}  {:state_width$}  {:>7}  {:7}  SERVERS",
        "WAVE", "STATE", "ELAPSED", "ATTEMPT"
    );
    let mut lines = Vec::new();
    for wave in &execution.waves {
        let state = names::wave_state(wave.state());
        let attempt = match wave.attempt {
            0 => String::new(),
            attempt => attempt.to_string(),
        };
        let line = Line::default()
            .with(wave_style(wave.state()), mark(wave.state()))
            .with(PLAIN, format!(" {:name_width$}  ", wave.name))
            .with(wave_style(wave.state()), format!("{state:state_width$}"))
            .with(
                PLAIN,
                format!("  {:>7}  {attempt:7}  ", wave_elapsed(wave, now)),
            );
        lines.push((wave.state(), servers(line, wave)));
    }
    (Line::default().with(FAINT, heading), lines)
}

fn wave_elapsed(wave: &Wave, now: Timestamp) -> String {
    let from = wave.start_time.and_then(time::timestamp);
    let to = wave.end_time.and_then(time::timestamp).unwrap_or(now);
    from.map_or_else(String::new, |from| time::span(time::between(from, to)))
}

/// Servers by phase, as a bar and as counts.
fn servers(line: Line, wave: &Wave) -> Line {
    if wave.servers.is_empty() {
        return if wave.state() == WaveState::Waiting && !wave.after.is_empty() {
            line.with(FAINT, format!("after {}", wave.after.join(", ")))
        } else {
            line.with(FAINT, wave.detail.clone())
        };
    }
    let counts = server_counts(wave);
    let words: Vec<String> = counts
        .iter()
        .map(|(state, count)| format!("{count} {}", names::server_state(*state).to_lowercase()))
        .collect();
    let mut line = phases(line, &counts, wave.servers.len()).with(PLAIN, words.join(", "));
    if !wave.detail.is_empty() {
        line = line.with(FAINT, format!("  {}", wave.detail));
    }
    line
}

/// One character for a share of the servers, in the order of their way.
fn phases(line: Line, counts: &[(ServerState, usize)], total: usize) -> Line {
    let mut line = line.with(PLAIN, "[");
    let mut done = 0;
    let mut drawn = 0;
    for (state, count) in counts {
        done += count;
        let end = done * BAR / total;
        let (style, glyph) = glyph(*state);
        line = line.with(style, glyph.repeat(end - drawn));
        drawn = end;
    }
    line.with(PLAIN, "] ")
}

fn glyph(state: ServerState) -> (anstyle::Style, &'static str) {
    match state {
        ServerState::Launched | ServerState::Terminated => (GOOD, "#"),
        ServerState::Launch => (BUSY, "="),
        ServerState::Conversion => (BUSY, "-"),
        ServerState::Snapshot | ServerState::Requested => (BUSY, ":"),
        ServerState::Pending | ServerState::Unspecified => (FAINT, "."),
        ServerState::Failed => (BAD, "x"),
        ServerState::Skipped => (FAINT, "_"),
    }
}

fn mark(state: WaveState) -> &'static str {
    match state {
        WaveState::Succeeded => "✓",
        WaveState::SucceededWithWarnings => "!",
        WaveState::Failed => "✗",
        WaveState::Skipped | WaveState::Cancelled => "-",
        WaveState::Gated => "⏸",
        WaveState::Waiting | WaveState::Unspecified => "·",
        WaveState::Checking
        | WaveState::Launching
        | WaveState::Recovering
        | WaveState::Verifying => "▸",
    }
}

fn wave_style(state: WaveState) -> anstyle::Style {
    match state {
        WaveState::Succeeded => GOOD,
        WaveState::SucceededWithWarnings | WaveState::Gated => LOOK,
        WaveState::Failed => BAD,
        WaveState::Waiting | WaveState::Unspecified | WaveState::Skipped | WaveState::Cancelled => {
            FAINT
        }
        WaveState::Checking
        | WaveState::Launching
        | WaveState::Recovering
        | WaveState::Verifying => BUSY,
    }
}

fn execution_style(state: ExecutionState) -> anstyle::Style {
    match state {
        ExecutionState::Succeeded => GOOD,
        ExecutionState::Failed => BAD,
        ExecutionState::Pausing
        | ExecutionState::Paused
        | ExecutionState::Cancelling
        | ExecutionState::Cancelled
        | ExecutionState::SucceededWithWarnings => LOOK,
        ExecutionState::Unspecified | ExecutionState::Pending | ExecutionState::Running => BUSY,
    }
}

/// Servers that failed or carry a warning, by name.
fn trouble(execution: &Execution) -> Vec<Line> {
    let mut lines = vec![Line::default()];
    let mut more = 0;
    for (wave, server) in troubled(execution) {
        if lines.len() > NAMED {
            more += 1;
            continue;
        }
        let (style, word) = if server.state() == ServerState::Failed {
            (BAD, "failed ")
        } else {
            (LOOK, "warning")
        };
        let host = match server.hostname.as_str() {
            "" => String::new(),
            host => format!(" ({host})"),
        };
        let mut why = server.warnings.clone();
        why.insert(0, server.detail.clone());
        why.retain(|text| !text.is_empty());
        lines.push(Line::default().with(style, format!("  {word} ")).with(
            PLAIN,
            format!("{}/{}{host}  {}", wave.name, server.id, why.join("; ")),
        ));
    }
    if more > 0 {
        lines.push(Line::default().with(FAINT, format!("  and {more} more")));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::sample;

    fn shown(view: &ExecutionView, width: usize) -> String {
        let height = 60;
        shown_in(view, Room { width, height })
    }

    fn shown_in(view: &ExecutionView, room: Room) -> String {
        let now = Timestamp::from_second(sample::START + 300).unwrap();
        let text = render(view, now, room, &CommandLine::default());
        anstream::adapter::strip_str(&text).to_string()
    }

    #[test]
    fn a_paused_drill_shows_what_to_type() {
        insta::assert_snapshot!(shown(&sample::paused(), 120), @r#"
        DRILL shop r3 01JAAAAAAAAAAAAAAAAAAAAAAA  PAUSED
        elapsed 5m00s of RTO 15m00s  [#############...........................] 33 %

          WAVE      STATE      ELAPSED  ATTEMPT  SERVERS
        ✓ database  SUCCEEDED    3m09s  1        [####################] 20 launched
        ⏸ web       GATED    

        held   PLANNED (wave web): the plan pauses before this wave
        you    tidegate execution resume 01JAAAAAAAAAAAAAAAAAAAAAAA
        "#);
    }

    #[test]
    fn a_running_drill_shows_phases_and_trouble() {
        insta::assert_snapshot!(shown(&sample::running(), 120), @r#"
        DRILL shop r3 01JAAAAAAAAAAAAAAAAAAAAAAA  RUNNING
        elapsed 5m00s of RTO 15m00s  [#############...........................] 33 %

          WAVE      STATE       ELAPSED  ATTEMPT  SERVERS
        ▸ database  RECOVERING    4m59s  2        [########====----...x] 8 launched, 4 launch, 4 conversion, 3 pending, 1 failed
        · web       WAITING                       after database

          warning database/s-00000000000000000 (host-0)  USING_PREVIOUS_SNAPSHOT
          failed  database/s-00000000000000013 (host-19)  DRS: LAUNCH_FAILED
        now    poll drsjob-1
        now    poll drsjob-2
        now    poll drsjob-3
        now    poll drsjob-4
               and 1 more
        next   in 10m01s: wave database times out
        "#);
    }

    #[test]
    fn a_hook_that_does_not_say_go_on_is_shown_with_its_reasons() {
        insta::assert_snapshot!(shown(&sample::held(), 120), @r#"
        DRILL shop r3 01JAAAAAAAAAAAAAAAAAAAAAAA  PAUSED
        elapsed 5m00s of RTO 15m00s  [#############...........................] 33 %

          WAVE      STATE      ELAPSED  ATTEMPT  SERVERS
        ▸ database  VERIFYING    4m59s  1        [####################] 2 launched

          hook    database/slow POST_WAVE WAIVED (TIMEOUT) attempt 1
          hook    database/db-ready POST_WAVE HOLD attempt 3  not all answer
                  s-00000000000000001 port-closed: 5432 is closed

        held   HOOK (wave database): not all answer
        you    tidegate execution resume 01JAAAAAAAAAAAAAAAAAAAAAAA
        "#);
    }

    #[test]
    fn what_to_type_is_on_a_small_screen_whatever_the_plan() {
        let room = Room {
            width: 80,
            height: 23,
        };
        insta::assert_snapshot!(shown_in(&sample::large(), room), @r#"
        DRILL shop r3 01JAAAAAAAAAAAAAAAAAAAAAAA  PAUSED
        elapsed 5m00s of RTO 15m00s  [#############...........................] 33 %

          WAVE     STATE       ELAPSED  ATTEMPT  SERVERS
          (9 SUCCEEDED, 1 SKIPPED)
        ▸ wave-11  RECOVERING
        ▸ wave-12  RECOVERING
        ⏸ wave-13  GATED     
        · wave-14  WAITING                       after wave-13
        · wave-15  WAITING                       after wave-14
        · wave-16  WAITING                       after wave-15
        · wave-17  WAITING                       after wave-16
        · wave-18  WAITING                       after wave-17
        · wave-19  WAITING                       after wave-18
          (6 WAITING)

        now    poll drsjob-1
        now    poll drsjob-2
        now    poll drsjob-3
        now    poll drsjob-4
               and 2 more
        held   PLANNED (wave wave-13): the plan pauses before this wave
        you    tidegate execution resume 01JAAAAAAAAAAAAAAAAAAAAAAA
        "#);
        let hold = "held   PLANNED (wave wave-13)";
        let command = "you    tidegate execution resume 01JAAAAAAAAAAAAAAAAAAAAAAA";
        for (view, height) in [
            (sample::large(), 23),
            (sample::large(), 9),
            (sample::large(), 2),
            (sample::large_in_trouble(40), 23),
        ] {
            let text = shown_in(&view, Room { width: 80, height });
            let lines: Vec<&str> = text.lines().collect();
            assert!(lines.len() <= height, "{height}: {text}");
            assert_eq!(lines.last(), Some(&command), "{height}: {text}");
            let above = lines.iter().rev().nth(1);
            assert!(above.is_some_and(|it| it.starts_with(hold)), "{text}");
        }
    }

    #[test]
    fn a_screen_of_one_line_is_for_what_to_type() {
        let room = Room {
            width: 80,
            height: 1,
        };
        assert!(shown_in(&sample::large(), room).starts_with("you    tidegate"));
        assert_eq!(shown_in(&sample::running(), room).lines().count(), 1);
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        for width in [1, 20, 40, 80] {
            let text = shown(&sample::running(), width);
            assert!(text.lines().all(|line| line.chars().count() <= width));
        }
    }

    #[test]
    fn an_execution_of_which_nothing_is_known_is_no_panic() {
        assert!(!shown(&ExecutionView::default(), 80).is_empty());
    }
}
