//! Small plans in one line, for tests of what happens rather than of what
//! plans look like.
//!
//! `"db app>db web!>app"` is three waves of one server each: `app` waits for
//! `db`, `web` for `app`, and the execution pauses before `web`. A `*2` after
//! the name gives a wave two servers, `?hook` a hook after its launch. A word
//! `#7` numbers the servers from 7 on, so that plans need not share them. `db@x` selects the servers
//! that carry the tag `tier` with the value `x`. A word `=shop` names the plan.

use std::sync::Arc;

use bytes::Bytes;
use tidegate_core::{
    engine::Kind,
    plan::{DraftGroup, DraftHook, DraftServer, DraftTarget, DraftWave, Limits, Plan, PlanDraft},
};
use tidegate_gateway::driver::{Origin, RequestStamp, StartOrder};

/// The plan that a line describes. Servers are numbered from 1 on.
///
/// # Errors
/// The line describes no plan that could run.
pub fn plan(line: &str) -> Result<Plan, String> {
    let mut servers = 0;
    let (numbers, words): (Vec<&str>, Vec<&str>) = line
        .split_whitespace()
        .partition(|word| word.starts_with('#'));
    if let Some(first) = numbers.first() {
        let first: usize = first[1..]
            .parse()
            .map_err(|_| format!("{first}: not a number"))?;
        servers = first.saturating_sub(1);
    }
    let (names, words): (Vec<&str>, Vec<&str>) =
        words.into_iter().partition(|word| word.starts_with('='));
    let name = names.first().map_or("sketch", |name| &name[1..]);
    let draft = PlanDraft {
        name: name.to_owned(),
        target: Some(DraftTarget {
            account: "123456789012".to_owned(),
            region: "us-west-2".to_owned(),
            role: String::new(),
        }),
        waves: words
            .into_iter()
            .map(|word| wave(word, &mut servers))
            .collect::<Result<_, _>>()?,
        ..PlanDraft::default()
    };
    Plan::check(&draft, &Limits::default()).map_err(|errors| {
        let texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
        texts.join("; ")
    })
}

/// The same, for a driver's codec.
///
/// # Errors
/// The bytes are no such line.
pub fn decode(line: &[u8]) -> Result<Plan, String> {
    plan(std::str::from_utf8(line).map_err(|error| error.to_string())?)
}

/// A checked plan, shared.
///
/// # Panics
/// If the line describes none.
#[must_use]
pub fn shared(line: &str) -> Arc<Plan> {
    Arc::new(plan(line).expect("the line describes a plan"))
}

/// An order to drill the plan that a line describes, by this request.
///
/// # Panics
/// If the line describes none.
#[must_use]
pub fn order(line: &str, request: &str) -> StartOrder {
    StartOrder {
        kind: Kind::Drill,
        plan: shared(line),
        origin: Origin {
            plan_revision: 1,
            plan_digest: String::new(),
            plan: Bytes::copy_from_slice(line.as_bytes()),
            source: None,
        },
        request: stamp(request),
    }
}

/// A request with this id; all of them ask for the same.
#[must_use]
pub fn stamp(id: &str) -> RequestStamp {
    RequestStamp {
        id: id.to_owned(),
        digest: [0; 32],
    }
}

/// The id of the n-th server, from 1.
#[must_use]
pub fn server(number: usize) -> String {
    format!("s-{number:017x}")
}

fn wave(word: &str, servers: &mut usize) -> Result<DraftWave, String> {
    let mut parts = word.split('>');
    let head = parts.next().unwrap_or_default();
    let (head, hook) = head
        .split_once('?')
        .map_or((head, None), |(h, q)| (h, Some(q)));
    let (head, pause_before) = head.strip_suffix('!').map_or((head, false), |h| (h, true));
    let (head, tier) = head
        .split_once('@')
        .map_or((head, None), |(h, t)| (h, Some(t)));
    let (name, count) = head.split_once('*').unwrap_or((head, "1"));
    let count: usize = count.parse().map_err(|_| format!("{word}: not a count"))?;
    let count = if tier.is_some() { 0 } else { count };
    let group = DraftGroup {
        servers: (0..count)
            .map(|_| {
                *servers += 1;
                DraftServer {
                    id: server(*servers),
                    ..DraftServer::default()
                }
            })
            .collect(),
        tags: tier
            .map(|tier| ("tier".to_owned(), tier.to_owned()))
            .into_iter()
            .collect(),
        ..DraftGroup::default()
    };
    Ok(DraftWave {
        name: name.to_owned(),
        after: parts.map(ToOwned::to_owned).collect(),
        groups: vec![group],
        verify: hook
            .map(|hook| DraftHook {
                hook: hook.to_owned(),
                ..DraftHook::default()
            })
            .into_iter()
            .collect(),
        pause_before,
        ..DraftWave::default()
    })
}
