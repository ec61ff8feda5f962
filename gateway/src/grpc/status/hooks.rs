//! What is said of hooks and of their tapes.

use tidegate_core::PlanName;
use tonic::{Code, Status};

use super::{bounds, internal, invalid, not_found, precondition, unavailable, with_reason};
use crate::ports::{
    hook_store::HookStoreError,
    hooks::{RegisterError, RehearsalError, Unarmed},
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

/// Hooks of a plan that is to be started are not ready.
pub(crate) fn plan_not_armed(name: &PlanName, revision: u64, unarmed: &[Unarmed]) -> Status {
    const REASON: &str = "PLAN_NOT_ARMED";
    let what = match unarmed {
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
            details.set_precondition_failure(bounds::problems(REASON, unarmed));
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
        RehearsalError::Unavailable(why) => unavailable("HOOKS_UNAVAILABLE", why.as_str()),
    }
}

/// An error of the hook store.
pub(crate) fn from_hook_store(error: &HookStoreError) -> Status {
    let message = error.to_string();
    match error {
        HookStoreError::Unavailable(_) => unavailable("JOURNAL_UNAVAILABLE", message),
        HookStoreError::Unknown(_) => internal("OUTCOME_UNKNOWN", message),
    }
}
