//! Workloads that really listen, on loopback addresses.

mod rig;

use std::io::ErrorKind;
use std::net::Ipv4Addr;

use rig::{Rig, request};
use serde_json::{Value, json};
use tidegate_emulator::model::SourceServerId;
use tidegate_emulator::{Emulator, EmulatorClock, Scenario, Settings, free_loopback, serve};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};

const DB: &str = "s-10000000000db0001";
const APP: &str = "s-10000000000aa0001";
const WEB: &str = "s-10000000000eb0001";

fn shop() -> Scenario {
    let scenario = Scenario::built_in("shop").expect("it is built in");
    scenario.listening_on(free_loopback().expect("a free network"))
}

async fn is_refused(address: (Ipv4Addr, u16)) -> bool {
    let connected = TcpStream::connect(address).await;
    connected.is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused)
}

#[tokio::test]
async fn a_database_takes_connections_from_readiness_to_termination() {
    let rig = Rig::serve(shop()).await;
    rig.launch(&[DB]);
    let launched = rig.advance_to("STARTING", DB).await;
    let address = (rig.address(DB), 5_432);
    assert!(address.0.is_loopback());
    assert!(is_refused(address).await, "launched, and not ready yet");
    assert_eq!(launched["open"], json!([]));

    rig.advance(30).await;
    let ready = rig.workload(DB).await;
    assert_eq!(
        (&ready["state"], &ready["open"]),
        (&json!("HEALTHY"), &json!([5_432]))
    );
    let mut held = TcpStream::connect(address).await.unwrap();

    rig.terminate_all();
    rig.advance_to("DOWN", DB).await;
    assert!(is_refused(address).await);
    let ended = held.read(&mut [0; 8]).await;
    assert!(ended.is_err() || ended.is_ok_and(|length| length == 0));
    rig.stop().await;
}

#[tokio::test]
async fn a_server_tells_its_health_over_http() {
    let rig = Rig::serve(shop()).await;
    rig.launch(&[WEB]);
    rig.advance_to("HEALTHY", WEB).await;
    let address = (rig.address(WEB), 8_080).into();
    let (status, body) = request(address, "GET", "/healthz", "").await;
    assert_eq!((status, &body["server"]), (200, &json!(WEB)));
    assert_eq!(body["hostname"], "web-01.shop.example");
    assert_eq!(request(address, "GET", "/else", "").await.0, 404);
    assert_eq!(request(address, "POST", "/healthz", "").await.0, 405);
    TcpStream::connect((rig.address(WEB), 8_443)).await.unwrap();
    rig.stop().await;
}

#[tokio::test]
async fn a_person_breaks_a_workload_and_repairs_it() {
    let rig = Rig::serve(shop()).await;
    rig.launch(&[DB, WEB]);
    rig.advance(1_000).await;
    let http = (rig.address(WEB), 8_080).into();
    for id in [DB, WEB] {
        let told = rig.tell(id, false).await;
        assert_eq!(
            (&told["state"], &told["told"]),
            (&json!("UNHEALTHY"), &json!("UNHEALTHY"))
        );
    }
    assert_eq!(request(http, "GET", "/healthz", "").await.0, 503);
    assert!(is_refused((rig.address(DB), 5_432)).await);
    assert!(is_refused((rig.address(WEB), 8_443)).await);
    for id in [DB, WEB] {
        assert_eq!(rig.tell(id, true).await["state"], "HEALTHY");
    }
    assert_eq!(request(http, "GET", "/healthz", "").await.0, 200);
    TcpStream::connect((rig.address(DB), 5_432)).await.unwrap();
    rig.stop().await;
}

#[tokio::test]
async fn one_server_is_unhealthy_until_it_is_told() {
    let id = SourceServerId::parse(APP).unwrap();
    let rig = Rig::serve(shop().unhealthy_until_told(&id).unwrap()).await;
    let other = "s-10000000000aa0002";
    rig.launch(&[APP, other]);
    rig.advance(10_000).await;
    let healthz = async |id| {
        request((rig.address(id), 8_080).into(), "GET", "/healthz", "")
            .await
            .0
    };
    assert_eq!((healthz(APP).await, healthz(other).await), (503, 200));
    rig.tell(APP, true).await;
    assert_eq!(healthz(APP).await, 200);
    rig.stop().await;
}

