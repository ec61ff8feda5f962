//! A collector gets the same metrics that the operations port shows.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::metrics::v1::{Metric, metric::Data};

use super::{
    collector::{Collector, attribute},
    world::World,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_gets_metrics_with_their_names_and_units() {
    let (collector, address) = Collector::start().await;
    let world = World::start(Some(address)).await;
    world.drill(None).await;
    let text = world.metrics_of_the_end().await;
    world.gateway.shut_down().await;

    let metrics = collector.metrics();
    let units: BTreeMap<&str, &str> = metrics.iter().map(|it| (&*it.name, &*it.unit)).collect();
    for (name, unit) in [
        ("rpc.server.call.duration", "s"),
        ("rpc.client.call.duration", "s"),
        ("db.client.operation.duration", "s"),
        ("tidegate.execution.duration", "s"),
        ("tidegate.execution.spent", "s"),
        ("tidegate.execution.rto", "1"),
        ("tidegate.wave.duration", "s"),
        ("tidegate.hook.duration", "s"),
        ("tidegate.launches", "{launch}"),
        ("tidegate.drill.leftover.instances", "{instance}"),
        ("tidegate.replication.lag", "s"),
        ("tidegate.plan.rpo", "s"),
    ] {
        assert_eq!(units.get(name), Some(&unit), "{name}: {units:?}");
        let prometheus = name.replace('.', "_");
        assert!(
            text.contains(&prometheus),
            "{prometheus} is not in the text"
        );
    }
    assert_eq!(
        count(
            &metrics,
            "tidegate.wave.duration",
            "tidegate.state",
            "succeeded"
        ),
        3
    );
    assert_eq!(
        count(
            &metrics,
            "tidegate.execution.spent",
            "tidegate.spent_by",
            "human"
        ),
        1
    );
    let commits = count(
        &metrics,
        "db.client.operation.duration",
        "db.operation.name",
        "append",
    );
    assert!(commits > 5, "{commits}");
    no_attribute_is_an_id(&metrics);
}

/// How often a histogram was recorded with this attribute.
fn count(metrics: &[Metric], name: &str, key: &str, value: &str) -> u64 {
    let found = metrics.iter().find(|it| it.name == name);
    match &found.expect("it was sent").data {
        Some(Data::Histogram(histogram)) => {
            let points = histogram.data_points.iter();
            points
                .filter(|it| attribute(&it.attributes, key).as_deref() == Some(value))
                .map(|it| it.count)
                .sum()
        }
        other => panic!("{name} is no histogram: {other:?}"),
    }
}

/// Their number would have no bound.
fn no_attribute_is_an_id(metrics: &[Metric]) {
    let text = format!("{metrics:?}");
    for id in ["s-1000", "drsjob-", "execution.id", "i-0"] {
        assert!(!text.contains(id), "{id}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_drill_has_left_is_shown_after_a_restart_and_until_it_is_cleaned_up() {
    let world = World::start(None).await;
    let id = world.drill(None).await;
    let left = leftover(&world.metrics_of_the_end().await);
    let world = world.restart().await;
    assert_eq!(leftover(&world.metrics_of_the_end().await), left);
    world.clean_up(&id).await;
    let text = world.metrics_of_nothing_left().await;
    assert!(!text.contains("tidegate_drill_leftover_age"), "{text}");
    world.gateway.shut_down().await;
}

/// Lines of what is left, by place.
fn leftover(text: &str) -> Vec<String> {
    let lines = text.lines();
    lines
        .filter(|line| line.starts_with("tidegate_drill_leftover_instances{"))
        .map(str::to_owned)
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operations_port_says_whether_the_gateway_lives_and_is_ready() {
    let world = World::start(None).await;
    assert_eq!(world.operations("/livez").await.0, "HTTP/1.1 200 OK");
    assert_eq!(world.operations("/readyz").await.0, "HTTP/1.1 200 OK");
    let (status, body) = world.operations("/secrets").await;
    assert_eq!(status, "HTTP/1.1 404 Not Found");
    assert!(body.contains("/metrics"), "{body}");
    let address = world.gateway.operations_address().expect("it is on");
    world.gateway.shut_down().await;
    let gone = tokio::net::TcpStream::connect(address).await;
    assert!(gone.is_err(), "the port outlives the gateway");
}
