//! What can be found, by its stable code, and what to do about it.

use crate::ports::drs::DrsError;

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Code {
    ServerNotFound,
    NoServersSelected,
    ServerSelectedTwice,
    ServerBusy,
    ServerInJob,
    ReplicationNotContinuous,
    ReplicationLag,
    NoSnapshot,
    SnapshotOld,
    InstanceLeft,
    RecoveryRuns,
    LaunchesStopped,
    JobsQuotaFull,
    ServersQuotaShort,
    NotChecked,
    NotAllChecked,
    HookNotArmed,
    HookHostUnavailable,
    TooManyServers,
    DrsThrottled,
    DrsDenied,
    DrsRefused,
    DrsUnreachable,
    WrongAccount,
    ActionsDenied,
    OptionalActionsDenied,
    ActionsUndecided,
    PermissionsNotChecked,
    CallerUnknown,
    CallerUnreachable,
    ClockSkew,
    ExtendedServer,
    StagingUnreachable,
}

impl Code {
    /// The words of the API.
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::ServerNotFound => "SERVER_NOT_FOUND",
            Self::NoServersSelected => "NO_SERVERS_SELECTED",
            Self::ServerSelectedTwice => "SERVER_SELECTED_TWICE",
            Self::ServerBusy => "SERVER_BUSY",
            Self::ServerInJob => "SERVER_IN_JOB",
            Self::ReplicationNotContinuous => "REPLICATION_NOT_CONTINUOUS",
            Self::ReplicationLag => "REPLICATION_LAG",
            Self::NoSnapshot => "NO_SNAPSHOT",
            Self::SnapshotOld => "SNAPSHOT_OLD",
            Self::InstanceLeft => "RECOVERY_INSTANCE_LEFT",
            Self::RecoveryRuns => "RECOVERY_INSTANCE_IN_USE",
            Self::LaunchesStopped => "LAUNCHES_STOPPED",
            Self::JobsQuotaFull => "JOBS_QUOTA_FULL",
            Self::ServersQuotaShort => "SERVERS_QUOTA_SHORT",
            Self::NotChecked => "NOT_CHECKED",
            Self::NotAllChecked => "NOT_ALL_SERVERS_CHECKED",
            Self::HookNotArmed => "HOOK_NOT_ARMED",
            Self::HookHostUnavailable => "HOOK_HOST_UNAVAILABLE",
            Self::TooManyServers => "TOO_MANY_SERVERS",
            Self::DrsThrottled => "DRS_THROTTLED",
            Self::DrsDenied => "DRS_DENIED",
            Self::DrsRefused => "DRS_REFUSED",
            Self::DrsUnreachable => "DRS_UNREACHABLE",
            Self::WrongAccount => "WRONG_ACCOUNT",
            Self::ActionsDenied => "ACTIONS_DENIED",
            Self::OptionalActionsDenied => "OPTIONAL_ACTIONS_DENIED",
            Self::ActionsUndecided => "ACTIONS_UNDECIDED",
            Self::PermissionsNotChecked => "PERMISSIONS_NOT_CHECKED",
            Self::CallerUnknown => "CALLER_UNKNOWN",
            Self::CallerUnreachable => "STS_UNREACHABLE",
            Self::ClockSkew => "CLOCK_SKEW",
            Self::ExtendedServer => "EXTENDED_SERVER",
            Self::StagingUnreachable => "STAGING_ACCOUNT_UNREACHABLE",
        }
    }

    /// What to do about it.
    pub(super) fn remedy(self) -> &'static str {
        match self {
            Self::ServerNotFound => SERVER_NOT_FOUND,
            Self::NoServersSelected => NO_SERVERS_SELECTED,
            Self::ServerSelectedTwice => SERVER_SELECTED_TWICE,
            Self::ServerBusy => SERVER_BUSY,
            Self::ServerInJob => SERVER_IN_JOB,
            Self::ReplicationNotContinuous => REPLICATION_NOT_CONTINUOUS,
            Self::ReplicationLag => REPLICATION_LAG,
            Self::NoSnapshot => NO_SNAPSHOT,
            Self::SnapshotOld => SNAPSHOT_OLD,
            Self::InstanceLeft => INSTANCE_LEFT,
            Self::RecoveryRuns => RECOVERY_RUNS,
            Self::LaunchesStopped => LAUNCHES_STOPPED,
            Self::JobsQuotaFull => JOBS_QUOTA_FULL,
            Self::ServersQuotaShort => SERVERS_QUOTA_SHORT,
            Self::NotChecked => NOT_CHECKED,
            Self::NotAllChecked => NOT_ALL_CHECKED,
            Self::HookNotArmed => HOOK_NOT_ARMED,
            Self::HookHostUnavailable => "Try again; if it stays, look at the gateway's log.",
            Self::TooManyServers => "Split the plan.",
            Self::DrsThrottled => DRS_THROTTLED,
            Self::DrsDenied => DRS_DENIED,
            Self::DrsRefused => DRS_REFUSED,
            Self::DrsUnreachable => DRS_UNREACHABLE,
            Self::WrongAccount => WRONG_ACCOUNT,
            Self::ActionsDenied | Self::OptionalActionsDenied => ACTIONS_DENIED,
            Self::ActionsUndecided => ACTIONS_UNDECIDED,
            Self::PermissionsNotChecked => PERMISSIONS_NOT_CHECKED,
            Self::CallerUnknown => CALLER_UNKNOWN,
            Self::CallerUnreachable => CALLER_UNREACHABLE,
            Self::ClockSkew => CLOCK_SKEW,
            Self::ExtendedServer => EXTENDED_SERVER,
            Self::StagingUnreachable => STAGING_UNREACHABLE,
        }
    }

    /// Why the servers of a group are not known.
    pub(super) fn of(error: &DrsError) -> Self {
        match error {
            DrsError::Throttled { .. } => Self::DrsThrottled,
            DrsError::Denied { .. } => Self::DrsDenied,
            DrsError::Refused { .. } => Self::DrsRefused,
            DrsError::Failed { .. } => Self::DrsUnreachable,
        }
    }
}

