//! Plan files: a text ends in a plan or in a refusal that says something; a
//! plan that is written reads back as itself; and what the offline check
//! accepts, a gateway accepts.

use prost::Message as _;
use tidegate_gateway::grpc::pinned_plan;
use tidegate_plan_file::{Written, file, to_yaml};

/// Reads the bytes as a plan file.
///
/// # Panics
/// If the property does not hold.
pub fn check(bytes: &[u8]) {
    let written = match Written::parse_foreign("plan.yaml", bytes.to_vec()) {
        Ok(written) => written,
        Err(refusal) => {
            assert!(!refusal.to_string().is_empty(), "a refusal says something");
            return;
        }
    };
    let yaml = to_yaml(&file(&written.plan));
    let again = Written::parse_foreign("again.yaml", yaml.clone().into_bytes());
    let again =
        again.unwrap_or_else(|refusal| panic!("what was written is refused: {refusal}\n{yaml}"));
    assert_eq!(again.plan, written.plan, "it reads back as itself:\n{yaml}");
    assert_eq!(to_yaml(&file(&again.plan)), yaml, "there is one spelling");

    match (written.check(), pinned_plan(&written.plan.encode_to_vec())) {
        (Ok(()), Ok(checked)) => assert_eq!(checked.name().as_str(), written.plan.name),
        (Ok(()), Err(why)) => panic!("the file is accepted, and a gateway refuses it: {why}"),
        // The other way round there are limits, which a pinned plan has not.
        (Err(refusal), _) => assert!(!refusal.to_string().is_empty()),
    }
}
