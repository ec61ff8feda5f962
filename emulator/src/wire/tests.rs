//! The wire protocol, request by request, without a socket.

use std::net::Ipv4Addr;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use axum::response::Response;
use http_body_util::BodyExt;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tower::ServiceExt;

use super::router;
use crate::{Emulator, EmulatorClock, Scenario, Settings};

const DB: &str = "s-10000000000db0001";
const SIGNED: &str = "AWS4-HMAC-SHA256 Credential=123456789012/20260101/us-west-2/drs/aws4_request, \
                      SignedHeaders=host, Signature=0";

fn emulator() -> Emulator {
    let scenario = Scenario::built_in("all").unwrap();
    Emulator::new(Settings {
        scenario,
        clock: EmulatorClock::Manual,
    })
}

async fn send(emulator: &Emulator, request: Request<Body>) -> (StatusCode, Response<()>, Value) {
    let response = router(emulator.clone()).oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    let value = if bytes.is_empty() {
        Value::Null
    } else {
        serde_json::from_slice(&bytes).unwrap()
    };
    (parts.status, Response::from_parts(parts, ()), value)
}

fn request(method: Method, path: &str, body: &Value) -> Request<Body> {
    Request::builder()
        .method(method)
        .uri(path)
        .header("authorization", SIGNED)
        .header("content-type", "application/json")
        .body(Body::from(body.to_string()))
        .unwrap()
}

async fn post(emulator: &Emulator, operation: &str, body: Value) -> (StatusCode, Value) {
    let (status, _, answer) = send(
        emulator,
        request(Method::POST, &format!("/{operation}"), &body),
    )
    .await;
    (status, answer)
}

#[tokio::test]
async fn a_launch_is_accepted_once_and_then_conflicts() {
    let emulator = emulator();
    let launch = json!({"sourceServers": [{"sourceServerID": DB}], "isDrill": true});
    let (status, answer) = post(&emulator, "StartRecovery", launch.clone()).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    assert_eq!(
        answer["job"]["participatingServers"][0]["launchStatus"],
        "PENDING"
    );
    let again = request(Method::POST, "/StartRecovery", &launch);
    let (status, response, answer) = send(&emulator, again).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert_eq!(response.headers()["x-amzn-errortype"], "ConflictException");
    assert_eq!(answer["resourceId"], DB);
    assert_eq!(emulator.launches().len(), 1);
}

#[tokio::test]
async fn of_many_callers_at_once_one_gets_the_server() {
    let emulator = emulator();
    let calls = (0..32).map(|_| {
        let emulator = emulator.clone();
        let launch = json!({"sourceServers": [{"sourceServerID": DB}]});
        tokio::spawn(async move { post(&emulator, "StartRecovery", launch).await.0 })
    });
    let mut accepted = 0;
    for call in calls.collect::<Vec<_>>() {
        accepted += usize::from(call.await.unwrap() == StatusCode::ACCEPTED);
    }
    assert_eq!(accepted, 1);
    assert_eq!(emulator.launches().len(), 1);
}

#[tokio::test]
async fn a_completed_job_ends_with_launch_end_and_names_no_instance() {
    let emulator = emulator();
    let launch = json!({"sourceServers": [{"sourceServerID": DB}]});
    let (_, started) = post(&emulator, "StartRecovery", launch).await;
    assert_eq!(
        started["job"]["initiatedBy"], "START_RECOVERY",
        "without the flag it is no drill"
    );
    emulator.advance(SignedDuration::from_mins(15)).unwrap();
    let job = &started["job"]["jobID"];
    let (_, log) = post(&emulator, "DescribeJobLogItems", json!({"jobID": job})).await;
    let items = log["items"].as_array().unwrap();
    assert_eq!(items[items.len() - 2]["event"], "LAUNCH_END");
    assert_eq!(items[items.len() - 1]["eventData"], json!({}));
    let (_, jobs) = post(
        &emulator,
        "DescribeJobs",
        json!({"filters": {"jobIDs": [job]}}),
    )
    .await;
    let server = &jobs["items"][0]["participatingServers"][0];
    assert_eq!(
        *server,
        json!({"sourceServerID": DB, "launchStatus": "LAUNCHED"})
    );
    assert_eq!(jobs.get("nextToken"), None);
}

