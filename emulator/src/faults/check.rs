//! The checks that make faults of what was written.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::time::Duration;

use jiff::SignedDuration;

use super::error::FaultError;
use super::file::{
    AnswerFile, ErrorFile, FaultsFile, JobFile, MatchFile, RuleFile, ServiceFile, ThenFile,
    WhenFile, WorkFile,
};
use super::plan::Faults;
use super::rule::{Matches, Pattern, Rule, Then, When, Window};
use super::verdict::{Answer, CallVerdict, ErrorAnswer, Instead, Times};
use crate::model::{AccountId, Flaws, InvalidId, JobFault, Lag, Region, Seed};

/// What a year has.
const LONGEST: f64 = 31_536_000.0;

/// Callers do not wait for longer, and nor does an emulator that is to stop.
const LONGEST_ANSWER: f64 = 600.0;

/// Rules in one plan: each call asks each of them.
const RULES: usize = 100;

impl FaultsFile {
    /// Checks what was written. `seed` is that of the scenario.
    pub fn check(&self, seed: Seed) -> Result<Faults, FaultError> {
        if self.rules.len() > RULES {
            let problem = format!("there are {}; at most {RULES} may be", self.rules.len());
            return Err(FaultError::at("rules", problem));
        }
        let mut names = BTreeSet::new();
        let mut rules = Vec::with_capacity(self.rules.len());
        for (number, rule) in self.rules.iter().enumerate() {
            let path = format!("rules[{number}]");
            if !names.insert(&rule.name) {
                let problem = format!("there is another rule {:?}; name each once", rule.name);
                return Err(FaultError::at("name", problem).under(&path));
            }
            rules.push(rule.check().map_err(|error| error.under(&path))?);
        }
        Ok(Faults {
            seed: self.seed.map_or(seed, Seed),
            rules,
            service: self
                .service
                .check()
                .map_err(|error| error.under("service"))?,
        })
    }
}

impl RuleFile {
    fn check(&self) -> Result<Rule, FaultError> {
        if self.name.is_empty() || self.name.len() > 64 {
            let problem = "a name of 1 to 64 bytes is needed";
            return Err(FaultError::at("name", problem));
        }
        Ok(Rule {
            name: self.name.clone(),
            matches: self.matches.check().map_err(|error| error.under("match"))?,
            when: self.when.check().map_err(|error| error.under("when"))?,
            then: self.then.check().map_err(|error| error.under("then"))?,
        })
    }
}

impl MatchFile {
    fn check(&self) -> Result<Matches, FaultError> {
        Ok(Matches {
            operations: self.operations.clone(),
            accounts: each("accounts", &self.accounts, AccountId::parse)?,
            regions: each("regions", &self.regions, Region::parse)?,
            servers: each("servers", &self.servers, server_prefix)?,
        })
    }
}

fn each<T>(
    member: &str,
    texts: &[String],
    parse: fn(&str) -> Result<T, InvalidId>,
) -> Result<Vec<T>, FaultError> {
    let parsed = |(number, text): (usize, &String)| {
        parse(text).map_err(|error| {
            FaultError::at(
                format!("{member}[{number}]"),
                format!("{:?} is not {}", error.value, error.expected),
            )
        })
    };
    texts.iter().enumerate().map(parsed).collect()
}

fn server_prefix(text: &str) -> Result<String, InvalidId> {
    if text.starts_with("s-") {
        return Ok(text.to_owned());
    }
    Err(InvalidId {
        value: text.to_owned(),
        expected: "the begin of a source server's id: s-…",
    })
}

impl WhenFile {
    fn check(&self) -> Result<When, FaultError> {
        let window = Window {
            from: match self.from {
                Some(from) => seconds("from", from)?,
                None => SignedDuration::ZERO,
            },
            until: self
                .until
                .map(|until| seconds("until", until))
                .transpose()?,
        };
        if window.until.is_some_and(|until| until <= window.from) {
            let problem = "it is not after `from`, so that the rule never holds";
            return Err(FaultError::at("until", problem));
        }
        let pattern = match (self.every, self.probability) {
            (None, None) => Pattern::Each,
            (Some(every), None) => Pattern::Every(positive("every", every)?),
            (None, Some(probability)) => Pattern::Chance(fraction(probability)?),
            (Some(_), Some(_)) => {
                let problem = "`every` and `probability` exclude each other; leave one out";
                return Err(FaultError::at("every", problem));
            }
        };
        if self.times == Some(0) {
            let problem = "is 0, so that the rule never fires; 1 or more is needed";
            return Err(FaultError::at("times", problem));
        }
        Ok(When {
            window,
            skip: self.skip.unwrap_or_default(),
            pattern,
            burst: positive("burst", self.burst.unwrap_or(1))?,
            times: self.times,
        })
    }
}

impl ThenFile {
    fn check(&self) -> Result<Then, FaultError> {
        match (&self.work, &self.answer, &self.job) {
            (None, None, Some(job)) => {
                let job = job.check().map_err(|error| error.under("job"))?;
                Ok(Then::Job(job))
            }
            (None, None, None) => {
                let problem = "there is none of `work`, `answer` and `job`; say what happens";
                Err(FaultError::at("work", problem))
            }
            (_, _, Some(_)) => {
                let problem = "a rule is about a call or about its job; make two rules of it";
                Err(FaultError::at("job", problem))
            }
            (work, answer, None) => call(work.as_ref(), answer.as_ref()).map(Then::Call),
        }
    }
}

