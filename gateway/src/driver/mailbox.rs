//! How a live execution is told something: one at a time, in order.

use tidegate_core::engine::Event;
use tokio::sync::{mpsc, oneshot};

use super::{DriverError, RequestStamp, View};

/// Messages that may wait for an execution. Answers and callers above that
/// wait for room; none is dropped.
const ROOM: usize = 64;

/// Reaches one live execution.
///
/// What it is told lies outside the queue, of which a block stands ready for
/// each of thousands of executions that hear nothing for days.
#[derive(Clone, Debug)]
pub(super) struct Mailbox(mpsc::Sender<Box<Message>>);

/// What an execution is told.
#[derive(Debug)]
pub(super) enum Message {
    /// Something was heard.
    Heard(Event),
    /// Somebody else wrote into the log.
    Written,
    /// A person asks for something.
    Asked {
        event: Event,
        stamp: Option<RequestStamp>,
        reply: Reply,
    },
}

/// Where a person's request is answered.
pub(super) type Reply = oneshot::Sender<Result<Asked, DriverError>>;

/// What came of a person's request.
#[derive(Debug)]
pub(super) enum Asked {
    /// It was recorded.
    Done(View),
    /// The same request was recorded at this revision before.
    Before(u64),
}

/// The messages of one mailbox, in order.
#[derive(Debug)]
pub(super) struct Messages(mpsc::Receiver<Box<Message>>);

/// The execution is not live here any more.
#[derive(Debug)]
pub(super) struct Gone;

impl Mailbox {
    pub(super) fn new() -> (Self, Messages) {
        let (sender, receiver) = mpsc::channel(ROOM);
        (Self(sender), Messages(receiver))
    }

    /// Waits for room.
    ///
    /// # Errors
    /// The execution is not live here any more.
    pub(super) async fn tell(&self, message: Message) -> Result<(), Gone> {
        self.0.send(Box::new(message)).await.map_err(|_| Gone)
    }

    /// Tells what was heard. Whoever is gone wants no news.
    pub(super) async fn heard(&self, event: Event) {
        let _ = self.tell(Message::Heard(event)).await;
    }

    /// Says that somebody else wrote into the log; whether there was room.
    pub(super) fn written(&self) -> bool {
        self.0.try_send(Box::new(Message::Written)).is_ok()
    }

    pub(super) fn is_of_same(&self, other: &Self) -> bool {
        self.0.same_channel(&other.0)
    }
}

impl Messages {
    /// The next; `None` when nobody is left to tell anything.
    pub(super) async fn next(&mut self) -> Option<Message> {
        self.0.recv().await.map(|message| *message)
    }
}
