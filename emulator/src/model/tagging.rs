//! TagResource, UntagResource and ListTagsForResource.

use super::Model;
use super::fleet::Tags;
use super::id::{Place, Resource};
use super::refusal::{Refusal, ResourceKind};

/// How many tags a resource may have: the limit of AWS for every service.
const TAGS_PER_RESOURCE: usize = 50;

impl Model {
    /// The tags of the resource with that ARN.
    pub fn tags(&self, caller: &Place, arn: &str) -> Result<Tags, Refusal> {
        let resource = named(caller, arn)?;
        self.estate(caller)?
            .tags(&resource)
            .cloned()
            .ok_or_else(|| not_found(arn))
    }

    /// Adds tags to the resource, or refuses and changes nothing.
    pub fn tag(&mut self, caller: &Place, arn: &str, tags: &Tags) -> Result<(), Refusal> {
        let resource = named(caller, arn)?;
        let estate = self.estate_mut(caller)?;
        let held = estate.tags_mut(&resource).ok_or_else(|| not_found(arn))?;
        let mut merged = held.clone();
        merged.extend(tags.clone());
        if merged.len() > TAGS_PER_RESOURCE {
            let message = format!("A resource may have {TAGS_PER_RESOURCE} tags at most.");
            return Err(Refusal::Invalid {
                field: "tags",
                message,
            });
        }
        *held = merged;
        Ok(())
    }

    /// Removes tags; keys that are not there are no error.
    pub fn untag(&mut self, caller: &Place, arn: &str, keys: &[String]) -> Result<(), Refusal> {
        let resource = named(caller, arn)?;
        let held = self
            .estate_mut(caller)?
            .tags_mut(&resource)
            .ok_or_else(|| not_found(arn))?;
        held.retain(|key, _| !keys.contains(key));
        Ok(())
    }
}

fn named(caller: &Place, arn: &str) -> Result<Resource, Refusal> {
    let (place, resource) = Resource::parse_arn(arn).map_err(|error| Refusal::Invalid {
        field: "resourceArn",
        message: error.to_string(),
    })?;
    // DRS answers for its own account and Region only.
    if place == *caller {
        Ok(resource)
    } else {
        Err(not_found(arn))
    }
}

fn not_found(arn: &str) -> Refusal {
    Refusal::NotFound {
        kind: ResourceKind::Resource,
        id: arn.to_owned(),
    }
}