#[tokio::test]
async fn words_that_make_no_sense_are_refused() {
    let rig = Rig::serve(shop()).await;
    let status = async |id: &str, body: &str| {
        let path = format!("/_emulator/workloads/{id}");
        request(rig.control, "POST", &path, body).await.0
    };
    let unknown = "s-fffffffffffffffff";
    assert_eq!(status(unknown, r#"{"healthy": true}"#).await, 404);
    assert_eq!(status("db-1", r#"{"healthy": true}"#).await, 400);
    assert_eq!(status(DB, r#"{"health": true}"#).await, 422);
    rig.stop().await;
}

#[tokio::test]
async fn time_that_passes_by_itself_opens_ports_by_itself() {
    let clock = EmulatorClock::Scaled { speed: 100_000.0 };
    let rig = Rig::with(shop(), clock).await;
    rig.launch(&[DB]);
    // Reading does not wake the listeners: they have to wake themselves.
    while rig.workload(DB).await["open"] != json!([5_432]) {}
    TcpStream::connect((rig.address(DB), 5_432)).await.unwrap();
    rig.stop().await;
}

#[tokio::test]
async fn nothing_listens_any_more_after_the_end() {
    let rig = Rig::serve(shop()).await;
    rig.launch(&[DB, APP, WEB]);
    rig.advance(1_000).await;
    let ports = [(DB, 5_432), (APP, 8_080), (WEB, 8_080), (WEB, 8_443)];
    let addresses = ports.map(|(id, port)| (rig.address(id), port));
    let mut idle = Vec::new();
    for address in addresses {
        idle.push(TcpStream::connect(address).await.unwrap());
    }
    rig.stop().await;
    for address in addresses {
        assert!(is_refused(address).await, "{address:?}");
    }
    for mut connection in idle {
        let ended = connection.read(&mut [0; 8]).await;
        assert!(ended.is_err() || ended.is_ok_and(|length| length == 0));
    }
}

#[tokio::test]
async fn connections_are_bounded() {
    let rig = Rig::serve(shop()).await;
    rig.launch(&[DB]);
    rig.advance(1_000).await;
    let address = (rig.address(DB), 5_432);
    let mut held = Vec::new();
    for _ in 0..256 {
        held.push(TcpStream::connect(address).await.unwrap());
    }
    let mut beyond = TcpStream::connect(address).await.unwrap();
    let ended = beyond.read(&mut [0; 8]).await;
    assert!(ended.is_err() || ended.is_ok_and(|length| length == 0));
    rig.stop().await;
}

#[tokio::test]
async fn a_network_that_is_taken_ends_the_start_with_its_name() {
    let scenario = shop();
    let loopback = scenario.fleet.loopback.unwrap();
    let rig = Rig::serve(scenario.clone()).await;
    rig.advance(0).await;
    let clock = EmulatorClock::Manual;
    let second = Emulator::new(Settings { scenario, clock });
    assert!(second.can_listen().is_err());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let error = serve(listener, second, std::future::pending())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AddrInUse);
    assert!(error.to_string().contains(&loopback.to_string()), "{error}");
    rig.stop().await;
}

#[tokio::test]
async fn a_port_that_is_taken_is_told_and_opened_once_it_is_free() {
    let rig = Rig::with(shop(), EmulatorClock::Manual).await;
    rig.launch(&[DB]);
    rig.advance_to("STARTING", DB).await;
    let taken = TcpListener::bind((rig.address(DB), 5_432)).await.unwrap();
    rig.advance(30).await;
    let workload = rig.workload(DB).await;
    assert_eq!(workload["open"], json!([]));
    let reason = workload["failed"]["5432"].as_str().unwrap();
    assert!(reason.contains("in use"), "{reason}");
    drop(taken);
    rig.tell(DB, true).await;
    let workload = rig.workload(DB).await;
    assert_eq!(
        (&workload["open"], &workload["failed"]),
        (&json!([5_432]), &json!({}))
    );
    rig.stop().await;
}

#[tokio::test]
async fn without_a_network_nothing_listens() {
    let rig = Rig::serve(Scenario::built_in("shop").unwrap()).await;
    rig.launch(&[DB]);
    rig.advance(1_000).await;
    assert!(rig.address(DB).is_private());
    let (_, all) = request(rig.control, "GET", "/_emulator/workloads", "").await;
    assert_eq!(all["loopback"], Value::Null);
    assert_eq!(all["workloads"].as_array().unwrap().len(), 60);
    let workload = rig.workload(DB).await;
    assert_eq!(
        (&workload["state"], &workload["open"]),
        (&json!("HEALTHY"), &json!([]))
    );
    rig.stop().await;
}
