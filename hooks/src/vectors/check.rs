//! From a file as written to vectors that make sense.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde_saphyr::{Location, Spanned};

use super::{
    Expected, ExpectedVerdict, Vector, VectorFile, VectorFileError,
    draft::{
        AcceptsDraft, AnswerDraft, ContextDraft, ExpectDraft, FileDraft, ProbeDraft, ServerDraft,
        VectorDraft, VerdictDraft,
    },
    script::{Asked, Question, Script},
};
use crate::{Answer, Context, Launch, Phase, ProbeFailure, Response, Server, Target};

/// What is wrong, and in which field below the one at hand.
struct Mistake {
    field: &'static str,
    message: String,
}

fn mistake<T>(field: &'static str, message: impl Into<String>) -> Result<T, Mistake> {
    Err(Mistake {
        field,
        message: message.into(),
    })
}

impl Mistake {
    fn at(self, place: Location, above: &str) -> VectorFileError {
        let field = match self.field {
            "" => above.to_owned(),
            field => format!("{above}.{field}"),
        };
        VectorFileError::new(place, field, self.message)
    }
}

pub(super) fn file(draft: FileDraft) -> Result<VectorFile, VectorFileError> {
    let mut names = BTreeSet::new();
    let mut vectors = Vec::new();
    for (index, draft) in draft.vectors.into_iter().enumerate() {
        let place = draft.referenced;
        let path = format!("vectors[{index}]");
        if !names.insert(draft.value.name.clone()) {
            let twice = Mistake {
                field: "name",
                message: format!("{:?} occurs twice", draft.value.name),
            };
            return Err(twice.at(place, &path));
        }
        vectors.push(vector(draft.value, place, &path)?);
    }
    Ok(VectorFile { vectors })
}

fn vector(draft: VectorDraft, place: Location, path: &str) -> Result<Vector, VectorFileError> {
    let context = context(draft.context).map_err(|mistake| mistake.at(place, path))?;
    let expected = expected(draft.expect.value)
        .map_err(|mistake| mistake.at(draft.expect.referenced, &format!("{path}.expect")))?;
    Ok(Vector {
        name: draft.name,
        context,
        expected,
        script: script(draft.probes, path)?,
    })
}

fn context(draft: ContextDraft) -> Result<Context, Mistake> {
    let Ok(now) = draft.now.parse::<Timestamp>() else {
        return mistake(
            "context.now",
            format!(
                "{:?} is not an instant such as 2026-01-01T00:00:00Z",
                draft.now
            ),
        );
    };
    let Ok(deadline) = now.checked_add(SignedDuration::from_millis(draft.remaining_ms.into()))
    else {
        return mistake("context.now", "is too late");
    };
    if draft.attempt == 0 {
        return mistake("context.attempt", "attempts count from 1");
    }
    Ok(Context {
        plan: draft.plan,
        execution: draft.execution,
        wave: draft.wave,
        phase: draft.phase,
        mode: draft.mode,
        attempt: draft.attempt,
        now: now.to_string(),
        deadline: deadline.to_string(),
        remaining_ms: draft.remaining_ms,
        servers: servers("context.servers", draft.servers, draft.phase)?,
        // Waves upstream are recovered before this one is looked at.
        upstream: servers("context.upstream", draft.upstream, Phase::PostWave)?,
        parameters: draft.parameters,
        facts: draft.facts,
        earlier: draft.earlier,
    })
}

fn servers(
    field: &'static str,
    drafts: Vec<ServerDraft>,
    phase: Phase,
) -> Result<Vec<Server>, Mistake> {
    let mut servers: Vec<Server> = drafts
        .into_iter()
        .map(|draft| Server {
            launch: draft.launch.unwrap_or_else(|| match phase {
                Phase::PreWave => Launch::Pending,
                Phase::PostWave => {
                    let digits = draft.id.strip_prefix("s-").unwrap_or(&draft.id);
                    Launch::Launched(format!("i-{digits}"))
                }
            }),
            id: draft.id,
            hostname: draft.hostname,
            tags: draft.tags,
            facts: draft.facts,
        })
        .collect();
    servers.sort_by(|one, other| one.id.cmp(&other.id));
    match servers.windows(2).find(|pair| pair[0].id == pair[1].id) {
        Some(pair) => mistake(field, format!("the id {:?} occurs twice", pair[0].id)),
        None => Ok(servers),
    }
}

