//! Executions to look at, for the tests of this module.

use tidegate_proto::v1::{
    Action, AllowedAction, Bookmark, Execution, ExecutionKind, ExecutionState, Hold,
    HookFailureKind, HookFinding, HookOutcome, HookPhase, HookRun, HookSeverity, Objectives,
    PauseReason, Server, ServerState, WatchHeader, Wave, WaveState,
};

use super::view::ExecutionView;

/// When the samples begin, in seconds.
pub(crate) const START: i64 = 1_700_000_000;

fn at(seconds: i64) -> Option<prost_types::Timestamp> {
    Some(prost_types::Timestamp {
        seconds: START + seconds,
        nanos: 0,
    })
}

fn servers(states: &[(ServerState, usize)]) -> Vec<Server> {
    let all = states
        .iter()
        .flat_map(|(state, count)| std::iter::repeat_n(*state, *count));
    all.enumerate()
        .map(|(n, state)| {
            let mut server = Server {
                id: format!("s-{n:017x}"),
                hostname: format!("host-{n}"),
                ..Server::default()
            };
            server.set_state(state);
            server
        })
        .collect()
}

fn wave(name: &str, after: &[&str], state: WaveState, servers: Vec<Server>) -> Wave {
    let mut wave = Wave {
        name: name.to_owned(),
        after: after.iter().map(|&name| name.to_owned()).collect(),
        servers,
        ..Wave::default()
    };
    wave.set_state(state);
    wave
}

fn view(execution: Execution, bookmark: Bookmark) -> ExecutionView {
    let mut view = ExecutionView::default();
    let header = WatchHeader {
        snapshot: Some(execution),
        complete: true,
        ..WatchHeader::default()
    };
    view.snapshot(header, true);
    let now = jiff::Timestamp::from_second(START + 300).expect("a time in range");
    view.bookmark(bookmark, now);
    view
}

fn drill(state: ExecutionState, waves: Vec<Wave>) -> Execution {
    let mut execution = Execution {
        id: "01JAAAAAAAAAAAAAAAAAAAAAAA".to_owned(),
        plan: "shop".to_owned(),
        plan_revision: 3,
        create_time: at(0),
        objectives: Some(Objectives {
            rto: Some(prost_types::Duration {
                seconds: 900,
                nanos: 0,
            }),
            rpo: None,
        }),
        waves,
        ..Execution::default()
    };
    execution.set_kind(ExecutionKind::Drill);
    execution.set_state(state);
    execution
}

/// A drill that waits for a person before its last wave.
pub(crate) fn paused() -> ExecutionView {
    let done = servers(&[(ServerState::Launched, 20)]);
    let mut database = wave("database", &[], WaveState::Succeeded, done);
    database.start_time = at(1);
    database.end_time = at(190);
    database.attempt = 1;
    let web = wave("web", &["database"], WaveState::Gated, Vec::new());
    let mut execution = drill(ExecutionState::Paused, vec![database, web]);
    let mut hold = Hold {
        wave: "web".to_owned(),
        detail: "the plan pauses before this wave".to_owned(),
        ..Hold::default()
    };
    hold.set_reason(PauseReason::Planned);
    execution.holds.push(hold);
    view(
        execution,
        Bookmark {
            time: at(300),
            ..Bookmark::default()
        },
    )
}

/// A drill of which two waves failed. Those of `waves` wait for a word, and
/// there are holds of these reasons beside them.
pub(crate) fn failed(waves: &[&str], others: &[PauseReason]) -> ExecutionView {
    let both = ["database", "cache"];
    let run = |name: &&str| wave(name, &[], WaveState::Failed, Vec::new());
    let mut execution = drill(ExecutionState::Paused, both.iter().map(run).collect());
    let failed = waves.iter().map(|&name| (PauseReason::WaveFailed, name));
    for (reason, wave) in failed.chain(others.iter().map(|&reason| (reason, "web"))) {
        let mut hold = Hold {
            wave: wave.to_owned(),
            ..Hold::default()
        };
        hold.set_reason(reason);
        execution.holds.push(hold);
    }
    view(execution, Bookmark::default())
}

/// Makes the gateway say that it allows these actions now, and no others.
pub(crate) fn allow(view: &mut ExecutionView, actions: &[(Action, &str)]) {
    let allowed = actions.iter().map(|&(action, wave)| AllowedAction {
        action: action.into(),
        wave: wave.to_owned(),
    });
    let bookmark = Bookmark {
        allowed_actions: allowed.collect(),
        revision: view.execution().revision,
        ..Bookmark::default()
    };
    view.bookmark(bookmark, jiff::Timestamp::UNIX_EPOCH);
}

