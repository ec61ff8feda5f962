//! Quotas, as AWS Service Quotas lists them.

use std::num::NonZeroU32;

use tidegate_gateway::ports::drs::{Drs as _, DrsError, GrantedQuotas};

use super::{
    rig::{adapter, hasty, target},
    scripted::{Answer, Request, Scripted, ok},
};

#[tokio::test]
async fn the_applied_values_of_drs_are_read_by_their_codes_over_all_pages() {
    let server = Scripted::new(|request| {
        asserts_a_list_of_drs(request);
        if request.body.contains("NextToken") {
            assert!(request.body.contains("more"), "{}", request.body);
            ok(quotas(
                &[("L-05AFA8C6", "750.0"), ("L-B827C881", "50")],
                None,
            ))
        } else {
            // One of them is of no interest here.
            let first = [("L-C1D14A2B", "300.0"), ("L-D88FAC3A", "40.0")];
            ok(quotas(&first, Some("more")))
        }
    })
    .await;
    let granted = adapter(&server.url).await.quotas(target()).await;
    let wanted = GrantedQuotas {
        jobs: NonZeroU32::new(40),
        servers: NonZeroU32::new(750),
        servers_per_job: NonZeroU32::new(50),
    };
    assert_eq!(granted, Ok(wanted));
    assert_eq!(server.requests(), 2);
}

#[tokio::test]
async fn what_is_not_listed_or_has_no_usable_value_is_missing() {
    for listed in [
        quotas(&[], None),
        quotas(&[("L-C1D14A2B", "300.0")], None),
        quotas(&[("L-D88FAC3A", "0.0"), ("L-05AFA8C6", "-5.0")], None),
        quotas(&[("L-D88FAC3A", "null")], None),
        // A name that is right is none of the codes.
        r#"{"Quotas": [{"QuotaName": "Concurrent jobs in progress", "Value": 40.0}]}"#.to_owned(),
        "{}".to_owned(),
    ] {
        let body = listed.clone();
        let server = Scripted::new(move |_| ok(body.clone())).await;
        let granted = adapter(&server.url).await.quotas(target()).await;
        assert_eq!(granted, Ok(GrantedQuotas::default()), "{listed}");
    }
}

#[tokio::test]
async fn a_denied_list_is_an_error_that_names_it() {
    let server = Scripted::new(|_| {
        let body = r#"{"__type": "AccessDeniedException", "Message": "User is not authorized"}"#;
        Answer::Http(400, "", body.to_owned())
    })
    .await;
    let denied = adapter(&server.url).await.quotas(target()).await;
    let Err(DrsError::Denied {
        operation, target, ..
    }) = &denied
    else {
        panic!("{denied:?}");
    };
    assert_eq!(*operation, "ListServiceQuotas");
    assert_eq!(target, "123456789012/us-west-2");
}

#[tokio::test]
async fn a_second_page_that_fails_leaves_no_half_an_answer() {
    let server = Scripted::new(|request| {
        if request.body.contains("NextToken") {
            Answer::HangUp
        } else {
            ok(quotas(&[("L-D88FAC3A", "40.0")], Some("more")))
        }
    })
    .await;
    let failed = adapter(&server.url).await.quotas(target()).await;
    assert!(matches!(failed, Err(DrsError::Failed { .. })), "{failed:?}");
}

#[tokio::test]
async fn pages_that_go_round_in_a_circle_end() {
    let server = Scripted::new(|_| ok(quotas(&[("L-D88FAC3A", "40.0")], Some("again")))).await;
    let granted = adapter(&server.url).await.quotas(target()).await;
    assert_eq!(granted.map(|it| it.jobs), Ok(NonZeroU32::new(40)));
    assert_eq!(server.requests(), 2);
}

#[tokio::test]
async fn garbage_and_silence_are_failures() {
    let answers: [fn() -> Answer; 5] = [
        || Answer::Garbage,
        || Answer::HangUp,
        || Answer::Silence,
        || ok("<html>a captive portal</html>"),
        || Answer::Http(500, "", String::new()),
    ];
    for answer in answers {
        let server = Scripted::new(move |_| answer()).await;
        let failed = hasty(&server.url).await.quotas(target()).await;
        assert!(matches!(failed, Err(DrsError::Failed { .. })), "{failed:?}");
    }
}

pub(super) fn asserts_a_list_of_drs(request: &Request) {
    let head = request.head.to_ascii_lowercase();
    let wanted = "x-amz-target: servicequotasv20190624.listservicequotas";
    assert!(head.contains(wanted), "{head}");
    assert!(head.contains("/us-west-2/servicequotas/"), "{head}");
    assert!(
        request.body.contains(r#""ServiceCode":"drs""#),
        "{}",
        request.body
    );
}

pub(super) fn quotas(values: &[(&str, &str)], next: Option<&str>) -> String {
    let listed: Vec<String> = values
        .iter()
        .map(|(code, value)| {
            format!(r#"{{"ServiceCode": "drs", "QuotaCode": "{code}", "Value": {value}}}"#)
        })
        .collect();
    let next = next.map_or_else(String::new, |token| format!(r#", "NextToken": "{token}""#));
    format!(r#"{{"Quotas": [{}]{next}}}"#, listed.join(", "))
}
