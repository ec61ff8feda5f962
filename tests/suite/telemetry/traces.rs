//! A collector gets the trace of a drill, as it was recorded.

use std::collections::{BTreeMap, BTreeSet};

use opentelemetry_proto::tonic::trace::v1::{Span, span::SpanKind};
use tidegate_gateway::telemetry::trace_id;
use tidegate_tests::process::run;

use super::{
    collector::{Collector, attribute},
    world::World,
};

const CALLER: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

#[tokio::test(flavor = "multi_thread")]
async fn a_drill_is_one_trace_linked_to_the_request_that_started_it() {
    let (collector, address) = Collector::start().await;
    let world = World::start(Some(address)).await;
    let id = world.drill(Some(CALLER)).await;
    world.gateway.shut_down().await;

    let spans = collector.spans();
    let trace = trace_id(&id);
    let of_drill: Vec<&Span> = spans
        .iter()
        .filter(|it| hex(&it.trace_id) == trace)
        .collect();
    let root = only(&of_drill, |it| it.parent_span_id.is_empty());
    assert_eq!(root.name, "drill shop");
    let attributes = &root.attributes;
    assert_eq!(attribute(attributes, "tidegate.execution.id"), Some(id));
    assert_eq!(
        attribute(attributes, "tidegate.state").as_deref(),
        Some("succeeded")
    );

    the_tree_is_whole(&of_drill, root);
    the_request_is_linked(&spans, root);

    let resource = &collector.resources()[0];
    let service = attribute(&resource.attributes, "service.name");
    assert_eq!(service.as_deref(), Some("tidegate"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_is_told_its_span_and_its_replay_is_told_the_same() {
    let (collector, address) = Collector::start().await;
    let world = World::start(Some(address)).await;
    let id = world.drill(None).await;
    let tapes = world.tapes(&id).await;
    let gateway = world.address();
    let replay = move || run(&["hook", "replay", &id], &gateway);
    let replayed = tokio::task::spawn_blocking(replay).await.expect("it runs");
    let said = String::from_utf8_lossy(&replayed.stderr);
    assert!(replayed.status.success(), "{said}");
    world.gateway.shut_down().await;

    let spans = collector.spans();
    assert!(tapes.len() >= 4, "{tapes:?}");
    for tape in tapes {
        let (_, told) = tape.split_once("\"00-").expect("a traceparent");
        let parts: Vec<&str> = told.split(['-', '"']).take(3).collect();
        let named = spans.iter().filter(|it| hex(&it.span_id) == parts[1]);
        let found: Vec<&Span> = named.collect();
        assert_eq!(found.len(), 1, "{told}");
        assert!(found[0].name.starts_with("hook "), "{}", found[0].name);
        assert_eq!(
            (hex(&found[0].trace_id).as_str(), "01"),
            (parts[0], parts[2])
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_goes_on_adds_to_the_same_trace() {
    let (collector, address) = Collector::start().await;
    let world = World::start(Some(address)).await;
    let id = world.drill_until_paused(Some(CALLER)).await;
    let world = world.restart().await;
    world.resume_to_the_end(&id).await;
    world.gateway.shut_down().await;

    let spans = collector.spans();
    let trace = trace_id(&id);
    let of_drill: Vec<&Span> = spans
        .iter()
        .filter(|it| hex(&it.trace_id) == trace)
        .collect();
    let root = only(&of_drill, |it| it.parent_span_id.is_empty());
    the_tree_is_whole(&of_drill, root);
    // Which request it was, only the first of the two knew.
    assert!(root.links.is_empty());
    let accepted = only(&of_drill, |it| it.name == "accepted");
    assert_eq!(accepted.links.len(), 1);
    let instances: BTreeSet<_> = collector
        .resources()
        .iter()
        .filter_map(|it| attribute(&it.attributes, "service.instance.id"))
        .collect();
    assert_eq!(instances.len(), 2);
}

/// Waves below the execution, hooks and launches below their waves, and calls
/// of AWS below their launches, each within its parent's time.
fn the_tree_is_whole(spans: &[&Span], root: &Span) {
    let by_id: BTreeMap<&[u8], &Span> = spans.iter().map(|it| (&*it.span_id, *it)).collect();
    assert_eq!(by_id.len(), spans.len(), "an id is given twice");
    let mut below: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for span in spans.iter().filter(|it| it.span_id != root.span_id) {
        let parent = by_id.get(&*span.parent_span_id);
        let parent = parent.unwrap_or_else(|| panic!("{} has no parent", span.name));
        below.entry(&parent.name).or_default().insert(&span.name);
        assert!(
            span.start_time_unix_nano <= span.end_time_unix_nano,
            "{}",
            span.name
        );
        // Calls are timed by another clock than what is recorded.
        let slack = 50_000_000;
        assert!(
            span.start_time_unix_nano + slack >= parent.start_time_unix_nano,
            "{} begins before {}",
            span.name,
            parent.name
        );
    }
    let waves = [
        "accepted",
        "hold planned",
        "wave application",
        "wave database",
        "wave web",
    ];
    assert_eq!(below["drill shop"], BTreeSet::from(waves));
    let database = ["hook launch-fresh", "hook tcp-reachable", "launch"];
    assert_eq!(below["wave database"], BTreeSet::from(database));
    assert_eq!(
        below["wave web"],
        BTreeSet::from(["hook http-healthy", "launch"])
    );
    assert!(below["launch"].contains("drs/StartRecovery"), "{below:?}");
    let launches = spans.iter().filter(|it| it.name == "drs/StartRecovery");
    assert_eq!(launches.count(), 3);
}

/// The request's span is below its caller's, and the execution names it.
fn the_request_is_linked(spans: &[Span], root: &Span) {
    let all: Vec<&Span> = spans.iter().collect();
    let name = "tidegate.v1.ExecutionService/StartExecution";
    let request = only(&all, |it| it.name == name);
    assert_eq!(request.kind, SpanKind::Server as i32);
    let [_, caller_trace, caller_span, _] = CALLER.split('-').collect::<Vec<_>>()[..] else {
        panic!("four parts");
    };
    assert_eq!(hex(&request.trace_id), caller_trace);
    assert_eq!(hex(&request.parent_span_id), caller_span);
    let code = attribute(&request.attributes, "rpc.response.status_code");
    assert_eq!(code.as_deref(), Some("OK"));
    let [link] = &root.links[..] else {
        panic!("one link: {:?}", root.links);
    };
    let of_trace: Vec<&Span> = all
        .into_iter()
        .filter(|it| it.trace_id == root.trace_id)
        .collect();
    let accepted = only(&of_trace, |it| it.name == "accepted");
    assert_eq!(accepted.links, root.links);
    assert_eq!(link.trace_id, request.trace_id);
    assert_eq!(link.span_id, request.span_id);
}

fn only<'a>(spans: &[&'a Span], is: impl Fn(&Span) -> bool) -> &'a Span {
    let found: Vec<&&Span> = spans.iter().filter(|it| is(it)).collect();
    assert_eq!(found.len(), 1, "{found:?}");
    found[0]
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
