//! What was found in a record, as spans with the recorded times.
//!
//! An execution is a trace of its own: the execution, below it its waves'
//! attempts and its holds, below those hooks, launches and calls of AWS.

use std::{
    borrow::Cow,
    time::{Duration, SystemTime},
};

use opentelemetry::{
    InstrumentationScope, KeyValue,
    trace::{Link, SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState},
};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};
use tidegate_core::{
    Timestamp,
    engine::{Execution, ExecutionState, HookOutcome, LaunchState, WaveState},
};

use super::{
    ids::{self, SpanRef},
    instruments::key,
    journey::Finding,
    measuring::{hook_use, phase, place, whose},
    words,
};

/// Who writes the spans.
pub(super) const SCOPE: &str = "tidegate";

/// Attributes that only spans may have: their values have no bound.
mod only {
    pub(super) const EXECUTION: &str = "tidegate.execution.id";
    pub(super) const WAVE: &str = "tidegate.wave.name";
    pub(super) const ATTEMPT: &str = "tidegate.attempt";
    pub(super) const JOB: &str = "tidegate.drs.job";
    pub(super) const MESSAGE: &str = "tidegate.message";
}

/// A span before it is sent.
pub(super) struct Draft {
    pub(super) span: SpanRef,
    pub(super) parent: Option<SpanRef>,
    /// Whether the parent is another process's.
    pub(super) remote_parent: bool,
    pub(super) kind: SpanKind,
    pub(super) name: Cow<'static, str>,
    pub(super) from: SystemTime,
    pub(super) to: SystemTime,
    pub(super) attributes: Vec<KeyValue>,
    pub(super) links: Vec<SpanRef>,
    pub(super) status: Status,
}

impl Draft {
    /// A span inside this process.
    pub(super) fn internal(
        span: SpanRef,
        parent: Option<SpanRef>,
        name: impl Into<Cow<'static, str>>,
        (from, to): (Timestamp, Timestamp),
    ) -> Self {
        Self {
            span,
            parent,
            remote_parent: false,
            kind: SpanKind::Internal,
            name: name.into(),
            from: instant(from),
            to: instant(to),
            attributes: Vec::new(),
            links: Vec::new(),
            status: Status::Unset,
        }
    }

    fn with(mut self, attributes: impl IntoIterator<Item = KeyValue>) -> Self {
        self.attributes.extend(attributes);
        self
    }

    fn linked(mut self, to: Option<SpanRef>) -> Self {
        self.links.extend(to);
        self
    }

    fn failed(mut self, why: Option<String>) -> Self {
        if let Some(why) = why {
            self.status = Status::error(why);
        }
        self
    }

    /// As the exporter takes it.
    pub(super) fn finish(self) -> SpanData {
        let mut links = SpanLinks::default();
        links.links = self
            .links
            .into_iter()
            .map(|link| Link::with_context(context(link, true)))
            .collect();
        SpanData {
            span_context: context(self.span, false),
            parent_span_id: self
                .parent
                .map_or(SpanId::INVALID, |parent| SpanId::from_bytes(parent.span)),
            parent_span_is_remote: self.remote_parent,
            span_kind: self.kind,
            name: self.name,
            start_time: self.from,
            end_time: self.to,
            attributes: self.attributes,
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links,
            status: self.status,
            instrumentation_scope: InstrumentationScope::builder(SCOPE)
                .with_version(env!("CARGO_PKG_VERSION"))
                .build(),
        }
    }
}

/// The span of a finding of a record that was decided at this instant, if it
/// is one. `cause` is the span of the request that the execution came from.
pub(super) fn span(
    execution: &Execution,
    at: Timestamp,
    finding: &Finding,
    cause: Option<SpanRef>,
) -> Option<SpanData> {
    let draft = match finding {
        Finding::Started => accepted(execution, at).linked(cause),
        Finding::Ended(state) => ended(execution, at, *state).linked(cause),
        Finding::Attempt { .. } => attempt(execution, at, finding)?,
        Finding::Hook { .. } => hook(execution, at, finding)?,
        Finding::Launch { .. } => launch(execution, at, finding)?,
        Finding::Hold { .. } => hold(execution, at, finding)?,
        Finding::Reached
        | Finding::LaunchMoved { .. }
        | Finding::Admitted(_)
        | Finding::Held(_)
        | Finding::Server(_)
        | Finding::Warned
        | Finding::Retried(_) => return None,
    };
    let whose = KeyValue::new(only::EXECUTION, execution.id().to_string());
    Some(draft.with([whose]).finish())
}

/// Shows a trace from its beginning, and keeps the link if the process that
/// ends the execution is another one.
fn accepted(execution: &Execution, at: Timestamp) -> Draft {
    let id = execution.id();
    let root = Some(ids::execution(id));
    Draft::internal(ids::acceptance(id), root, "accepted", (at, at))
}

