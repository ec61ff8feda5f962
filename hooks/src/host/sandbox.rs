//! One attempt: a store of its own, from instantiation to teardown.

use std::{convert::Infallible, future::Future, time::Duration};

use tokio::{sync::mpsc, time::Instant};
use wasmtime::{Engine, Store};

use super::{
    deadline::{FUEL_PORTION, GiveWay, within},
    failed::{self, Ended},
    limiter::Limiter,
    log::Log,
    recorder::{Asked, Recorder},
    state::State,
    wasi::Wasi,
};
use crate::{Answer, Exchange, Failure, Limits, LogLine, ProbeFailure, Probes, Problem, Usage};

/// Bytes that a guest can hand over in one call, and in its report. Also
/// bounds what the host allocates for them.
const HANDED_OVER: usize = 1 << 20;

/// Component-model handles that a guest can have at once.
const HANDLES: usize = 1000;

/// Where one attempt runs.
pub(super) struct Sandbox {
    pub(super) store: Store<State>,
    asked: mpsc::Receiver<Asked>,
    limits: Limits,
    started: Instant,
}

/// What is left of an attempt, its decision aside.
#[derive(Default)]
pub(super) struct Remains {
    pub(super) exchanges: Vec<Exchange>,
    pub(super) log: Vec<LogLine>,
    pub(super) log_dropped: u32,
    pub(super) usage: Usage,
}

impl Sandbox {
    /// A sandbox in which nothing runs yet. Its time runs from here.
    pub(super) fn new(
        engine: &Engine,
        limits: &Limits,
        wasi: Option<impl FnOnce(&Log) -> Wasi>,
    ) -> wasmtime::Result<Self> {
        let started = Instant::now();
        let (recorder, asked) = Recorder::new(limits);
        let log = Log::new(limits);
        let wasi = wasi.map(|wasi| wasi(&log));
        let state = State::new(Limiter::new(limits), recorder, log, wasi);
        let mut store = Store::new(engine, state);
        store.limiter(|state| &mut state.limiter);
        store.set_fuel(limits.fuel)?;
        store.fuel_async_yield_interval(Some(FUEL_PORTION))?;
        store.set_hostcall_fuel(HANDED_OVER);
        store.set_max_component_handles(HANDLES);
        store.call_hook_async(GiveWay);
        Ok(Self {
            store,
            asked,
            limits: *limits,
            started,
        })
    }

    /// Runs what `ask` asks of the guest in this store until it is answered
    /// or the deadline is there, and answers its probes meanwhile.
    pub(super) async fn run<'a, T, F>(
        &'a mut self,
        probes: &'a dyn Probes,
        ask: impl FnOnce(&'a mut Store<State>) -> F,
    ) -> Result<T, Ended>
    where
        F: Future<Output = Result<T, Ended>>,
    {
        let deadline = self.started + self.limits.wall;
        let guest = ask(&mut self.store);
        let answering = answer(probes, &mut self.asked);
        let answered = within(deadline, async {
            tokio::select! {
                biased;
                answered = guest => answered,
                never = answering => match never {},
            }
        });
        answered.await.unwrap_or(Err(Ended::Late))
    }

    /// Tears down. A verdict for which there was time, but not for cleaning
    /// up after it, is late as well.
    pub(super) fn end<T>(self, answered: Result<T, Ended>) -> (Result<T, Failure>, Remains) {
        let fuel_left = self.store.get_fuel().unwrap_or(0);
        let State {
            limiter,
            recorder,
            log,
            wasi,
            ..
        } = self.store.into_data();
        if let Some(wasi) = &wasi {
            wasi.finish();
        }
        let elapsed = self.started.elapsed();
        let answered = match answered {
            Ok(_) if elapsed > self.limits.wall => Err(Ended::Late),
            answered @ (Ok(_) | Err(_)) => answered,
        };
        let usage = Usage {
            fuel: self.limits.fuel - fuel_left.min(self.limits.fuel),
            peak_memory: limiter.memory.peak() as u64,
            probes: recorder.made(),
            elapsed_ms: u32::try_from(elapsed.as_millis()).unwrap_or(u32::MAX),
        };
        let decided = match answered {
            Ok(answer) => failed::denied(&recorder).map_or(Ok(answer), Err),
            Err(ended) => Err(failed::failure(ended, &limiter, &recorder)),
        };
        let (log, log_dropped) = log.take();
        let decided = decided.map_err(|failure| failed::in_its_words(failure, &log));
        let remains = Remains {
            exchanges: recorder.into_exchanges(),
            log,
            log_dropped,
            usage,
        };
        (decided, remains)
    }
}

/// Answers one question after the other, each within the time that the guest
/// gives it. The attempt's deadline ends it all.
async fn answer(probes: &dyn Probes, asked: &mut mpsc::Receiver<Asked>) -> Infallible {
    while let Some(Asked { probe, reply }) = asked.recv().await {
        let answer = probes.probe(&probe);
        let answer = match u64::from(probe.timeout_ms) {
            0 => answer.await,
            ms => tokio::time::timeout(Duration::from_millis(ms), answer)
                .await
                .unwrap_or_else(|_| timed_out(ms)),
        };
        // A guest that does not wait any more is being stopped.
        let _ = reply.send(answer);
    }
    std::future::pending().await
}

fn timed_out(ms: u64) -> Answer {
    Answer::Failed(ProbeFailure {
        problem: Problem::TimedOut,
        message: format!("no answer within {ms} ms"),
    })
}
