//! From draft to plan: finds every mistake, not only the first.

mod endpoints;
mod hooks;
mod servers;

use alloc::{
    collections::BTreeMap,
    format,
    string::{String, ToString},
    vec::Vec,
};

use super::{
    DraftGroup, DraftRetry, DraftTarget, DraftWave, FailurePolicy, Group, Limits, Mistake,
    Objectives, Plan, PlanDraft, PlanError, Retry, Selection, Target, WavePlan, graph,
};
use crate::{EndpointIx, PlanName, SourceServerId, Span, WaveName};

/// Wait before the first retry, unless the plan says otherwise.
const BACKOFF: Span = Span::from_secs(30);
/// Longest wait, unless the plan says otherwise.
const MAX_BACKOFF: Span = Span::from_secs(600);

impl Plan {
    /// Checks a draft.
    ///
    /// # Errors
    /// Every mistake, in the order of the draft's fields.
    pub fn check(draft: &PlanDraft, limits: &Limits) -> Result<Self, Vec<PlanError>> {
        let mut checker = Checker {
            limits,
            errors: Vec::new(),
            seen: BTreeMap::new(),
            endpoints: endpoints::positions(&draft.endpoints),
        };
        let plan = checker.plan(draft);
        if checker.errors.is_empty() {
            Ok(plan)
        } else {
            Err(checker.errors)
        }
    }
}

struct Checker<'a> {
    limits: &'a Limits,
    errors: Vec<PlanError>,
    /// Where each server was named first.
    seen: BTreeMap<SourceServerId, String>,
    /// What the draft calls its endpoints.
    endpoints: BTreeMap<&'a str, EndpointIx>,
}

