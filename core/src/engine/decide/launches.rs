//! What DRS answered, or did not. It has no client token for a launch, so an
//! answer that was lost is settled by looking, never by a blind retry.

use alloc::{format, sync::Arc, vec::Vec};

use super::{
    super::{
        Change, Closing, CommandId, HoldCause, JobReport, Kind, Launch, LaunchAnswer, LaunchState,
        Looked, Planted, Reason, ReasonCode, ServerState,
    },
    Decision,
};
use crate::{JobId, LaunchIx, Span, Timestamp, WaveIx, plan::UnknownLaunch};

impl Decision {
    pub(super) fn launch_answered(&mut self, command: CommandId, answer: LaunchAnswer) {
        let CommandId::Launch {
            wave,
            launch,
            attempt,
        } = command
        else {
            return;
        };
        if !self.awaits(wave, launch, attempt) {
            return;
        }
        match answer {
            LaunchAnswer::Accepted(report) => {
                self.adopt(wave, launch, &report, Reason::none());
            }
            LaunchAnswer::Refused { reason } => self.refused(wave, launch, &reason),
            LaunchAnswer::Deferred { reason, after } => {
                self.deferred(wave, launch, attempt, after, reason);
            }
            LaunchAnswer::OverQuota { quota: _, reason } => {
                self.over_quota(wave, launch, attempt, reason);
            }
            LaunchAnswer::Unknown { reason }
                if self.next.settings.has(Planted::AsksAgainBlindly) =>
            {
                self.deferred(wave, launch, attempt, None, reason);
            }
            LaunchAnswer::Unknown { reason } => {
                let reason = Reason::with(ReasonCode::AnswerLost, reason);
                self.reconcile(wave, launch, attempt, reason);
            }
            LaunchAnswer::NothingLeft => self.nothing_left(wave, launch),
        }
    }

    /// Whether the answer to this attempt is still wanted: it was asked, and
    /// nothing was heard, or it was given up as lost and comes late.
    fn awaits(&self, wave: WaveIx, launch: LaunchIx, attempt: u32) -> bool {
        let Some(launch) = self.known(wave).and_then(|run| run.launch(launch)) else {
            return false;
        };
        match launch.state {
            LaunchState::Asking { attempt: asked }
            | LaunchState::Reconciling { attempt: asked } => asked == attempt,
            LaunchState::Queued { .. }
            | LaunchState::Deferred { .. }
            | LaunchState::Running { .. }
            | LaunchState::Ended { .. }
            | LaunchState::Refused
            | LaunchState::Abandoned => false,
        }
    }

    fn adopt(&mut self, wave: WaveIx, launch: LaunchIx, report: &JobReport, reason: Reason) {
        let job = report.job.clone();
        self.move_launch(wave, launch, LaunchState::Running { job }, reason);
        self.lift_idle_approval(wave);
        self.job_observed(wave, launch, report);
    }

    fn refused(&mut self, wave: WaveIx, launch: LaunchIx, why: &Arc<str>) {
        let reason = Reason::with(ReasonCode::Refused, Arc::clone(why));
        self.move_launch(wave, launch, LaunchState::Refused, reason.clone());
        self.lift_idle_approval(wave);
        for server in self.unsettled_servers(wave, launch) {
            self.move_server(wave, server, ServerState::Failed, None, reason.clone());
        }
    }

    /// A cleanup wants its instances gone, and they are.
    fn nothing_left(&mut self, wave: WaveIx, launch: LaunchIx) {
        let reason = Reason::with(ReasonCode::Drs, "the instances were gone already");
        if self.next.kind() != Kind::Cleanup {
            self.refused(wave, launch, &reason.text);
            return;
        }
        self.move_launch(wave, launch, LaunchState::Abandoned, reason.clone());
        self.lift_idle_approval(wave);
        for server in self.unsettled_servers(wave, launch) {
            self.move_server(wave, server, ServerState::Terminated, None, reason.clone());
        }
    }

    fn deferred(
        &mut self,
        wave: WaveIx,
        launch: LaunchIx,
        attempt: u32,
        after: Option<Span>,
        why: Arc<str>,
    ) {
        let settings = self.next.settings;
        let backoff = settings
            .defer_backoff
            .doubled(attempt.saturating_sub(1), settings.defer_max);
        let until = self.now + backoff.max(after.unwrap_or(Span::ZERO));
        self.give_back(
            wave,
            launch,
            LaunchState::Deferred { attempt, until },
            Reason::with(ReasonCode::Deferred, why),
        );
    }

    /// DRS surely has no job for this launch. A wave that is over (it timed
    /// out) does not want one any more.
    pub(super) fn give_back(
        &mut self,
        wave: WaveIx,
        launch: LaunchIx,
        to: LaunchState,
        reason: Reason,
    ) {
        if self.wave(wave).state.is_settled() {
            self.move_launch(wave, launch, LaunchState::Abandoned, reason);
        } else {
            self.move_launch(wave, launch, to, reason);
        }
        self.lift_idle_approval(wave);
    }

