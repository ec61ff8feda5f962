//! A DRS in memory: instant, or driven by hand. It has no timing, no quotas
//! but on jobs, and no protocol; for those there is the emulator.

use std::{
    collections::{BTreeMap, VecDeque},
    net::{IpAddr, Ipv4Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures::future::{BoxFuture, FutureExt as _, pending, ready};
use tidegate_core::{
    InstanceId, JobId, SourceServerId, Timestamp,
    engine::{JobReport, LaunchAnswer, Looked, Quota, ServerReport, ServerState},
    plan::Target,
};
use tidegate_gateway::ports::{
    drs::{
        Drs, DrsError, ForgottenOrder, GrantedQuotas, JobQuery, LaunchOrder, LookOrder,
        Observation, RecoveryInstance, ServerQuery, SourceServer, TerminateOrder,
    },
    warrant::Warrant,
};
use tokio::sync::Notify;

/// What happens to the next call that changes something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Script {
    /// It is refused.
    Refuse,
    /// It is not taken now.
    Defer,
    /// It is done, and the answer is lost.
    LoseAnswer,
    /// It is lost before it is done.
    LoseRequest,
    /// It is done, and the answer never comes.
    NeverAnswer,
    /// It is done, and the answer comes at [`FakeDrs::release`].
    AnswerLater,
    /// The adapter has a bug.
    Panic,
}

/// What AWS answers when it is asked for quotas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Granted {
    /// This.
    Said(GrantedQuotas),
    /// An error.
    Failed(DrsError),
    /// Nothing, ever.
    Silence,
}

impl Default for Granted {
    fn default() -> Self {
        Self::Said(GrantedQuotas::default())
    }
}

/// A DRS without time.
#[derive(Debug, Default)]
pub struct FakeDrs {
    /// Whether jobs end at once.
    instant: bool,
    /// Servers from this id on have jobs that never end.
    endless: Option<SourceServerId>,
    state: Mutex<State>,
    called: Notify,
    released: Notify,
}

#[derive(Debug, Default)]
struct State {
    scripts: VecDeque<Script>,
    /// Jobs that have not ended.
    live: usize,
    /// Most live jobs at a time.
    quota: Option<usize>,
    most_live: usize,
    over_quota: usize,
    /// Of the newest order.
    warrant: Warrant,
    jobs: BTreeMap<JobId, Job>,
    by_key: BTreeMap<String, JobId>,
    sources: Vec<SourceServer>,
    calls: usize,
    failing: BTreeMap<SourceServerId, u32>,
    snapshots: BTreeMap<SourceServerId, Timestamp>,
    /// What the next observations and looks meet.
    read_errors: VecDeque<DrsError>,
    /// How often jobs were observed.
    observed: usize,
    granted: Granted,
    /// How often that was asked.
    quota_reads: usize,
    /// Every instance ever launched has one of its own.
    addresses: BTreeMap<InstanceId, IpAddr>,
}

#[derive(Clone, Debug)]
struct Job {
    servers: Vec<SourceServerId>,
    terminates: bool,
    is_drill: bool,
    ended: bool,
    /// Whether DRS does not name it any more.
    forgotten: bool,
    failed: Vec<SourceServerId>,
}

impl FakeDrs {
    /// Every job ends in the answer that makes it.
    #[must_use]
    pub fn instant() -> Self {
        Self {
            instant: true,
            ..Self::default()
        }
    }

    /// Jobs run until [`FakeDrs::finish`].
    #[must_use]
    pub fn manual() -> Self {
        Self::default()
    }

    /// Jobs of servers from this id on never end.
    #[must_use]
    pub fn endless_from(self, server: &str) -> Self {
        Self {
            endless: Some(SourceServerId::from(server)),
            ..self
        }
    }

    /// What the next calls meet; after that, they succeed.
    #[must_use]
    pub fn script(self, scripts: impl IntoIterator<Item = Script>) -> Self {
        self.lock().scripts.extend(scripts);
        self
    }

