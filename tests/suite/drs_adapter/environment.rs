//! What the adapter takes from the environment of its process, which is a
//! child of the test: a process cannot safely change its own.

use std::{collections::BTreeMap, env, num::NonZeroU32, sync::Arc};

use tidegate_core::plan::Target;
use tidegate_gateway::{
    adapters::drs_aws::{AwsDrs, Mode, Sessions, Settings},
    ports::drs::{Drs as _, DrsError, GrantedQuotas, ServerQuery},
};
use tokio::process::Command;

use super::{
    rig::Rig,
    scripted::{Answer, Scripted, ok},
    service_quotas::{asserts_a_list_of_drs, quotas},
};

const DRS: &str = "AWS_ENDPOINT_URL_DRS";
const STS: &str = "AWS_ENDPOINT_URL_STS";
const QUOTAS: &str = "AWS_ENDPOINT_URL_SERVICE_QUOTAS";
/// Of every service that none of the others names.
const ANY: &str = "AWS_ENDPOINT_URL";
const ROLE: &str = "arn:aws:iam::123456789012:role/recovery";

#[tokio::test]
async fn the_endpoint_and_the_credentials_of_the_environment_are_used() {
    let rig = Rig::recorded_drill().await;
    let endpoints = [(DRS, rig.url.as_str()), (STS, "http://127.0.0.1:9")];
    child("is_permitted", &endpoints, "123456789012").await;
}

#[tokio::test]
async fn a_role_is_assumed_in_the_targets_region_with_the_external_id() {
    let rig = Rig::recorded_drill().await;
    let sts = sts().await;
    let endpoints = [(DRS, rig.url.as_str()), (STS, &sts.url)];
    child("assumes_a_role", &endpoints, "999999999999").await;
    assert_eq!(sts.requests(), 1, "credentials are kept");
}

#[tokio::test]
async fn quotas_are_read_from_the_endpoint_of_service_quotas_with_the_targets_role() {
    let server = Scripted::new(|request| {
        asserts_a_list_of_drs(request);
        // What the role was given, not what the environment says.
        assert!(request.head.contains("Credential=123456789012/"));
        ok(quotas(&[("L-D88FAC3A", "40.0")], None))
    })
    .await;
    let sts = sts().await;
    let endpoints = [(QUOTAS, server.url.as_str()), (STS, &sts.url)];
    child("reads_quotas", &endpoints, "999999999999").await;
    assert_eq!((server.requests(), sts.requests()), (1, 1));
}

#[tokio::test]
async fn service_quotas_is_not_asked_about_a_drs_that_it_does_not_know() {
    let server = Scripted::new(|_| Answer::HangUp).await;
    let endpoints = [(DRS, server.url.as_str()), (ANY, &server.url)];
    child("reads_no_quotas", &endpoints, "123456789012").await;
    assert_eq!(server.requests(), 0);
}

/// Lets one role be assumed.
async fn sts() -> Scripted {
    Scripted::new(|request| {
        let wanted = ["Action=AssumeRole", "role%2Frecovery", "ExternalId=tide"];
        assert!(wanted.iter().all(|part| request.body.contains(part)));
        assert!(request.head.contains("/us-west-2/sts/"), "{}", request.head);
        Answer::Http(200, "content-type: text/xml\r\n", ASSUMED.to_owned())
    })
    .await
}

/// Runs one of the tests below.
async fn child(name: &str, endpoints: &[(&str, &str)], access_key: &str) {
    let name = format!("drs_adapter::environment::child_{name}");
    let child = Command::new(env::current_exe().expect("a path"))
        .args(["--exact", &name, "--ignored"])
        .env_remove(DRS)
        .env_remove(QUOTAS)
        .envs(endpoints.iter().copied())
        .env("AWS_ACCESS_KEY_ID", access_key)
        .env("AWS_SECRET_ACCESS_KEY", "emulator")
        .env("AWS_REGION", "eu-central-1")
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env_remove("AWS_SESSION_TOKEN")
        .env_remove("AWS_PROFILE")
        .output();
    let output = child.await.expect("it runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("1 passed"), "{text}");
}

#[tokio::test]
#[ignore = "run by a test above, with its environment"]
async fn child_is_permitted() {
    assert_eq!(databases(None).await, Ok(2));
}

#[tokio::test]
#[ignore = "run by a test above, with its environment"]
async fn child_assumes_a_role() {
    let denied = databases(None).await;
    assert!(matches!(denied, Err(DrsError::Failed { .. })), "{denied:?}");
    assert_eq!(databases(Some(ROLE)).await, Ok(2));
}

#[tokio::test]
#[ignore = "run by a test above, with its environment"]
async fn child_reads_quotas() {
    let granted = connected().await.quotas(as_role(Some(ROLE))).await;
    let granted = granted.expect("an answer");
    assert_eq!(granted.jobs, NonZeroU32::new(40));
}

#[tokio::test]
#[ignore = "run by a test above, with its environment"]
async fn child_reads_no_quotas() {
    let granted = connected().await.quotas(as_role(None)).await;
    assert_eq!(granted, Ok(GrantedQuotas::default()));
}

async fn connected() -> AwsDrs {
    let sessions = Sessions {
        external_id: Some("tide".to_owned()),
        ..Sessions::default()
    };
    AwsDrs::connect(Settings::new(Mode::Aws { sessions })).await
}

fn as_role(role: Option<&str>) -> Arc<Target> {
    Arc::new(Target {
        account: "123456789012".to_owned(),
        region: "us-west-2".to_owned(),
        role: role.map(str::to_owned),
    })
}

async fn databases(role: Option<&str>) -> Result<usize, DrsError> {
    let drs = connected().await;
    let target = as_role(role);
    let tags = BTreeMap::from([("Role".to_owned(), "DBServer".to_owned())]);
    let query = ServerQuery::Tags(tags);
    drs.source_servers(target.clone(), query.clone()).await?;
    let found = drs.source_servers(target, query).await?;
    Ok(found.len())
}

const ASSUMED: &str = r#"<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
<AssumeRoleResult>
<AssumedRoleUser><AssumedRoleId>A:tidegate</AssumedRoleId>
<Arn>arn:aws:sts::123456789012:assumed-role/recovery/tidegate</Arn></AssumedRoleUser>
<Credentials><AccessKeyId>123456789012</AccessKeyId><SecretAccessKey>x</SecretAccessKey>
<SessionToken>y</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>
</AssumeRoleResult></AssumeRoleResponse>"#;
