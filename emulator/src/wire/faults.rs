//! The faults in the control API: what goes wrong from now on, and how often it has.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::control::problem;
use super::time;
use crate::emulator::Emulator;
use crate::faults::{Faults, FaultsFile};

#[derive(Serialize)]
struct FaultsShape {
    /// When counting began.
    since: String,
    faults: FaultsFile,
    counts: Vec<CountShape>,
}

#[derive(Serialize)]
struct CountShape {
    rule: String,
    seen: u64,
    fired: u64,
}

/// GET `/_emulator/faults`
pub(super) async fn show(State(emulator): State<Emulator>) -> Response {
    shown(&emulator)
}

/// PUT `/_emulator/faults`: replaces all faults; 400 with the path of what is wrong.
pub(super) async fn put(State(emulator): State<Emulator>, body: Bytes) -> Response {
    let mut json = serde_json::Deserializer::from_slice(&body);
    let file: FaultsFile = match serde_path_to_error::deserialize(&mut json) {
        Ok(file) => file,
        Err(error) => return problem(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    if let Err(error) = json.end() {
        return problem(StatusCode::BAD_REQUEST, &error.to_string());
    }
    match file.check(emulator.look(|model| model.seed())) {
        Ok(faults) => {
            emulator.set_faults(faults);
            shown(&emulator)
        }
        Err(error) => problem(StatusCode::BAD_REQUEST, &error.to_string()),
    }
}

/// DELETE `/_emulator/faults`: nothing goes wrong from now on.
pub(super) async fn delete(State(emulator): State<Emulator>) -> Response {
    emulator.set_faults(Faults::none());
    shown(&emulator)
}

fn shown(emulator: &Emulator) -> Response {
    let shape = emulator.with_faults(|faults, plan| FaultsShape {
        since: time::timestamp(plan.since()),
        faults: faults.into(),
        counts: plan
            .counts()
            .map(|count| CountShape {
                rule: count.rule.to_owned(),
                seen: count.seen,
                fired: count.fired,
            })
            .collect(),
    });
    Json(shape).into_response()
}
