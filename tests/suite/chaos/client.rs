//! A client that starts executions of its plan one after the other, steers
//! them at random, asks again with the same request id until it is answered,
//! and keeps its own record of what it was answered.

use std::sync::Arc;

use tidegate_proto::v1::{
    Action, CancelRequest, Execution, ExecutionKind, ExecutionState, GetExecutionRequest,
    PauseRequest, ResumeRequest, RetryWaveRequest, SkipWaveRequest, StartExecutionRequest,
    execution_service_client::ExecutionServiceClient,
};
use tokio::{sync::watch, task::JoinHandle};
use tonic::{Code, Status, transport::Channel};

use super::{
    dice::Dice,
    doors::Doors,
    gateways::Pulse,
    plans,
    watchers::{Seen, watch},
};

/// What a client knows of its own: what it was answered, and what its watchers
/// saw.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// Executions that were started.
    pub(super) started: Vec<Started>,
    /// Requests that were answered.
    pub(super) answered: Vec<Answered>,
    /// What a watcher of each execution saw.
    pub(super) seen: Vec<Seen>,
}

/// A start that was acknowledged.
#[derive(Debug)]
pub(super) struct Started {
    pub(super) execution: String,
    pub(super) request_id: String,
    /// The gateway that was asked, if it was the only one.
    pub(super) at: Option<String>,
}

/// A request that was acknowledged.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) execution: String,
    pub(super) request_id: String,
    pub(super) what: Action,
    /// The revision in the answer.
    pub(super) revision: u64,
}

/// What a request came to.
enum Outcome {
    Done(Box<Execution>),
    /// The state forbids it.
    Refused(Status),
}

pub(super) struct Client {
    number: usize,
    dice: Dice,
    doors: Doors,
    pulse: Arc<Pulse>,
    requests: usize,
    /// The gateway that answered the newest request, if no other was asked.
    answered_by: Option<String>,
    ledger: Ledger,
    watchers: Vec<JoinHandle<Seen>>,
}

impl Client {
    pub(super) fn new(number: usize, dice: &mut Dice, doors: Doors, pulse: Arc<Pulse>) -> Self {
        Self {
            number,
            dice: Dice::new(dice.next()),
            doors,
            pulse,
            requests: 0,
            answered_by: None,
            ledger: Ledger::default(),
            watchers: Vec::new(),
        }
    }

    /// Works as long as the storm lasts, and brings the last execution to its
    /// end.
    pub(super) async fn work(mut self, storm: watch::Receiver<bool>) -> Ledger {
        while *storm.borrow() {
            let execution = self.start().await;
            self.watchers.push(tokio::spawn(watch(
                execution.clone(),
                self.doors.for_another(),
                Arc::clone(&self.pulse),
            )));
            self.steer(&execution).await;
        }
        let me = format!("client {}", self.number);
        for (watcher, started) in self.watchers.into_iter().zip(&self.ledger.started) {
            let what = format!("waits for the watcher of {}", started.execution);
            self.pulse.does(&me, what);
            let seen = watcher.await.expect("a watcher sees the end");
            self.ledger.seen.push(seen);
        }
        self.pulse.does(&me, String::new());
        self.ledger
    }

    async fn start(&mut self) -> String {
        let request = StartExecutionRequest {
            plan: plans::name(self.number),
            plan_revision: 0,
            kind: ExecutionKind::Drill.into(),
            request_id: self.request_id(),
        };
        let outcome = self
            .ask(|mut client| {
                let request = request.clone();
                async move {
                    let answer = client.start_execution(request).await?;
                    Ok(answer.into_inner().execution)
                }
            })
            .await;
        let execution = match outcome {
            Outcome::Done(execution) => execution,
            Outcome::Refused(why) => panic!("nobody uses these servers: {why:?}"),
        };
        self.ledger.started.push(Started {
            execution: execution.id.clone(),
            request_id: request.request_id,
            at: self.answered_by.take(),
        });
        execution.id
    }

    /// Until the execution is over: what it waits for is decided, and now and
    /// then something is asked that it does not wait for.
    async fn steer(&mut self, id: &str) {
        loop {
            let execution = self.get(id).await;
            let (state, revision) = (execution.state(), execution.revision);
            let what = format!("steers {id}: {state:?} at {revision}, as it was told last");
            self.pulse.does(&format!("client {}", self.number), what);
            if is_over(state) {
                return;
            }
            match self.wish(&execution) {
                Some((action, wave)) => self.request(id, action, &wave).await,
                None => self.pulse.beats(1).await,
            }
        }
    }

