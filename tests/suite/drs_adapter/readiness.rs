//! What is asked ahead of a run.

use tidegate_core::engine::LaunchAnswer;
use tidegate_emulator::{faults::FaultsFile, model::Seed};
use tidegate_gateway::ports::drs::{
    Caller, Drs as _, DrsError, LaunchSettings, LiveJob, Permissions,
};

use super::{
    rig::{DATABASES, Rig, adapter, drill, ids, target},
    scripted::{Answer, Scripted},
};

#[tokio::test]
async fn a_job_is_live_with_its_servers_until_it_ends() {
    let rig = Rig::recorded_drill().await;
    let since = rig.now();
    assert_eq!(rig.drs.live_jobs(target(), since).await, Ok(Vec::new()));
    let answer = rig.drs.start_recovery(drill("e/db/0", &DATABASES)).await;
    let LaunchAnswer::Accepted(report) = answer else {
        panic!("{answer:?}");
    };
    let mut live = rig.drs.live_jobs(target(), since).await.expect("an answer");
    live[0].servers.sort();
    let mut servers = ids(&DATABASES);
    servers.sort();
    let job = report.job;
    assert_eq!(live, [LiveJob { job, servers }]);
    rig.advance(36_000.0);
    assert_eq!(rig.drs.live_jobs(target(), since).await, Ok(Vec::new()));
}

#[tokio::test]
async fn launch_settings_are_told_for_each_server() {
    let rig = Rig::recorded_drill().await;
    let servers = ids(&DATABASES);
    let wanted = servers.iter().map(|server| LaunchSettings {
        server: server.clone(),
        stays_stopped: false,
    });
    let wanted: Vec<_> = wanted.collect();
    let told = rig.drs.launch_settings(target(), servers).await;
    assert_eq!(told, Ok(wanted));
}

fn faulted(rig: &Rig, service: &str) {
    let file: FaultsFile = serde_json::from_str(service).expect("faults");
    let faults = file.check(Seed(1)).expect("faults that fit");
    rig.emulator.set_faults(faults);
}

async fn introduced(rig: &Rig) -> Caller {
    let introduction = rig.drs.introduction(target()).await;
    introduction
        .expect("there is an STS")
        .caller
        .expect("a caller")
}

#[tokio::test]
async fn aws_says_who_calls_and_what_time_it_is() {
    let rig = Rig::recorded_drill().await;
    let introduction = rig
        .drs
        .introduction(target())
        .await
        .expect("there is an STS");
    let caller = introduction.caller.expect("a caller");
    assert_eq!(caller.account, "123456789012");
    assert_eq!(caller.arn, "arn:aws:iam::123456789012:user/emulator");
    let told = |time: Option<tidegate_core::Timestamp>| time.expect("a time").as_millis() / 1_000;
    let now = jiff::Timestamp::now().as_second().unsigned_abs();
    assert!(told(introduction.aws_time).abs_diff(now) < 60);
    faulted(&rig, r#"{"service": {"clockSkew": 4000}}"#);
    let skewed = rig
        .drs
        .introduction(target())
        .await
        .expect("there is an STS");
    assert!(told(skewed.aws_time) > now + 3_900);
}

#[tokio::test]
async fn what_is_denied_is_named_without_being_tried() {
    let rig = Rig::recorded_drill().await;
    let caller = introduced(&rig).await;
    let permitted = rig.drs.permissions(target(), caller.clone()).await;
    assert_eq!(permitted, Ok(Some(Permissions::default())));
    let denied = r#"["ec2:RunInstances", "drs:StartRecovery", "servicequotas:ListServiceQuotas"]"#;
    faulted(&rig, &format!(r#"{{"service": {{"denied": {denied}}}}}"#));
    let found = rig.drs.permissions(target(), caller).await;
    let found = found.expect("an answer").expect("there is an IAM");
    assert_eq!(found.denied, ["drs:StartRecovery", "ec2:RunInstances"]);
    assert_eq!(found.denied_optional, ["servicequotas:ListServiceQuotas"]);
    assert_eq!(rig.calls("StartRecovery"), 0);
    let waits = rig.launch("e/db/0", &DATABASES).await;
    assert!(matches!(waits, LaunchAnswer::Deferred { .. }), "{waits:?}");
}

#[tokio::test]
async fn a_caller_that_may_not_ask_hears_so() {
    let rig = Rig::recorded_drill().await;
    let caller = introduced(&rig).await;
    let denied = r#"{"service": {"denied": ["iam:SimulatePrincipalPolicy"]}}"#;
    faulted(&rig, denied);
    let refused = rig.drs.permissions(target(), caller).await;
    let Err(DrsError::Denied { operation, .. }) = &refused else {
        panic!("{refused:?}");
    };
    assert_eq!(*operation, "SimulatePrincipalPolicy");
}

#[tokio::test]
async fn the_answer_of_an_organisation_and_of_missing_conditions_counts() {
    let server = Scripted::new(|request| {
        assert!(
            request.body.contains("aws%3AViaAWSService"),
            "{}",
            request.body
        );
        let actions = request.body.split('&').filter_map(|member| {
            let (name, action) = member.split_once('=')?;
            name.starts_with("ActionNames")
                .then(|| action.replace("%3A", ":"))
        });
        let results: String = actions.map(|action| evaluated(&action)).collect();
        let body = format!(
            "<SimulatePrincipalPolicyResponse><SimulatePrincipalPolicyResult>\
             <IsTruncated>false</IsTruncated><EvaluationResults>{results}</EvaluationResults>\
             </SimulatePrincipalPolicyResult></SimulatePrincipalPolicyResponse>"
        );
        Answer::Http(200, "content-type: text/xml\r\n", body)
    })
    .await;
    let caller = Caller {
        account: "123456789012".to_owned(),
        arn: "arn:aws:sts::123456789012:assumed-role/launch/tidegate".to_owned(),
    };
    let found = adapter(&server.url)
        .await
        .permissions(target(), caller)
        .await;
    let found = found.expect("an answer").expect("there is an IAM");
    assert_eq!(found.denied, ["drs:StartRecovery"]);
    assert_eq!(found.undecided, ["drs:DescribeJobs"]);
}

/// One action that the organisation forbids, one that depends, all else allowed.
fn evaluated(action: &str) -> String {
    let (decision, more) = match action {
        "drs:StartRecovery" => (
            "allowed",
            "<OrganizationsDecisionDetail><AllowedByOrganizations>false</AllowedByOrganizations>\
             </OrganizationsDecisionDetail>",
        ),
        "drs:DescribeJobs" => (
            "implicitDeny",
            "<MissingContextValues><member>aws:SourceVpc</member></MissingContextValues>",
        ),
        _ => ("allowed", ""),
    };
    format!(
        "<member><EvalActionName>{action}</EvalActionName>\
         <EvalDecision>{decision}</EvalDecision>{more}</member>"
    )
}
