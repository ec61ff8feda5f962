//! The official Python parser reads what the operations port writes.

use std::{io::Write as _, process::Stdio};

use super::installed::{assert_all_passed, in_checkout, python};
use crate::telemetry::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn prometheus_text_is_read_by_the_official_parser() {
    let world = World::start(None).await;
    world.drill(None).await;
    let text = world.metrics_of_the_end().await;
    world.gateway.shut_down().await;
    let parsed = tokio::task::spawn_blocking(move || {
        let mut script = python()
            .arg(in_checkout("tests/compatibility/prometheus_text.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("Python runs");
        let mut stdin = script.stdin.take().expect("stdin is a pipe");
        stdin.write_all(text.as_bytes()).expect("it reads");
        drop(stdin);
        script.wait_with_output().expect("the script ends")
    });
    assert_all_passed(&parsed.await.expect("the script is run"));
}