fn call(work: Option<&WorkFile>, answer: Option<&AnswerFile>) -> Result<CallVerdict, FaultError> {
    let answer = answer.map_or(Ok(Answer::Whole), AnswerFile::check)?;
    Ok(match work.unwrap_or(&WorkFile::Once) {
        WorkFile::Once => CallVerdict::Done {
            times: Times::Once,
            answer,
        },
        WorkFile::Twice => CallVerdict::Done {
            times: Times::Twice,
            answer,
        },
        WorkFile::None => CallVerdict::NotDone {
            instead: instead(answer)?,
        },
        WorkFile::Late(by) => CallVerdict::Late {
            by: seconds("work.late", *by)?,
            instead: instead(answer)?,
        },
    })
}

/// What is heard of a call that is not done when it is answered.
fn instead(answer: Answer) -> Result<Instead, FaultError> {
    match answer {
        Answer::Instead(instead) => Ok(instead),
        Answer::Whole | Answer::Delayed(_) | Answer::Dribbled(_) | Answer::Cut => {
            let problem = "there is no answer yet when the work is not done; give \
                           `silence`, `reset` or an `error`";
            Err(FaultError::at("answer", problem))
        }
    }
}

impl AnswerFile {
    fn check(&self) -> Result<Answer, FaultError> {
        Ok(match self {
            Self::Whole => Answer::Whole,
            Self::Delayed(time) => Answer::Delayed(real_seconds("answer.delayed", *time)?),
            Self::Slow(time) => Answer::Dribbled(real_seconds("answer.slow", *time)?),
            Self::Cut => Answer::Cut,
            Self::Silence => Answer::Instead(Instead::Silence),
            Self::Reset => Answer::Instead(Instead::Reset),
            Self::Error(error) => Answer::Instead(Instead::Error(error.check()?)),
        })
    }
}

impl ErrorFile {
    fn check(&self) -> Result<ErrorAnswer, FaultError> {
        if self.retry_after_seconds.is_some() && !self.code.says_retry_after() {
            let problem = "this error does not say when to try again; leave it out";
            return Err(FaultError::at("answer.error.retryAfterSeconds", problem));
        }
        Ok(ErrorAnswer {
            code: self.code,
            retry_after_seconds: self.retry_after_seconds,
        })
    }
}

impl JobFile {
    fn check(&self) -> Result<JobFault, FaultError> {
        match (self.effect, self.servers, self.forgotten_after) {
            (Some(effect), count, None) => Ok(JobFault::Servers {
                effect,
                count: count.unwrap_or(usize::MAX),
            }),
            (None, None, Some(after)) => Ok(JobFault::Forgotten {
                after: seconds("forgottenAfter", after)?,
            }),
            (None, Some(_), _) => {
                let problem = "there is no `effect` that happens to them; give one";
                Err(FaultError::at("servers", problem))
            }
            (None, None, None) | (Some(_), _, Some(_)) => {
                let problem = "give either `effect` (and `servers`) or `forgottenAfter`";
                Err(FaultError::at("effect", problem))
            }
        }
    }
}

impl ServiceFile {
    fn check(&self) -> Result<Flaws, FaultError> {
        let skew = self.clock_skew;
        if !(-LONGEST..=LONGEST).contains(&skew) {
            let problem = format!("is {skew}; give a number of seconds, at most a year of them");
            return Err(FaultError::at("clockSkew", problem));
        }
        for (number, action) in self.denied.iter().enumerate() {
            if !action
                .split_once(':')
                .is_some_and(|(service, name)| !service.is_empty() && !name.is_empty())
            {
                let problem = format!("{action:?} is no action; write it like drs:StartRecovery");
                return Err(FaultError::at(format!("denied[{number}]"), problem));
            }
        }
        Ok(Flaws {
            lag: Lag {
                jobs: seconds("lag.jobs", self.lag.jobs)?,
                tags: seconds("lag.tags", self.lag.tags)?,
                last_launch: seconds("lag.lastLaunch", self.lag.last_launch)?,
            },
            clock_skew: micros(skew),
            quotas: self.quotas,
            unlisted: self.unlisted,
            denied: self.denied.clone(),
            external_ids: self.external_ids.clone(),
        })
    }
}

fn positive(member: &str, value: u32) -> Result<NonZeroU32, FaultError> {
    NonZeroU32::new(value).ok_or_else(|| FaultError::at(member, "is 0; 1 or more is needed"))
}

fn fraction(value: f64) -> Result<f64, FaultError> {
    if (0.0..=1.0).contains(&value) {
        return Ok(value);
    }
    let problem = format!("is {value}; give a number from 0 to 1");
    Err(FaultError::at("probability", problem))
}

fn seconds(member: &str, value: f64) -> Result<SignedDuration, FaultError> {
    within(member, value, LONGEST).map(micros)
}

fn real_seconds(member: &str, value: f64) -> Result<Duration, FaultError> {
    within(member, value, LONGEST_ANSWER).map(Duration::from_secs_f64)
}

fn within(member: &str, value: f64, longest: f64) -> Result<f64, FaultError> {
    if (0.0..=longest).contains(&value) {
        return Ok(value);
    }
    let problem = format!("is {value}; give a number of seconds from 0 to {longest}");
    Err(FaultError::at(member, problem))
}

fn micros(seconds: f64) -> SignedDuration {
    SignedDuration::from_micros((seconds * 1_000_000.0).round() as i64)
}
