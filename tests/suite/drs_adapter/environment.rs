//! What the adapter takes from the environment of its process, which is a
//! child of the test: a process cannot safely change its own.

use std::{collections::BTreeMap, env, sync::Arc};

use tidegate_core::plan::Target;
use tidegate_gateway::{
    adapters::drs_aws::{AwsDrs, Mode, Settings},
    ports::drs::{Drs as _, DrsError, ServerQuery},
};
use tokio::process::Command;

use super::{
    rig::Rig,
    scripted::{Answer, Scripted},
};

const ROLE: &str = "arn:aws:iam::123456789012:role/recovery";

#[tokio::test]
async fn the_endpoint_and_the_credentials_of_the_environment_are_used() {
    let rig = Rig::recorded_drill().await;
    child(
        "is_permitted",
        &rig.url,
        "http://127.0.0.1:9",
        "123456789012",
    )
    .await;
}

#[tokio::test]
async fn a_role_is_assumed_in_the_targets_region_with_the_external_id() {
    let rig = Rig::recorded_drill().await;
    let sts = Scripted::new(|request| {
        let wanted = ["Action=AssumeRole", "role%2Frecovery", "ExternalId=tide"];
        assert!(wanted.iter().all(|part| request.body.contains(part)));
        assert!(request.head.contains("/us-west-2/sts/"), "{}", request.head);
        Answer::Http(200, "content-type: text/xml\r\n", ASSUMED.to_owned())
    })
    .await;
    child("assumes_a_role", &rig.url, &sts.url, "999999999999").await;
    assert_eq!(sts.requests(), 1, "credentials are kept");
}

/// Runs one of the tests below.
async fn child(name: &str, drs: &str, sts: &str, access_key: &str) {
    let name = format!("drs_adapter::environment::child_{name}");
    let child = Command::new(env::current_exe().expect("a path"))
        .args(["--exact", &name, "--ignored"])
        .env("AWS_ENDPOINT_URL_DRS", drs)
        .env("AWS_ENDPOINT_URL_STS", sts)
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
    assert!(
        matches!(denied, Err(DrsError::Refused { .. })),
        "{denied:?}"
    );
    assert_eq!(databases(Some(ROLE)).await, Ok(2));
}

async fn databases(role: Option<&str>) -> Result<usize, DrsError> {
    let external_id = Some("tide".to_owned());
    let drs = AwsDrs::connect(Settings::new(Mode::Aws { external_id })).await;
    let target = Arc::new(Target {
        account: "123456789012".to_owned(),
        region: "us-west-2".to_owned(),
        role: role.map(str::to_owned),
    });
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
