//! Roles that are assumed: how STS is asked, credentials that expire in the
//! middle of a run, and what is said where none can be had. What the adapter
//! takes from its environment is given to a child of the test.

use std::{
    collections::BTreeMap,
    env,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use tidegate_core::{Timestamp, plan::Target};
use tidegate_gateway::{
    adapters::drs_aws::{AwsDrs, Mode, Sessions, Settings},
    ports::{drs::Drs as _, warrant::Warrant},
};
use tokio::process::Command;

use crate::telemetry::requests_to_aws::telemetry;

use super::{
    rig::{adapter, answered, drill, target},
    scripted::{Answer, Request, Scripted, ok},
};

/// Jobs of any age count.
const LONG_AGO: Timestamp = Timestamp::from_millis(0);

const ROLE: &str = "arn:aws:iam::123456789012:role/recovery";
/// Longer than a lease, for whoever waits for a role in these tests.
const TOO_LONG: Duration = Duration::from_millis(300);
const NO_JOBS: &str = r#"{"items": []}"#;
/// What a child prints of what it was told.
const SAID: &str = "said: ";

#[tokio::test]
async fn credentials_that_are_about_to_expire_are_renewed_before_the_next_call() {
    let soon = (jiff::Timestamp::now() + jiff::SignedDuration::from_secs(5)).to_string();
    let asked = Arc::new(Mutex::new(0));
    let count = Arc::clone(&asked);
    let sts = Scripted::new(move |_| {
        let mut count = count.lock().expect("nobody panics");
        *count += 1;
        let expires = if *count == 1 { soon.as_str() } else { LATE };
        assumed(&format!("SESSION{count}"), expires)
    })
    .await;
    let keys = Arc::new(Mutex::new(Vec::new()));
    let used = Arc::clone(&keys);
    let drs = Scripted::new(move |request| {
        used.lock().expect("nobody panics").push(key(request));
        ok(NO_JOBS)
    })
    .await;
    let _ = child("asks_three_times", &drs.url, Some(&sts.url)).await;
    let keys = keys.lock().expect("nobody panics").clone();
    assert_eq!(keys, ["SESSION1", "SESSION2", "SESSION2"]);
    assert_eq!(sts.requests(), 2, "the lasting ones are kept");
}

#[tokio::test]
async fn sessions_have_a_name_a_tag_and_the_external_id_of_their_account() {
    let sts = Scripted::new(|request| {
        for wanted in [
            "RoleSessionName=prod-eu",
            "Tags.member.1.Key=tidegate%3Agateway",
            "Tags.member.1.Value=prod-eu",
            "ExternalId=of-this-account",
        ] {
            assert!(request.body.contains(wanted), "{}", request.body);
        }
        assumed("SESSION", LATE)
    })
    .await;
    let drs = Scripted::new(|_| ok(NO_JOBS)).await;
    let _ = child("is_tagged", &drs.url, Some(&sts.url)).await;
    assert_eq!((sts.requests(), drs.requests()), (1, 1));
}

#[tokio::test]
async fn asking_for_a_role_is_measured_and_counted_where_it_is_throttled() {
    let asked = Arc::new(Mutex::new(0));
    let sts = Scripted::new(move |_| {
        let mut asked = asked.lock().expect("nobody panics");
        *asked += 1;
        match *asked {
            1 => refused("Throttling", 400, "Rate exceeded"),
            _ => assumed("SESSION", LATE),
        }
    })
    .await;
    let drs = Scripted::new(|_| ok(NO_JOBS)).await;
    let more = [
        ("AWS_ENDPOINT_URL_STS", sts.url.as_str()),
        ("AWS_ACCESS_KEY_ID", "999999999999"),
        ("AWS_SECRET_ACCESS_KEY", "none"),
        ("AWS_MAX_ATTEMPTS", "1"),
    ];
    let said = child_with("is_measured", &drs.url, &more).await;
    assert_eq!((sts.requests(), drs.requests()), (2, 2), "{said:?}");
    let count = |metric: &str, is_throttled: bool| {
        let mut lines = said.iter().filter(|line| {
            line.starts_with(metric) && line.contains("error_type=\"Throttling\"") == is_throttled
        });
        let line = lines.next().unwrap_or_else(|| panic!("{metric}: {said:?}"));
        assert!(line.contains("cloud_region=\"us-west-2\""), "{line}");
        line.rsplit(' ').next().map(ToOwned::to_owned)
    };
    let calls = "rpc_client_call_duration_seconds_count";
    assert_eq!(count(calls, true).as_deref(), Some("1"));
    assert_eq!(count(calls, false).as_deref(), Some("1"));
    let throttles = count("tidegate_aws_throttles_total", false);
    assert_eq!(throttles.as_deref(), Some("1"));
}

#[tokio::test]
async fn a_role_that_cannot_be_assumed_is_named_with_what_to_do_and_waited_for() {
    for (code, status, wanted) in [
        ("AccessDenied", 403, "trust policy"),
        ("ExpiredToken", 403, "renew them"),
        (
            "InvalidClientTokenId",
            403,
            "does not know these credentials",
        ),
        ("RegionDisabledException", 403, "activate STS"),
        ("ValidationError", 400, "correct the role's ARN"),
    ] {
        let sts = Scripted::new(move |_| refused(code, status, "because")).await;
        let drs = Scripted::new(|_| ok(NO_JOBS)).await;
        let said = child("says_why", &drs.url, Some(&sts.url)).await;
        let [read, launch] = &said[..] else {
            panic!("{said:?}");
        };
        assert!(read.contains(" failed: "), "it is tried again: {read}");
        assert!(launch.starts_with("deferred: not sent"), "{launch}");
        for line in [read, launch] {
            let role = format!("cannot assume the role {ROLE}: {code}: because");
            assert!(line.contains(&role), "{line}");
            assert!(line.contains(wanted), "{line}");
        }
        assert_eq!(drs.requests(), 0);
    }
}

#[tokio::test]
async fn a_machine_whose_clock_is_wrong_is_told_so_by_sts_too() {
    let late = "Signature expired: 20261127T040000Z is now earlier than 20261127T043000Z";
    let sts = Scripted::new(move |_| refused("SignatureDoesNotMatch", 403, late)).await;
    let drs = Scripted::new(|_| ok(NO_JOBS)).await;
    for line in child("says_why", &drs.url, Some(&sts.url)).await {
        assert!(line.contains("clock is off"), "{line}");
    }
}

#[tokio::test]
async fn a_gateway_without_credentials_says_where_it_looks_for_them() {
    let drs = Scripted::new(|_| ok(NO_JOBS)).await;
    for line in child("has_none", &drs.url, None).await {
        assert!(line.contains("give the gateway credentials"), "{line}");
    }
    assert_eq!(drs.requests(), 0);
}

#[tokio::test]
async fn a_profile_that_gives_no_credentials_is_told_from_a_role_that_is_refused() {
    let sts = Scripted::new(|_| refused("AccessDenied", 403, "not you")).await;
    let drs = Scripted::new(|_| ok(NO_JOBS)).await;
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("config");
    let profiles = "[profile own]\nrole_arn = arn:aws:iam::123456789012:role/gateway\n\
                    source_profile = base\n[profile base]\naws_access_key_id = a\n\
                    aws_secret_access_key = b\n";
    std::fs::write(&config, profiles).expect("a file");
    let config = config.display().to_string();
    for (profile, wanted) in [
        (
            "own",
            "own profile cannot assume its role: AccessDenied: not you",
        ),
        ("misspelt", "give the gateway credentials"),
    ] {
        let more = [
            ("AWS_CONFIG_FILE", config.as_str()),
            ("AWS_PROFILE", profile),
            ("AWS_ENDPOINT_URL_STS", &sts.url),
        ];
        let said = child_with("says_why", &drs.url, &more).await;
        assert_eq!(said.len(), 2);
        for line in said {
            assert!(line.contains(ROLE) && line.contains(wanted), "{line}");
            assert!(!line.contains("loading credentials"), "{line}");
        }
    }
    assert_eq!(drs.requests(), 0);
}

#[tokio::test]
async fn what_a_person_must_put_right_is_said_with_its_remedy_and_waited_for() {
    for (code, status, message, wanted) in [
        ("ExpiredTokenException", 403, "expired", "renew them"),
        ("RequestTimeTooSkewed", 403, "skewed", "clock is off"),
        (
            "InvalidSignatureException",
            403,
            "Signature expired: 20261127T040000Z is now earlier than 20261127T043000Z",
            "clock is off",
        ),
        ("InvalidSignatureException", 403, "no match", "secret key"),
        (
            "UnrecognizedClientException",
            403,
            "invalid",
            "not enabled this Region",
        ),
        ("OptInRequired", 403, "subscribe", "enable it"),
        (
            "UninitializedAccountException",
            400,
            "not initialized",
            "initialise it",
        ),
    ] {
        let body = format!(r#"{{"__type": "{code}", "message": "{message}"}}"#);
        let drs = Scripted::new(move |_| Answer::Http(status, "", body.clone())).await;
        let adapter = adapter(&drs.url).await;
        let read = adapter
            .live_jobs(target(), LONG_AGO)
            .await
            .expect_err("an error");
        let read = read.to_string();
        assert!(read.contains("123456789012/us-west-2 failed"), "{read}");
        let launch = adapter.start_recovery(drill("k", &["s-1"])).await;
        let (word, reason, _) = answered(&launch);
        assert_eq!(word, "deferred", "{code}");
        for line in [read.as_str(), reason] {
            assert!(line.contains(code) && line.contains(wanted), "{line}");
        }
    }
}

#[tokio::test]
async fn a_launch_whose_role_was_given_when_it_was_too_late_is_not_sent() {
    let sts = Scripted::new(|_| {
        std::thread::sleep(TOO_LONG);
        assumed("SESSION", LATE)
    })
    .await;
    let drs = Scripted::new(|_| ok(NO_JOBS)).await;
    let said = child("is_too_late", &drs.url, Some(&sts.url)).await;
    assert_eq!(said.len(), 1, "{said:?}");
    let wanted = "deferred: not sent: when the call was ready";
    assert!(said[0].starts_with(wanted), "{said:?}");
    assert_eq!((sts.requests(), drs.requests()), (1, 0));
}

#[tokio::test]
#[ignore = "run by a test above, with its environment"]
async fn child_is_too_late() {
    let drs = connected(Sessions::default()).await;
    let mut order = drill("k", &["s-1"]);
    order.target = in_role();
    let asked = Instant::now();
    order.warrant = Warrant::new(move || asked.elapsed() < TOO_LONG);
    let launch = drs.start_recovery(order).await;
    let (word, reason, _) = answered(&launch);
    println!("{SAID}{word}: {reason}");
}

#[tokio::test]
#[ignore = "run by a test above, with its environment"]
async fn child_asks_three_times() {
    let drs = connected(Sessions::default()).await;
    for _ in 0..3 {
        drs.live_jobs(in_role(), LONG_AGO).await.expect("an answer");
    }
}

#[tokio::test]
#[ignore = "run by a test above, with its environment"]
async fn child_is_measured() {
    let telemetry = telemetry();
    let drs = connected(Sessions::default()).await;
    let drs = drs.observed_by(telemetry.aws());
    let throttled = drs.live_jobs(in_role(), LONG_AGO).await;
    throttled.expect_err("no role");
    for _ in 0..2 {
        drs.live_jobs(in_role(), LONG_AGO).await.expect("an answer");
    }
    let text = telemetry.text().read().expect("it can be written");
    let of_role = text.lines().filter(|it| it.contains("STS/AssumeRole"));
    for line in of_role {
        println!("{SAID}{line}");
    }
}

#[tokio::test]
#[ignore = "run by a test above, with its environment"]
async fn child_is_tagged() {
    let own = ("123456789012".to_owned(), "of-this-account".to_owned());
    let drs = connected(Sessions {
        name: "prod-eu".to_owned(),
        external_id: Some("of-all-others".to_owned()),
        external_ids: BTreeMap::from([own]),
        tagged: true,
    })
    .await;
    drs.live_jobs(in_role(), LONG_AGO).await.expect("an answer");
}

#[tokio::test]
#[ignore = "run by a test above, with its environment"]
async fn child_says_why() {
    for line in failures(in_role()).await {
        println!("{SAID}{line}");
    }
}

#[tokio::test]
#[ignore = "run by a test above, with its environment"]
async fn child_has_none() {
    for line in failures(target()).await {
        println!("{SAID}{line}");
    }
}

/// How a read and a launch fail.
async fn failures(target: Arc<Target>) -> [String; 2] {
    let drs = connected(Sessions::default()).await;
    let read = drs.live_jobs(Arc::clone(&target), LONG_AGO).await;
    let mut order = drill("k", &["s-1"]);
    order.target = target;
    let launch = drs.start_recovery(order).await;
    let (word, reason, _) = answered(&launch);
    let read = read.expect_err("an error").to_string();
    [read, format!("{word}: {reason}")]
}

async fn connected(sessions: Sessions) -> AwsDrs {
    let settings = Settings::new(Mode::Aws { sessions });
    AwsDrs::connect(Settings {
        read_attempts: 1,
        ..settings
    })
    .await
}

fn in_role() -> Arc<Target> {
    Arc::new(Target {
        role: Some(ROLE.to_owned()),
        ..Target::clone(&target())
    })
}

/// Runs one of the tests above, with credentials if there is an STS; what it
/// said.
async fn child(name: &str, drs: &str, sts: Option<&str>) -> Vec<String> {
    let Some(sts) = sts else {
        return child_with(name, drs, &[]).await;
    };
    let keys = [
        ("AWS_ENDPOINT_URL_STS", sts),
        ("AWS_ACCESS_KEY_ID", "999999999999"),
        ("AWS_SECRET_ACCESS_KEY", "none"),
    ];
    child_with(name, drs, &keys).await
}

async fn child_with(name: &str, drs: &str, more: &[(&str, &str)]) -> Vec<String> {
    let name = format!("drs_adapter::roles::child_{name}");
    let mut command = Command::new(env::current_exe().expect("a path"));
    for (set, _) in env::vars().filter(|(set, _)| set.starts_with("AWS_")) {
        command.env_remove(set);
    }
    command
        .args(["--exact", &name, "--ignored", "--nocapture"])
        .env("AWS_ENDPOINT_URL_DRS", drs)
        .env("AWS_REGION", "us-west-2")
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .envs(more.iter().copied());
    let output = command.output().await.expect("it runs");
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{shown}");
    assert!(shown.contains("1 passed"), "{shown}");
    let lines = shown.lines();
    lines
        .filter_map(|line| Some(line.split_once(SAID)?.1.to_owned()))
        .collect()
}

/// The access key id of a signed request.
fn key(request: &Request) -> String {
    let (_, credential) = request.head.split_once("Credential=").expect("signed");
    let (key, _) = credential.split_once('/').expect("a scope");
    key.to_owned()
}

const LATE: &str = "2099-01-01T00:00:00Z";

fn assumed(key: &str, expires: &str) -> Answer {
    let body = format!(
        r#"<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>
<AssumedRoleUser><AssumedRoleId>A:t</AssumedRoleId><Arn>{ROLE}</Arn></AssumedRoleUser>
<Credentials><AccessKeyId>{key}</AccessKeyId><SecretAccessKey>x</SecretAccessKey>
<SessionToken>y</SessionToken><Expiration>{expires}</Expiration></Credentials>
</AssumeRoleResult></AssumeRoleResponse>"#
    );
    Answer::Http(200, "content-type: text/xml\r\n", body)
}

fn refused(code: &str, status: u16, message: &str) -> Answer {
    let body = format!(
        r#"<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>
<Code>{code}</Code><Message>{message}</Message></Error><RequestId>r</RequestId></ErrorResponse>"#
    );
    Answer::Http(status, "content-type: text/xml\r\n", body)
}