    /// Source servers that tags can select.
    #[must_use]
    pub fn with_sources(self, sources: Vec<SourceServer>) -> Self {
        self.lock().sources = sources;
        self
    }

    /// A server whose next launches fail.
    #[must_use]
    pub fn failing(self, server: &str, times: u32) -> Self {
        let server = SourceServerId::from(server);
        self.lock().failing.insert(server, times);
        self
    }

    /// When a server's newest snapshot was taken. Its instances are launched
    /// from that one. Other servers have none.
    #[must_use]
    pub fn with_snapshot(self, server: &str, taken: Timestamp) -> Self {
        let server = SourceServerId::from(server);
        self.lock().snapshots.insert(server, taken);
        self
    }

    /// So many jobs may live at a time.
    #[must_use]
    pub fn with_quota(self, jobs: usize) -> Self {
        self.set_quota(jobs);
        self
    }

    /// From now on so many jobs may live at a time.
    pub fn set_quota(&self, jobs: usize) {
        self.lock().quota = Some(jobs);
    }

    /// What AWS answers, from now on, when it is asked for quotas.
    pub fn grant(&self, granted: Granted) {
        self.lock().granted = granted;
    }

    /// How often AWS was asked for quotas.
    #[must_use]
    pub fn quota_reads(&self) -> usize {
        self.lock().quota_reads
    }

    /// The most jobs that lived at a time.
    #[must_use]
    pub fn most_live(&self) -> usize {
        self.lock().most_live
    }

    /// Whether the newest order might still be sent.
    #[must_use]
    pub fn has_warrant(&self) -> bool {
        self.lock().warrant.holds()
    }

    /// How often a call was refused because of the quota.
    #[must_use]
    pub fn over_quota(&self) -> usize {
        self.lock().over_quota
    }

    /// Lets one answer come that waits for it.
    pub fn release(&self) {
        self.released.notify_one();
    }

    /// Ends every running job.
    pub fn finish(&self) {
        let mut state = self.lock();
        state.live = 0;
        for job in state.jobs.values_mut() {
            job.ended = true;
        }
    }

    /// Does not name its jobs any more.
    pub fn forget_jobs(&self) {
        for job in self.lock().jobs.values_mut() {
            job.forgotten = true;
        }
    }

    /// The next observations and looks fail like this.
    pub fn fail_reads(&self, errors: impl IntoIterator<Item = DrsError>) {
        self.lock().read_errors.extend(errors);
    }

    /// How often jobs were observed.
    #[must_use]
    pub fn observed(&self) -> usize {
        self.lock().observed
    }

    /// How often each server was launched.
    #[must_use]
    pub fn launches(&self) -> BTreeMap<SourceServerId, usize> {
        let mut launches = BTreeMap::new();
        for job in self.lock().jobs.values().filter(|job| !job.terminates) {
            for server in &job.servers {
                *launches.entry(server.clone()).or_default() += 1;
            }
        }
        launches
    }

