//! boto3 knows the whole DRS service model: it says whether the emulator
//! speaks the protocol.

use tidegate_emulator::{Emulator, EmulatorClock, Scenario, Settings};
use tokio::net::TcpListener;

use super::installed::{assert_all_passed, in_checkout, python};

#[tokio::test(flavor = "multi_thread")]
async fn the_emulator_answers_as_the_service_model_says() {
    conforms("all").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_emulator_fails_as_the_service_model_says() {
    conforms("mishaps").await;
}

/// The script moves time, which `tidegate emulator` does not allow.
async fn conforms(scenario: &str) {
    let emulator = Emulator::new(Settings {
        scenario: Scenario::built_in(scenario).expect("a built-in scenario"),
        clock: EmulatorClock::Manual,
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let never = std::future::pending();
    tokio::spawn(tidegate_emulator::serve(listener, emulator, never));
    let script = tokio::task::spawn_blocking(move || {
        python()
            .arg(in_checkout("emulator/conformance/drs_client.py"))
            .arg(address)
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .output()
            .expect("Python runs")
    });
    assert_all_passed(&script.await.expect("the script is run"));
}
