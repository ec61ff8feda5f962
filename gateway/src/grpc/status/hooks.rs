//! What is said of hooks and of their tapes.

use tidegate_core::PlanName;
use tonic::{Code, Status};

use super::{
    bounds, exhausted, internal, invalid, not_found, precondition, unavailable, with_reason,
};
use crate::ports::{
    hook_store::HookStoreError,
    hooks::{Fault, RegisterError, RehearsalError, Unarmed},
};

/// There is no such hook, by digest or by name.
pub(crate) fn hook_not_found(hook: &str) -> Status {
    let what = format!("there is no hook {hook} here; register it first (tidegate hook push)");
    not_found("HOOK_NOT_FOUND", "tidegate.v1.Hook", hook, what)
}

/// There is no such tape.
pub(crate) fn tape_not_found(name: &str) -> Status {
    let what = format!("there is no tape {name}; ListTapes lists those that there are");
    not_found("TAPE_NOT_FOUND", "tidegate.v1.TapeId", name, what)
}

/// Plans or executions use the hook; `users` says which, for people.
pub(crate) fn hook_in_use(digest: &str, users: &str) -> Status {
    precondition(
        "HOOK_IN_USE",
        digest,
        format!(
            "hook {digest} is used by {users}; apply those plans without it or delete them, and \
             wait until those executions are over"
        ),
        [("hook", digest.to_owned()), ("used_by", users.to_owned())],
    )
}

/// Hooks are not ready for a reason that is not the plan's: `None` where there
/// is none, or where something is wrong with the plan, which comes first.
pub(crate) fn hooks_unready(unarmed: &[Unarmed]) -> Option<Status> {
    let first = unarmed.first()?;
    let has = |fault| unarmed.iter().any(|it| it.fault == fault);
    if has(Fault::Plan) {
        return None;
    }
    let more = match unarmed.len() {
        1 => String::new(),
        count => format!(" (and {} more)", count - 1),
    };
    let why = format!("{}: {}{more}", first.field, first.problem);
    Some(host_failed(has(Fault::Exhausted), &why))
}

/// Nothing is wrong with what was asked for.
fn host_failed(is_exhausted: bool, why: &str) -> Status {
    if is_exhausted {
        let message = format!(
            "this gateway has not enough memory, time, processes or files for its hooks: {why}; \
             nothing is wrong with the request: free or grant some (hooks.* in the settings), \
             then try again"
        );
        exhausted("HOOK_HOST_EXHAUSTED", "hook_host", message)
    } else {
        let message = format!(
            "this gateway cannot make hooks ready now: {why}; nothing is wrong with the request: \
             put it right on the gateway's machine, then try again"
        );
        unavailable("HOOKS_UNAVAILABLE", message)
    }
}

/// Hooks of a plan that is to be started are not ready.
pub(crate) fn plan_not_armed(name: &PlanName, revision: u64, mut unarmed: Vec<Unarmed>) -> Status {
    const REASON: &str = "PLAN_NOT_ARMED";
    if let Some(status) = hooks_unready(&unarmed) {
        return status;
    }
    unarmed.retain(|it| it.fault == Fault::Plan);
    let what = match &unarmed[..] {
        [only] => format!("{}: {}", only.field, only.problem),
        all => format!("{} of its uses of hooks are not ready", all.len()),
    };
    let message = format!(
        "plan {name} cannot be started: {what}; put right what is listed and apply the plan \
         again, or register the missing hooks again (tidegate hook push), then start it again"
    );
    with_reason(
        Code::FailedPrecondition,
        REASON,
        message,
        [
            ("name", name.to_string()),
            ("revision", revision.to_string()),
        ],
        |details| {
            details.set_precondition_failure(bounds::problems(REASON, &unarmed));
        },
    )
}

/// Why a hook was not registered.
pub(crate) fn from_register(error: &RegisterError) -> Status {
    let message = error.to_string();
    match error {
        RegisterError::Digest { .. } => invalid("digest", message),
        RegisterError::NotAHook(_) => {
            let description = bounds::message(message);
            with_reason(
                Code::InvalidArgument,
                "NOT_A_HOOK",
                format!("data: {description}"),
                [("field", "data".to_owned())],
                |details| {
                    details.add_bad_request_violation("data", description);
                },
            )
        }
        RegisterError::Unavailable(_) => unavailable("HOOKS_UNAVAILABLE", message),
        RegisterError::Store(error) => from_hook_store(error),
    }
}

/// Why a hook was not run; `subject` is the field with what to run it on.
pub(crate) fn from_rehearsal(error: &RehearsalError, subject: &str) -> Status {
    match error {
        RehearsalError::NoHook(digest) => hook_not_found(digest),
        RehearsalError::BadSubject(why) => invalid(subject, why.as_str()),
        RehearsalError::Unready { problem, fault } => match fault {
            Fault::Plan => precondition("HOOK_UNUSABLE", "hook", problem.as_str(), []),
            Fault::Host => host_failed(false, problem),
            Fault::Exhausted => host_failed(true, problem),
        },
    }
}

/// An error of the hook store.
pub(crate) fn from_hook_store(error: &HookStoreError) -> Status {
    let message = error.to_string();
    match error {
        HookStoreError::Unavailable(_) => unavailable("JOURNAL_UNAVAILABLE", message),
        HookStoreError::Outdated => unavailable("HOOK_STORE_BUSY", message),
        HookStoreError::TooLarge { .. } => exhausted("TAPE_TOO_LARGE", "tape_bytes", message),
        HookStoreError::Unknown(_) => internal("OUTCOME_UNKNOWN", message),
    }
}
