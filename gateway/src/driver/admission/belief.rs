//! What DRS was heard to allow, where that is less than the configured
//! quotas: jobs that others made, or quotas that are lower than configured.
//!
//! A quota that is said to be full is believed to end at what is in use, so
//! that each job of ours that ends makes room for one. That others have ended
//! theirs is not heard of; it is found out by asking for more than is believed,
//! seldom, and ever more seldom while the answer is no.

use tidegate_core::{Span, Timestamp, engine::Quota};

use super::{ledger::Ticket, limits::Limits};

/// More is never tried at once, whatever is configured.
const SHORTEST: Span = Span::from_millis(100);

/// How long to wait before more is tried than is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probing {
    /// While nothing of ours runs: nothing else will make room. Doubled each
    /// time, up to the second.
    pub idle: (Span, Span),
    /// While jobs of ours run: their ends will make room.
    pub busy: (Span, Span),
}

impl Default for Probing {
    fn default() -> Self {
        Self {
            idle: (Span::from_secs(2), Span::from_secs(60)),
            busy: (Span::from_secs(300), Span::from_secs(3_600)),
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Belief {
    probing: Probing,
    jobs: Option<u32>,
    servers: Option<u32>,
    per_job: Option<u32>,
    wait: Span,
    at: Option<Timestamp>,
    /// The launch that was granted more than is believed.
    probe: Option<Ticket>,
}

impl Belief {
    pub(super) fn new(probing: Probing) -> Self {
        Self {
            probing,
            jobs: None,
            servers: None,
            per_job: None,
            wait: Span::ZERO,
            at: None,
            probe: None,
        }
    }

    pub(super) fn jobs(&self, configured: u32) -> u32 {
        self.jobs.map_or(configured, |jobs| jobs.min(configured))
    }

    pub(super) fn servers(&self, configured: u32) -> u32 {
        self.servers.map_or(configured, |most| most.min(configured))
    }

    pub(super) fn per_job(&self, configured: u32) -> u32 {
        self.per_job.map_or(configured, |most| most.min(configured))
    }

    pub(super) fn probe_at(&self) -> Option<Timestamp> {
        self.at
    }

    pub(super) fn may_probe(&self, now: Timestamp) -> bool {
        self.at.is_some_and(|at| at <= now)
    }

    /// A launch was granted more than is believed; the next one waits for
    /// what comes of it.
    pub(super) fn probe(&mut self, ticket: Ticket, now: Timestamp) {
        self.probe = Some(ticket);
        self.postpone(now);
    }

    pub(super) fn postpone(&mut self, now: Timestamp) {
        self.at = Some(now + self.wait.max(SHORTEST));
    }

    /// DRS refused a launch of so many servers, beside what is in use without
    /// it.
    pub(super) fn exceeded(
        &mut self,
        ticket: &Ticket,
        quota: Quota,
        (jobs, all): (u32, u32),
        servers: u32,
        now: Timestamp,
    ) {
        match quota {
            Quota::ServersPerJob if servers > 1 => {
                self.per_job = Some(self.per_job(servers / 2));
                return;
            }
            Quota::Servers => self.servers = Some(self.servers(all + servers - 1)),
            // Of the quotas that a launch can meet, this is the likeliest.
            Quota::Jobs | Quota::Unnamed | Quota::ServersPerJob => {
                self.jobs = Some(self.jobs(jobs));
            }
        }
        let (first, longest) = if jobs == 0 {
            self.probing.idle
        } else {
            self.probing.busy
        };
        let again = self.probe.as_ref() == Some(ticket);
        self.probe = None;
        self.wait = if again {
            self.wait.doubled(1, longest).max(first)
        } else {
            first
        };
        self.postpone(now);
    }

    /// DRS accepted a launch, with which so much is in use.
    pub(super) fn accepted(
        &mut self,
        ticket: &Ticket,
        (jobs, servers): (u32, u32),
        limits: &Limits,
        now: Timestamp,
    ) {
        if self.probe.as_ref() != Some(ticket) {
            return;
        }
        self.probe = None;
        let above = |believed: u32, used: u32, limit: u32| {
            Some(believed.max(used)).filter(|&most| most < limit)
        };
        self.jobs = self.jobs.and_then(|most| above(most, jobs, limits.jobs));
        self.servers = self
            .servers
            .and_then(|most| above(most, servers, limits.servers));
        // What was wrong once may be wrong by more.
        self.wait = self.probing.idle.0;
        self.at = (self.jobs.is_some() || self.servers.is_some()).then(|| now + self.wait);
    }

    /// Nothing of ours runs any more: no end of it will make room.
    pub(super) fn idle(&mut self, now: Timestamp) {
        let soon = now + self.probing.idle.0;
        self.at = self.at.map(|at| at.min(soon));
    }
}
