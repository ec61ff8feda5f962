//! Source servers and recovery instances.

use std::{collections::BTreeMap, net::IpAddr};

use tidegate_core::{JobId, Span, Timestamp};
use tidegate_gateway::ports::drs::{Drs as _, DrsError, RecoveryInstance, ServerQuery};

use super::{
    rig::{
        DATABASES, INSTANCES, Rig, adapter, answered, drill, ids, in_region, place, target, watched,
    },
    scripted::{Scripted, ok},
};

#[tokio::test]
async fn servers_are_selected_by_all_of_their_tags() {
    let rig = Rig::recorded_drill().await;
    let select = |tags: &[(&str, &str)]| {
        let tags: BTreeMap<String, String> = tags
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        let found = rig.drs.source_servers(target(), ServerQuery::Tags(tags));
        async {
            let found = found.await.expect("an answer").into_iter();
            let mut ids: Vec<String> = found.map(|server| server.id.to_string()).collect();
            ids.sort();
            ids
        }
    };
    let databases = [("Application", "sample"), ("Role", "DBServer")];
    assert_eq!(select(&databases).await, DATABASES);
    assert_eq!(select(&[("Application", "sample")]).await.len(), 6);
    let none = [("Application", "sample"), ("Role", "Clown")];
    assert_eq!(select(&none).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_server_is_described_as_drs_describes_it() {
    let rig = Rig::recorded_drill().await;
    let query = ServerQuery::Ids(ids(&DATABASES[..1]));
    let found = rig.drs.source_servers(target(), query).await;
    let server = found.expect("an answer").remove(0);
    assert_eq!(server.hostname, "ip-10-0-0-215.ec2.internal");
    assert_eq!(server.replication_state, "CONTINUOUS");
    assert_eq!(server.lag, Some(Span::ZERO));
    assert_eq!(server.tags["Role"], "DBServer");
}

#[tokio::test]
async fn no_ids_are_no_servers_and_not_all() {
    let rig = Rig::recorded_drill().await;
    let query = ServerQuery::Ids(Vec::new());
    let servers = rig.drs.source_servers(target(), query).await;
    assert_eq!(servers, Ok(Vec::new()));
    let instances = rig.drs.recovery_instances(target(), Vec::new()).await;
    assert_eq!(instances, Ok(Vec::new()));
}

#[tokio::test]
async fn recovery_instances_name_server_job_snapshot_and_address() {
    let rig = Rig::recorded_drill().await;
    let job: JobId = rig.launched("e/db/0", &DATABASES).await;
    rig.advance(600.0);
    let found = rig.drs.recovery_instances(target(), ids(&DATABASES)).await;
    let mut found = found.expect("an answer");
    found.sort_by_key(|instance| instance.server.clone());
    let wanted = ids(&DATABASES).into_iter().zip(INSTANCES);
    let wanted = wanted.map(|(server, instance)| RecoveryInstance {
        instance: instance.into(),
        server,
        is_drill: true,
        job: Some(job.clone()),
        snapshot_time: Some(carried(&rig, instance).0),
        addresses: vec![carried(&rig, instance).1],
    });
    assert_eq!(found, wanted.collect::<Vec<_>>());
}

/// The moment whose data an instance carries, and its address.
fn carried(rig: &Rig, instance: &str) -> (Timestamp, IpAddr) {
    rig.emulator.with_model(|model, _| {
        let estate = model.estate(&place()).expect("it has DRS");
        let mut instances = estate.recovery_instances();
        let found = instances.find(|it| it.id.as_str() == instance);
        let found = found.expect("it was launched");
        let millis = found.point_in_time.as_millisecond().unsigned_abs();
        (Timestamp::from_millis(millis), found.address.into())
    })
}

#[tokio::test]
async fn addresses_of_the_primary_interface_come_first_and_what_is_none_is_left_out() {
    let interfaces = r#"[
        {"ips": ["10.0.1.7", "nowhere"], "isPrimary": false},
        {"ips": ["10.0.2.7", "fd00::7"], "isPrimary": true},
        {"ips": ["", "10.0.3.7"]}
    ]"#;
    let answer = format!(
        r#"{{"items": [
            {{"recoveryInstanceID": "i-1", "sourceServerID": "s-1",
              "pointInTimeSnapshotDateTime": "yesterday",
              "recoveryInstanceProperties": {{"networkInterfaces": {interfaces}}}}},
            {{"recoveryInstanceID": "i-2", "sourceServerID": "s-2"}}
        ]}}"#
    );
    let server = Scripted::new(move |_| ok(answer.clone())).await;
    let drs = adapter(&server.url).await;

    let found = drs.recovery_instances(target(), ids(&["s-1", "s-2"])).await;

    let [first, second] =
        <[RecoveryInstance; 2]>::try_from(found.expect("an answer")).expect("both of them");
    let addresses = ["10.0.2.7", "fd00::7", "10.0.1.7", "10.0.3.7"];
    let addresses = addresses.map(|address| address.parse::<IpAddr>().expect("an address"));
    assert_eq!(first.addresses, addresses);
    assert_eq!(first.snapshot_time, None);
    assert_eq!(second.addresses, Vec::<IpAddr>::new());
}

#[tokio::test]
async fn in_another_region_nothing_is_there() {
    let rig = Rig::recorded_drill().await;
    let mut order = drill("e/db/0", &DATABASES);
    order.target = in_region("eu-west-1");
    let answer = rig.drs.start_recovery(order).await;
    let (word, reason, _) = answered(&answer);
    assert_eq!(word, "deferred", "somebody may set it up");
    assert!(
        reason.starts_with("UninitializedAccountException"),
        "{reason}"
    );
    let read = rig
        .drs
        .observe(
            in_region("eu-west-1"),
            watched(&["drsjob-00000000000000000"]),
        )
        .await;
    assert!(matches!(read, Err(DrsError::Failed { .. })), "{read:?}");
    assert!(rig.emulator.launches().is_empty());
}