#[tokio::test]
async fn tokens_lead_through_all_pages() {
    let emulator = emulator();
    let (mut seen, mut token) = (Vec::new(), Value::Null);
    loop {
        let body = json!({"maxResults": 70, "nextToken": token});
        let (status, page) = post(&emulator, "DescribeSourceServers", body).await;
        assert_eq!(status, StatusCode::OK);
        let items = page["items"].as_array().unwrap();
        seen.extend(items.iter().map(|item| item["sourceServerID"].to_string()));
        match page.get("nextToken") {
            Some(next) => token = next.clone(),
            None => break,
        }
    }
    assert_eq!(seen.len(), 178);
    assert!(seen.is_sorted());
}

#[tokio::test]
async fn an_arn_is_percent_encoded_in_the_path() {
    let emulator = emulator();
    let arn = format!("arn%3Aaws%3Adrs%3Aus-west-2%3A123456789012%3Asource-server%2F{DB}");
    let path = format!("/tags/{arn}");
    let body = json!({"tags": {"k": "v"}});
    let (status, _, answer) = send(&emulator, request(Method::POST, &path, &body)).await;
    assert_eq!((status, answer), (StatusCode::OK, Value::Null));
    let untag = format!("{path}?tagKeys=tier&tagKeys=app");
    send(&emulator, request(Method::DELETE, &untag, &Value::Null)).await;
    let (_, _, answer) = send(&emulator, request(Method::GET, &path, &Value::Null)).await;
    assert_eq!(answer, json!({"tags": {"k": "v"}}));
}

#[tokio::test]
async fn who_does_not_say_who_calls_is_refused() {
    let emulator = emulator();
    let anonymous = Request::post("/DescribeJobs")
        .body(Body::from("{}"))
        .unwrap();
    let (status, response, _) = send(&emulator, anonymous).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let code = &response.headers()["x-amzn-errortype"];
    assert_eq!(code, "MissingAuthenticationTokenException");
}

#[tokio::test]
async fn bodies_that_are_too_large_or_no_json_are_refused() {
    let emulator = emulator();
    let with = |body: Vec<u8>| {
        Request::post("/DescribeJobs")
            .header("authorization", SIGNED)
            .body(body.into())
            .unwrap()
    };
    let (status, _, _) = send(&emulator, with(vec![b' '; 1024 * 1024 + 1])).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    let (status, response, _) = send(&emulator, with(b"{".to_vec())).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(
        response.headers()["x-amzn-errortype"],
        "SerializationException"
    );
    let (status, _, _) = send(&emulator, with(Vec::new())).await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test]
async fn an_operation_that_is_not_emulated_says_so() {
    let (status, answer) = post(&emulator(), "CreateExtendedSourceServer", json!({})).await;
    assert_eq!(status, StatusCode::NOT_IMPLEMENTED);
    let message = answer["message"].as_str().unwrap();
    assert!(
        message.contains("POST /CreateExtendedSourceServer"),
        "{message}"
    );
}

