//! A vector file as it is written.

use std::{collections::BTreeMap, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor, value::MapAccessDeserializer},
};
use serde_path_to_error::{Path, Segment};
use serde_saphyr::Spanned;

use super::{ExpectedFinding, VectorFileError};
use crate::{Earlier, Entries, FailureKind, Launch, Mode, Phase, Problem};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileDraft {
    pub(super) vectors: Vec<Spanned<VectorDraft>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct VectorDraft {
    pub(super) name: String,
    #[serde(default)]
    pub(super) context: ContextDraft,
    #[serde(default)]
    pub(super) probes: Vec<Spanned<ProbeDraft>>,
    pub(super) expect: Spanned<ExpectDraft>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct ContextDraft {
    pub(super) plan: String,
    pub(super) execution: String,
    pub(super) wave: String,
    pub(super) phase: Phase,
    pub(super) mode: Mode,
    pub(super) attempt: u32,
    pub(super) now: String,
    pub(super) remaining_ms: u32,
    pub(super) servers: Vec<ServerDraft>,
    pub(super) upstream: Vec<ServerDraft>,
    pub(super) parameters: Entries,
    pub(super) facts: Entries,
    pub(super) earlier: Vec<Earlier>,
}

impl Default for ContextDraft {
    fn default() -> Self {
        Self {
            plan: "plan".to_owned(),
            execution: "execution".to_owned(),
            wave: "wave".to_owned(),
            phase: Phase::PostWave,
            mode: Mode::Drill,
            attempt: 1,
            now: "2026-01-01T00:00:00Z".to_owned(),
            remaining_ms: 10_000,
            servers: Vec::new(),
            upstream: Vec::new(),
            parameters: Entries::new(),
            facts: Entries::new(),
            earlier: Vec::new(),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ServerDraft {
    pub(super) id: String,
    #[serde(default)]
    pub(super) hostname: String,
    pub(super) launch: Option<Launch>,
    #[serde(default)]
    pub(super) tags: Entries,
    #[serde(default)]
    pub(super) facts: Entries,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ProbeDraft {
    pub(super) server: Option<String>,
    pub(super) port: Option<u32>,
    pub(super) endpoint: Option<String>,
    pub(super) get: Option<String>,
    pub(super) head: Option<String>,
    pub(super) answers: Vec<AnswerDraft>,
}

/// `connected: 3` (milliseconds), `response: {…}`, or the name of a problem.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum AnswerDraft {
    Connected(u32),
    Response(ResponseDraft),
    Denied,
    Budget,
    Unresolved,
    Refused,
    Unreachable,
    TimedOut,
    Tls,
    Protocol,
}

impl AnswerDraft {
    /// The problem, if it is one.
    pub(super) const fn problem(&self) -> Option<Problem> {
        match self {
            Self::Connected(_) | Self::Response(_) => None,
            Self::Denied => Some(Problem::Denied),
            Self::Budget => Some(Problem::Budget),
            Self::Unresolved => Some(Problem::Unresolved),
            Self::Refused => Some(Problem::Refused),
            Self::Unreachable => Some(Problem::Unreachable),
            Self::TimedOut => Some(Problem::TimedOut),
            Self::Tls => Some(Problem::Tls),
            Self::Protocol => Some(Problem::Protocol),
        }
    }
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct ResponseDraft {
    pub(super) status: u16,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) body: String,
    #[serde(default)]
    pub(super) truncated: bool,
    #[serde(default)]
    pub(super) elapsed_ms: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct ExpectDraft {
    pub(super) verdict: Option<VerdictDraft>,
    pub(super) after_ms: Option<u32>,
    pub(super) reason: Option<String>,
    pub(super) findings: Option<Vec<ExpectedFinding>>,
    pub(super) failure: Option<FailureKind>,
    pub(super) message: Option<String>,
    pub(super) accepts: Option<AcceptsDraft>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum VerdictDraft {
    Proceed,
    Retry,
    Hold,
    Skip,
    Abort,
}

/// `ok`, or `error: what it must say`.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum AcceptsDraft {
    Ok,
    Error(String),
}

/// A code alone, or a code with a subject.
impl<'de> Deserialize<'de> for ExpectedFinding {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(FindingVisitor)
    }
}

struct FindingVisitor;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FindingDraft {
    code: String,
    subject: String,
}

impl<'de> Visitor<'de> for FindingVisitor {
    type Value = ExpectedFinding;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a code, or { code: …, subject: … }")
    }

    fn visit_str<E>(self, code: &str) -> Result<ExpectedFinding, E> {
        Ok(ExpectedFinding {
            code: code.to_owned(),
            subject: None,
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ExpectedFinding, A::Error> {
        let draft = FindingDraft::deserialize(MapAccessDeserializer::new(map))?;
        Ok(ExpectedFinding {
            code: draft.code,
            subject: Some(draft.subject),
        })
    }
}

/// Reads the text, no more.
pub(super) fn read(text: &str) -> Result<FileDraft, VectorFileError> {
    let mut mistake = None;
    let options = serde_saphyr::options! { strict_booleans: true, with_snippet: false };
    let draft = serde_saphyr::with_deserializer_from_str_with_options(text, options, |reader| {
        serde_path_to_error::deserialize(reader).map_err(|error| {
            let field = field(error.path());
            let error = error.into_inner();
            mistake = Some(VectorFileError::of_reader(&error, field));
            error
        })
    });
    draft.map_err(|error| {
        mistake.unwrap_or_else(|| VectorFileError::of_reader(&error, "the file".to_owned()))
    })
}

/// The path without the steps into [`Spanned`], which are not in the file.
fn field(path: &Path) -> String {
    let mut text = String::new();
    let mut spanned = false;
    for segment in path {
        match segment {
            Segment::Seq { index } => text.push_str(&format!("[{index}]")),
            Segment::Map { key } if spanned && key == "value" => {}
            Segment::Map { key } | Segment::Enum { variant: key } => {
                if !text.is_empty() {
                    text.push('.');
                }
                text.push_str(key);
            }
            Segment::Unknown => {}
        }
        spanned = match segment {
            Segment::Seq { .. } => true,
            Segment::Map { key } => key == "expect",
            Segment::Enum { .. } | Segment::Unknown => false,
        };
    }
    if text.is_empty() {
        "the file".to_owned()
    } else {
        text
    }
}