fn script(drafts: Vec<Spanned<ProbeDraft>>, path: &str) -> Result<Script, VectorFileError> {
    let mut script = Script::new();
    for (index, draft) in drafts.into_iter().enumerate() {
        let place = draft.referenced;
        let added = question(&draft.value).and_then(|question| {
            let answers = answers(&question, draft.value.answers)?;
            match script.insert(question, answers) {
                None => Ok(()),
                Some(_) => mistake(
                    "",
                    "the same probe stands further up; put all answers there",
                ),
            }
        });
        added.map_err(|mistake| mistake.at(place, &format!("{path}.probes[{index}]")))?;
    }
    Ok(script)
}

fn question(draft: &ProbeDraft) -> Result<Question, Mistake> {
    let target = match (&draft.server, draft.port, &draft.endpoint) {
        (Some(server), Some(port), None) => Target::Server {
            server: server.clone(),
            port,
        },
        (None, None, Some(name)) => Target::Endpoint(name.clone()),
        _ => return mistake("", "write either server and port or endpoint"),
    };
    let asked = match (&draft.get, &draft.head) {
        (None, None) => Asked::Tcp,
        (Some(path), None) => Asked::Get(path.clone()),
        (None, Some(path)) => Asked::Head(path.clone()),
        (Some(_), Some(_)) => return mistake("", "write either get or head"),
    };
    Ok(Question { target, asked })
}

fn answers(question: &Question, drafts: Vec<AnswerDraft>) -> Result<Vec<Answer>, Mistake> {
    if drafts.is_empty() {
        return mistake("answers", "at least one is needed");
    }
    drafts
        .into_iter()
        .map(|draft| answer(&question.asked, draft))
        .collect()
}

fn answer(asked: &Asked, draft: AnswerDraft) -> Result<Answer, Mistake> {
    if let Some(problem) = draft.problem() {
        return Ok(Answer::Failed(ProbeFailure {
            problem,
            message: String::new(),
        }));
    }
    match (asked, draft) {
        (Asked::Tcp, AnswerDraft::Connected(elapsed_ms)) => Ok(Answer::Connected { elapsed_ms }),
        (Asked::Get(_) | Asked::Head(_), AnswerDraft::Response(response)) => {
            Ok(Answer::Response(Response {
                status: response.status,
                headers: response.headers.into_iter().collect(),
                body: response.body.into_bytes(),
                truncated: response.truncated,
                elapsed_ms: response.elapsed_ms,
            }))
        }
        (Asked::Tcp, _) => mistake("answers", "a response answers a get or a head only"),
        (Asked::Get(_) | Asked::Head(_), _) => {
            mistake("answers", "a get or a head is answered by a response")
        }
    }
}

fn expected(draft: ExpectDraft) -> Result<Expected, Mistake> {
    if draft.verdict.is_none() && (draft.reason.is_some() || draft.findings.is_some()) {
        return mistake("", "reason and findings belong to a verdict");
    }
    if draft.failure.is_none() && draft.message.is_some() {
        return mistake("message", "belongs to a failure");
    }
    match (draft.verdict, draft.failure, draft.accepts) {
        (Some(verdict), None, None) => Ok(Expected::Verdict {
            verdict: expected_verdict(verdict, draft.after_ms)?,
            reason: draft.reason,
            findings: draft.findings,
        }),
        (None, Some(kind), None) => Ok(Expected::Failure {
            kind,
            message: draft.message,
        }),
        (None, None, Some(AcceptsDraft::Ok)) => Ok(Expected::Accepted),
        (None, None, Some(AcceptsDraft::Error(message))) => Ok(Expected::Refused { message }),
        _ => mistake("", "write exactly one of verdict, failure and accepts"),
    }
}

fn expected_verdict(
    verdict: VerdictDraft,
    after_ms: Option<u32>,
) -> Result<ExpectedVerdict, Mistake> {
    let expected = match verdict {
        VerdictDraft::Retry => return Ok(ExpectedVerdict::Retry { after_ms }),
        VerdictDraft::Proceed => ExpectedVerdict::Proceed,
        VerdictDraft::Hold => ExpectedVerdict::Hold,
        VerdictDraft::Skip => ExpectedVerdict::Skip,
        VerdictDraft::Abort => ExpectedVerdict::Abort,
    };
    match after_ms {
        None => Ok(expected),
        Some(_) => mistake("after-ms", "belongs to a retry"),
    }
}
