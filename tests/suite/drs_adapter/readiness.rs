//! What is asked ahead of a run.

use tidegate_core::engine::LaunchAnswer;
use tidegate_gateway::ports::drs::{Drs as _, LaunchSettings, LiveJob};

use super::rig::{DATABASES, Rig, drill, ids, target};

#[tokio::test]
async fn a_job_is_live_with_its_servers_until_it_ends() {
    let rig = Rig::recorded_drill().await;
    // Jobs are listed from this machine's time on.
    let today = jiff::Timestamp::now().as_millisecond() as f64;
    rig.advance((today - rig.now().as_millis() as f64) / 1_000.0);
    assert_eq!(rig.drs.live_jobs(target()).await, Ok(Vec::new()));
    let answer = rig.drs.start_recovery(drill("e/db/0", &DATABASES)).await;
    let LaunchAnswer::Accepted(report) = answer else {
        panic!("{answer:?}");
    };
    let mut live = rig.drs.live_jobs(target()).await.expect("an answer");
    live[0].servers.sort();
    let mut servers = ids(&DATABASES);
    servers.sort();
    let job = report.job;
    assert_eq!(live, [LiveJob { job, servers }]);
    rig.advance(36_000.0);
    assert_eq!(rig.drs.live_jobs(target()).await, Ok(Vec::new()));
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
