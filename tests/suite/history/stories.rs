//! The stories: together they see every change, state and reason.

use std::{collections::BTreeMap, sync::Arc};

use tidegate_core::{
    Span, WaveIx,
    engine::{
        Event, Finding, HookAnswer, HookEvidence, HookVerdict, Kind, LaunchAnswer, LogLevel,
        LogLine, Quota, ServerState as S, Severity,
    },
    plan::HookFailureKind,
};

use super::story::Story;

/// A story's name, and the story.
pub(super) type Named = (&'static str, fn() -> Story);

/// Every story by its name.
pub(super) const ALL: [Named; 14] = [
    ("parallel-drill", parallel_drill),
    ("retries-and-tolerance", retries_and_tolerance),
    ("stopped-by-a-failure", stopped_by_a_failure),
    ("holds", holds),
    ("hooks-that-decide", hooks_that_decide),
    ("hooks-that-fail", hooks_that_fail),
    ("lost-answers", lost_answers),
    ("approval-of-a-recovery", approval_of_a_recovery),
    ("cancelled-in-flight", cancelled_in_flight),
    ("out-of-time", out_of_time),
    ("late-waves", late_waves),
    ("cleanup", cleanup),
    ("full-quotas", full_quotas),
    ("unfinished", unfinished),
];

/// A plan with these waves, each a line of a YAML list.
fn plan(options: &str, waves: &[&str]) -> String {
    let waves: String = waves.iter().map(|wave| format!("    - {wave}\n")).collect();
    format!(
        "apiVersion: tidegate/v1\nkind: Plan\nmetadata: {{name: story, labels: {{env: test}}}}\n\
         spec:\n  target: {{account: \"123456789012\", region: us-west-2}}\n{options}  waves:\n{waves}"
    )
}

fn ids(numbers: &[u32]) -> String {
    let ids: Vec<String> = numbers.iter().map(|n| format!("s-{n:017x}")).collect();
    ids.join(", ")
}

fn servers(numbers: &[u32]) -> String {
    format!("servers: {{ids: [{}]}}", ids(numbers))
}

fn wave(name: &str, numbers: &[u32], rest: &str) -> String {
    format!("{{name: {name}, {}{rest}}}", servers(numbers))
}

/// A wave that is split, in two Regions, beside one of its own; servers in
/// every phase of a job; snapshots, optional servers and tags.
fn parallel_drill() -> Story {
    let far = "target: {region: eu-west-1, account: \"123456789012\", role: \"arn:aws:iam::123456789012:role/dr\"}";
    let database = format!(
        "{{name: database, servers: [{{ids: [{}]}}, {{ids: [{{id: s-00000000000000005, optional: true, snapshot: pit-00000000000000001}}], {far}}}]}}",
        ids(&[1, 2, 3, 4])
    );
    let cache = "{name: cache, servers: {tags: {tier: cache}, optional: true}}";
    let app = wave("app", &[9], ", after: [database, cache]");
    let mut story = Story::begin(Kind::Drill, &plan("", &[&database, cache, &app]));
    story.select(
        1,
        &[("s-0000000000000000a", true), ("s-0000000000000000b", true)],
    );
    for _ in 0..3 {
        story.accept(0);
    }
    story.accept(1);
    story.job(0, false, &[S::Snapshot, S::Requested]);
    story.pass(60);
    story.job(0, false, &[S::Conversion, S::Snapshot, S::Conversion]);
    story.job(0, false, &[S::Launch, S::Conversion, S::Launch]);
    story.pass(240);
    story.job_with_words(0, &[S::Launched, S::Launched, S::Launched]);
    story.launch_all(1);
    story.launch_all(0);
    story.launch_all(2);
    story
}

/// Failed servers are asked for again; one failure too many for one wave is
/// tolerated in another.
fn retries_and_tolerance() -> Story {
    let database = wave("database", &[1, 2], ", retry: {limit: 2, backoff: 30s}");
    let web = wave("web", &[3, 4], ", after: [database], tolerance: 1");
    let batch = wave("batch", &[5], ", after: [database], onFailure: continue");
    let report = wave("report", &[6], ", after: [batch]");
    let mut story = Story::begin(Kind::Drill, &plan("", &[&database, &web, &batch, &report]));
    story.accept(0);
    story.job_with_words(0, &[S::Launched, S::Failed]);
    story.pass_to_deadline();
    story.accept(0);
    // COMPLETED, and nothing final about the server.
    story.job(0, true, &[S::Launch]);
    story.pass_to_deadline();
    story.launch_all(0);
    story.accept(1);
    story.job(1, true, &[S::Launched, S::Failed]);
    let reason = Arc::from("the source server is not ready");
    story.launch(2, LaunchAnswer::Refused { reason });
    story.launch_all(3);
    story
}

/// A wave fails, one that runs beside it ends, and nothing else begins.
fn stopped_by_a_failure() -> Story {
    let database = wave("database", &[1], "");
    let cache = wave("cache", &[2], "");
    let app = wave("app", &[3], ", after: [database, cache]");
    let tagged = "{name: tagged, after: [cache], servers: {tags: {tier: web}}}";
    let mut story = Story::begin(
        Kind::Recovery,
        &plan("", &[&database, &cache, &app, tagged]),
    );
    story.accept(0);
    story.accept(1);
    story.job(0, true, &[S::Failed]);
    story.launch_all(1);
    story
}

/// Everything a person waits for or decides.
fn holds() -> Story {
    let database = wave("database", &[1], ", onFailure: pause");
    let app = wave(
        "app",
        &[2],
        ", after: [database], pauseBefore: true, onFailure: pause",
    );
    let web = wave("web", &[3], ", after: [app]");
    let mut story = Story::begin(Kind::Drill, &plan("", &[&database, &app, &web]));
    let comment: Arc<str> = Arc::from("wait for the network team");
    story.ask(Event::Pause { comment });
    story.accept(0);
    story.pass(30);
    story.ask(Event::Resume);
    story.job(0, true, &[S::Failed]);
    story.pass(30);
    story.ask(Event::RetryWave(WaveIx(0)));
    story.launch_all(0);
    story.ask(Event::Pause {
        comment: Arc::from(""),
    });
    story.ask(Event::Resume);
    story.accept(1);
    story.job(1, true, &[S::Failed]);
    story.new_owner("gateway-b");
    story.ask(Event::SkipWave(WaveIx(1)));
    story.launch_all(2);
    story
}

fn evidence() -> Arc<HookEvidence> {
    let finding = |severity, subject: &str| Finding {
        code: Arc::from("port-closed"),
        severity,
        subject: Arc::from(subject),
        message: Arc::from("port 5432 is closed"),
        evidence: BTreeMap::from([("port".to_owned(), "5432".to_owned())]),
    };
    let line = |level| LogLine {
        level,
        text: Arc::from("asked"),
    };
    Arc::new(HookEvidence {
        findings: vec![
            finding(Severity::Info, ""),
            finding(Severity::Warning, "s-00000000000000001"),
            finding(Severity::Error, "ledger"),
        ],
        findings_dropped: 2,
        log: vec![
            line(LogLevel::Debug),
            line(LogLevel::Info),
            line(LogLevel::Warning),
            line(LogLevel::Error),
        ],
        log_dropped: 1,
        fuel: 4_200_000,
        peak_memory: 1 << 20,
        probes: 3,
        elapsed: Span::from_millis(17),
        taped: true,
    })
}

fn said(verdict: HookVerdict, message: &str) -> HookAnswer {
    HookAnswer {
        evidence: evidence(),
        ..HookAnswer::bare(verdict, message)
    }
}

/// Hooks on both sides of a launch say everything that they can say.
fn hooks_that_decide() -> Story {
    let both = "check: [{hook: quota}, {hook: fresh}], verify: [{hook: reachable}]";
    let database = wave("database", &[1], &format!(", {both}"));
    let batch = wave(
        "batch",
        &[2],
        ", after: [database], check: [{hook: wanted}]",
    );
    let web = wave(
        "web",
        &[3],
        ", after: [database], verify: [{hook: healthy}], onFailure: continue",
    );
    let mut story = Story::begin(Kind::Drill, &plan("", &[&database, &batch, &web]));
    let after = Span::from_secs(20);
    story.hook(0, said(HookVerdict::Retry { after }, "not yet"));
    story.pass_to_deadline();
    story.proceed(0);
    story.hook(0, said(HookVerdict::Hold, "the snapshot is 3 h old"));
    story.pass(90);
    story.ask(Event::Resume);
    // The gateway restarts: the hook runs again, as another attempt.
    story.new_owner("gateway-b");
    story.proceed(0);
    story.launch_all(0);
    story.hook(0, said(HookVerdict::Proceed, "all ports answer"));
    story.hook(1, said(HookVerdict::Skip, "not in a drill"));
    story.launch_all(2);
    story.hook(2, said(HookVerdict::Abort, "nothing answers"));
    story
}

/// Hooks fail in every way, and each way means something else.
fn hooks_that_fail() -> Story {
    let uses: Vec<String> = HookFailureKind::ALL
        .into_iter()
        .filter(|kind| kind.is_waivable())
        .map(|kind| format!("{{hook: {kind}-waived, onFailure: {{{kind}: waive}}}}"))
        .collect();
    let database = wave("database", &[1], &format!(", check: [{}]", uses.join(", ")));
    let asked_again = "{hook: again, retries: 1, onFailure: {default: hold, error: retry}}";
    let held = "{hook: contract}";
    let app = wave(
        "app",
        &[2],
        &format!(", after: [database], verify: [{asked_again}, {held}]"),
    );
    let web = wave(
        "web",
        &[3],
        ", after: [app], verify: [{hook: digest, onFailure: abort}]",
    );
    let mut story = Story::begin(Kind::Drill, &plan("", &[&database, &app, &web]));
    for kind in HookFailureKind::ALL
        .into_iter()
        .filter(|kind| kind.is_waivable())
    {
        story.hook(0, said(HookVerdict::Failed { kind }, "no verdict"));
    }
    story.launch_all(0);
    story.launch_all(1);
    for _ in 0..2 {
        let kind = HookFailureKind::Error;
        story.hook(1, said(HookVerdict::Failed { kind }, "broken pipe"));
        if story.execution.holds().is_empty() {
            story.pass_to_deadline();
        }
    }
    story.ask(Event::Resume);
    story.proceed(1);
    let kind = HookFailureKind::ContractMismatch;
    story.hook(1, said(HookVerdict::Failed { kind }, ""));
    story.ask(Event::Resume);
    story.proceed(1);
    story.launch_all(2);
    let kind = HookFailureKind::DigestMismatch;
    story.hook(2, said(HookVerdict::Failed { kind }, "another component"));
    story
}

fn unknown() -> LaunchAnswer {
    let reason = Arc::from("connection reset");
    LaunchAnswer::Unknown { reason }
}

fn deferred(after: Option<Span>) -> LaunchAnswer {
    let reason = Arc::from("ThrottlingException");
    LaunchAnswer::Deferred { reason, after }
}

/// Answers of DRS that were lost, late, or not now.
fn lost_answers() -> Story {
    let database = wave("database", &[1, 2], "");
    let app = wave("app", &[3], ", after: [database]");
    let web = wave("web", &[4], ", after: [app]");
    let mut story = Story::begin(
        Kind::Drill,
        &plan("  unknownLaunch: askAgain\n", &[&database, &app, &web]),
    );
    story.launch(0, deferred(None));
    story.pass_to_deadline();
    story.launch(0, deferred(Some(Span::from_secs(9))));
    story.pass_to_deadline();
    story.launch(0, unknown());
    story.pass(10);
    story.look_and_find(0);
    story.launch_all(0);
    story.launch(1, unknown());
    story.pass(130);
    story.look_in_vain(1);
    story.launch_all(1);
    // The process that asked is gone.
    story.new_owner("gateway-b");
    story.look_and_find(2);
    story.launch_all(2);
    story
}

/// A real recovery asks a person before it asks DRS again.
fn approval_of_a_recovery() -> Story {
    let database = wave("database", &[1], "");
    let app = wave("app", &[2], ", after: [database]");
    let mut story = Story::begin(Kind::Recovery, &plan("", &[&database, &app]));
    story.launch(0, unknown());
    story.pass(130);
    story.look_in_vain(0);
    story.pass(600);
    story.ask(Event::Resume);
    story.launch(0, unknown());
    story.pass(130);
    story.look_in_vain(0);
    // The job shows up after all: nobody has to approve anything.
    story.look_and_find(0);
    story.launch_all(0);
    story.launch_all(1);
    story
}

/// A person ends it while one wave is in DRS, one waits for it, one runs a
/// hook and one has not begun.
fn cancelled_in_flight() -> Story {
    let running = wave("running", &[1], "");
    let deferred_wave = wave("deferred", &[2], "");
    let checked = wave("checked", &[3], ", check: [{hook: slow}]");
    let waiting = wave("waiting", &[4], ", after: [running]");
    let waves = [&running, &deferred_wave, &checked, &waiting].map(String::as_str);
    let mut story = Story::begin(Kind::Drill, &plan("", &waves));
    story.accept(0);
    story.launch(1, deferred(None));
    let comment = Arc::from("wrong plan");
    story.ask(Event::Cancel { comment });
    story.pass(300);
    story.launch_all(0);
    story
}

/// The execution's time runs out while a job runs and a launch is unknown.
fn out_of_time() -> Story {
    let running = wave("running", &[1], "");
    let lost = wave("lost", &[2], "");
    let held = wave("held", &[3], ", verify: [{hook: slow}]");
    let plan = plan("  timeout: 10m\n", &[&running, &lost, &held]);
    let mut story = Story::begin(Kind::Drill, &plan);
    story.accept(0);
    story.launch(1, unknown());
    story.launch_all(2);
    story.ask(Event::Pause {
        comment: Arc::from(""),
    });
    story.proceed(2);
    story.pass(100);
    story.ask(Event::Resume);
    story.pass_to_deadline();
    story.look_in_vain(1);
    story.job(0, true, &[S::Launched]);
    story
}

/// Waves that are too late, and hooks that are.
fn late_waves() -> Story {
    let launched_late = wave("launched-late", &[1], ", timeout: 5m, onFailure: continue");
    let never_taken = wave("never-taken", &[2], ", timeout: 5m, onFailure: continue");
    let late_hook = wave(
        "late-hook",
        &[3],
        ", timeout: 6m, check: [{hook: slow}], onFailure: continue",
    );
    let gate = wave(
        "late-gate",
        &[4],
        ", gateTimeout: 2m, check: [{hook: slow, onFailure: {timeout: waive}}]",
    );
    let nothing = "{name: nothing, servers: {tags: {tier: none}}, onFailure: continue}";
    let waves = [&launched_late, &never_taken, &late_hook, &gate].map(String::as_str);
    let waves = [&waves[..], &[nothing]].concat();
    let mut story = Story::begin(Kind::Drill, &plan("", &waves));
    story.accept(0);
    story.select_in_vain(4);
    story.pass_to_deadline();
    story.launch_all(3);
    story.pass(178);
    story.launch(1, deferred(None));
    for _ in 0..4 {
        if story.execution.next_deadline().is_some() {
            story.pass_to_deadline();
        }
    }
    story.job(0, true, &[S::Launched]);
    story
}

/// The instances of an earlier drill are terminated.
fn cleanup() -> Story {
    let database = wave("database", &[1, 2], "");
    let app = wave("app", &[3], ", after: [database]");
    let web = "{name: web, servers: {tags: {tier: web}}}";
    let mut story = Story::begin(Kind::Cleanup, &plan("", &[&database, &app, web]));
    story.select(0, &[]);
    story.select(2, &[("s-00000000000000007", false)]);
    story.launch_all(2);
    story.launch_all(0);
    story.select(1, &[]);
    story.launch_all(1);
    story
}

fn over_quota() -> LaunchAnswer {
    LaunchAnswer::OverQuota {
        quota: Quota::Jobs,
        reason: Arc::from("20 jobs run"),
    }
}

/// Launches wait for their turn: at first, again because a quota was full
/// after all, in smaller parts, through a pause, and under another owner.
fn full_quotas() -> Story {
    let database = wave("database", &[1, 2, 3, 4, 5], "");
    let web = wave("web", &[6], ", after: [database]");
    let mut story = Story::queueing(Kind::Drill, &plan("", &[&database, &web]));
    story.pass(20);
    story.admit(0);
    story.launch(0, over_quota());
    story.new_owner("gateway-b");
    story.ask(Event::Pause {
        comment: Arc::from(""),
    });
    story.ask(Event::Resume);
    story.admit(0);
    story.accept(0);
    story.too_large(0, 1);
    story.admit(0);
    story.launch(0, deferred(None));
    story.pass_to_deadline();
    story.admits = true;
    story.pass(1);
    story.launch_all(0);
    story.launch_all(1);
    story
}

/// Not over: something of everything is outstanding.
fn unfinished() -> Story {
    let running = wave("running", &[1], "");
    let asked = wave("asked", &[2], "");
    let lost = wave("lost", &[3], "");
    let checked = wave("checked", &[4], ", check: [{hook: slow}]");
    let selected = "{name: selected, servers: {tags: {tier: web}}}";
    let failed = wave(
        "failed",
        &[5],
        ", retry: {limit: 1, backoff: 1h, maxBackoff: 2h}",
    );
    let gated = wave("gated", &[6], ", after: [running], pauseBefore: true");
    let queued = wave("queued", &[7], "");
    let waves = [&running, &asked, &lost, &checked, &failed, &gated, &queued].map(String::as_str);
    let waves = [&waves[..], &[selected]].concat();
    let mut story = Story::begin(Kind::Recovery, &plan("  timeout: 8h\n", &waves));
    story.accept(0);
    story.launch(2, unknown());
    story.accept(4);
    story.admits = false;
    story.launch(6, over_quota());
    story.job(4, true, &[S::Failed]);
    story.job(0, false, &[S::Conversion]);
    story
}