    fn reconcile(&mut self, wave: WaveIx, launch: LaunchIx, attempt: u32, reason: Reason) {
        let to = LaunchState::Reconciling { attempt };
        let state = self.wave(wave).launch(launch).map(|launch| &launch.state);
        if state != Some(&to) {
            self.move_launch(wave, launch, to, reason);
        }
    }

    pub(super) fn launch_looked(
        &mut self,
        (wave, launch): (WaveIx, LaunchIx),
        began: Timestamp,
        found: Looked,
    ) {
        let Some(run) = self.known(wave).and_then(|run| run.launch(launch)) else {
            return;
        };
        let LaunchState::Reconciling { attempt } = run.state else {
            return;
        };
        let settings = self.next.settings;
        let settled = is_traceless(run)
            || run.state_at + settings.settle_window <= began
            || settings.has(Planted::BelievesFirstLook);
        match found {
            Looked::Found {
                mut report,
                duplicates,
            } if settings.has(Planted::AdoptsNewest) => {
                report.job = duplicates.last().cloned().unwrap_or(report.job);
                self.adopt(wave, launch, &report, Reason::of(ReasonCode::Adopted));
            }
            Looked::Found { report, duplicates } => {
                self.warn_of_duplicates(wave, launch, &duplicates);
                self.adopt(wave, launch, &report, Reason::of(ReasonCode::Adopted));
            }
            Looked::Nothing if settled => self.no_trace(wave, launch, attempt),
            Looked::Nothing => {}
        }
    }

    fn warn_of_duplicates(&mut self, wave: WaveIx, launch: LaunchIx, duplicates: &[JobId]) {
        let servers = self
            .wave(wave)
            .launch(launch)
            .map(|launch| launch.servers.clone())
            .unwrap_or_default();
        for job in duplicates {
            let warning: Arc<str> = format!("DRS also has job {job} for this server").into();
            for &server in &servers {
                self.emit(Change::ServerWarned {
                    wave,
                    server,
                    warning: Arc::clone(&warning),
                });
            }
        }
    }

    /// DRS had time enough and shows nothing: it is asked again, or a person
    /// is asked first.
    fn no_trace(&mut self, wave: WaveIx, launch: LaunchIx, attempt: u32) {
        let reason = Reason::of(ReasonCode::NoTrace);
        if self.next.is_closing(Closing::Timeout) {
            self.move_launch(wave, launch, LaunchState::Abandoned, reason.clone());
            for server in self.unsettled_servers(wave, launch) {
                self.move_server(wave, server, ServerState::Skipped, None, reason.clone());
            }
            return;
        }
        let asks_person = match self.next.plan().unknown_launch() {
            Some(UnknownLaunch::AskPerson) => true,
            Some(UnknownLaunch::AskAgain) => false,
            None => self.next.kind() == Kind::Recovery,
        };
        if asks_person && !self.wave(wave).state.is_settled() {
            let detail = "it is unknown whether DRS accepted a launch, and it shows no trace of it; resume to ask again";
            if !self.traceless(wave).contains(&(launch, attempt)) {
                self.move_launch(wave, launch, LaunchState::Reconciling { attempt }, reason);
            }
            self.hold(HoldCause::Approval(wave), Arc::from(detail));
        } else {
            let until = self.now;
            let to = LaunchState::Deferred { attempt, until };
            self.give_back(wave, launch, to, reason);
        }
    }

    /// A person approved: what DRS shows no trace of is asked for again.
    pub(super) fn ask_again(&mut self, wave: WaveIx) {
        for (launch, attempt) in self.traceless(wave) {
            let until = self.now;
            let reason = Reason::of(ReasonCode::NoTrace);
            let to = LaunchState::Deferred { attempt, until };
            self.move_launch(wave, launch, to, reason);
        }
    }

    /// What a person was to approve was settled by an answer.
    fn lift_idle_approval(&mut self, wave: WaveIx) {
        if self.traceless(wave).is_empty() {
            self.lift(HoldCause::Approval(wave));
        }
    }

    /// Launches that a person may let be asked for again, with the attempt
    /// that is unknown.
    fn traceless(&self, wave: WaveIx) -> Vec<(LaunchIx, u32)> {
        self.wave(wave)
            .numbered_launches()
            .filter_map(|(ix, launch)| match launch.state {
                LaunchState::Reconciling { attempt } if is_traceless(launch) => Some((ix, attempt)),
                LaunchState::Reconciling { .. }
                | LaunchState::Queued { .. }
                | LaunchState::Asking { .. }
                | LaunchState::Deferred { .. }
                | LaunchState::Running { .. }
                | LaunchState::Ended { .. }
                | LaunchState::Refused
                | LaunchState::Abandoned => None,
            })
            .collect()
    }
}

/// Whether DRS was looked at after the settle window, and showed nothing. That
/// the window has passed is not enough: nobody may have looked.
fn is_traceless(launch: &Launch) -> bool {
    matches!(launch.state, LaunchState::Reconciling { .. })
        && launch.reason.code == ReasonCode::NoTrace
}
