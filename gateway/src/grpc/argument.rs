//! What requests have in common: names, ids and pages.

use tidegate_core::{ExecutionId, PlanName};
use tonic::Status;

use super::status;

/// Entries of a page, where the request does not say.
const DEFAULT_PAGE: usize = 100;
/// Bytes of what is asked for by its name, at most.
const MAX_NAME: usize = 256;
/// Most entries of a page.
pub const MAX_PAGE: usize = 1_000;

/// A plan's name that is asked for. What can be no name is of no plan: it is
/// not found, and not looked up.
pub(crate) fn plan_name(field: &str, name: &str) -> Result<PlanName, Status> {
    bounded(field, name)?;
    let well_formed = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.len() <= 63
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    let name = PlanName::from(name);
    if well_formed {
        Ok(name)
    } else {
        Err(status::plan_not_found(&name, None))
    }
}

/// An execution's id that is asked for; capital letters mean the same. What
/// can be no id is of no execution: it is not found, and not looked up.
pub(crate) fn execution_id(field: &str, id: &str) -> Result<ExecutionId, Status> {
    bounded(field, id)?;
    if id.len() == 26 && id.bytes().all(|b| b.is_ascii_alphanumeric()) {
        Ok(ExecutionId::new(id.to_ascii_lowercase()))
    } else {
        Err(status::execution_not_found(&ExecutionId::from(id)))
    }
}

/// Something must be asked for, and nobody calls anything by a whole book.
fn bounded(field: &str, name: &str) -> Result<(), Status> {
    if name.is_empty() {
        Err(status::invalid(field, "must be given"))
    } else if name.len() > MAX_NAME {
        let description = format!("is longer than {MAX_NAME} bytes");
        Err(status::invalid(field, description))
    } else {
        Ok(())
    }
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

    /// The code, and of which resource, named how.
    fn told<T: std::fmt::Debug>(answer: Result<T, Status>) -> (Code, Option<(String, String)>) {
        let status = answer.unwrap_err();
        let resource = status.get_details_resource_info();
        let named = resource.map(|it| (it.resource_type, it.resource_name));
        (status.code(), named)
    }

    #[test]
    fn what_can_be_no_name_is_of_no_plan() {
        assert!(plan_name("name", "shop-2").is_ok());
        for wrong in ["Shop", "No_Such", "2shop", "shop/../x", &"a".repeat(64)] {
            let resource = ("tidegate.v1.Plan".to_owned(), wrong.to_owned());
            let expected = (Code::NotFound, Some(resource));
            assert_eq!(told(plan_name("name", wrong)), expected);
        }
        for wrong in ["", &"a".repeat(257)] {
            let expected = (Code::InvalidArgument, None);
            assert_eq!(told(plan_name("name", wrong)), expected);
        }
    }

    #[test]
    fn what_can_be_no_id_is_of_no_execution() {
        let id = crate::grpc::fixtures::EXECUTION;
        assert_eq!(execution_id("execution", id).unwrap().as_str(), id);
        assert_eq!(
            execution_id("execution", &id.to_uppercase())
                .unwrap()
                .as_str(),
            id
        );
        let uuid = "0b7a1c9e-2f4d-4f6e-9d2a-6c1f0e9b8a7d";
        for wrong in ["nope", uuid, "../01kam5t3q8z0v4r7xw2n9c6b"] {
            let resource = ("tidegate.v1.Execution".to_owned(), wrong.to_owned());
            let expected = (Code::NotFound, Some(resource));
            assert_eq!(told(execution_id("execution", wrong)), expected);
        }
        for wrong in ["", &"0".repeat(257)] {
            let expected = (Code::InvalidArgument, None);
            assert_eq!(told(execution_id("execution", wrong)), expected);
        }
    }
}
