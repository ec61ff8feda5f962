//! One live execution: one event at a time, decide, append, apply, publish,
//! dispatch.

mod sharing;
mod taking_over;

use std::sync::Arc;

use tidegate_core::{
    Timestamp,
    engine::{Deadline, Event, Execution, Rejection},
};
use tokio::sync::{Notify, oneshot, watch};
use tokio_util::sync::CancellationToken;

use super::{
    DriverError, Planted, Published, RecordView, RequestStamp, Shared, View,
    dispatch::Dispatcher,
    log::{Decided, Log, With},
    mailbox::{Asked, Mailbox, Message, Messages, Reply},
    registry::{Live, Recent},
};
use crate::ports::journal::AppendError;

/// How long a deadline that changed nothing is left alone. The engine never
/// lets that happen; a loop that spins would be worse than a late tick.
const IDLE_TICK: tidegate_core::Span = tidegate_core::Span::from_secs(1);

/// Why an actor ends before its execution does.
enum End {
    /// The gateway shuts down.
    Stopped,
    /// The log cannot be continued by this process.
    Lost,
}

/// How an execution comes to be live here.
pub(super) enum Begin {
    /// Its first record was just written.
    Created(Arc<RecordView>),
    /// Its log was read, and another process may have driven it.
    TakenOver,
}

/// Makes a log live, if it is to be driven here. It has its place already.
pub(super) fn spawn(shared: &Arc<Shared>, log: Log, begin: Begin) -> View {
    let view = log.view();
    let Some(term) = shared.membership.term(log.execution.id()) else {
        sharing::leave_to_owner(shared, &log);
        return view;
    };
    let (mailbox, messages) = Mailbox::new();
    let (wake, woken) = watch::channel(view.clone());
    let recent = Arc::new(Recent::new(view.clone(), shared.settings.tail));
    shared.registry.insert(
        log.execution.id().clone(),
        Live {
            mailbox: mailbox.clone(),
            woken,
            recent: Arc::clone(&recent),
        },
    );
    let actor = Actor {
        dispatcher: Dispatcher::new(Arc::clone(shared), mailbox),
        turn: shared.admission.woken(log.execution.id()),
        shared: Arc::clone(shared),
        epoch: log.execution.epoch(),
        stop: term.stop,
        log,
        wake,
        recent,
        stopping: false,
    };
    let takes_over = match begin {
        Begin::Created(record) => {
            actor.show(&view, &record);
            actor.publish(view.clone(), record);
            false
        }
        Begin::TakenOver => true,
    };
    let running = term.running.track_future(actor.run(messages, takes_over));
    shared.guard(&shared.tasks, running);
    view
}

struct Actor {
    shared: Arc<Shared>,
    log: Log,
    dispatcher: Dispatcher,
    wake: watch::Sender<View>,
    recent: Arc<Recent>,
    /// A launch of this execution has its turn.
    turn: Arc<Notify>,
    /// Counts the owners; another number in the log means another owner.
    epoch: u64,
    /// Ends the time for which it is driven here.
    stop: CancellationToken,
    stopping: bool,
}

impl Actor {
    async fn run(mut self, mut messages: Messages, takes_over: bool) {
        let ended = self.live(&mut messages, takes_over).await;
        self.dispatcher.stop();
        let id = self.log.execution.id();
        // Before somebody here can drive it again.
        if ended.is_ok() || !self.shared.settings.has(Planted::KeepsRoom) {
            let admission = &self.shared.admission;
            admission.leave(&self.log.execution, self.now());
        }
        match ended {
            Ok(()) => self.shared.registry.leave(id),
            // It goes on at the next gateway, so its servers are not free: a start
            // that is still under way here must not get them.
            Err(End::Stopped) => {
                if self.shared.settings.has(Planted::GivesServersAway) {
                    self.shared.registry.leave(id);
                } else {
                    self.let_go();
                }
            }
            Err(End::Lost) => {
                tracing::error!(execution = %id, "this process cannot drive the execution any more");
                self.let_go();
            }
        }
        // Whoever still asks finds nobody here and reads the log instead.
        drop(messages);
    }

