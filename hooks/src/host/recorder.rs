//! Keeps what an attempt asked and was answered, within its budget of probes.

use tokio::sync::{mpsc, oneshot};

use crate::{Answer, Exchange, Limits, Probe, ProbeFailure, Problem, Request, Response, Target};

/// Bytes of all responses' bodies that an attempt is given and its tape keeps.
/// A large wave has thousands of probes, each with a body of 64 KiB at most.
const BODIES: usize = 16 << 20;

/// A question on its way to whoever answers, who is not within the store.
pub(super) struct Asked {
    pub(super) probe: Probe,
    pub(super) reply: oneshot::Sender<Answer>,
}

/// The probes of one attempt.
#[derive(Debug)]
pub(super) struct Recorder {
    ask: mpsc::Sender<Asked>,
    exchanges: Vec<Exchange>,
    /// The question that has no answer yet.
    waiting: Option<Probe>,
    made: u32,
    budget: u32,
    /// Bytes of a response's body.
    body: usize,
    /// Bytes that are left for the bodies of further responses.
    bodies: usize,
}

impl Recorder {
    /// With the end at which questions arrive. A guest waits for each answer,
    /// so there is one at most.
    pub(super) fn new(limits: &Limits) -> (Self, mpsc::Receiver<Asked>) {
        let (ask, asked) = mpsc::channel(1);
        let recorder = Self {
            ask,
            exchanges: Vec::new(),
            waiting: None,
            made: 0,
            budget: limits.probes,
            body: limits.body,
            bodies: BODIES,
        };
        (recorder, asked)
    }

    /// Asks. What is beyond the budget is answered here, counted and not
    /// kept: a guest cannot make the tape longer than its budget.
    pub(super) async fn probe(&mut self, probe: Probe) -> Answer {
        self.made = self.made.saturating_add(1);
        if self.made > self.budget {
            return Answer::Failed(ProbeFailure {
                problem: Problem::Budget,
                message: format!("more than {} probes", self.budget),
            });
        }
        self.waiting = Some(probe.clone());
        let mut answer = self.ask(probe).await;
        if let Answer::Response(response) = &mut answer {
            self.cut(response);
        }
        if let Some(probe) = self.waiting.take() {
            let answer = answer.clone();
            self.exchanges.push(Exchange { probe, answer });
        }
        answer
    }

    fn cut(&mut self, response: &mut Response) {
        let room = self.body.min(self.bodies);
        if response.body.len() > room {
            response.body.truncate(room);
            response.truncated = true;
        }
        self.bodies -= response.body.len();
    }

    async fn ask(&self, probe: Probe) -> Answer {
        let (reply, answer) = oneshot::channel();
        if self.ask.send(Asked { probe, reply }).await.is_ok()
            && let Ok(answer) = answer.await
        {
            return answer;
        }
        // Whoever answers is gone, and with it this attempt.
        std::future::pending().await
    }

    /// Probes made, those beyond the budget included.
    pub(super) fn made(&self) -> u32 {
        self.made
    }

    /// What the attempt was doing, for a person who reads that it was late.
    pub(super) fn waiting(&self) -> String {
        match &self.waiting {
            Some(probe) => format!(
                "it was stopped at its deadline, waiting for {}",
                name(probe)
            ),
            None => "it was stopped at its deadline, not waiting for a probe".to_owned(),
        }
    }

    /// The first probe that was denied, and why.
    pub(super) fn denied(&self) -> Option<String> {
        self.exchanges
            .iter()
            .find_map(|Exchange { probe, answer }| match answer {
                Answer::Failed(ProbeFailure {
                    problem: Problem::Denied,
                    message,
                }) => Some(format!("{} was denied: {message}", name(probe))),
                Answer::Failed(_) | Answer::Connected { .. } | Answer::Response(_) => None,
            })
    }

    pub(super) fn into_exchanges(self) -> Vec<Exchange> {
        self.exchanges
    }
}

fn name(probe: &Probe) -> String {
    let target = match &probe.target {
        Target::Server { server, port } => format!("port {port} of {server:?}"),
        Target::Endpoint(endpoint) => format!("endpoint {endpoint:?}"),
    };
    match &probe.request {
        Request::Tcp => format!("a TCP probe of {target}"),
        Request::Http { .. } => format!("an HTTP probe of {target}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_cut_each_and_together() {
        let body = Limits::DEFAULT.body;
        let (mut recorder, _asked) = Recorder::new(&Limits::DEFAULT);
        let mut cut = |bytes| {
            let mut response = Response {
                status: 200,
                headers: Vec::new(),
                body: vec![0; bytes],
                truncated: false,
                elapsed_ms: 1,
            };
            recorder.cut(&mut response);
            (response.body.len(), response.truncated)
        };
        assert_eq!(cut(body), (body, false));
        assert_eq!(cut(body + 1), (body, true));
        for _ in 2..BODIES / body {
            assert_eq!(cut(body), (body, false));
        }
        assert_eq!(cut(1), (0, true));
        assert_eq!(cut(0), (0, false));
    }
}