const SERVER_NOT_FOUND: &str = "Correct the id, the account or the Region in the plan, or install the DRS agent on the server.";
const NO_SERVERS_SELECTED: &str = "Correct the tags in the plan, or tag the source servers in DRS.";
const SERVER_SELECTED_TWICE: &str =
    "Name the server in one wave only, or make the tags of the waves differ.";
const SERVER_BUSY: &str =
    "Wait for that execution to end, or cancel it: `tidegate execution cancel ID`.";
const SERVER_IN_JOB: &str = "DRS runs one job per server at a time: wait for the job to end. Whoever started it can be seen in the DRS console.";
const REPLICATION_NOT_CONTINUOUS: &str =
    "Look at the server in the DRS console, and see that its agent runs and reaches AWS.";
const REPLICATION_LAG: &str = "See whether the server writes more than its connection to AWS or its replication server can take, or set a longer RPO in the plan.";
const NO_SNAPSHOT: &str =
    "Wait for the first snapshot: without one, nothing can be launched when the source is gone.";
const SNAPSHOT_OLD: &str =
    "See in the DRS console why no newer snapshot was taken: a recovery would go back to this one.";
const INSTANCE_LEFT: &str = "It costs money. Terminate it: `tidegate execution cleanup ID` with the drill that launched it, or in the DRS console.";
const RECOVERY_RUNS: &str = "It comes from a real recovery: make sure that nobody works on it before anything is launched for its server again.";
const LAUNCHES_STOPPED: &str = "Checks after the launch cannot reach a stopped instance. Set \"Start instance upon launch\" in the server's DRS launch settings, or start it yourself.";
const JOBS_QUOTA_FULL: &str = "Launches queue until a job ends. Ask for a higher quota on DRS's concurrent jobs in Service Quotas.";
const SERVERS_QUOTA_SHORT: &str = "Some launches queue until jobs end. Ask for a higher quota on DRS's servers in all jobs in Service Quotas.";
const NOT_CHECKED: &str =
    "Check it by hand; if AWS says that the call is not permitted, permit it to the target's role.";
const NOT_ALL_CHECKED: &str =
    "Split the wave's servers into smaller groups to have all of them checked.";
const HOOK_NOT_ARMED: &str = "Push the hook or correct its parameters, and apply the plan again.";
const DRS_THROTTLED: &str =
    "Try again in a minute, and see who else calls DRS in this account and Region.";
const DRS_DENIED: &str = "See that the target's role exists, trusts the gateway and is permitted the call that is named.";
const DRS_REFUSED: &str =
    "Initialise DRS in this account and Region, or correct the target in the plan.";
const DRS_UNREACHABLE: &str = "See that the gateway's credentials are valid, its clock is right and DRS's endpoint in this Region can be reached; then try again.";
const WRONG_ACCOUNT: &str = "Name a role of the target's account in the plan (`target: {account, region, role}`), or correct the account. Who may assume the role: `tidegate aws policy --trust`.";
const ACTIONS_DENIED: &str = "Give the role what `tidegate aws policy --for target` prints, and see that neither a boundary nor the organisation forbids it.";
const ACTIONS_UNDECIDED: &str = "Look at the conditions in the role's policies, or give it what `tidegate aws policy --for target` prints.";
const PERMISSIONS_NOT_CHECKED: &str = "Permit iam:SimulatePrincipalPolicy to the role, on itself, as `tidegate aws policy --for target` prints it, and name the role with its path in the plan; or check the permissions by hand.";
const CALLER_UNKNOWN: &str = "See that the gateway has credentials, that the target's role exists and trusts it (`tidegate aws policy --trust`), and that its external id is that of the settings (drs.external_id, or drs.accounts for a single account).";
const CALLER_UNREACHABLE: &str = "See that the gateway's credentials are valid, its clock is right and STS in this Region can be reached; then try again.";
const CLOCK_SKEW: &str = "Set the clock of the gateway's machine, best by a time service: AWS refuses calls that are signed at the wrong time.";
const EXTENDED_SERVER: &str = "Nothing, as long as that account trusts this one in DRS and shares the keys of encrypted volumes with it.";
const STAGING_UNREACHABLE: &str = "See in DRS, in that account, that it trusts this one, that the source server is there, and that keys of encrypted volumes are shared.";
