//! TagResource, UntagResource and ListTagsForResource.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::Model;
use super::fleet::Tags;
use super::id::{Place, Resource};
use super::refusal::{Refusal, ResourceKind};

/// How many tags a resource may have: the limit of AWS for every service.
const TAGS_PER_RESOURCE: usize = 50;

impl Model {
    /// The tags of the resource with that ARN, as they are told.
    pub fn tags(&self, caller: &Place, arn: &str) -> Result<Tags, Refusal> {
        let resource = named(caller, arn)?;
        let tags = self.estate(caller)?.tags(&resource);
        let tags = tags.ok_or_else(|| not_found(arn))?;
        Ok(self.tags_before(caller, &resource).unwrap_or(tags).clone())
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
        let old = std::mem::replace(held, merged);
        self.tags_replaced(caller, resource, old);
        Ok(())
    }

    /// Removes tags; keys that are not there are no error.
    pub fn untag(&mut self, caller: &Place, arn: &str, keys: &[String]) -> Result<(), Refusal> {
        let resource = named(caller, arn)?;
        let held = self
            .estate_mut(caller)?
            .tags_mut(&resource)
            .ok_or_else(|| not_found(arn))?;
        let old = held.clone();
        held.retain(|key, _| !keys.contains(key));
        self.tags_replaced(caller, resource, old);
        Ok(())
    }
}

/// The tags that the service still tells because it lags; nothing in a service that does not.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct OldTags(BTreeMap<(Place, Resource), Vec<Replaced>>);

#[derive(Debug, Clone, PartialEq)]
struct Replaced {
    at: Timestamp,
    tags: Tags,
}

impl Model {
    /// Keeps the tags that a resource had until now for as long as they are told.
    pub(super) fn tags_replaced(&mut self, place: &Place, resource: Resource, tags: Tags) {
        let (lag, at) = (self.flaws.lag.tags, self.now);
        if lag.is_zero() {
            return;
        }
        let kept = self.old_tags.0.entry((place.clone(), resource));
        let kept = kept.or_default();
        kept.retain(|old| old.at + lag > at);
        kept.push(Replaced { at, tags });
    }

    /// The older tags that are still told of a resource, if any are.
    pub(super) fn tags_before(&self, place: &Place, resource: &Resource) -> Option<&Tags> {
        if self.old_tags.0.is_empty() {
            return None;
        }
        let kept = self.old_tags.0.get(&(place.clone(), resource.clone()))?;
        let lag = self.flaws.lag.tags;
        let told = kept.iter().find(|old| old.at + lag > self.now)?;
        Some(&told.tags)
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
