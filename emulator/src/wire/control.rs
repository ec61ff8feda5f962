//! The control API under `/_emulator/`: for tests and for people who watch. It is no part of DRS
//! and needs no credentials.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::time;
use crate::emulator::Emulator;
use crate::model::{LaunchRecord, Tags};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StateShape {
    scenario: String,
    now: String,
    /// `null` if the clock is manual.
    speed: Option<f64>,
    next_change: Option<String>,
    launches: usize,
    calls: BTreeMap<&'static str, u64>,
}

/// GET `/_emulator/state`
pub(super) async fn state(State(emulator): State<Emulator>) -> Json<StateShape> {
    let (now, next_change, launches) =
        emulator.with_model(|model, now| (now, model.next_change(), model.launches().len()));
    Json(StateShape {
        scenario: emulator.scenario().to_owned(),
        now: time::timestamp(now),
        speed: emulator.speed(),
        next_change: next_change
            .into_iter()
            .chain(emulator.next_late())
            .min()
            .map(time::timestamp),
        launches,
        calls: emulator.calls(),
    })
}

#[derive(Serialize)]
pub(super) struct LaunchesShape {
    launches: Vec<LaunchShape>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LaunchShape {
    account: String,
    region: String,
    #[serde(rename = "sourceServerID")]
    source_server_id: String,
    #[serde(rename = "jobID")]
    job_id: String,
    is_drill: bool,
    tags: Tags,
    at: String,
}

impl LaunchShape {
    fn of(record: &LaunchRecord) -> Self {
        Self {
            account: record.place.account.to_string(),
            region: record.place.region.to_string(),
            source_server_id: record.source_server.to_string(),
            job_id: record.job.to_string(),
            is_drill: record.purpose.is_drill(),
            tags: record.tags.clone(),
            at: time::timestamp(record.at),
        }
    }
}

/// GET `/_emulator/launches`: every launch that was ever accepted, oldest first.
pub(super) async fn launches(State(emulator): State<Emulator>) -> Json<LaunchesShape> {
    let launches = emulator.launches().iter().map(LaunchShape::of).collect();
    Json(LaunchesShape { launches })
}

#[derive(Deserialize)]
pub(super) struct AdvanceRequest {
    seconds: f64,
}

/// POST `/_emulator/advance`: moves a manual clock on; 409 if time passes by itself.
pub(super) async fn advance(
    State(emulator): State<Emulator>,
    Json(request): Json<AdvanceRequest>,
) -> Response {
    let Ok(duration) = SignedDuration::try_from_secs_f64(request.seconds) else {
        return problem(StatusCode::BAD_REQUEST, "seconds is out of range");
    };
    if duration.is_negative() {
        return problem(StatusCode::BAD_REQUEST, "time does not go back");
    }
    match emulator.advance(duration) {
        Ok(now) => {
            emulator.settled().await;
            let now = time::timestamp(now);
            Json(Advanced { now }).into_response()
        }
        Err(error) => problem(StatusCode::CONFLICT, &error.to_string()),
    }
}

#[derive(Serialize)]
struct Advanced {
    now: String,
}

#[derive(Serialize)]
struct Problem<'a> {
    message: &'a str,
}

pub(super) fn problem(status: StatusCode, message: &str) -> Response {
    (status, Json(Problem { message })).into_response()
}
