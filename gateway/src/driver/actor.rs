//! One live execution: one event at a time, decide, append, apply, publish,
//! dispatch.

use std::sync::Arc;

use tidegate_core::{
    Timestamp,
    engine::{Deadline, Event, Execution},
};
use tokio::sync::{broadcast, mpsc, oneshot, watch};

use super::{
    DriverError, Published, RequestStamp, Shared, View,
    dispatch::Dispatcher,
    log::{Decided, Log},
    registry::{Live, Tail},
};
use crate::ports::journal::AppendError;

/// Messages that may wait for an execution. Answers and callers above that
/// wait for room; none is dropped.
const MAILBOX: usize = 64;
/// How long a deadline that changed nothing is left alone. The engine never
/// lets that happen; a loop that spins would be worse than a late tick.
const IDLE_TICK: tidegate_core::Span = tidegate_core::Span::from_secs(1);

/// What an execution is told.
#[derive(Debug)]
pub(super) enum Message {
    /// Something was heard.
    Heard(Event),
    /// A person asks for something.
    Asked {
        event: Event,
        stamp: Option<RequestStamp>,
        reply: oneshot::Sender<Result<Asked, DriverError>>,
    },
    /// The gateway shuts down: start nothing, end when DRS has answered.
    Stop,
}

/// What came of a person's request.
#[derive(Debug)]
pub(super) enum Asked {
    /// It was recorded.
    Done(View),
    /// The same request was recorded at this revision before.
    Before(u64),
}

/// Why an actor ends before its execution does.
enum End {
    /// The gateway shuts down.
    Stopped,
    /// The log cannot be continued by this process.
    Lost,
}

/// Makes a log live.
pub(super) fn spawn(shared: &Arc<Shared>, log: Log, first: Option<Event>) -> View {
    let (mailbox, messages) = mpsc::channel(MAILBOX);
    let view = log.view();
    let (publish, subscribed) = watch::channel(view.clone());
    let tail = Arc::new(Tail::new(shared.settings.tail));
    shared.registry.insert(
        log.execution.id().clone(),
        Live {
            mailbox: mailbox.clone(),
            view: subscribed,
            tail: Arc::clone(&tail),
        },
    );
    let actor = Actor {
        dispatcher: Dispatcher::new(Arc::clone(shared), mailbox),
        shared: Arc::clone(shared),
        log,
        publish,
        tail,
        stopping: false,
    };
    shared.tasks.spawn(actor.run(messages, first));
    view
}

struct Actor {
    shared: Arc<Shared>,
    log: Log,
    dispatcher: Dispatcher,
    publish: watch::Sender<View>,
    tail: Arc<Tail>,
    stopping: bool,
}

impl Actor {
    async fn run(mut self, mut messages: mpsc::Receiver<Message>, first: Option<Event>) {
        let ended = self.live(&mut messages, first).await;
        self.dispatcher.stop();
        self.shared.registry.leave(self.log.execution.id());
        if let Err(End::Lost) = ended {
            tracing::error!(execution = %self.log.execution.id(), "this process cannot drive the execution any more");
        }
        messages.close();
        while let Some(message) = messages.recv().await {
            self.turn_away(message);
        }
    }

    /// Until the execution is over, or this process may not drive it.
    async fn live(
        &mut self,
        messages: &mut mpsc::Receiver<Message>,
        first: Option<Event>,
    ) -> Result<(), End> {
        if let Some(event) = first {
            self.hear(event).await?;
        }
        self.dispatcher.dispatch(&self.log.execution, self.stopping);
        while !self.log.execution.state().is_terminal() {
            if self.stopping && !self.dispatcher.is_asking() {
                return Err(End::Stopped);
            }
            let deadline = self.log.execution.next_deadline();
            let message = tokio::select! {
                message = messages.recv() => message,
                event = wake(&self.shared, deadline, self.stopping) => Some(Message::Heard(event)),
            };
            let Some(message) = message else {
                return Err(End::Stopped);
            };
            self.handle(message).await?;
        }
        Ok(())
    }

    async fn handle(&mut self, message: Message) -> Result<(), End> {
        match message {
            Message::Heard(event) => self.hear(event).await,
            Message::Asked {
                event,
                stamp,
                reply,
            } => self.asked(event, stamp, reply).await,
            Message::Stop => {
                self.stopping = true;
                Ok(())
            }
        }
    }

