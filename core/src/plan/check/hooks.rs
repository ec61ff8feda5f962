//! Checking the uses of hooks.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    format,
    string::{String, ToString},
    vec::Vec,
};

use super::{
    super::{DraftHook, HookFailure, HookUse, Mistake, OnFailure, graph::nearest},
    Checker,
};
use crate::{EndpointIx, HookName, Span};

/// All attempts of a hook together, unless the plan says otherwise.
const TIMEOUT: Span = Span::from_secs(15 * 60);
/// How often a hook is asked again, unless the plan says otherwise.
const RETRIES: u32 = 30;
/// One attempt of a hook, unless the plan says otherwise.
const ATTEMPT_TIMEOUT: Span = Span::from_secs(10);
/// Instructions of one attempt, unless the plan says otherwise.
const FUEL: u64 = 5_000_000_000;
/// Memory of one attempt, unless the plan says otherwise.
const MEMORY_MIB: u32 = 64;
/// All hooks of one phase of a wave together, unless the plan says otherwise
/// or one of them may take longer alone.
const GATE_TIMEOUT: Span = Span::from_secs(15 * 60);

/// How long all hooks of one phase of a wave may take together.
pub(super) fn gate_timeout(drafted: Option<Span>, check: &[HookUse], verify: &[HookUse]) -> Span {
    let longest = check.iter().chain(verify).map(|hook| hook.timeout).max();
    drafted.unwrap_or_else(|| longest.unwrap_or(GATE_TIMEOUT).max(GATE_TIMEOUT))
}

impl Checker<'_> {
    pub(super) fn hooks(&mut self, path: &str, drafts: &[DraftHook]) -> Vec<HookUse> {
        self.count(path, drafts.len(), self.limits.hooks);
        drafts
            .iter()
            .enumerate()
            .map(|(ix, draft)| self.hook(&format!("{path}[{ix}]"), draft))
            .collect()
    }

    fn hook(&mut self, path: &str, draft: &DraftHook) -> HookUse {
        self.name(&format!("{path}.hook"), &draft.hook);
        if !draft.digest.is_empty() && !super::is_digest(&draft.digest) {
            self.wrong(
                format!("{path}.digest"),
                Mistake::BadDigest(draft.digest.clone()),
            );
        }
        self.entries(&format!("{path}.config"), &draft.config);
        self.above_zero(&format!("{path}.timeout"), draft.timeout);
        let retries = draft.retries.unwrap_or(RETRIES);
        self.count(
            &format!("{path}.retries"),
            retries as usize,
            self.limits.hook_retries,
        );
        let on_failure = self.on_failure(path, draft);
        let ports = self.ports(&format!("{path}.ports"), &draft.ports);
        let endpoints = self.granted(&format!("{path}.endpoints"), &draft.endpoints);
        self.attempt_limits(&format!("{path}.limits"), draft);
        HookUse {
            hook: HookName::from(draft.hook.as_str()),
            digest: (!draft.digest.is_empty()).then(|| draft.digest.clone()),
            config: draft.config.clone(),
            ports,
            endpoints,
            allow_wasi: draft.allow_wasi,
            timeout: draft.timeout.unwrap_or(TIMEOUT),
            retries,
            attempt_timeout: draft.attempt_timeout.unwrap_or(ATTEMPT_TIMEOUT),
            fuel: draft.fuel.unwrap_or(FUEL),
            memory_mib: draft.memory_mib.unwrap_or(MEMORY_MIB),
            on_failure,
        }
    }

    fn on_failure(&mut self, path: &str, draft: &DraftHook) -> OnFailure {
        let default = draft.on_failure.unwrap_or_default();
        if default == HookFailure::Waive {
            self.wrong(format!("{path}.on_failure"), Mistake::WaivesEverything);
        }
        let mut kinds = BTreeMap::new();
        for (ix, &(kind, answer)) in draft.failure_answers.iter().enumerate() {
            let path = format!("{path}.failure_answers[{ix}]");
            if answer == HookFailure::Waive && !kind.is_waivable() {
                self.wrong(format!("{path}.policy"), Mistake::NeverWaived(kind));
            }
            if kinds.insert(kind, answer).is_some() {
                let twice = Mistake::ListedTwice(kind.name().to_string());
                self.wrong(format!("{path}.kind"), twice);
            }
        }
        OnFailure { default, kinds }
    }

    fn ports(&mut self, path: &str, drafts: &[u32]) -> Vec<u16> {
        self.count(path, drafts.len(), self.limits.entries);
        let mut seen = BTreeSet::new();
        let mut ports = Vec::with_capacity(drafts.len());
        for (ix, &draft) in drafts.iter().enumerate() {
            let path = format!("{path}[{ix}]");
            let Some(port) = self.port(&path, draft) else {
                continue;
            };
            if !seen.insert(port) {
                self.wrong(path, Mistake::ListedTwice(draft.to_string()));
            }
            ports.push(port);
        }
        ports
    }

    /// The plan's endpoints with these names.
    fn granted(&mut self, path: &str, names: &[String]) -> Vec<EndpointIx> {
        let mut granted = Vec::with_capacity(names.len());
        for (ix, name) in names.iter().enumerate() {
            let path = format!("{path}[{ix}]");
            match self.endpoints.get(name.as_str()).copied() {
                None => {
                    let known = self.endpoints.keys().copied();
                    let mistake = Mistake::UnknownEndpoint {
                        name: name.clone(),
                        nearest: nearest(name, known),
                    };
                    self.wrong(path, mistake);
                }
                Some(endpoint) if granted.contains(&endpoint) => {
                    self.wrong(path, Mistake::ListedTwice(name.clone()));
                }
                Some(endpoint) => granted.push(endpoint),
            }
        }
        granted
    }

    fn attempt_limits(&mut self, path: &str, draft: &DraftHook) {
        let timeout = format!("{path}.attempt_timeout");
        self.above_zero(&timeout, draft.attempt_timeout);
        if let Some(span) = draft.attempt_timeout
            && span > self.limits.hook_attempt
        {
            let limit = self.limits.hook_attempt;
            self.wrong(timeout, Mistake::SpanTooLong { span, limit });
        }
        self.amount(&format!("{path}.fuel"), draft.fuel, self.limits.hook_fuel);
        self.amount(
            &format!("{path}.memory_mib"),
            draft.memory_mib.map(u64::from),
            u64::from(self.limits.hook_memory_mib),
        );
    }

    fn amount(&mut self, path: &str, amount: Option<u64>, limit: u64) {
        match amount {
            Some(0) => self.wrong(path, Mistake::Zero),
            Some(count) if count > limit => self.wrong(path, Mistake::TooMany { count, limit }),
            Some(_) | None => {}
        }
    }

    /// For what has a default that is no absence of a limit.
    pub(super) fn above_zero(&mut self, path: &str, span: Option<Span>) {
        if span == Some(Span::ZERO) {
            self.wrong(path, Mistake::Zero);
        }
    }

    /// The port, if it is one.
    pub(super) fn port(&mut self, path: &str, draft: u32) -> Option<u16> {
        let port = u16::try_from(draft).ok().filter(|&port| port > 0);
        if port.is_none() {
            self.wrong(path, Mistake::BadPort(draft));
        }
        port
    }
}
