//! Faults as they would be written: what the control API shows.

use std::time::Duration;

use jiff::SignedDuration;

use super::file::{
    AnswerFile, ErrorFile, FaultsFile, JobFile, LagFile, MatchFile, RuleFile, ServiceFile,
    ThenFile, WhenFile, WorkFile,
};
use super::plan::Faults;
use super::rule::{Matches, Pattern, Rule, Then, When};
use super::verdict::{Answer, CallVerdict, Instead, Times};
use crate::model::{Flaws, JobFault};

impl From<&Faults> for FaultsFile {
    fn from(faults: &Faults) -> Self {
        Self {
            seed: Some(faults.seed.0),
            rules: faults.rules.iter().map(rule).collect(),
            service: service(&faults.service),
        }
    }
}

fn rule(rule: &Rule) -> RuleFile {
    RuleFile {
        name: rule.name.clone(),
        matches: matches(&rule.matches),
        when: when(&rule.when),
        then: then(&rule.then),
    }
}

fn matches(matches: &Matches) -> MatchFile {
    MatchFile {
        operations: matches.operations.clone(),
        accounts: matches.accounts.iter().map(ToString::to_string).collect(),
        regions: matches.regions.iter().map(ToString::to_string).collect(),
        servers: matches.servers.clone(),
    }
}

fn when(when: &When) -> WhenFile {
    let from = when.window.from;
    let (every, probability) = match when.pattern {
        Pattern::Each => (None, None),
        Pattern::Every(every) => (Some(every.get()), None),
        Pattern::Chance(probability) => (None, Some(probability)),
    };
    WhenFile {
        from: (!from.is_zero()).then(|| from.as_secs_f64()),
        until: when.window.until.as_ref().map(SignedDuration::as_secs_f64),
        skip: (when.skip > 0).then_some(when.skip),
        every,
        probability,
        burst: (when.burst.get() > 1).then(|| when.burst.get()),
        times: when.times,
    }
}

fn then(then: &Then) -> ThenFile {
    let (work, answer) = match then {
        Then::Job(fault) => {
            return ThenFile {
                job: Some(job(fault)),
                ..ThenFile::default()
            };
        }
        Then::Call(CallVerdict::Done { times, answer }) => {
            let work = match times {
                Times::Once => WorkFile::Once,
                Times::Twice => WorkFile::Twice,
            };
            (work, heard(answer))
        }
        Then::Call(CallVerdict::NotDone { instead }) => (WorkFile::None, heard_instead(instead)),
        Then::Call(CallVerdict::Late { by, instead }) => {
            (WorkFile::Late(by.as_secs_f64()), heard_instead(instead))
        }
    };
    ThenFile {
        work: Some(work),
        answer: Some(answer),
        job: None,
    }
}

fn heard(answer: &Answer) -> AnswerFile {
    match answer {
        Answer::Whole => AnswerFile::Whole,
        Answer::Delayed(time) => AnswerFile::Delayed(Duration::as_secs_f64(time)),
        Answer::Dribbled(time) => AnswerFile::Slow(Duration::as_secs_f64(time)),
        Answer::Cut => AnswerFile::Cut,
        Answer::Instead(instead) => heard_instead(instead),
    }
}

fn heard_instead(instead: &Instead) -> AnswerFile {
    match instead {
        Instead::Silence => AnswerFile::Silence,
        Instead::Reset => AnswerFile::Reset,
        Instead::Error(error) => AnswerFile::Error(ErrorFile {
            code: error.code,
            retry_after_seconds: error.retry_after_seconds,
        }),
    }
}

fn job(fault: &JobFault) -> JobFile {
    match fault {
        JobFault::Servers { effect, count } => JobFile {
            effect: Some(*effect),
            servers: (*count != usize::MAX).then_some(*count),
            forgotten_after: None,
        },
        JobFault::Forgotten { after } => JobFile {
            effect: None,
            servers: None,
            forgotten_after: Some(after.as_secs_f64()),
        },
    }
}

fn service(flaws: &Flaws) -> ServiceFile {
    ServiceFile {
        lag: LagFile {
            jobs: flaws.lag.jobs.as_secs_f64(),
            tags: flaws.lag.tags.as_secs_f64(),
            last_launch: flaws.lag.last_launch.as_secs_f64(),
        },
        clock_skew: flaws.clock_skew.as_secs_f64(),
        quotas: flaws.quotas,
        unlisted: flaws.unlisted,
        denied: flaws.denied.clone(),
        external_ids: flaws.external_ids.clone(),
    }
}