    /// Waits until this many calls that change something were made.
    pub async fn called(&self, times: usize) {
        loop {
            let called = self.called.notified();
            if self.lock().calls >= times {
                return;
            }
            called.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, key: &str, job: Job) -> BoxFuture<'_, LaunchAnswer> {
        let is_endless = |server| self.endless.as_ref().is_some_and(|from| server >= from);
        let instant = self.instant && !job.servers.iter().any(is_endless);
        let mut state = self.lock();
        state.calls += 1;
        self.called.notify_waiters();
        let reason: Arc<str> = Arc::from("as scripted");
        if state.is_full() {
            state.over_quota += 1;
            let quota = Quota::Jobs;
            return ready(LaunchAnswer::OverQuota { quota, reason }).boxed();
        }
        match state.scripts.pop_front() {
            None => ready(LaunchAnswer::Accepted(state.make(key, job, instant))).boxed(),
            Some(Script::Refuse) => ready(LaunchAnswer::Refused { reason }).boxed(),
            Some(Script::Defer) => {
                let after = None;
                ready(LaunchAnswer::Deferred { reason, after }).boxed()
            }
            Some(Script::LoseAnswer) => {
                state.make(key, job, instant);
                ready(LaunchAnswer::Unknown { reason }).boxed()
            }
            Some(Script::LoseRequest) => ready(LaunchAnswer::Unknown { reason }).boxed(),
            Some(Script::NeverAnswer) => {
                state.make(key, job, instant);
                std::future::pending().boxed()
            }
            Some(Script::AnswerLater) => {
                let report = state.make(key, job, instant);
                let released = self.released.notified();
                released.map(|()| LaunchAnswer::Accepted(report)).boxed()
            }
            Some(Script::Panic) => async { panic!("as scripted") }.boxed(),
        }
    }
}

impl State {
    fn is_full(&self) -> bool {
        self.quota.is_some_and(|quota| self.live >= quota)
    }

    fn make(&mut self, key: &str, mut job: Job, instant: bool) -> JobReport {
        job.ended = instant;
        for server in &job.servers {
            if let Some(times) = self.failing.get_mut(server).filter(|times| **times > 0) {
                *times -= 1;
                job.failed.push(server.clone());
            }
        }
        for server in job.servers.iter().filter(|_| !job.terminates) {
            let next = next_address(self.addresses.len());
            self.addresses.entry(instance_of(server)).or_insert(next);
        }
        let id = JobId::from(&*format!("drsjob-{:017x}", self.jobs.len() + 1));
        self.by_key.insert(key.to_owned(), id.clone());
        let report = report(&id, &job);
        self.jobs.insert(id, job);
        self.live += usize::from(!instant);
        self.most_live = self.most_live.max(self.live);
        report
    }
}

fn report(id: &JobId, job: &Job) -> JobReport {
    let state = |server: &SourceServerId| match (job.ended, job.terminates) {
        (false, _) => ServerState::Requested,
        (true, _) if job.failed.contains(server) => ServerState::Failed,
        (true, true) => ServerState::Terminated,
        (true, false) => ServerState::Launched,
    };
    let servers = job.servers.iter().map(|server| ServerReport {
        server: server.clone(),
        state: state(server),
        instance: (state(server) == ServerState::Launched).then(|| instance_of(server)),
        detail: Arc::from(""),
        warnings: Vec::new(),
    });
    JobReport {
        job: id.clone(),
        ended: job.ended,
        servers: servers.collect(),
    }
}

fn instance_of(server: &SourceServerId) -> InstanceId {
    InstanceId::from(&*server.as_str().replacen("s-", "i-", 1))
}

/// 10.0.0.1 and on.
fn next_address(given: usize) -> IpAddr {
    let given = u32::try_from(given).expect("a test launches few servers");
    let first = u32::from(Ipv4Addr::new(10, 0, 0, 1));
    IpAddr::from(Ipv4Addr::from(first + given))
}

