//! Follows the demo's drill. It plays the person on call if nobody else does:
//! repairs the server whose check fails, and resumes.

use std::{pin::pin, time::Duration};

use tidegate_emulator::model::SourceServerId;
use tidegate_proto::v1::{Execution, PauseReason, ResumeRequest};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use crate::{
    connect::fresh_request_id,
    emulator::Running,
    failure::Failure,
    print::Format,
    session::Session,
    signal,
    watch::{self, Screen, Show},
};

/// How long a person has to resume before the demo does.
const COURTESY: Duration = Duration::from_secs(6);
/// Between two frames of the view.
const FRAME: Duration = Duration::from_millis(250);

/// Follows the drill, and resumes it if nobody else does.
pub(super) struct Following<'a> {
    session: &'a Session,
    emulator: &'a Running,
    id: &'a str,
    screen: Screen,
    /// When the demo resumes by itself.
    resume_at: Option<Instant>,
}

impl<'a> Following<'a> {
    /// Nothing is followed yet.
    pub(super) fn new(session: &'a Session, emulator: &'a Running, id: &'a str) -> Self {
        let show = match Show::fitting(Format::Table) {
            Show::Live => Show::Live,
            Show::Lines | Show::Details | Show::Milestones | Show::Messages | Show::Nothing => {
                Show::Milestones
            }
        };
        Self {
            session,
            emulator,
            id,
            screen: Screen::new(
                show,
                session.printer,
                session.gateway.commands().clone(),
                true,
            ),
            resume_at: None,
        }
    }

    /// The execution at its end; `None` if Ctrl-C came first.
    pub(super) async fn run(mut self) -> Result<Option<Execution>, Failure> {
        let mut heard = watch::follow(self.session.gateway.clone(), self.id, Some(0));
        let mut frames = interval(FRAME);
        frames.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut stop = pin!(signal::stop());
        loop {
            let resume_at = self.resume_at;
            tokio::select! {
                message = heard.recv() => {
                    if self.screen.take(message)? {
                        self.screen.draw()?;
                        return Ok(Some(self.screen.execution().clone()));
                    }
                    self.notice_pause();
                }
                _ = frames.tick() => self.screen.draw()?,
                () = &mut stop => return Ok(None),
                () = sleep_until(resume_at.unwrap_or_else(Instant::now)), if resume_at.is_some() => {
                    self.resume().await?;
                }
            }
        }
    }

    fn notice_pause(&mut self) {
        if !self.screen.is_paused() {
            self.resume_at = None;
        } else if self.resume_at.is_none() {
            self.resume_at = Some(Instant::now() + COURTESY);
            let resume = self.session.gateway.commands().resume(self.id);
            let seconds = COURTESY.as_secs();
            self.screen.note(&match self.broken() {
                Some(server) => format!(
                    "the check holds the wave until somebody repairs the server:\n  \
                     curl -d '{{\"healthy\":true}}' -H content-type:application/json \
                     http://{}/_emulator/workloads/{server}\nand resumes:\n  {resume}\n\
                     otherwise the demo does both in {seconds} seconds",
                    self.emulator.address
                ),
                None => format!(
                    "the plan pauses here for a person. Resume it from another terminal:\n  \
                     {resume}\notherwise the demo does in {seconds} seconds"
                ),
            });
        }
    }

    /// The server that a check holds against the wave.
    fn broken(&self) -> Option<&str> {
        let execution = self.screen.execution();
        let mut holds = execution.holds.iter();
        let hold = holds.find(|hold| hold.reason() == PauseReason::Hook)?;
        let wave = execution.waves.iter().find(|wave| wave.name == hold.wave)?;
        let mut findings = wave.hook_runs.iter().flat_map(|run| &run.findings);
        let worst = findings.find(|finding| !finding.subject.is_empty())?;
        Some(&worst.subject)
    }

    async fn repair(&self) -> Result<(), Failure> {
        let broken = self.broken().and_then(|id| SourceServerId::parse(id).ok());
        match broken {
            Some(server) => self.emulator.repair(&server).await,
            None => Ok(()),
        }
    }

    async fn resume(&mut self) -> Result<(), Failure> {
        self.resume_at = None;
        self.repair().await?;
        let request = ResumeRequest {
            execution: self.id.to_owned(),
            request_id: fresh_request_id(),
        };
        let answer = self
            .session
            .gateway
            .ask(async || {
                let mut executions = self.session.gateway.executions();
                executions.resume(request.clone()).await
            })
            .await;
        match answer {
            // A person was faster.
            Ok(_) | Err(Failure::Refused { .. }) => Ok(()),
            Err(failure) => Err(failure),
        }
    }
}
