//! `JobLog` and `JobLogEventData`.

use serde::Serialize;

use crate::model::{InstanceId, JobEvent, LogItem};
use crate::wire::time;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::wire) struct JobLogShape {
    log_date_time: String,
    event: &'static str,
    event_data: EventData,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct EventData {
    #[serde(rename = "sourceServerID", skip_serializing_if = "Option::is_none")]
    source_server_id: Option<String>,
    #[serde(rename = "conversionServerID", skip_serializing_if = "Option::is_none")]
    conversion_server_id: Option<String>,
    #[serde(rename = "targetInstanceID", skip_serializing_if = "Option::is_none")]
    target_instance_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    raw_error: Option<String>,
}

impl JobLogShape {
    pub(in crate::wire) fn of(item: &LogItem) -> Self {
        let mut event_data = EventData::of(&item.event);
        event_data.source_server_id = item.source_server.as_ref().map(ToString::to_string);
        Self {
            log_date_time: time::timestamp(item.at),
            event: item.event.name(),
            event_data,
        }
    }
}

impl EventData {
    fn of(event: &JobEvent) -> Self {
        let text = |id: &InstanceId| Some(id.to_string());
        match event {
            JobEvent::CleanupStart { instance }
            | JobEvent::CleanupEnd { instance }
            | JobEvent::LaunchEnd { instance } => Self {
                target_instance_id: text(instance),
                ..Self::default()
            },
            JobEvent::ConversionEnd { conversion_server } => Self {
                conversion_server_id: text(conversion_server),
                ..Self::default()
            },
            JobEvent::ConversionFail {
                conversion_server,
                raw_error,
            } => Self {
                conversion_server_id: text(conversion_server),
                raw_error: Some(raw_error.clone()),
                ..Self::default()
            },
            JobEvent::CleanupFail {
                instance,
                raw_error,
            } => Self {
                target_instance_id: text(instance),
                raw_error: Some(raw_error.clone()),
                ..Self::default()
            },
            JobEvent::UsingPreviousSnapshotFailed { raw_error }
            | JobEvent::SnapshotFail { raw_error }
            | JobEvent::LaunchFailed { raw_error } => Self {
                raw_error: Some(raw_error.clone()),
                ..Self::default()
            },
            JobEvent::JobStart
            | JobEvent::ServerSkipped
            | JobEvent::SnapshotStart
            | JobEvent::SnapshotEnd
            | JobEvent::UsingPreviousSnapshot
            | JobEvent::ConversionStart
            | JobEvent::LaunchStart
            | JobEvent::JobCancel
            | JobEvent::Unlisted
            | JobEvent::JobEnd => Self::default(),
        }
    }
}
