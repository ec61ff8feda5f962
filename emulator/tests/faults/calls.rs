//! What happens to calls.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::rig::{Rig, hear, launch_of};

#[tokio::test]
async fn a_reply_is_lost_after_the_work_is_done() {
    let rig = Rig::with_rule("StartRecovery", json!({}), json!({"answer": "reset"})).await;
    let heard = rig.launch(2).await;
    assert!(heard.is_reset_without_a_word(), "{heard:?}");
    assert_eq!(rig.launches().await.len(), 2);
    assert_eq!(rig.jobs().await.len(), 1);
    assert_eq!(rig.counts().await, (1, 1));
}

#[tokio::test]
async fn a_request_is_lost_before_the_work_is_done() {
    let then = json!({"work": "none", "answer": "reset"});
    let rig = Rig::with_rule("StartRecovery", json!({"times": 1}), then).await;
    let heard = rig.launch(1).await;
    assert!(heard.is_reset_without_a_word(), "{heard:?}");
    assert!(rig.launches().await.is_empty());
    assert_eq!(rig.launch(1).await.status(), 202, "the next one is done");
    assert_eq!(rig.counts().await, (2, 1));
}

#[tokio::test]
async fn a_caller_hears_nothing_and_the_emulator_can_end_all_the_same() {
    let rig = Rig::with_rule("StartRecovery", json!({}), json!({"answer": "silence"})).await;
    let stream = rig.send("POST", "/StartRecovery", &launch_of(1)).await;
    while rig.launches().await.is_empty() {
        tokio::task::yield_now().await;
    }
    let nothing = stream.try_read(&mut [0; 1]).unwrap_err();
    assert_eq!(nothing.kind(), ErrorKind::WouldBlock);
    rig.stop().await;
    assert!(hear(stream).await.is_reset_without_a_word());
}

#[tokio::test]
async fn work_is_done_late_at_its_own_time() {
    let then = json!({"work": {"late": 30}, "answer": "reset"});
    let rig = Rig::with_rule("StartRecovery", json!({}), then).await;
    assert!(rig.launch(1).await.is_reset_without_a_word());
    rig.advance(29);
    assert!(rig.launches().await.is_empty());
    let (_, state) = rig.control("GET", "state", &Value::Null).await;
    assert_eq!(state["nextChange"], "2026-01-01T00:00:30.000000+00:00");
    rig.advance(31);
    let launches = rig.launches().await;
    assert_eq!(launches.len(), 1);
    assert_eq!(launches[0]["at"], "2026-01-01T00:00:30.000000+00:00");
    assert_eq!(rig.jobs().await[0]["tags"], json!({"key": "k1"}));
}

#[tokio::test]
async fn late_work_is_refused_if_somebody_was_faster_and_survives_the_end_of_faults() {
    let then = json!({"work": {"late": 30}, "answer": "reset"});
    let rig = Rig::with_rule("StartRecovery", json!({}), then).await;
    assert!(rig.launch(1).await.is_reset_without_a_word());
    let (status, _) = rig.control("DELETE", "faults", &Value::Null).await;
    assert_eq!(status, 200);
    assert_eq!(rig.launch(1).await.status(), 202);
    rig.advance(60);
    assert_eq!(rig.launches().await.len(), 1);
}

#[tokio::test]
async fn work_is_done_twice_and_every_launch_is_listed_twice() {
    let rig = Rig::with_rule("StartRecovery", json!({}), json!({"work": "twice"})).await;
    let answer = rig.launch(2).await.body();
    let launches = rig.launches().await;
    let jobs: Vec<&Value> = launches.iter().map(|launch| &launch["jobID"]).collect();
    assert_eq!(jobs.len(), 4);
    assert_eq!(*jobs[0], answer["job"]["jobID"], "the first answer counts");
    assert_ne!(jobs[0], jobs[2]);
    let told = rig.jobs().await;
    assert_eq!(told.len(), 2);
    assert_eq!(told[0]["tags"], told[1]["tags"]);
}

#[tokio::test]
async fn throttling_comes_in_bursts_and_says_when_to_try_again() {
    let then = json!({"work": "none", "answer":
        {"error": {"code": "ThrottlingException", "retryAfterSeconds": 7}}});
    let when = json!({"every": 3, "burst": 2});
    let rig = Rig::with_rule("DescribeJobs", when, then).await;
    let mut statuses = Vec::new();
    for _ in 0..7 {
        let heard = rig.call("DescribeJobs", json!({})).await;
        if heard.status() == 429 {
            assert_eq!(heard.header("retry-after").unwrap(), "7");
            let code = heard.header("x-amzn-errortype").unwrap();
            assert_eq!(code, "throttlingexception");
        }
        statuses.push(heard.status());
    }
    assert_eq!(statuses, [200, 200, 429, 429, 200, 429, 429]);
    assert_eq!(rig.counts().await, (7, 4));
}

