//! What requests have in common: names, ids and pages.

use tidegate_core::{ExecutionId, PlanName};
use tonic::Status;

use super::status;

/// Entries of a page, where the request does not say.
const DEFAULT_PAGE: usize = 100;
/// Most entries of a page.
pub const MAX_PAGE: usize = 1_000;

/// A plan's name that is asked for. Whether there is such a plan is for the
/// store to say; what can be no name is refused.
pub(crate) fn plan_name(field: &str, name: &str) -> Result<PlanName, Status> {
    let well_formed = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.len() <= 63
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if well_formed {
        Ok(PlanName::from(name))
    } else if name.is_empty() {
        Err(status::invalid(field, "must be given"))
    } else {
        Err(status::invalid(
            field,
            "is not a plan's name; names are 1 to 63 of a-z, 0-9 and '-', beginning with a letter",
        ))
    }
}

/// An execution's id that is asked for; capital letters mean the same.
pub(crate) fn execution_id(field: &str, id: &str) -> Result<ExecutionId, Status> {
    if id.is_empty() {
        return Err(status::invalid(field, "must be given"));
    }
    if id.len() == 26 && id.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Ok(ExecutionId::new(id.to_ascii_lowercase()));
    }
    Err(status::invalid(
        field,
        "is not an execution's id; ids have 26 digits and letters",
    ))
}

/// How many entries a page has. More than there can be is refused and not cut,
/// as AIP-158 would have it: who asks for a billion has made a mistake.
pub(crate) fn page_size(size: i32) -> Result<usize, Status> {
    match usize::try_from(size) {
        Ok(0) => Ok(DEFAULT_PAGE),
        Ok(size) if size <= MAX_PAGE => Ok(size),
        Ok(_) | Err(_) => Err(status::invalid(
            "page_size",
            format!("must be 1 to {MAX_PAGE}, or 0 for {DEFAULT_PAGE}"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use tonic::Code;
    use tonic_types::StatusExt;

    use super::*;

    #[test]
    fn a_page_has_a_size_within_its_bounds() {
        assert_eq!(page_size(0).unwrap(), 100);
        assert_eq!(page_size(1_000).unwrap(), 1_000);
        for wrong in [-1, 1_001, 1_000_000_000, i32::MIN] {
            let status = page_size(wrong).unwrap_err();
            assert_eq!(status.code(), Code::InvalidArgument);
            let bad = status.get_details_bad_request().unwrap();
            assert_eq!(bad.field_violations[0].field, "page_size");
        }
    }

    #[test]
    fn what_can_be_no_name_is_refused_before_it_is_looked_up() {
        assert!(plan_name("name", "shop-2").is_ok());
        for wrong in ["", "Shop", "2shop", "shop/../x", &"a".repeat(64)] {
            assert_eq!(
                plan_name("name", wrong).unwrap_err().code(),
                Code::InvalidArgument
            );
        }
    }

    #[test]
    fn what_can_be_no_execution_is_refused_before_it_is_looked_up() {
        let id = crate::grpc::fixtures::EXECUTION;
        assert_eq!(execution_id("execution", id).unwrap().as_str(), id);
        assert_eq!(
            execution_id("execution", &id.to_uppercase())
                .unwrap()
                .as_str(),
            id
        );
        for wrong in ["", "01j", "../01kam5t3q8z0v4r7xw2n9c6b"] {
            assert_eq!(
                execution_id("execution", wrong).unwrap_err().code(),
                Code::InvalidArgument
            );
        }
    }
}
