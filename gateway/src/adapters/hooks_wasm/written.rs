//! Tapes as they are stored and sent.

use tidegate_hooks::Tape;

/// The tape as JSON. One of more bytes than `most` is cut to how the hook
/// decided, and says so: a record that cannot be played is more than none.
pub(super) fn tape(tape: &Tape, most: usize) -> serde_json::Result<String> {
    let whole = serde_json::to_string(tape)?;
    if whole.len() <= most {
        return Ok(whole);
    }
    let size = whole.len();
    let (execution, wave) = (&tape.context.execution, &tape.context.wave);
    tracing::warn!(execution, wave, size, "a tape is cut: it is too large");
    let why = format!(
        "the whole tape has {size} bytes, above the limit of {most}; what the hook was told and \
         answered is left out, and it cannot be played again"
    );
    serde_json::to_string(&tape.clone().shortened(why))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tidegate_hooks::{Exchange, Outcome, Verdict};

    use super::*;

    /// A tape of an attempt with so many answers of 64 KiB that are no text.
    fn recorded(answers: usize) -> Tape {
        let mut tape: Tape = serde_json::from_value(json!({
            "format": 1,
            "digest": format!("sha256:{}", "0".repeat(64)),
            "engine": "wasmtime 48.0.8",
            "limits": tidegate_hooks::Limits::DEFAULT,
            "context": {
                "plan": "shop", "execution": "01j", "wave": "web", "phase": "post-wave",
                "mode": "drill", "attempt": 1, "now": "2026-01-01T00:00:00Z",
                "deadline": "2026-01-01T00:00:10Z", "remaining-ms": 10_000,
                "servers": [{"id": "s-1"}],
            },
            "exchanges": [],
            "outcome": {"report": {"verdict": "proceed", "reason": "all answer", "findings": []}},
            "log": [],
            "usage": {"fuel": 7, "peak-memory": 65536, "probes": answers, "elapsed-ms": 3},
        }))
        .unwrap();
        let exchange: Exchange = serde_json::from_value(json!({
            "probe": {
                "target": {"endpoint": "erp"},
                "request": {"http": {"method": "GET", "path": "/"}},
                "timeout-ms": 1_000,
            },
            "answer": {"response": {
                "status": 200, "headers": [], "body": vec![200; 64 << 10], "truncated": true,
                "elapsed-ms": 3,
            }},
        }))
        .unwrap();
        tape.exchanges = vec![exchange; answers];
        tape
    }

    #[test]
    fn a_tape_within_the_limit_is_whole() {
        let recorded = recorded(2);
        let text = tape(&recorded, 16 << 20).unwrap();
        let read: Tape = serde_json::from_str(&text).unwrap();
        assert_eq!(read, recorded);
        assert!(read.is_whole() && !text.contains("\"cut\""));
    }

    #[test]
    fn a_tape_above_the_limit_keeps_the_decision_and_says_why_it_is_cut() {
        let recorded = recorded(100);

        let text = tape(&recorded, 16 << 20).unwrap();

        assert!(text.len() < 4 << 10, "{}", text.len());
        let read: Tape = serde_json::from_str(&text).unwrap();
        assert!(!read.is_whole() && read.exchanges.is_empty());
        assert!(
            read.cut.contains("above the limit of 16777216"),
            "{}",
            read.cut
        );
        assert_eq!(
            (read.usage, &read.outcome),
            (recorded.usage, &recorded.outcome)
        );
        let Outcome::Report(report) = &read.outcome else {
            panic!("it decided");
        };
        assert_eq!(report.verdict, Verdict::Proceed);
    }
}
