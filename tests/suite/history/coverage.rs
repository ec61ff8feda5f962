//! What histories say: every name of every closed set that occurs in their
//! changes, or in a state on their way.

use std::{collections::BTreeSet, fmt::Debug};

use bytes::Bytes;
use tidegate_core::engine::{Change, Execution, HookOutcome};
use tidegate_gateway::journal_format;

/// All that the first version can say.
pub(super) const FIRST_VERSION: [(&str, &str); 18] = [
    ("kind", "Drill Recovery Cleanup"),
    (
        "change",
        "ExecutionMoved OwnerChanged Closing HoldPlaced HoldLifted WaveMoved GateOpened \
         SelectionStarted ServersSelected HookStarted HookEnded AttemptStarted RetryScheduled \
         LaunchIntended LaunchMoved ServerMoved ServerWarned",
    ),
    (
        "execution",
        "Running Pausing Paused Cancelling Cancelled Succeeded SucceededWithWarnings Failed",
    ),
    (
        "wave",
        "Waiting Gated Checking Launching Recovering Verifying Succeeded SucceededWithWarnings \
         Failed Skipped Cancelled",
    ),
    (
        "server",
        "Pending Requested Snapshot Conversion Launch Launched Failed Skipped Terminated",
    ),
    (
        "launch",
        "Asking Reconciling Deferred Running Ended Refused Abandoned",
    ),
    ("stage", "Idle Selecting Hook Attempt Backoff"),
    ("hook", "Running Delayed Held"),
    (
        "outcome",
        "Proceed Retry Hold Skip Abort Failed Waived Dropped",
    ),
    (
        "failure",
        "Error Trap Stack Fuel Timeout Memory Table BadOutput ContractMismatch DigestMismatch \
         ProbeDenied Host",
    ),
    ("hold", "Operator Planned Approval WaveFailed Hook"),
    ("closing", "Stop Timeout Cancel"),
    (
        "reason",
        "None Operator Planned NotReached Timeout ServersFailed Tolerated Hook HookFailed \
         Selection Refused Deferred AnswerLost OwnerLost NoTrace Adopted Drs JobEndedEarly",
    ),
    (
        "deadline",
        "ExecutionTimeout WaveTimeout WaveRetry LaunchRetry HookRetry GateTimeout",
    ),
    ("command", "Select Hook Launch Look Follow"),
    ("phase", "PreWave PostWave"),
    ("severity", "Info Warning Error"),
    ("log", "Debug Info Warning Error"),
];

/// What the second version says beside all that the first could; it decides
/// no `LaunchIntended` any more.
pub(super) const SECOND_VERSION: [(&str, &str); 4] = [
    ("change", "LaunchQueued"),
    ("launch", "Queued"),
    ("reason", "Quota"),
    ("command", "Admit"),
];

/// What an earlier version decided and the second does not any more.
pub(super) const NOT_SINCE_THE_FIRST: &str = "change LaunchIntended";

/// Everything that these histories say, as `what name`.
pub(super) fn of(histories: &[Vec<Bytes>]) -> BTreeSet<String> {
    let mut said = Said::default();
    for records in histories {
        let mut execution: Option<Execution> = None;
        for bytes in records {
            let record = journal_format::decode(bytes).expect("it is a record");
            let execution = execution.get_or_insert_with(|| {
                super::begin(record.genesis.as_ref().expect("the first has an origin"))
            });
            for change in &record.view.changes {
                said.change(change);
                execution.apply(change, record.view.at);
                said.state(execution);
            }
        }
    }
    said.0
}

#[derive(Default)]
struct Said(BTreeSet<String>);

impl Said {
    /// The name of the variant, which is how `Debug` begins.
    fn name(&mut self, what: &str, value: &impl Debug) {
        let text = format!("{value:?}");
        let name: String = text.chars().take_while(|c| c.is_alphanumeric()).collect();
        self.0.insert(format!("{what} {name}"));
    }

    fn change(&mut self, change: &Change) {
        self.name("change", change);
        if let Change::Closing { to, .. } = change {
            self.name("closing", to);
        }
        if let Change::HookStarted { phase, .. } = change {
            self.name("phase", phase);
        }
        if let Change::HookEnded {
            outcome, evidence, ..
        } = change
        {
            self.name("outcome", outcome);
            if let HookOutcome::Failed { kind } | HookOutcome::Waived { kind } = outcome {
                self.name("failure", kind);
            }
            for finding in &evidence.findings {
                self.name("severity", &finding.severity);
            }
            for line in &evidence.log {
                self.name("log", &line.level);
            }
        }
    }

    fn state(&mut self, execution: &Execution) {
        self.name("kind", &execution.kind());
        self.name("execution", &execution.state());
        self.name("reason", &execution.reason().code);
        for hold in execution.holds() {
            self.name("hold", &hold.cause);
        }
        if let Some(deadline) = execution.next_deadline() {
            self.name("deadline", &deadline.reason);
        }
        for command in execution.outstanding() {
            self.name("command", &command);
        }
        for wave in execution.waves() {
            self.name("wave", &wave.state());
            self.name("reason", &wave.reason().code);
            self.name("stage", &wave.stage());
            if let tidegate_core::engine::Stage::Hook(step) = wave.stage() {
                self.name("hook", &step.status);
            }
            for server in wave.servers() {
                self.name("server", &server.state);
                self.name("reason", &server.reason.code);
            }
            for launch in wave.launches() {
                self.name("launch", &launch.state);
                self.name("reason", &launch.reason.code);
            }
        }
    }
}
