//! Follows the demo's drill, and resumes it if nobody else does.

use std::{pin::pin, time::Duration};

use tidegate_proto::v1::{Execution, ResumeRequest};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use crate::{
    connect::fresh_request_id,
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
    id: &'a str,
    screen: Screen,
    /// When the demo resumes by itself.
    resume_at: Option<Instant>,
}

impl<'a> Following<'a> {
    /// Nothing is followed yet.
    pub(super) fn new(session: &'a Session, id: &'a str) -> Self {
        let show = match Show::fitting(Format::Table) {
            Show::Live => Show::Live,
            Show::Lines | Show::Milestones | Show::Messages | Show::Nothing => Show::Milestones,
        };
        Self {
            session,
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
            self.screen.note(&format!(
                "the plan pauses here for a person. Resume it from another terminal:\n  {}\n\
                 otherwise the demo does in {} seconds",
                self.session.gateway.commands().resume(self.id),
                COURTESY.as_secs()
            ));
        }
    }

    async fn resume(&mut self) -> Result<(), Failure> {
        self.resume_at = None;
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
