//! Faults: what goes wrong, as rules with verdicts.
//!
//! A set of [`Faults`] is pure data, and a [`FaultPlan`] a pure judge of it: it is asked about every
//! [`Call`] and gives a [`Verdict`]. Nothing here does IO, reads a clock or draws a random number;
//! chance is a hash of the seed, of the rule's name and of the number of the call that the rule
//! sees. The same seed and the same calls in the same order have the same faults.
//!
//! Written down they are the `faults:` section of a scenario file, and the body of
//! `PUT /_emulator/faults`. In a deterministic simulation without HTTP, who plays DRS holds a
//! [`Model`](crate::model::Model) and a plan, asks for a verdict on each call, does what it says,
//! and reads through [`Model::told_jobs`](crate::model::Model::told_jobs) and its siblings:
//!
//! ```
//! use tidegate_emulator::faults::{Answer, Call, CallVerdict, FaultPlan, FaultsFile, Instead};
//! use tidegate_emulator::model::{AccountId, Place, Region, Seed};
//! use tidegate_emulator::Operation;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let file: FaultsFile = serde_json::from_str(
//!     r#"{"rules": [{"name": "lost", "match": {"operations": ["StartRecovery"]},
//!         "when": {"skip": 1, "times": 1}, "then": {"answer": "reset"}}],
//!         "service": {"lag": {"jobs": 5}}}"#,
//! )?;
//! let faults = file.check(Seed(7))?;
//! // model.set_flaws(faults.service.clone());
//! let start = "2026-03-01T12:00:00Z".parse()?;
//! let mut plan = FaultPlan::new(&faults, start);
//! let place = Place {
//!     account: AccountId::parse("123456789012")?,
//!     region: Region::parse("us-west-2")?,
//! };
//! let call = Call { operation: Operation::StartRecovery, place: &place, servers: &[] };
//! assert_eq!(plan.judge(&call, start).call, CallVerdict::default());
//! let CallVerdict::Done { answer, .. } = plan.judge(&call, start).call else { panic!() };
//! assert_eq!(answer, Answer::Instead(Instead::Reset));
//! # Ok(())
//! # }
//! ```
//!
//! # The file
//! ```yaml
//! faults:
//!   seed: 7                  # of every chance; default: the scenario's
//!   rules:                   # asked in order: the first that fires decides
//!     - name: lost-answers   # under which it is counted
//!       match:               # what it is about; what is absent means any
//!         operations: [StartRecovery, TerminateRecoveryInstances]
//!         accounts: ["123456789012"]
//!         regions: [us-west-2]
//!         servers: [s-10000000000db]   # the request names one whose id begins so
//!       when:                # which of those calls; absent: all
//!         from: 60           # emulated seconds after the plan began …
//!         until: 600         # … and before this; calls outside are not counted
//!         skip: 2            # lets so many through first
//!         every: 10          # then every tenth; or `probability: 0.1`; or neither: each
//!         burst: 3           # and so many in a row from there
//!         times: 6           # so many at most
//!       then: {work: once, answer: reset}
//!     - name: half-fail
//!       then: {job: {effect: failLaunch, servers: 2}}
//!   service:
//!     lag: {jobs: 5, tags: 8, lastLaunch: 3}   # emulated seconds until each is told
//!     clockSkew: -2.5                          # of every time that the service tells
//!     quotas: {concurrentJobs: 2}              # also serversPerJob, serversInAllJobs
//!     unlisted: {jobStatus: true, launchStatus: true, logEvents: true}
//!     denied: ["drs:StartRecovery", "ec2:RunInstances"]   # as IAM spells them
//!     externalIds: {"arn:aws:iam::123456789012:role/launch": tide}   # of roles that trust so
//! ```
//! The first `n` calls are `times: n`, the `n`-th alone is `skip: n-1, times: 1`, and a burst of
//! three throttled reads in every ten is `every: 10, burst: 3`. A plan begins with the emulator, or
//! when it is put. A call that a rule takes is not seen by the rules behind it.
//!
//! # What happens to a call
//! `work` says whether, when and how often the call is done, `answer` what its caller hears:
//!
//! | `work` | |
//! |---|---|
//! | `once` | as it should be; the default |
//! | `none` | never |
//! | `twice` | twice at once. A StartRecovery launches its servers again although its first job holds them: two jobs, and every launch listed twice. The first answer counts |
//! | `late: 30` | 30 emulated seconds later, or not if it is refused then |
//!
//! | `answer` | |
//! |---|---|
//! | `whole` | the answer; the default |
//! | `delayed: 3` | the answer, three real seconds later |
//! | `slow: 3` | the head at once, the body in drops over three real seconds |
//! | `cut` | the head and half of the body, then the connection is reset |
//! | `silence` | nothing. The connection stays open until the caller gives up, or ten minutes |
//! | `reset` | nothing. The connection is reset (RST) |
//! | `error: {code: ThrottlingException, retryAfterSeconds: 2}` | that error, as the service model spells it |
//!
//! With `none` and `late` there is no answer yet: only the last three. `retryAfterSeconds` is the
//! `Retry-After` header of ThrottlingException, InternalServerException and
//! ServiceUnavailableException. The other codes are ExpiredTokenException, AccessDeniedException,
//! ConflictException (naming the request's first server), ResourceNotFoundException,
//! ServiceQuotaExceededException, UninitializedAccountException and ValidationException. Faults that
//! are often wanted:
//!
//! | fault | `then` |
//! |---|---|
//! | the reply is lost | `{answer: silence}` or `{answer: reset}` |
//! | the request is lost | `{work: none, answer: reset}` |
//! | done long after the caller gave up | `{work: {late: 30}, answer: reset}` |
//! | 5xx before, and after the work | `{work: none, answer: {error: {code: InternalServerException}}}`, and without `work` |
//! | a conflict although it was accepted | `{answer: {error: {code: ConflictException}}}` |
//! | throttled | `{work: none, answer: {error: {code: ThrottlingException, retryAfterSeconds: 2}}}` |
//! | credentials expired | `{work: none, answer: {error: {code: ExpiredTokenException}}}` |
//!
//! # What happens to a job
//! A rule with `job` looks at the StartRecovery calls that are done, and decides how the job goes
//! that such a call starts. It counts calls, also those that DRS then refuses.
//!
//! | `job` | |
//! |---|---|
//! | `{effect: failConversion, servers: 2}` | that effect for two of its servers, drawn for each job; without `servers` for all. The effects are those of scenario files: `failSnapshot`, `failConversion`, `failLaunch`, `previousSnapshot`, `skip` (ends PENDING), `leaveInProgress` (ends so), `loseInstance` (LAUNCHED, and the instance vanishes), `withholdInstance` (LAUNCHED without `recoveryInstanceID`), `endUnlisted` (a status that no SDK lists) |
//! | `{forgottenAfter: 60}` | 60 emulated seconds later no operation knows the job; its servers go on |
//!
//! # What is wrong with the service
//! `service` holds for every call. Under `lag` a job is listed, tags are told and a launch becomes
//! its server's `lastLaunch` only so long after the fact; the answer of the call itself tells the
//! truth. `clockSkew` moves every time that is told, and filters by time with it. A quota may be
//! lower, or higher, than is documented. `unlisted` tells STARTED jobs, IN_PROGRESS servers and one
//! more event in each log as `UNLISTED`. What is `denied` is refused to everybody as
//! AccessDeniedException, and IAM says so when it is asked; of EC2's actions, nothing but that.
//! STS gives a role of `externalIds` to whoever names that id, and any other role to everybody.
//!
//! # Over HTTP
//! | request | |
//! |---|---|
//! | `PUT /_emulator/faults` | replaces all faults, and counts from zero; 400 with the path of what is wrong |
//! | `GET /_emulator/faults` | the faults, since when, and of each rule the calls `seen` and `fired` |
//! | `DELETE /_emulator/faults` | no faults from now on; calls that are late are still done |
//!
//! Faults are about DRS only: the control API has none, and requests without credentials or for
//! operations that are not emulated are refused as ever. `GET /_emulator/launches` lists every
//! launch that was accepted, whatever its caller heard: twice if it was done twice.

mod check;
mod error;
mod file;
mod plan;
mod rule;
#[cfg(test)]
mod tests;
mod verdict;
mod written;

pub use error::FaultError;
pub use file::FaultsFile;
pub use plan::{Count, FaultPlan, Faults};
pub use rule::{Call, Matches, Pattern, Rule, Then, When, Window};
pub use verdict::{Answer, CallVerdict, ErrorAnswer, ErrorCode, Instead, Times, Verdict};