impl Checker<'_> {
    fn wrong(&mut self, field: impl Into<String>, mistake: Mistake) {
        self.errors.push(PlanError {
            field: field.into(),
            mistake,
        });
    }

    fn plan(&mut self, draft: &PlanDraft) -> Plan {
        self.name("name", &draft.name);
        self.entries("labels", &draft.labels);
        self.text("spec.description", &draft.description);
        self.positive("spec.objectives.rto", draft.rto);
        self.positive("spec.objectives.rpo", draft.rpo);
        self.positive("spec.timeout", draft.timeout);
        if let Some(target) = &draft.target {
            self.target("spec.target", target);
        }
        self.wave_count(draft.waves.len());
        let mut waves: Vec<WavePlan> = draft
            .waves
            .iter()
            .enumerate()
            .map(|(ix, wave)| self.wave(&format!("spec.waves[{ix}]"), wave, draft.target.as_ref()))
            .collect();
        self.count("spec.waves", self.seen.len(), self.limits.servers);
        let endpoints = self.declared(&draft.endpoints);
        self.errors.extend(graph::connect(&draft.waves, &mut waves));
        Plan {
            name: PlanName::from(draft.name.as_str()),
            objectives: Objectives {
                rto: draft.rto,
                rpo: draft.rpo,
            },
            waves,
            timeout: draft.timeout,
            unknown_launch: draft.unknown_launch,
            priority: draft.priority.unwrap_or_default(),
            endpoints,
        }
    }

    fn wave_count(&mut self, count: usize) {
        if count == 0 {
            self.wrong("spec.waves", Mistake::Missing);
        }
        self.count("spec.waves", count, self.limits.waves);
    }

    fn wave(&mut self, path: &str, draft: &DraftWave, outer: Option<&DraftTarget>) -> WavePlan {
        self.name(&format!("{path}.name"), &draft.name);
        if let Some(target) = &draft.target {
            self.target(&format!("{path}.target"), target);
        }
        self.positive(&format!("{path}.timeout"), draft.timeout);
        if draft.groups.is_empty() {
            self.wrong(format!("{path}.servers"), Mistake::NoServers);
        }
        let outer = draft.target.as_ref().or(outer);
        let groups = draft
            .groups
            .iter()
            .enumerate()
            .map(|(ix, group)| self.group(&format!("{path}.servers[{ix}]"), group, outer))
            .collect();
        let check = self.hooks(&format!("{path}.check"), &draft.check);
        let verify = self.hooks(&format!("{path}.verify"), &draft.verify);
        self.above_zero(&format!("{path}.gate_timeout"), draft.gate_timeout);
        WavePlan {
            name: WaveName::from(draft.name.as_str()),
            after: Vec::new(),
            before: Vec::new(),
            groups,
            gate_timeout: hooks::gate_timeout(draft.gate_timeout, &check, &verify),
            check,
            verify,
            pause_before: draft.pause_before,
            on_failure: draft.on_failure.unwrap_or(FailurePolicy::Stop),
            tolerance: draft.tolerance,
            retry: self.retry(&format!("{path}.retry"), draft.retry.as_ref()),
            timeout: draft.timeout,
        }
    }

    fn group(&mut self, path: &str, draft: &DraftGroup, outer: Option<&DraftTarget>) -> Group {
        if let Some(target) = &draft.target {
            self.target(&format!("{path}.target"), target);
        }
        let target = draft.target.as_ref().or(outer);
        if target.is_none() {
            self.wrong(format!("{path}.target"), Mistake::Missing);
        }
        if draft.servers.is_empty() == draft.tags.is_empty() {
            self.wrong(path, Mistake::IdsOrTags);
        }
        if draft.optional && draft.tags.is_empty() {
            self.wrong(format!("{path}.optional"), Mistake::OptionalNeedsTags);
        }
        let selection = if draft.tags.is_empty() {
            Selection::Servers(self.servers(path, draft, target))
        } else {
            self.entries(&format!("{path}.tags"), &draft.tags);
            Selection::Tags {
                tags: draft.tags.clone(),
                optional: draft.optional,
            }
        };
        let target = target.cloned().unwrap_or_default();
        Group {
            target: Target {
                account: target.account,
                region: target.region,
                role: (!target.role.is_empty()).then_some(target.role),
            },
            selection,
        }
    }

    fn retry(&mut self, path: &str, draft: Option<&DraftRetry>) -> Retry {
        let Some(draft) = draft else {
            return Retry {
                limit: 0,
                backoff: BACKOFF,
                max_backoff: MAX_BACKOFF,
            };
        };
        self.count(
            &format!("{path}.limit"),
            draft.limit as usize,
            self.limits.retries,
        );
        self.positive(&format!("{path}.backoff"), draft.backoff);
        self.positive(&format!("{path}.max_backoff"), draft.max_backoff);
        let backoff = draft.backoff.unwrap_or(BACKOFF);
        let max_backoff = draft.max_backoff.unwrap_or(MAX_BACKOFF.max(backoff));
        if max_backoff < backoff {
            self.wrong(format!("{path}.max_backoff"), Mistake::BackoffOrder);
        }
        Retry {
            limit: draft.limit,
            backoff,
            max_backoff,
        }
    }

    fn target(&mut self, path: &str, target: &DraftTarget) {
        let account = &target.account;
        if account.len() != 12 || !account.bytes().all(|b| b.is_ascii_digit()) {
            self.wrong(
                format!("{path}.account"),
                Mistake::BadAccount(account.clone()),
            );
        }
        if !is_region(&target.region) {
            self.wrong(
                format!("{path}.region"),
                Mistake::BadRegion(target.region.clone()),
            );
        }
        if !target.role.is_empty() && !is_role(&target.role) {
            self.wrong(
                format!("{path}.role_arn"),
                Mistake::BadRole(target.role.clone()),
            );
        }
    }

    fn name(&mut self, path: &str, name: &str) {
        if name.is_empty() {
            self.wrong(path, Mistake::Missing);
        } else if !is_name(name) {
            self.wrong(path, Mistake::BadName(name.to_string()));
        }
    }

    fn text(&mut self, path: &str, text: &str) {
        let length = text.chars().count();
        let limit = self.limits.text;
        if length > limit {
            self.wrong(path, Mistake::TooLong { length, limit });
        }
    }

    fn entries(&mut self, path: &str, entries: &BTreeMap<String, String>) {
        self.count(path, entries.len(), self.limits.entries);
        for (key, value) in entries {
            if key.is_empty() {
                self.wrong(format!("{path}[\"\"]"), Mistake::Missing);
            }
            self.text(&format!("{path}[{key:?}]"), key);
            self.text(&format!("{path}[{key:?}]"), value);
        }
    }

    fn positive(&mut self, path: &str, span: Option<Span>) {
        if span == Some(Span::ZERO) {
            self.wrong(path, Mistake::ZeroSpan);
        }
    }

    fn count(&mut self, path: &str, count: usize, limit: u32) {
        let (count, limit) = (count as u64, u64::from(limit));
        if count > limit {
            self.wrong(path, Mistake::TooMany { count, limit });
        }
    }
}

fn is_name(text: &str) -> bool {
    text.len() <= 63
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// Whether this is `prefix` and 17 hexadecimal digits, as DRS writes ids.
fn is_id(text: &str, prefix: &str) -> bool {
    text.strip_prefix(prefix)
        .is_some_and(|rest| rest.len() == 17 && is_hex(rest))
}

fn is_digest(text: &str) -> bool {
    text.strip_prefix("sha256:")
        .is_some_and(|rest| rest.len() == 64 && is_hex(rest))
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// `xx-yyyy-1` and longer forms such as `us-gov-west-1`.
fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let (Some(last), true) = (parts.last(), parts.len() >= 3 && text.len() <= 32) else {
        return false;
    };
    let words = &parts[..parts.len() - 1];
    last.bytes().all(|b| b.is_ascii_digit())
        && !last.is_empty()
        && words
            .iter()
            .all(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase()))
}

/// `arn:PARTITION:iam::ACCOUNT:role/NAME`.
fn is_role(text: &str) -> bool {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let [arn, partition, service, region, account, resource] = parts[..] else {
        return false;
    };
    arn == "arn"
        && partition.starts_with("aws")
        && service == "iam"
        && region.is_empty()
        && account.len() == 12
        && account.bytes().all(|b| b.is_ascii_digit())
        && resource
            .strip_prefix("role/")
            .is_some_and(|name| !name.is_empty())
        && text.len() <= 2_048
}