/// A paused drill of 25 waves: some are over, two run, one waits for a
/// person, and the others wait for it.
pub(crate) fn large() -> ExecutionView {
    let state = |n: usize| match n {
        1..=9 => WaveState::Succeeded,
        10 => WaveState::Skipped,
        11 | 12 => WaveState::Recovering,
        13 => WaveState::Gated,
        _ => WaveState::Waiting,
    };
    let waves = (1..=25).map(|n| {
        let after = format!("wave-{:02}", n - 1);
        wave(&format!("wave-{n:02}"), &[&after], state(n), Vec::new())
    });
    let mut execution = drill(ExecutionState::Paused, waves.collect());
    let mut hold = Hold {
        wave: "wave-13".to_owned(),
        detail: "the plan pauses before this wave".to_owned(),
        ..Hold::default()
    };
    hold.set_reason(PauseReason::Planned);
    execution.holds.push(hold);
    let outstanding = (1..=6).map(|n| format!("poll drsjob-{n}")).collect();
    view(
        execution,
        Bookmark {
            time: at(300),
            outstanding,
            ..Bookmark::default()
        },
    )
}

/// The same, with `count` servers in trouble in a wave that runs.
pub(crate) fn large_in_trouble(count: usize) -> ExecutionView {
    let mut execution = large().execution().clone();
    let mut failed = servers(&[(ServerState::Failed, count)]);
    for server in &mut failed {
        server.detail = "DRS: LAUNCH_FAILED".to_owned();
    }
    execution.waves[10].servers = failed;
    view(execution, Bookmark::default())
}

/// A drill that a hook holds after the launch of its first wave.
pub(crate) fn held() -> ExecutionView {
    let done = servers(&[(ServerState::Launched, 2)]);
    let mut database = wave("database", &[], WaveState::Verifying, done);
    database.start_time = at(1);
    database.attempt = 1;
    let hook = |name: &str, outcome: HookOutcome| HookRun {
        hook: name.to_owned(),
        phase: HookPhase::PostWave.into(),
        attempt: 1,
        outcome: outcome.into(),
        ..HookRun::default()
    };
    let finding = |severity: HookSeverity, subject: &str| HookFinding {
        code: "port-closed".to_owned(),
        severity: severity.into(),
        subject: subject.to_owned(),
        message: "5432 is closed".to_owned(),
        ..HookFinding::default()
    };
    database.hook_runs = vec![
        hook("answers", HookOutcome::Proceed),
        HookRun {
            failure_kind: HookFailureKind::Timeout.into(),
            ..hook("slow", HookOutcome::Waived)
        },
        HookRun {
            attempt: 3,
            message: "not all answer".to_owned(),
            findings: vec![
                finding(HookSeverity::Error, "s-00000000000000001"),
                finding(HookSeverity::Info, "s-00000000000000000"),
            ],
            finding_count: 2,
            ..hook("db-ready", HookOutcome::Hold)
        },
    ];
    let mut execution = drill(ExecutionState::Paused, vec![database]);
    let mut hold = Hold {
        wave: "database".to_owned(),
        detail: "not all answer".to_owned(),
        ..Hold::default()
    };
    hold.set_reason(PauseReason::Hook);
    execution.holds.push(hold);
    view(
        execution,
        Bookmark {
            time: at(300),
            ..Bookmark::default()
        },
    )
}

/// A drill in which servers are in every phase, and two are in trouble.
pub(crate) fn running() -> ExecutionView {
    let mut mixed = servers(&[
        (ServerState::Launched, 8),
        (ServerState::Launch, 4),
        (ServerState::Conversion, 4),
        (ServerState::Pending, 3),
        (ServerState::Failed, 1),
    ]);
    mixed[19].detail = "DRS: LAUNCH_FAILED".to_owned();
    mixed[0].warnings.push("USING_PREVIOUS_SNAPSHOT".to_owned());
    let mut database = wave("database", &[], WaveState::Recovering, mixed);
    database.start_time = at(1);
    database.attempt = 2;
    let web = wave("web", &["database"], WaveState::Waiting, Vec::new());
    let execution = drill(ExecutionState::Running, vec![database, web]);
    let outstanding = (1..=5).map(|n| format!("poll drsjob-{n}")).collect();
    view(
        execution,
        Bookmark {
            time: at(300),
            next_deadline: at(901),
            next_deadline_reason: "wave database times out".to_owned(),
            outstanding,
            ..Bookmark::default()
        },
    )
}