#[tokio::test]
async fn every_invalid_member_is_named() {
    let body = json!({"sourceServers": [{"sourceServerID": "x", "recoverySnapshotID": "y"}]});
    let (status, answer) = post(&emulator(), "StartRecovery", body).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(answer["reason"], "fieldValidationFailed");
    assert_eq!(answer["fieldList"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_message_stays_short_however_much_is_wrong() {
    let ids = vec!["x"; 1_000];
    let body = json!({"filters": {"jobIDs": ids}});
    let (_, answer) = post(&emulator(), "DescribeJobs", body).await;
    assert!(
        answer["message"]
            .as_str()
            .unwrap()
            .starts_with("1000 validation errors")
    );
    assert!(answer.to_string().len() < 8_192);
}

#[tokio::test]
async fn the_control_api_tells_and_moves_time() {
    let emulator = emulator();
    let advance = request(Method::POST, "/_emulator/advance", &json!({"seconds": 1.5}));
    let (status, _, answer) = send(&emulator, advance).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(answer["now"], "2026-01-01T00:00:01.500000+00:00");
    post(&emulator, "DescribeJobs", json!({})).await;
    let launch = json!({"sourceServers": [{"sourceServerID": DB}], "tags": {"a": "b"}});
    post(&emulator, "StartRecovery", launch).await;
    let get = |path| Request::get(path).body(Body::empty()).unwrap();
    let (_, _, state) = send(&emulator, get("/_emulator/state")).await;
    assert_eq!(
        state["calls"],
        json!({"DescribeJobs": 1, "StartRecovery": 1})
    );
    assert_eq!(state["speed"], Value::Null);
    let (_, _, launches) = send(&emulator, get("/_emulator/launches")).await;
    let record = &launches["launches"][0];
    assert_eq!(record["sourceServerID"], DB);
    assert_eq!(record["tags"], json!({"a": "b"}));
    assert_eq!(record["at"], "2026-01-01T00:00:01.500000+00:00");
}

#[tokio::test]
async fn a_clock_that_runs_by_itself_is_not_moved() {
    let scenario = Scenario::built_in("shop").unwrap();
    let clock = EmulatorClock::Scaled { speed: 60.0 };
    let emulator = Emulator::new(Settings { scenario, clock });
    let advance = request(Method::POST, "/_emulator/advance", &json!({"seconds": 1}));
    assert_eq!(send(&emulator, advance).await.0, StatusCode::CONFLICT);
}

#[tokio::test]
async fn a_recovery_instance_tells_its_address() {
    let emulator = emulator();
    let launch = json!({"sourceServers": [{"sourceServerID": DB}]});
    post(&emulator, "StartRecovery", launch).await;
    emulator.advance(SignedDuration::from_mins(15)).unwrap();
    let (_, instances) = post(&emulator, "DescribeRecoveryInstances", json!({})).await;
    let properties = &instances["items"][0]["recoveryInstanceProperties"];
    let interfaces = properties["networkInterfaces"].as_array().unwrap();
    assert_eq!(interfaces.len(), 1);
    assert_eq!(interfaces[0]["isPrimary"], true);
    let ip = interfaces[0]["ips"][0].as_str().unwrap();
    assert!(ip.parse::<Ipv4Addr>().unwrap().is_private(), "{ip}");
}

#[tokio::test]
async fn snapshots_are_of_the_emulated_present() {
    let emulator = emulator();
    let newest = async || {
        let body = json!({"sourceServerID": DB, "order": "DESC", "maxResults": 1});
        let (_, answer) = post(&emulator, "DescribeRecoverySnapshots", body).await;
        let told = answer["items"][0]["timestamp"].as_str().unwrap();
        told.parse::<Timestamp>().unwrap()
    };
    for _ in 0..4 {
        let age = emulator.now().duration_since(newest().await);
        // Every ten minutes, and up to two seconds late.
        let bounds = SignedDuration::ZERO..SignedDuration::from_secs(602);
        assert!(bounds.contains(&age), "{age:?}");
        emulator.advance(SignedDuration::from_secs(1_000)).unwrap();
    }
}

#[tokio::test]
async fn a_word_about_a_workload_is_told_back() {
    let emulator = emulator();
    let tell =
        |id: &str, body: Value| request(Method::POST, &format!("/_emulator/workloads/{id}"), &body);
    let (status, _, told) = send(&emulator, tell(DB, json!({"healthy": false}))).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(told["told"], "UNHEALTHY");
    assert_eq!(told["state"], "DOWN", "nothing is launched");
    assert_eq!(told["ports"], json!({"5432": "tcp"}));
    let unknown = tell("s-fffffffffffffffff", json!({"healthy": true}));
    let (status, _, answer) = send(&emulator, unknown).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(answer["message"].as_str().unwrap().contains("s-fff"));
    let (_, _, state) = send(
        &emulator,
        Request::get("/_emulator/state")
            .body(Body::empty())
            .unwrap(),
    )
    .await;
    assert_eq!(
        state["calls"],
        json!({}),
        "the control API is no call of DRS"
    );
}

#[tokio::test]
async fn without_a_socket_a_body_that_breaks_stands_for_a_reset() {
    let emulator = emulator();
    let rules = json!({"rules": [{"name": "r", "then": {"answer": "reset"}}]});
    let put = request(Method::PUT, "/_emulator/faults", &rules);
    assert_eq!(send(&emulator, put).await.0, StatusCode::OK);
    let launch = json!({"sourceServers": [{"sourceServerID": DB}]});
    let launch = request(Method::POST, "/StartRecovery", &launch);
    let response = router(emulator.clone()).oneshot(launch).await.unwrap();
    assert!(response.into_body().collect().await.is_err());
    assert_eq!(emulator.launches().len(), 1);
}
