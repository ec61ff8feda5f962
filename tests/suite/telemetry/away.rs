//! A collector that is away, or takes connections and never answers.

use tokio::net::TcpListener;

use super::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_drill_does_not_need_the_collector_that_is_away() {
    // Bound and closed again: nobody listens there.
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let world = World::start(Some(address)).await;
    world.drill(None).await;
    world.gateway.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drill_does_not_wait_for_a_collector_that_never_answers() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
    let address = listener.local_addr().expect("an address");
    let world = World::start(Some(address)).await;
    // Nothing is accepted until the drill is over: whatever waited for the
    // collector would wait for ever.
    world.drill(None).await;
    let _ = world.metrics_of_the_end().await;
    world.gateway.shut_down().await;
    drop(listener);
}