fn ended(execution: &Execution, at: Timestamp, state: ExecutionState) -> Draft {
    let times = (execution.created_at(), at);
    let (kind, plan) = (words::kind(execution.kind()), execution.plan().name());
    let why = (state == ExecutionState::Failed).then(|| execution.reason().to_string());
    Draft::internal(
        ids::execution(execution.id()),
        None,
        format!("{kind} {plan}"),
        times,
    )
    .with(whose(execution))
    .with([KeyValue::new(key::STATE, words::execution(state))])
    .failed(why)
}

fn attempt(execution: &Execution, at: Timestamp, finding: &Finding) -> Option<Draft> {
    let Finding::Attempt {
        wave,
        attempt,
        from,
        state,
    } = finding
    else {
        return None;
    };
    let id = execution.id();
    let name = execution.plan().wave(*wave).name.to_string();
    let is_failed = *state == Some(WaveState::Failed);
    let why = is_failed.then(|| execution.wave(*wave).reason().to_string());
    let span = ids::wave(id, wave.0, *attempt);
    let root = Some(ids::execution(id));
    let draft = Draft::internal(span, root, format!("wave {name}"), (*from, at)).with([
        KeyValue::new(only::WAVE, name),
        KeyValue::new(only::ATTEMPT, i64::from(*attempt)),
        KeyValue::new(key::STATE, state.map_or("attempted_again", words::wave)),
    ]);
    Some(draft.failed(why))
}

fn hook(execution: &Execution, at: Timestamp, finding: &Finding) -> Option<Draft> {
    let Finding::Hook {
        command,
        attempt,
        from,
        outcome,
        message,
    } = finding
    else {
        return None;
    };
    let id = execution.id();
    let used = hook_use(execution, *command);
    let name = used.map_or_else(String::new, |used| used.hook.to_string());
    let parent = Some(ids::wave(id, command.wave().0, *attempt));
    let span = ids::hook(id, *command);
    let draft = Draft::internal(span, parent, format!("hook {name}"), (*from, at)).with([
        KeyValue::new(key::HOOK, name),
        KeyValue::new(key::PHASE, phase(*command)),
        KeyValue::new(key::OUTCOME, words::outcome(*outcome)),
        KeyValue::new(only::MESSAGE, message.to_string()),
    ]);
    Some(draft.failed(failed_hook(*outcome, message)))
}

fn launch(execution: &Execution, at: Timestamp, finding: &Finding) -> Option<Draft> {
    let Finding::Launch {
        wave,
        launch,
        attempt,
        target,
        from,
        state,
    } = finding
    else {
        return None;
    };
    let span = ids::launch(&execution.launch_key(*wave, *launch))?;
    let parent = Some(ids::wave(execution.id(), wave.0, *attempt));
    let job = state
        .job()
        .map(|job| KeyValue::new(only::JOB, job.to_string()));
    let reason = || Some(execution.wave(*wave).launch(*launch)?.reason.to_string());
    let why = (*state == LaunchState::Refused).then(reason).flatten();
    let draft = Draft::internal(span, parent, "launch", (*from, at))
        .with(place(target))
        .with([KeyValue::new(key::STATE, words::launch(state))])
        .with(job);
    Some(draft.failed(why))
}

fn hold(execution: &Execution, at: Timestamp, finding: &Finding) -> Option<Draft> {
    let Finding::Hold {
        cause,
        change,
        from,
    } = finding
    else {
        return None;
    };
    let id = execution.id();
    let (span, root) = (ids::hold(id, *change), Some(ids::execution(id)));
    let cause = words::cause(*cause);
    let draft = Draft::internal(span, root, format!("hold {cause}"), (*from, at));
    Some(draft.with([KeyValue::new(key::CAUSE, cause)]))
}

fn failed_hook(outcome: HookOutcome, message: &str) -> Option<String> {
    match outcome {
        HookOutcome::Abort | HookOutcome::Failed { .. } | HookOutcome::Waived { .. } => {
            Some(message.to_owned())
        }
        HookOutcome::Proceed
        | HookOutcome::Retry { .. }
        | HookOutcome::Hold
        | HookOutcome::Skip
        | HookOutcome::Dropped => None,
    }
}

fn context(span: SpanRef, is_remote: bool) -> SpanContext {
    let flags = if span.sampled {
        TraceFlags::SAMPLED
    } else {
        TraceFlags::default()
    };
    SpanContext::new(
        TraceId::from_bytes(span.trace),
        SpanId::from_bytes(span.span),
        flags,
        is_remote,
        TraceState::NONE,
    )
}

fn instant(at: Timestamp) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(at.as_millis())
}
