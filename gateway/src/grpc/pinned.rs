//! Plans that executions pinned, read back.

use prost::Message;
use tidegate_core::plan::{Limits, Plan};
use tidegate_proto::v1;

use super::convert;

/// Reads a pinned plan. It was within the limits when it was accepted, so
/// limits that were lowered since then do not apply.
///
/// # Errors
/// The bytes are no plan; this says why.
pub fn pinned_plan(encoded: &[u8]) -> Result<Plan, String> {
    let plan = v1::Plan::decode(encoded).map_err(|error| error.to_string())?;
    let (draft, violations) = convert::plan::draft(&plan);
    if let Some(first) = violations.first() {
        return Err(format!("{}: {}", first.field, first.description));
    }
    Plan::check(&draft, &Limits::NONE).map_err(|mistakes| {
        let first = mistakes.first().map(ToString::to_string);
        first.unwrap_or_default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grpc::fixtures;

    #[test]
    fn a_pinned_plan_is_the_plan_that_was_checked() {
        let read = pinned_plan(&fixtures::shop().encode_to_vec()).unwrap();
        assert_eq!(read, fixtures::checked_shop());
    }

    #[test]
    fn a_limit_of_zero_that_was_accepted_once_is_none() {
        let mut plan = fixtures::shop();
        let spec = plan.spec.as_mut().unwrap();
        spec.timeout = Some(prost_types::Duration::default());
        let read = pinned_plan(&plan.encode_to_vec()).unwrap();
        assert_eq!(read, fixtures::checked_shop());
    }

    #[test]
    fn what_is_no_plan_is_said_to_be_none() {
        assert!(pinned_plan(b"\xff\xff").is_err());
        assert_eq!(pinned_plan(b"").unwrap_err(), "spec: must be given");
    }
}
