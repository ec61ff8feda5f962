//! Orders that nobody may send any more when they are ready to be sent.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use tidegate_gateway::ports::{
    drs::{Drs as _, TerminateOrder},
    warrant::Warrant,
};

use super::{
    rig::{DATABASES, INSTANCES, adapter, answered, drill, ids, target},
    scripted::{Answer, Scripted, ok},
};

const TOO_LATE: &str = "not sent: when the call was ready";

#[tokio::test]
async fn an_order_without_a_warrant_is_not_sent() {
    let server = Scripted::new(|_| ok("{}")).await;
    let drs = adapter(&server.url).await;
    let never = || Warrant::new(|| false);
    let mut launch = drill("e/db/0", &DATABASES);
    launch.warrant = never();
    for answer in [
        drs.start_recovery(launch).await,
        drs.terminate(termination(never())).await,
    ] {
        let (word, reason, _) = answered(&answer);
        assert_eq!(word, "deferred", "{reason}");
        assert!(reason.starts_with(TOO_LATE), "{reason}");
    }
    assert_eq!(server.requests(), 0);
}

/// One instance is gone, so DRS is asked again for the other one; but in between
/// somebody else has taken over.
#[tokio::test]
async fn the_second_call_of_a_termination_needs_its_warrant_as_well() {
    let is_over = Arc::new(AtomicBool::new(false));
    let asked = Arc::new(AtomicUsize::new(0));
    let (ends, count) = (Arc::clone(&is_over), Arc::clone(&asked));
    let server = Scripted::new(move |request| {
        if request.path == "/TerminateRecoveryInstances" {
            count.fetch_add(1, Ordering::SeqCst);
            return Answer::Http(404, "", GONE.to_owned());
        }
        ends.store(true, Ordering::SeqCst);
        ok(format!(
            r#"{{"items": [{{"ec2InstanceID": "{}", "sourceServerID": "{}"}}]}}"#,
            INSTANCES[0], DATABASES[0]
        ))
    })
    .await;
    let drs = adapter(&server.url).await;
    let warrant = Warrant::new(move || !is_over.load(Ordering::SeqCst));
    let answer = drs.terminate(termination(warrant)).await;
    let (word, reason, _) = answered(&answer);
    assert_eq!(word, "deferred", "{reason}");
    assert!(reason.starts_with(TOO_LATE), "{reason}");
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

fn termination(warrant: Warrant) -> TerminateOrder {
    let instances = INSTANCES.map(tidegate_core::InstanceId::from);
    TerminateOrder {
        key: "c/db/0".to_owned(),
        target: target(),
        instances: ids(&DATABASES).into_iter().zip(instances).collect(),
        warrant,
    }
}

const GONE: &str = r#"{"__type": "ResourceNotFoundException", "message": "gone"}"#;