    async fn hear(&mut self, event: Event) -> Result<(), End> {
        let is_tick = event == Event::Tick;
        self.dispatcher.heard(&event);
        let now = self.now();
        match self.log.execution.decide_folded(event, now) {
            Ok((changes, _)) if changes.is_empty() => {
                if is_tick {
                    self.idle_tick(now).await;
                }
                self.dispatcher.dispatch(&self.log.execution, self.stopping);
                Ok(())
            }
            Ok((changes, next)) => self
                .record(Decided {
                    changes,
                    next,
                    at: now,
                    stamp: None,
                })
                .await
                .map_err(|_| End::Lost),
            Err(rejection) => {
                tracing::error!(execution = %self.log.execution.id(), %rejection, "an observation was rejected");
                Ok(())
            }
        }
    }

    async fn idle_tick(&self, now: Timestamp) {
        if self
            .log
            .execution
            .next_deadline()
            .is_some_and(|next| next.at <= now)
        {
            tracing::error!(execution = %self.log.execution.id(), "a deadline changed nothing");
            self.shared.ports.clock.sleep_until(now + IDLE_TICK).await;
        }
    }

    async fn asked(
        &mut self,
        event: Event,
        stamp: Option<RequestStamp>,
        reply: oneshot::Sender<Result<Asked, DriverError>>,
    ) -> Result<(), End> {
        let before = stamp.as_ref().and_then(|stamp| {
            let (digest, revision) = self.log.requests.get(&stamp.id)?;
            Some((stamp.digest == *digest, *revision, stamp.id.clone()))
        });
        let now = self.now();
        let answer = match before {
            Some((true, revision, _)) => Ok(Asked::Before(revision)),
            Some((false, _, id)) => Err(DriverError::RequestIdReused(id)),
            None if self.log.requests.len() >= self.shared.settings.request_limit => {
                let limit = self.shared.settings.request_limit;
                Err(DriverError::Unavailable(format!(
                    "this execution has accepted {limit} requests, which is the limit"
                )))
            }
            None => match self.log.execution.decide_folded(event, now) {
                Err(rejection) => Err(DriverError::Rejected(rejection)),
                Ok((changes, next)) => {
                    let at = now;
                    let decided = Decided {
                        changes,
                        next,
                        at,
                        stamp,
                    };
                    match self.record(decided).await {
                        Ok(()) => Ok(Asked::Done(self.log.view())),
                        Err(error) => {
                            let _ = reply.send(Err(error));
                            return Err(End::Lost);
                        }
                    }
                }
            },
        };
        // A caller that has left is no reason to undo anything.
        let _ = reply.send(answer);
        Ok(())
    }

    /// Persist, then act.
    async fn record(&mut self, decided: Decided) -> Result<(), DriverError> {
        let record = self
            .log
            .append(&self.shared.ports, decided, None)
            .await
            .map_err(|error| lost(error, &self.log.execution))?;
        let view = self.log.view();
        self.tail.push(Arc::clone(&record));
        self.publish.send_replace(view.clone());
        publish(&self.shared.published, view, record);
        self.dispatcher.dispatch(&self.log.execution, self.stopping);
        Ok(())
    }

    /// Time never goes backwards in a log, whatever the wall clock does.
    fn now(&self) -> Timestamp {
        self.shared.ports.clock.now().max(self.log.updated_at)
    }

    /// The execution is over, or out of this process's hands: whoever still
    /// asks is told so.
    fn turn_away(&self, message: Message) {
        if let Message::Asked { event, reply, .. } = message {
            let answer = if self.log.execution.state().is_terminal() {
                match self.log.execution.decide(event, self.now()) {
                    Err(rejection) => DriverError::Rejected(rejection),
                    Ok(_) => DriverError::ShuttingDown,
                }
            } else {
                DriverError::ShuttingDown
            };
            let _ = reply.send(Err(answer));
        }
    }
}

/// Sends a commit to those who watch everything, if there are any.
pub(super) fn publish(
    published: &broadcast::Sender<Published>,
    view: View,
    record: Arc<super::RecordView>,
) {
    let _ = published.send(Published { view, record });
}

async fn wake(shared: &Shared, deadline: Option<Deadline>, stopping: bool) -> Event {
    match deadline {
        Some(deadline) if !stopping => shared.ports.clock.sleep_until(deadline.at).await,
        Some(_) | None => std::future::pending::<()>().await,
    }
    Event::Tick
}

pub(super) fn lost(error: AppendError, execution: &Execution) -> DriverError {
    tracing::error!(execution = %execution.id(), %error, "a record could not be written");
    match error {
        AppendError::Taken { .. } => DriverError::NotOwner(execution.id().clone()),
        AppendError::Claimed { .. } => DriverError::Damaged("a claim where none was made".into()),
        AppendError::TooLarge { .. } => DriverError::Unavailable(error.to_string()),
        AppendError::Unavailable(why) => DriverError::Unavailable(why),
        AppendError::Unknown(why) => DriverError::Unknown(why),
    }
}