    /// Until the execution is over, or this process may not drive it.
    async fn live(&mut self, messages: &mut Messages, takes_over: bool) -> Result<(), End> {
        if takes_over {
            // Never closed. What a takeover needs is large, and so is what a
            // journal would be given at once.
            let shared = Arc::clone(&self.shared);
            let _turn = shared.takeovers.acquire().await;
            Box::pin(self.take_over()).await?;
        }
        self.dispatcher.dispatch(&self.log.execution, self.stopping);
        while !self.log.execution.state().is_terminal() {
            if self.stopping && !self.dispatcher.is_asking() {
                return Err(End::Stopped);
            }
            let deadline = self.log.execution.next_deadline();
            // In a fixed order, so that a simulation runs the same way twice. What
            // is due ends by being heard, so it cannot keep messages waiting.
            let message = tokio::select! {
                biased;
                () = self.stop.cancelled(), if !self.stopping => None,
                event = due(&self.shared, deadline, self.stopping) => Some(Message::Heard(event)),
                message = messages.next() => Some(message.ok_or(End::Stopped)?),
                () = self.turn.notified(), if !self.stopping => Some(Message::Heard(Event::Tick)),
            };
            match message {
                // Apart, because what it needs is large, and what waits is there for
                // days in thousands.
                Some(message) => Box::pin(self.handle(message)).await?,
                None => self.stopping = true,
            }
        }
        Ok(())
    }

    async fn handle(&mut self, message: Message) -> Result<(), End> {
        match message {
            Message::Heard(event @ Event::Selected { .. }) if self.is_shared() => {
                self.hear_selected(event).await
            }
            Message::Heard(event) => self.hear(event).await,
            Message::Written => self.read_on().await,
            Message::Asked {
                event,
                stamp,
                reply,
            } => self.asked(event, stamp, reply).await,
        }
    }

    async fn hear(&mut self, event: Event) -> Result<(), End> {
        self.dispatcher.heard(&event);
        let admission = &self.shared.admission;
        admission.heard(&self.log.execution, &event, self.now());
        // Only where others write as well may it have to be decided anew.
        let again = self.is_shared().then(|| event.clone());
        let mut event = event;
        while let Some(behind) = self.hear_once(event).await? {
            let Some(anew) = &again else {
                lost(behind, &self.log.execution);
                return Err(End::Lost);
            };
            self.catch_up().await?;
            event = anew.clone();
        }
        Ok(())
    }

    /// `Some` if somebody else has written, and nothing was.
    async fn hear_once(&mut self, event: Event) -> Result<Option<AppendError>, End> {
        let is_tick = event == Event::Tick;
        let now = self.now();
        match self.decide(event, now, None) {
            Ok(decided) if decided.changes.is_empty() => {
                if is_tick {
                    self.idle_tick(now).await;
                }
                self.dispatcher.dispatch(&self.log.execution, self.stopping);
            }
            Ok(decided) => match self.record(decided, With::default()).await {
                Ok((view, record)) => self.publish(view, record),
                Err(behind @ AppendError::Taken { .. }) => return Ok(Some(behind)),
                Err(error) => {
                    lost(error, &self.log.execution);
                    return Err(End::Lost);
                }
            },
            Err(rejection) => {
                tracing::error!(execution = %self.log.execution.id(), %rejection, "an observation was rejected");
                self.dispatcher.dispatch(&self.log.execution, self.stopping);
            }
        }
        Ok(None)
    }

    /// What an event means, and the turns that launches take with it. While
    /// this process stops, none takes its turn: what waits is left waiting.
    fn decide(
        &self,
        event: Event,
        now: Timestamp,
        stamp: Option<RequestStamp>,
    ) -> Result<Decided, Rejection> {
        let (changes, next) = self.log.execution.decide_folded(event, now)?;
        let mut decided = Decided {
            changes,
            next: Arc::new(next),
            at: now,
            stamp,
        };
        if !self.stop.is_cancelled() {
            self.shared.admission.take_turns(&mut decided);
        }
        Ok(decided)
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
        mut reply: Reply,
    ) -> Result<(), End> {
        loop {
            let now = self.now();
            let limit = self.shared.settings.request_limit;
            let before = self.log.answered_before(stamp.as_ref());
            let decided = before.and_then(|before| {
                if let Some(revision) = before {
                    return Ok(Err(revision));
                }
                self.log.admit(limit, &event)?;
                let decided = self.decide(event.clone(), now, stamp.clone());
                decided.map(Ok).map_err(DriverError::Rejected)
            });
            // A caller that has left is no reason to undo anything.
            let decided = match decided {
                Err(refused) => {
                    drop(reply.send(Err(refused)));
                    return Ok(());
                }
                Ok(Err(revision)) => {
                    drop(reply.send(Ok(Asked::Before(revision))));
                    return Ok(());
                }
                Ok(Ok(decided)) => decided,
            };
            reply = self.answer_too_soon(&decided, reply);
            match self.record_asked(decided, reply).await? {
                None => return Ok(()),
                // Somebody else has written: with that, it is decided anew.
                Some(unanswered) => reply = unanswered,
            }
            self.catch_up().await?;
            self.dispatcher.dispatch(&self.log.execution, self.stopping);
        }
    }

