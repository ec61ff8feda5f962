//! From this crate's types to the contract's.

use super::bindings::tidegate::hooks::{probe as wire, types};
use crate::{
    Answer, Context, Earlier, Entries, Launch, Mode, Phase, ProbeFailure, Problem, Response, Server,
};

pub(super) fn context(context: &Context) -> types::Context {
    types::Context {
        plan: context.plan.clone(),
        execution: context.execution.clone(),
        wave: context.wave.clone(),
        phase: match context.phase {
            Phase::PreWave => types::Phase::PreWave,
            Phase::PostWave => types::Phase::PostWave,
        },
        mode: match context.mode {
            Mode::Drill => types::Mode::Drill,
            Mode::Recovery => types::Mode::Recovery,
        },
        attempt: context.attempt,
        now: context.now.clone(),
        deadline: context.deadline.clone(),
        remaining_ms: context.remaining_ms,
        servers: context.servers.iter().map(server).collect(),
        upstream: context.upstream.iter().map(server).collect(),
        parameters: entries(&context.parameters),
        facts: entries(&context.facts),
        earlier: context.earlier.iter().map(earlier).collect(),
    }
}

pub(super) fn entries(entries: &Entries) -> Vec<types::Entry> {
    let entry = |(name, value): (&String, &String)| types::Entry {
        name: name.clone(),
        value: value.clone(),
    };
    entries.iter().map(entry).collect()
}

fn server(server: &Server) -> types::Server {
    types::Server {
        id: server.id.clone(),
        hostname: server.hostname.clone(),
        launch: match &server.launch {
            Launch::Pending => types::Launch::Pending,
            Launch::Launched(instance) => types::Launch::Launched(instance.clone()),
            Launch::Failed(reason) => types::Launch::Failed(reason.clone()),
        },
        tags: entries(&server.tags),
        facts: entries(&server.facts),
    }
}

fn earlier(earlier: &Earlier) -> types::Earlier {
    types::Earlier {
        hook: earlier.hook.clone(),
        outcome: earlier.outcome.clone(),
        reason: earlier.reason.clone(),
    }
}

pub(super) fn response(response: Response) -> wire::Response {
    let header = |(name, value)| types::Entry { name, value };
    wire::Response {
        status: u32::from(response.status),
        headers: response.headers.into_iter().map(header).collect(),
        body: response.body,
        truncated: response.truncated,
        elapsed_ms: response.elapsed_ms,
    }
}

/// The failure that an answer is. An answer to the other kind of question is
/// a mistake of whoever answers; the guest is told that nothing sensible came
/// back.
pub(super) fn failure(answer: Answer) -> wire::Failure {
    match answer {
        Answer::Failed(ProbeFailure { problem, message }) => wire::Failure {
            problem: self::problem(problem),
            message,
        },
        Answer::Connected { .. } | Answer::Response(_) => wire::Failure {
            problem: wire::Problem::Protocol,
            message: "the answer is not one to this question".to_owned(),
        },
    }
}

fn problem(problem: Problem) -> wire::Problem {
    match problem {
        Problem::Denied => wire::Problem::Denied,
        Problem::Budget => wire::Problem::Budget,
        Problem::Unresolved => wire::Problem::Unresolved,
        Problem::Refused => wire::Problem::Refused,
        Problem::Unreachable => wire::Problem::Unreachable,
        Problem::TimedOut => wire::Problem::TimedOut,
        Problem::Tls => wire::Problem::Tls,
        Problem::Protocol => wire::Problem::Protocol,
    }
}