    fn wish(&mut self, execution: &Execution) -> Option<(Action, String)> {
        let allowed = &execution.allowed_actions;
        let find = |action: Action| {
            let found = allowed.iter().find(|allowed| allowed.action() == action);
            found.map(|allowed| (action, allowed.wave.clone()))
        };
        if !execution.holds.is_empty() {
            let decision = if self.dice.once_in(4) {
                find(Action::SkipWave).filter(|_| find(Action::RetryWave).is_some())
            } else {
                None
            };
            return decision
                .or_else(|| find(Action::RetryWave))
                .or_else(|| find(Action::Resume));
        }
        if self.dice.once_in(6) {
            return find(Action::Pause);
        }
        if self.dice.once_in(40) {
            return find(Action::Cancel);
        }
        None
    }

    async fn request(&mut self, id: &str, action: Action, wave: &str) {
        let request_id = self.request_id();
        let (execution, wave) = (id.to_owned(), wave.to_owned());
        let sent = request_id.clone();
        let outcome = self
            .ask(move |client| {
                send(
                    client,
                    action,
                    execution.clone(),
                    wave.clone(),
                    sent.clone(),
                )
            })
            .await;
        self.pulse.beat();
        if let Outcome::Done(execution) = outcome {
            self.ledger.answered.push(Answered {
                execution: execution.id,
                request_id,
                what: action,
                revision: execution.revision,
            });
        }
    }

    async fn get(&mut self, id: &str) -> Execution {
        let outcome = self
            .ask(|mut client| {
                let request = GetExecutionRequest {
                    execution: id.to_owned(),
                };
                async move { Ok(client.get_execution(request).await?.into_inner().execution) }
            })
            .await;
        match outcome {
            Outcome::Done(execution) => *execution,
            Outcome::Refused(why) => panic!("reading {id}: {why:?}"),
        }
    }

    fn request_id(&mut self) -> String {
        self.requests += 1;
        format!("client-{}-{}", self.number, self.requests)
    }

    /// Asks until there is an answer, of whichever gateway.
    async fn ask<F, A>(&mut self, call: F) -> Outcome
    where
        F: Fn(ExecutionServiceClient<Channel>) -> A,
        A: Future<Output = Result<Option<Execution>, Status>>,
    {
        let mut tries = 0;
        loop {
            tries += 1;
            let door = self.doors.next();
            let answer = self.doors.within(async {
                let client = ExecutionServiceClient::connect(door.clone()).await;
                let client = client.map_err(|error| Status::unavailable(error.to_string()))?;
                call(client).await
            });
            match answer.await {
                Ok(execution) => {
                    self.answered_by = (tries == 1).then_some(door);
                    let execution = execution.expect("an answer has an execution");
                    return Outcome::Done(Box::new(execution));
                }
                Err(status) if status.code() == Code::FailedPrecondition => {
                    return Outcome::Refused(status);
                }
                Err(status) => assert!(is_passing(&status), "{status:?}"),
            }
            // Another gateway, or the same one a little later.
            self.doors.wait().await;
        }
    }
}

async fn send(
    mut client: ExecutionServiceClient<Channel>,
    action: Action,
    execution: String,
    wave: String,
    request_id: String,
) -> Result<Option<Execution>, Status> {
    let comment = "chaos".to_owned();
    Ok(match action {
        Action::Pause => {
            let request = PauseRequest {
                execution,
                request_id,
                comment,
            };
            client.pause(request).await?.into_inner().execution
        }
        Action::Resume => {
            let request = ResumeRequest {
                execution,
                request_id,
            };
            client.resume(request).await?.into_inner().execution
        }
        Action::Cancel => {
            let request = CancelRequest {
                execution,
                request_id,
                comment,
            };
            client.cancel(request).await?.into_inner().execution
        }
        Action::RetryWave => {
            let request = RetryWaveRequest {
                execution,
                wave,
                request_id,
            };
            client.retry_wave(request).await?.into_inner().execution
        }
        Action::SkipWave => {
            let request = SkipWaveRequest {
                execution,
                wave,
                request_id,
            };
            client.skip_wave(request).await?.into_inner().execution
        }
        Action::CleanUp | Action::Unspecified => unreachable!("never wished for"),
    })
}

/// Whether a gateway that was just killed, or is just starting, explains it.
pub(super) fn is_passing(status: &Status) -> bool {
    matches!(
        status.code(),
        Code::Unavailable
            | Code::Unknown
            | Code::Cancelled
            | Code::Internal
            | Code::DeadlineExceeded
    )
}

pub(super) fn is_over(state: ExecutionState) -> bool {
    match state {
        ExecutionState::Cancelled
        | ExecutionState::Succeeded
        | ExecutionState::SucceededWithWarnings
        | ExecutionState::Failed => true,
        ExecutionState::Unspecified
        | ExecutionState::Pending
        | ExecutionState::Running
        | ExecutionState::Pausing
        | ExecutionState::Paused
        | ExecutionState::Cancelling => false,
    }
}
