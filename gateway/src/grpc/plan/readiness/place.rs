//! What is found about an account and Region as a whole: who calls there, with
//! what permissions, by which clock, and under which quotas.

use tidegate_core::{Span, Timestamp};
use tidegate_proto::v1::readiness_finding::Severity;

use super::{
    ask::PlaceAnswer,
    code::Code,
    report::{Report, age},
};
use crate::{
    driver::{Place, Quotas},
    ports::drs::{Caller, DrsError, Permissions},
};

/// How far a clock may be from AWS's: it takes a signature for so long
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html>).
const SKEW: Span = Span::from_secs(300);

impl Report<'_> {
    /// Says who is taken for whom, and what they may not.
    pub(super) fn callers(&mut self, places: &[PlaceAnswer<'_>]) {
        for place in places {
            let Some(introduction) = &place.introduction else {
                continue;
            };
            if let Some(aws_time) = introduction.aws_time {
                let is_refused = introduction.caller.is_err();
                self.clock(place, aws_time, is_refused);
            }
            match &introduction.caller {
                Ok(caller) => self.caller(place, caller),
                Err(error) => {
                    let message = format!("AWS does not say who calls: {}", self.told(error));
                    self.add(Severity::Blocking, code_of(error), "", "", message);
                }
            }
            match &place.permissions {
                Some(Ok(permissions)) => self.permissions(place, permissions),
                Some(Err(error)) => {
                    let told = self.told(error);
                    let message = format!("what is permitted could not be checked: {told}");
                    let code = Code::PermissionsNotChecked;
                    self.add(Severity::Warning, code, "", "", message);
                }
                None => {}
            }
        }
    }

    /// A clock that is wrong enough blocks what is signed by it.
    fn clock(&mut self, place: &PlaceAnswer<'_>, aws_time: Timestamp, is_refused: bool) {
        let ahead = place.at.since(aws_time);
        let behind = aws_time.since(place.at);
        let (skew, way) = if ahead > behind {
            (ahead, "ahead of")
        } else {
            (behind, "behind")
        };
        if skew <= SKEW {
            return;
        }
        let message = format!(
            "the gateway's clock is {} {way} that of AWS in {}; AWS takes five minutes at most",
            age(skew),
            at(place)
        );
        let severity = if is_refused {
            Severity::Blocking
        } else {
            Severity::Warning
        };
        self.add(severity, Code::ClockSkew, "", "", message);
    }

    fn caller(&mut self, place: &PlaceAnswer<'_>, caller: &Caller) {
        if caller.account == place.target.account {
            return;
        }
        let message = format!(
            "AWS takes whoever calls in {} for {}, of account {}",
            at(place),
            caller.arn,
            caller.account
        );
        self.add(Severity::Blocking, Code::WrongAccount, "", "", message);
    }

    fn permissions(&mut self, place: &PlaceAnswer<'_>, permissions: &Permissions) {
        let Permissions {
            denied,
            denied_optional,
            undecided,
        } = permissions;
        let findings = [
            (Severity::Blocking, Code::ActionsDenied, denied, "may not"),
            (
                Severity::Warning,
                Code::OptionalActionsDenied,
                denied_optional,
                "may not (launches do without)",
            ),
            (
                Severity::Warning,
                Code::ActionsUndecided,
                undecided,
                "may under conditions that could not be checked",
            ),
        ];
        for (severity, code, actions, may) in findings {
            if !actions.is_empty() {
                let message = format!("the role in {} {may}: {}", at(place), actions.join(", "));
                self.add(severity, code, "", "", message);
            }
        }
    }

    /// Says which quotas are full or will be. They are those of a run: the
    /// settings', else what AWS says, else those of DRS for everybody.
    pub(super) fn quotas(&mut self, places: &[PlaceAnswer<'_>], settings: &Quotas) {
        for place in places {
            let Ok(jobs) = &place.jobs else { continue };
            let granted = place.quotas.clone().unwrap_or_default();
            let limits = settings.of(&Place::of(place.target), &granted);
            let (most_jobs, most_servers) = (limits.jobs as usize, limits.servers as usize);
            let at = at(place);
            if jobs.len() >= most_jobs {
                let message = format!(
                    "{} jobs run in account {at}, where {most_jobs} may run",
                    jobs.len()
                );
                self.add(Severity::Info, Code::JobsQuotaFull, "", "", message);
            }
            let launched: usize = jobs.iter().map(|job| job.servers.len()).sum();
            if launched > 0 && launched + self.seen.len() > most_servers {
                let message = format!(
                    "{launched} servers are in jobs in account {at}, where {most_servers} may be"
                );
                self.add(Severity::Info, Code::ServersQuotaShort, "", "", message);
            }
        }
    }
}

fn at(place: &PlaceAnswer<'_>) -> String {
    format!("{} in {}", place.target.account, place.target.region)
}

/// Why it is not known who calls.
fn code_of(error: &DrsError) -> Code {
    match error {
        DrsError::Throttled { .. } => Code::DrsThrottled,
        DrsError::Denied { .. } | DrsError::Refused { .. } => Code::CallerUnknown,
        DrsError::Failed { .. } => Code::CallerUnreachable,
    }
}