#[tokio::test]
async fn the_service_fails_before_and_after_the_work() {
    let error = json!({"error": {"code": "InternalServerException", "retryAfterSeconds": 1}});
    for (work, launched) in [("none", 0), ("once", 3)] {
        let then = json!({"work": work, "answer": error});
        let rig = Rig::with_rule("StartRecovery", json!({}), then).await;
        let heard = rig.launch(3).await;
        assert_eq!(heard.status(), 500);
        assert_eq!(heard.header("retry-after").unwrap(), "1");
        assert_eq!(rig.launches().await.len(), launched, "work: {work}");
    }
}

#[tokio::test]
async fn a_conflict_is_answered_although_the_job_exists() {
    let then = json!({"answer": {"error": {"code": "ConflictException"}}});
    let rig = Rig::with_rule("StartRecovery", json!({}), then).await;
    let heard = rig.launch(1).await;
    assert_eq!(heard.status(), 409);
    assert_eq!(heard.body()["resourceId"], "s-10000000000db0001");
    assert_eq!(rig.jobs().await.len(), 1);
}

#[tokio::test]
async fn every_error_has_its_status_and_names_itself() {
    for (code, status) in [
        ("ThrottlingException", 429),
        ("InternalServerException", 500),
        ("ServiceUnavailableException", 503),
        ("ExpiredTokenException", 403),
        ("AccessDeniedException", 403),
        ("ConflictException", 409),
        ("ResourceNotFoundException", 404),
        ("ServiceQuotaExceededException", 402),
        ("UninitializedAccountException", 400),
        ("ValidationException", 400),
    ] {
        let then = json!({"work": "none", "answer": {"error": {"code": code}}});
        let rig = Rig::with_rule("DescribeSourceServers", json!({}), then).await;
        let heard = rig.call("DescribeSourceServers", json!({})).await;
        assert_eq!(heard.status(), status, "{code}");
        let named = heard.header("x-amzn-errortype").unwrap();
        assert_eq!(named, code.to_ascii_lowercase());
        assert!(heard.body()["message"].is_string(), "{code}");
    }
}

#[tokio::test]
async fn a_body_dribbles_and_arrives_whole() {
    let whole = Rig::start(json!({})).await;
    let expected = whole.call("DescribeSourceServers", json!({})).await;
    let then = json!({"answer": {"slow": 0.2}});
    let rig = Rig::with_rule("DescribeSourceServers", json!({}), then).await;
    let begin = Instant::now();
    let heard = rig.call("DescribeSourceServers", json!({})).await;
    let took = begin.elapsed();
    assert!(took >= Duration::from_millis(190), "{took:?}");
    assert!(heard.reads >= 5, "it came in {} reads", heard.reads);
    assert_eq!(heard.body(), expected.body());
}

#[tokio::test]
async fn an_answer_is_cut_in_the_middle() {
    let rig = Rig::with_rule("DescribeSourceServers", json!({}), json!({"answer": "cut"})).await;
    let heard = rig.call("DescribeSourceServers", json!({})).await;
    assert_eq!(heard.broken, Some(ErrorKind::ConnectionReset));
    let promised: usize = heard.header("content-length").unwrap().parse().unwrap();
    assert_eq!(heard.body_bytes().len(), promised / 2);
}

#[tokio::test]
async fn an_answer_without_a_body_is_cut_by_a_reset() {
    let rig = Rig::with_rule("TagResource", json!({}), json!({"answer": "cut"})).await;
    let arn = "arn%3Aaws%3Adrs%3Aus-west-2%3A123456789012%3Asource-server%2Fs-10000000000db0001";
    let path = format!("/tags/{arn}");
    let stream = rig.send("POST", &path, &json!({"tags": {"k": "v"}})).await;
    assert!(hear(stream).await.is_reset_without_a_word());
    let tags = hear(rig.send("GET", &path, &Value::Null).await).await;
    assert_eq!(tags.body()["tags"]["k"], "v");
}

#[tokio::test]
async fn an_answer_is_delayed() {
    let then = json!({"answer": {"delayed": 0.1}});
    let rig = Rig::with_rule("DescribeJobs", json!({}), then).await;
    let begin = Instant::now();
    assert_eq!(rig.call("DescribeJobs", json!({})).await.status(), 200);
    assert!(begin.elapsed() >= Duration::from_millis(100));
}

#[tokio::test]
async fn the_same_seed_has_the_same_faults() {
    let heard = async |seed: u64| {
        let rules = json!([
            {"name": "reset", "when": {"probability": 0.2}, "then": {"answer": "reset"}},
            {"name": "5xx", "when": {"probability": 0.3},
             "then": {"answer": {"error": {"code": "InternalServerException"}}}},
        ]);
        let rig = Rig::start(json!({"seed": seed, "rules": rules})).await;
        let mut heard = Vec::new();
        for _ in 0..60 {
            let one = rig.call("DescribeJobs", json!({})).await;
            heard.push(one.broken.is_none().then(|| one.status()));
        }
        heard
    };
    let first = heard(1).await;
    assert_eq!(first, heard(1).await);
    assert_ne!(first, heard(2).await);
    for expected in [None, Some(200), Some(500)] {
        assert!(first.contains(&expected), "{first:?}");
    }
}
