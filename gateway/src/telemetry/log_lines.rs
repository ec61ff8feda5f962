//! Log lines as JSON, one object a line, with the names of OpenTelemetry's log
//! model, and with the trace of the execution that a line is about.

use std::fmt;

use serde_json::{Map, Value};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    fmt::{FmtContext, FormatEvent, FormatFields, format::Writer},
    registry::LookupSpan,
};

use super::ids;

/// The field of a line that says which execution it is about.
const EXECUTION: &str = "execution";

/// Writes events as JSON: `timestamp`, `severity_text`, `body`, `target`, and
/// every field under its name. A line with `execution` has `trace_id` besides.
#[derive(Clone, Copy, Debug, Default)]
pub struct JsonLines;

impl<S, N> FormatEvent<S, N> for JsonLines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut line = Line::default();
        event.record(&mut line);
        let now = jiff::Timestamp::now();
        let said = event.metadata();
        let mut object = Map::new();
        let mut put = |name: &str, value: Value| object.insert(name.to_owned(), value);
        put("timestamp", format!("{now:.6}").into());
        put("severity_text", said.level().as_str().into());
        if let Some(Value::String(execution)) = line.0.get(EXECUTION) {
            put("trace_id", ids::trace_id(execution).into());
        }
        put("body", line.0.remove("message").unwrap_or_default());
        put("target", said.target().into());
        for (name, value) in line.0 {
            object.entry(name).or_insert(value);
        }
        writeln!(writer, "{}", Value::Object(object))
    }
}

/// The fields of an event.
#[derive(Default)]
struct Line(Map<String, Value>);

impl Line {
    fn put(&mut self, field: &Field, value: impl Into<Value>) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_about_an_execution_names_its_trace() {
        let written = Written::default();
        let to = written.clone();
        let lines = tracing_subscriber::fmt()
            .event_format(JsonLines)
            .with_writer(move || to.clone())
            .finish();
        tracing::subscriber::with_default(lines, || {
            let id = tidegate_core::ExecutionId::from("01hf00000000000000000000ab");
            tracing::warn!(execution = %id, count = 3_u64, "look \"here\"");
            tracing::info!("nothing special");
        });
        let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        let lines: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(lines[0]["severity_text"], "WARN");
        assert_eq!(lines[0]["body"], "look \"here\"");
        assert_eq!(lines[0]["count"], 3);
        let trace = ids::trace_id("01hf00000000000000000000ab");
        assert_eq!(lines[0]["trace_id"], Value::String(trace));
        assert_eq!(lines[1].get("trace_id"), None);
        assert_eq!(lines[1]["body"], "nothing special");
    }
}