    /// Records what a person asked for, and answers; gives the reply back if
    /// somebody else has written, and nothing was.
    async fn record_asked(&mut self, decided: Decided, reply: Reply) -> Result<Option<Reply>, End> {
        match self.record(decided, With::default()).await {
            Ok((view, record)) => {
                drop(reply.send(Ok(Asked::Done(view.clone()))));
                let_the_answer_leave().await;
                self.publish(view, record);
                Ok(None)
            }
            Err(AppendError::Taken { .. }) if self.is_shared() => Ok(Some(reply)),
            Err(error) => {
                drop(reply.send(Err(lost(error, &self.log.execution))));
                Err(End::Lost)
            }
        }
    }

    fn answer_too_soon(&self, decided: &Decided, reply: Reply) -> Reply {
        if !self.shared.settings.has(Planted::AnswersTooSoon) {
            return reply;
        }
        let view = View {
            execution: Arc::clone(&decided.next),
            revision: self.log.revision + 1,
            updated_at: decided.at,
            origin: Arc::clone(&self.log.origin),
        };
        drop(reply.send(Ok(Asked::Done(view))));
        oneshot::channel().0
    }

    /// Persist, then act. What was recorded can be read from here on.
    async fn record(
        &mut self,
        decided: Decided,
        with: With,
    ) -> Result<(View, Arc<RecordView>), AppendError> {
        if self.shared.settings.has(Planted::ActsTooSoon) {
            self.dispatcher.dispatch(&decided.next, self.stopping);
        }
        let record = self.log.append(&self.shared, decided, with).await?;
        let view = self.recorded(&record);
        Ok((view, record))
    }

    /// Acts on what was recorded just now.
    fn recorded(&mut self, record: &Arc<RecordView>) -> View {
        let view = self.log.view();
        if self.log.execution.state().is_terminal() {
            // Whoever hears of the end may start the next one at once.
            self.shared.registry.leave(self.log.execution.id());
        }
        self.show(&view, record);
        self.dispatcher.dispatch(&self.log.execution, self.stopping);
        view
    }

    fn show(&self, view: &View, record: &Arc<RecordView>) {
        self.recent.push(view.clone(), Arc::clone(record));
    }

    /// Wakes those who watch.
    fn publish(&self, view: View, record: Arc<RecordView>) {
        self.publish_as(true, view, record);
    }

    fn publish_as(&self, is_driven_here: bool, view: View, record: Arc<RecordView>) {
        self.wake.send_replace(view.clone());
        // Nobody watches everything: nobody to tell.
        let _ = self.shared.published.send(Published {
            view,
            record,
            is_driven_here,
        });
    }

    /// Time never goes backwards in a log, whatever the wall clock does.
    fn now(&self) -> Timestamp {
        self.shared.ports.clock.now().max(self.log.updated_at)
    }
}

/// Lets the caller's task and then its connection run before a thousand
/// watchers are woken: nobody who asks waits for those who only watch.
async fn let_the_answer_leave() {
    tokio::task::yield_now().await;
    tokio::task::yield_now().await;
}

async fn due(shared: &Shared, deadline: Option<Deadline>, stopping: bool) -> Event {
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
        AppendError::Outdated { .. } => DriverError::Damaged("holds where none were taken".into()),
        AppendError::TooLarge { .. } => DriverError::Unavailable(error.to_string()),
        AppendError::Unavailable(why) => DriverError::Unavailable(why),
        AppendError::Refused(why) => DriverError::Refused(why),
        AppendError::AnswerLost(why) | AppendError::Unknown(why) => DriverError::Unknown(why),
    }
}
