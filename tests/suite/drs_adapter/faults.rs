//! Calls that fail, and what is known of them afterwards.

use tidegate_core::{
    Span,
    engine::{LaunchAnswer, Quota},
};
use tidegate_gateway::{
    adapters::drs_aws::AwsDrs,
    ports::{
        drs::{Drs as _, DrsError, TerminateOrder},
        warrant::Warrant,
    },
};
use tokio::net::TcpSocket;

use super::{
    rig::{
        DATABASES, INSTANCES, adapter, answered, drill, ids, impatient, insistent, target, watched,
    },
    scripted::{Answer, Scripted},
};

#[tokio::test]
async fn a_call_that_meets_no_server_is_deferred() {
    // Bound, so that nobody else gets the port, and not listening.
    let socket = TcpSocket::new_v4().expect("a socket");
    let any = "127.0.0.1:0".parse().expect("an address");
    socket.bind(any).expect("a port");
    let url = format!("http://{}", socket.local_addr().expect("an address"));
    let drs = adapter(&url).await;
    for answer in both(&drs).await {
        let (word, reason, _) = answered(&answer);
        assert_eq!(word, "deferred", "{reason}");
        assert!(reason.contains("not sent"), "{reason}");
    }
    let read = drs.observe(target(), watched(&["drsjob-1"])).await;
    assert!(matches!(read, Err(DrsError::Failed { .. })), "{read:?}");
}

#[tokio::test]
async fn a_connection_that_ends_after_the_request_leaves_it_unknown() {
    let server = Scripted::new(|_| Answer::HangUp).await;
    let drs = insistent(&server.url).await;
    for answer in both(&drs).await {
        assert_eq!(answered(&answer).0, "unknown", "{answer:?}");
    }
    assert_eq!(server.requests(), 2, "each was sent once");
}

#[tokio::test]
async fn no_answer_in_time_leaves_it_unknown() {
    let server = Scripted::new(|_| Answer::Silence).await;
    let drs = impatient(&server.url).await;
    for answer in both(&drs).await {
        assert_eq!(answered(&answer).0, "unknown", "{answer:?}");
    }
    assert_eq!(server.requests(), 2, "each was sent once");
}

#[tokio::test]
async fn an_answer_that_nobody_understands_leaves_it_unknown() {
    let not_json = || Answer::Http(202, "", "<html>hello</html>".to_owned());
    let no_job = || Answer::Http(202, "", "{}".to_owned());
    for script in [not_json, no_job, || Answer::Garbage] {
        let server = Scripted::new(move |_| script()).await;
        let drs = insistent(&server.url).await;
        let answer = drs.start_recovery(drill("e/db/0", &DATABASES)).await;
        assert_eq!(answered(&answer).0, "unknown", "{answer:?}");
        assert_eq!(server.requests(), 1);
    }
}

#[tokio::test]
async fn errors_of_the_service_are_told_apart_and_never_tried_again() {
    let table = [
        (
            429,
            "x-amzn-errortype: ThrottlingException\r\nretry-after: 7\r\n",
            "deferred",
        ),
        (
            402,
            "x-amzn-errortype: ServiceQuotaExceededException\r\n",
            "over quota",
        ),
        (400, "x-amzn-errortype: ValidationException\r\n", "refused"),
        (
            403,
            "x-amzn-errortype: AccessDeniedException\r\n",
            "deferred",
        ),
        (
            404,
            "x-amzn-errortype: ResourceNotFoundException\r\n",
            "refused",
        ),
        (409, "x-amzn-errortype: ConflictException\r\n", "unknown"),
        (
            500,
            "x-amzn-errortype: InternalServerException\r\n",
            "unknown",
        ),
        (503, "", "unknown"),
        (502, "", "unknown"),
    ];
    for (status, headers, wanted) in table {
        let message = r#"{"message": "because"}"#;
        let server =
            Scripted::new(move |_| Answer::Http(status, headers, message.to_owned())).await;
        let drs = insistent(&server.url).await;
        for answer in both(&drs).await {
            let (word, reason, after) = answered(&answer);
            assert_eq!(word, wanted, "{status} {headers}: {reason}");
            let wanted = (status == 429).then(|| Span::from_secs(7));
            assert_eq!(after, wanted, "{status}");
        }
        // A termination that is refused for what it names looks once whether
        // that is there.
        let looks = usize::from(matches!(status, 400 | 404));
        assert_eq!(server.requests(), 2 + looks, "{status}: each was sent once");
    }
}

#[tokio::test]
async fn which_quota_is_full_is_read_from_the_answer() {
    let server = Scripted::new(|_| {
        let headers = "x-amzn-errortype: ServiceQuotaExceededException\r\n";
        let body = r#"{"message": "full", "serviceCode": "drs", "quotaCode": "L-D88FAC3A"}"#;
        Answer::Http(402, headers, body.to_owned())
    })
    .await;
    let drs = insistent(&server.url).await;
    for answer in both(&drs).await {
        let quota = Quota::Jobs;
        let reason = "ServiceQuotaExceededException: full".into();
        assert_eq!(answer, LaunchAnswer::OverQuota { quota, reason });
    }
}

#[tokio::test]
async fn a_read_that_failed_says_why() {
    let server = Scripted::new(|_| {
        let headers = "x-amzn-errortype: InternalServerException\r\n";
        Answer::Http(500, headers, r#"{"message": "oh no"}"#.to_owned())
    })
    .await;
    let drs = adapter(&server.url).await;
    let read = drs.observe(target(), watched(&["drsjob-1"])).await;
    let error = read.expect_err("it failed").to_string();
    let wanted = "DescribeJobs in 123456789012/us-west-2 failed: InternalServerException: oh no";
    assert_eq!(error, wanted);
    assert_eq!(server.requests(), 1, "as often as the settings say");
}

/// A launch and a termination.
async fn both(drs: &AwsDrs) -> [LaunchAnswer; 2] {
    let instances = INSTANCES.map(tidegate_core::InstanceId::from);
    let termination = TerminateOrder {
        key: "c/db/0".to_owned(),
        target: target(),
        instances: ids(&DATABASES).into_iter().zip(instances).collect(),
        warrant: Warrant::unlimited(),
    };
    [
        drs.start_recovery(drill("e/db/0", &DATABASES)).await,
        drs.terminate(termination).await,
    ]
}
