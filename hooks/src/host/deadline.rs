//! Stops an attempt at its deadline, whatever it does.
//!
//! A guest gives way in three places: when it has used up a portion of fuel,
//! when it waits for an answer, and, because work of the host costs no fuel,
//! when it is entered or comes back from a host function and has not given way
//! for a while. It is entered anew for each of its instances, whose tables are
//! set up without costing fuel.

use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use futures::task::AtomicWaker;
use tokio::time::Instant;
use wasmtime::{CallHook, CallHookHandler, StoreContextMut};

use super::state::State;

/// Fuel after which a guest gives way. An empty loop burns it slowest: one
/// unit and about a nanosecond a turn, so this is at most a few milliseconds.
pub(super) const FUEL_PORTION: u64 = 1_000_000;

/// Time after which a guest gives way when it is next entered.
const TIME_PORTION: Duration = Duration::from_millis(1);

/// The future's output, or nothing if it was not there at the deadline.
///
/// Other than with `tokio::time::timeout`, the clock is looked at whenever the
/// future gives way, and the runtime then looks at its timers before it comes
/// back: with busy guests alone it would do so every 61 turns, and whoever
/// sleeps beside them would be woken late.
pub(super) async fn within<F: Future>(deadline: Instant, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut alarm = pin!(tokio::time::sleep_until(deadline));
    let turn = Arc::new(Turn::default());
    let waker = Waker::from(Arc::clone(&turn));
    poll_fn(|context| {
        if Instant::now() >= deadline {
            return Poll::Ready(None);
        }
        turn.begin(context.waker());
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return Poll::Ready(Some(output));
        }
        if turn.end() {
            // Wakes this task when the runtime has looked at its timers.
            let _ = pin!(tokio::task::yield_now()).poll(context);
        }
        alarm.as_mut().poll(context).map(|()| None)
    })
    .await
}

/// Tells whether a future wanted to go on at once when it gave way.
#[derive(Default)]
struct Turn {
    task: AtomicWaker,
    running: AtomicBool,
    woken: AtomicBool,
}

impl Turn {
    fn begin(&self, task: &Waker) {
        self.task.register(task);
        self.woken.store(false, SeqCst);
        self.running.store(true, SeqCst);
    }

    /// Whether it was woken meanwhile. From here on wakes reach the task: of
    /// one that comes now either this sees that it was there, or it sees that
    /// the turn is over.
    fn end(&self) -> bool {
        self.running.store(false, SeqCst);
        self.woken.load(SeqCst)
    }
}

impl Wake for Turn {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.woken.store(true, SeqCst);
        if !self.running.load(SeqCst) {
            self.task.wake();
        }
    }
}

/// When a guest last gave way on being entered.
#[derive(Debug)]
pub(super) struct Breath(std::time::Instant);

impl Breath {
    pub(super) fn new() -> Self {
        Self(std::time::Instant::now())
    }

    fn due(&mut self) -> bool {
        let due = self.0.elapsed() >= TIME_PORTION;
        if due {
            *self = Self::new();
        }
        due
    }
}

/// Makes a guest give way when it is entered or comes back from a host function.
pub(super) struct GiveWay;

impl CallHookHandler<State> for GiveWay {
    fn handle_call_event<'this, 'store, 'future>(
        &'this self,
        mut store: StoreContextMut<'store, State>,
        event: CallHook,
    ) -> Pin<Box<dyn Future<Output = wasmtime::Result<()>> + Send + 'future>>
    where
        'this: 'future,
        'store: 'future,
        Self: 'future,
    {
        let enters = match event {
            CallHook::ReturningFromHost | CallHook::CallingWasm => true,
            CallHook::CallingHost | CallHook::ReturningFromWasm => false,
        };
        if enters && store.data_mut().breath.due() {
            Box::pin(async {
                tokio::task::yield_now().await;
                Ok(())
            })
        } else {
            Box::pin(async { Ok(()) })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_is_there_in_time_is_given() {
        let deadline = Instant::now() + Duration::from_millis(10);
        let sleep = tokio::time::sleep(Duration::from_millis(9));
        assert_eq!(within(deadline, sleep).await, Some(()));
        assert_eq!(within(deadline, std::future::pending::<()>()).await, None);
        assert_eq!(Instant::now(), deadline);
        assert_eq!(within(deadline, async {}).await, None);
    }

    #[tokio::test]
    async fn a_wake_from_another_thread_is_not_lost() {
        let deadline = Instant::now() + Duration::from_secs(60);
        for _ in 0..1000 {
            let (send, receive) = tokio::sync::oneshot::channel();
            let sender = std::thread::spawn(move || send.send(()));
            let received = within(deadline, receive).await;
            assert!(matches!(received, Some(Ok(()))), "{received:?}");
            let sent = sender.join().expect("the sender does not panic");
            sent.expect("the receiver waits");
        }
    }

    #[tokio::test]
    async fn others_have_their_turn_while_a_future_wants_to_go_on() {
        let deadline = Instant::now() + Duration::from_secs(60);
        let other = tokio::spawn(tokio::time::sleep(Duration::from_millis(5)));
        let busy = poll_fn(|context| {
            context.waker().wake_by_ref();
            if other.is_finished() {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        });
        assert_eq!(within(deadline, busy).await, Some(()));
    }
}
