//! Ids of traces and spans that follow from what they are about, so that
//! several gateways, and the same one after a restart, write one trace without
//! asking each other, and a replayed hook is told the same.
//!
//! No type of OpenTelemetry is used here: adapters write these into headers.

use std::fmt;

use sha2::{Digest as _, Sha256};
use tidegate_core::{ExecutionId, engine::CommandId};
use ulid::Ulid;

/// A span that others may refer to, as the W3C's Trace Context names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpanRef {
    /// The trace; never zero.
    pub trace: [u8; 16],
    /// The span; never zero.
    pub span: [u8; 8],
    /// Whether the span is recorded.
    pub sampled: bool,
}

impl SpanRef {
    /// Reads the header `traceparent`. `None` for whatever is not one.
    #[must_use]
    pub fn parse(header: &str) -> Option<Self> {
        let mut parts = header.trim().split('-');
        let (version, trace, span, flags) =
            (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let version = bytes::<1>(version)?[0];
        // Later versions may have more parts, version 0 has not.
        if version == 0xff || (version == 0 && parts.next().is_some()) {
            return None;
        }
        let (trace, span) = (bytes::<16>(trace)?, bytes::<8>(span)?);
        let flags = bytes::<1>(flags)?[0];
        (trace != [0; 16] && span != [0; 8]).then_some(Self {
            trace,
            span,
            sampled: flags & 1 == 1,
        })
    }
}

/// As the header `traceparent`.
impl fmt::Display for SpanRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flags = u8::from(self.sampled);
        write!(f, "00-{}-{}-{flags:02x}", hex(&self.trace), hex(&self.span))
    }
}

/// The trace of an execution: its id is a ULID, whose 128 bits are the trace's
/// id. Any other text is hashed.
#[must_use]
pub fn trace_of(execution: &str) -> [u8; 16] {
    match Ulid::from_string(execution) {
        Ok(ulid) if ulid.0 != 0 => ulid.0.to_be_bytes(),
        Ok(_) | Err(_) => hashed(&["trace", execution]),
    }
}

/// The same in hexadecimal, as logs and dashboards show it.
#[must_use]
pub fn trace_id(execution: &str) -> String {
    hex(&trace_of(execution))
}

/// The span of a whole execution.
pub(crate) fn execution(execution: &ExecutionId) -> SpanRef {
    of(execution, "execution")
}

/// The span of an execution's acceptance.
pub(crate) fn acceptance(execution: &ExecutionId) -> SpanRef {
    of(execution, "accepted")
}

/// The span of a wave's attempt, counted from 1 over the whole execution.
pub(crate) fn wave(execution: &ExecutionId, wave: u16, attempt: u32) -> SpanRef {
    of(execution, &format!("wave/{wave}/{attempt}"))
}

/// The span of a hook's attempt.
pub(crate) fn hook(execution: &ExecutionId, command: CommandId) -> SpanRef {
    of(execution, &format!("hook/{command}"))
}

/// The span of a hold, by the position of the change that placed it.
pub(crate) fn hold(execution: &ExecutionId, change: u64) -> SpanRef {
    of(execution, &format!("hold/{change}"))
}

/// The span of a launch, by the key under which DRS knows it.
pub(crate) fn launch(key: &str) -> Option<SpanRef> {
    let (execution, _) = key.split_once('/')?;
    Some(of(&ExecutionId::from(execution), &format!("launch/{key}")))
}

fn of(execution: &ExecutionId, what: &str) -> SpanRef {
    SpanRef {
        trace: trace_of(execution.as_str()),
        span: hashed(&["span", execution.as_str(), what]),
        sampled: true,
    }
}

/// The first bytes of a hash over the parts, never all zero.
fn hashed<const N: usize>(parts: &[&str]) -> [u8; N] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let mut first = [0; N];
    first.copy_from_slice(&hash.finalize()[..N]);
    first[N - 1] |= u8::from(first == [0; N]);
    first
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Lower case and of this length exactly, as the W3C wants it.
fn bytes<const N: usize>(hex: &str) -> Option<[u8; N]> {
    let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if hex.len() != 2 * N || !hex.bytes().all(is_hex) {
        return None;
    }
    let mut read = [0; N];
    for (at, byte) in read.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).ok()?;
    }
    Some(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_trace_of_an_execution_is_its_ulid() {
        let ulid = Ulid::from_parts(1_700_000_000_000, 0x1234_5678);
        let wanted = format!("{:032x}", ulid.0);
        assert_eq!(trace_id(&ulid.to_string()), wanted);
        assert_eq!(trace_id(&ulid.to_string().to_lowercase()), wanted);
    }

    #[test]
    fn ids_are_the_same_for_whoever_makes_them_and_differ_by_what_they_are_of() {
        let id = ExecutionId::from("e-1");
        assert_eq!(wave(&id, 1, 2), wave(&id, 1, 2));
        let spans = [
            execution(&id),
            wave(&id, 1, 1),
            wave(&id, 1, 2),
            wave(&id, 2, 1),
            hold(&id, 1),
            launch("e-1/web/0").unwrap(),
        ];
        assert!(spans.iter().all(|it| it.trace == trace_of("e-1")));
        let distinct: std::collections::BTreeSet<_> = spans.iter().map(|it| it.span).collect();
        assert_eq!(distinct.len(), spans.len());
    }

    #[test]
    fn a_traceparent_is_read_as_it_is_written() {
        let span = execution(&ExecutionId::from("e-1"));
        assert_eq!(SpanRef::parse(&span.to_string()), Some(span));
        let unsampled = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
        assert!(!SpanRef::parse(unsampled).unwrap().sampled);
        for wrong in [
            "",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-€af7651916cd43dd8448eb211c80319-b7ad6b7169203331-01",
        ] {
            assert_eq!(SpanRef::parse(wrong), None, "{wrong}");
        }
    }
}