impl Drs for FakeDrs {
    fn start_recovery(&self, order: LaunchOrder) -> BoxFuture<'_, LaunchAnswer> {
        self.lock().warrant = order.warrant;
        let job = Job {
            servers: order.servers.into_iter().map(|(id, _)| id).collect(),
            terminates: false,
            is_drill: order.is_drill,
            ended: false,
            forgotten: false,
            failed: Vec::new(),
        };
        self.change(&order.key, job)
    }

    fn terminate(&self, order: TerminateOrder) -> BoxFuture<'_, LaunchAnswer> {
        self.lock().warrant = order.warrant;
        let job = Job {
            servers: order.instances.into_iter().map(|(id, _)| id).collect(),
            terminates: true,
            is_drill: false,
            ended: false,
            forgotten: false,
            failed: Vec::new(),
        };
        self.change(&order.key, job)
    }

    fn look(&self, order: LookOrder) -> BoxFuture<'_, Result<Looked, DrsError>> {
        let mut state = self.lock();
        if let Some(error) = state.read_errors.pop_front() {
            return ready(Err(error)).boxed();
        }
        let found = state.by_key.get(&order.key).map(|id| Looked::Found {
            report: report(id, &state.jobs[id]),
            duplicates: Vec::new(),
        });
        ready(Ok(found.unwrap_or(Looked::Nothing))).boxed()
    }

    fn observe(
        &self,
        _target: Arc<Target>,
        jobs: Vec<JobQuery>,
    ) -> BoxFuture<'_, Result<Observation, DrsError>> {
        let mut state = self.lock();
        state.observed += 1;
        if let Some(error) = state.read_errors.pop_front() {
            return ready(Err(error)).boxed();
        }
        let asked = jobs.iter().map(|query| &query.job);
        let known = asked.filter_map(|id| Some((id, state.jobs.get(id)?)));
        let known = known.filter(|(_, job)| !job.forgotten);
        let observation = Observation {
            reports: known.map(|(id, job)| report(id, job)).collect(),
            missed: None,
        };
        ready(Ok(observation)).boxed()
    }

    fn judge_forgotten(&self, order: ForgottenOrder) -> BoxFuture<'_, Result<JobReport, DrsError>> {
        let state = self.lock();
        let job = state.jobs.get(&order.job).expect("a job of this DRS");
        let mut judged = report(&order.job, job);
        judged.ended |= order.is_last;
        ready(Ok(judged)).boxed()
    }

    fn source_servers(
        &self,
        _target: Arc<Target>,
        query: ServerQuery,
    ) -> BoxFuture<'_, Result<Vec<SourceServer>, DrsError>> {
        let state = self.lock();
        let wanted = |server: &&SourceServer| match &query {
            ServerQuery::Ids(ids) => ids.contains(&server.id),
            ServerQuery::Tags(tags) => tags
                .iter()
                .all(|(key, value)| server.tags.get(key) == Some(value)),
        };
        ready(Ok(state.sources.iter().filter(wanted).cloned().collect())).boxed()
    }

    fn recovery_instances(
        &self,
        _target: Arc<Target>,
        servers: Vec<SourceServerId>,
    ) -> BoxFuture<'_, Result<Vec<RecoveryInstance>, DrsError>> {
        let state = self.lock();
        let mut found = Vec::new();
        for (id, job) in state.jobs.iter().filter(|(_, job)| !job.terminates) {
            for server in job.servers.iter().filter(|server| servers.contains(server)) {
                let instance = instance_of(server);
                found.push(RecoveryInstance {
                    addresses: Vec::from_iter(state.addresses.get(&instance).copied()),
                    instance,
                    server: server.clone(),
                    is_drill: job.is_drill,
                    job: Some(id.clone()),
                    snapshot_time: state.snapshots.get(server).copied(),
                });
            }
        }
        ready(Ok(found)).boxed()
    }

    fn newest_snapshots(
        &self,
        _target: Arc<Target>,
        servers: Vec<SourceServerId>,
    ) -> BoxFuture<'_, Result<Vec<(SourceServerId, Timestamp)>, DrsError>> {
        let state = self.lock();
        let taken = |server: SourceServerId| {
            let taken = *state.snapshots.get(&server)?;
            Some((server, taken))
        };
        ready(Ok(servers.into_iter().filter_map(taken).collect())).boxed()
    }

    fn quotas(&self, _target: Arc<Target>) -> BoxFuture<'_, Result<GrantedQuotas, DrsError>> {
        let mut state = self.lock();
        state.quota_reads += 1;
        match state.granted.clone() {
            Granted::Said(granted) => ready(Ok(granted)).boxed(),
            Granted::Failed(error) => ready(Err(error)).boxed(),
            Granted::Silence => pending().boxed(),
        }
    }
}
