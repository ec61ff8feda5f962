//! The service's face: REST-JSON over HTTP/1, as botocore's `drs/2020-02-26` model describes it.
//!
//! One operation is one file. Every request takes the one way through [`answer`]; the shapes that
//! several operations answer with are in [`shape`].

mod answer;
mod assume_role;
mod caller;
mod check;
mod connection;
mod control;
mod delivery;
mod describe_job_log_items;
mod describe_jobs;
mod describe_recovery_instances;
mod describe_recovery_snapshots;
mod describe_source_servers;
mod error;
mod faulted;
mod faults;
mod get_launch_configuration;
mod identity;
mod list_tags_for_resource;
mod operation;
mod page;
mod shape;
mod start_recovery;
mod tag_resource;
mod terminate_recovery_instances;
#[cfg(test)]
mod tests;
mod time;
mod untag_resource;
mod workloads;

use std::future::{Future, IntoFuture, pending};

use axum::Router;
use axum::routing::{any, get, post};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::emulator::Emulator;
use crate::listening::Listening;
use connection::{Connection, Door};
pub use error::{FieldProblem, ServiceError};

/// The HTTP service of an emulator: DRS itself, and the control API under `/_emulator/`.
pub fn router(emulator: Emulator) -> Router {
    Router::new()
        .route("/_emulator/state", get(control::state))
        .route("/_emulator/launches", get(control::launches))
        .route("/_emulator/advance", post(control::advance))
        .route(
            "/_emulator/faults",
            get(faults::show).put(faults::put).delete(faults::delete),
        )
        .route("/_emulator/workloads", get(workloads::list))
        .route("/_emulator/workloads/{server}", post(workloads::tell))
        .route("/", any(identity::answer))
        .fallback(answer::answer)
        .with_state(emulator)
}

/// Serves an emulator, and the workloads of a scenario that listens, until the shutdown future ends;
/// then lets open requests finish and closes every port.
pub async fn serve(
    listener: TcpListener,
    emulator: Emulator,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let mut listening = Listening::open(&emulator).await?;
    let (closing, closes) = watch::channel(false);
    let app = router(emulator).into_make_service_with_connect_info::<Connection>();
    let server = axum::serve(Door::new(listener, closes), app).with_graceful_shutdown(async move {
        shutdown.await;
        // Requests that are open because of a fault end now.
        closing.send_replace(true);
    });
    let listens = async {
        match &mut listening {
            Some(listening) => listening.run().await,
            None => pending().await,
        }
    };
    let served = tokio::select! {
        served = server.into_future() => served,
        never = listens => match never {},
    };
    if let Some(listening) = listening {
        listening.close().await;
    }
    served
}
