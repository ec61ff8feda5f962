//! Names of things: a newtype for every kind of id, and their ARNs.
//!
//! The patterns are those of the service model (botocore `drs/2020-02-26`). What is looser there
//! than a caller needs (any letter in the 17 characters) is kept as loose here.

use std::fmt;

/// An id that is not of its kind's pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{value:?} is not {expected}")]
pub struct InvalidId {
    /// What was given.
    pub value: String,
    /// The pattern that it should have had.
    pub expected: &'static str,
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $pattern:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The pattern of this kind of id, as the service model spells it.
            pub const PATTERN: &'static str = $pattern;

            /// Checks the text against the pattern.
            pub fn parse(text: &str) -> Result<Self, InvalidId> {
                let check: fn(&str) -> bool = $check;
                if check(text) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(InvalidId { value: text.to_owned(), expected: $pattern })
                }
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(
    /// An AWS account.
    AccountId, "[0-9]{12}", |text| {
        text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
    }
);
id!(
    /// An AWS Region.
    Region, "[a-z]{2}(-[a-z]+)+-[0-9]", |text| {
        text.len() <= 32
            && text.split('-').count() >= 3
            && text.ends_with(|c: char| c.is_ascii_digit())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    }
);
id!(
    /// A source server of DRS.
    SourceServerId, "s-[0-9a-zA-Z]{17}", |text| has_tail(text, "s-", 17)
);
id!(
    /// A job of DRS.
    JobId, "drsjob-[0-9a-zA-Z]{17}", |text| has_tail(text, "drsjob-", 17)
);
id!(
    /// A point-in-time snapshot of a source server.
    SnapshotId, "pit-[0-9a-zA-Z]{17}", |text| has_tail(text, "pit-", 17)
);
id!(
    /// An EC2 instance, and so a recovery instance (DRS gives both the same id).
    InstanceId, "i-[0-9a-fA-F]{8,}", |text| {
        (10..=19).contains(&text.len())
            && text.strip_prefix("i-").is_some_and(|tail| tail.bytes().all(|b| b.is_ascii_hexdigit()))
    }
);

fn has_tail(text: &str, prefix: &str, length: usize) -> bool {
    text.strip_prefix(prefix)
        .is_some_and(|tail| tail.len() == length && tail.bytes().all(|b| b.is_ascii_alphanumeric()))
}

/// One account in one Region: everything in DRS lives in such a place, and nothing crosses it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The account.
    pub account: AccountId,
    /// The Region.
    pub region: Region,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.account, self.region)
    }
}

/// A resource that has an ARN and tags.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resource {
    /// `source-server/s-…`
    SourceServer(SourceServerId),
    /// `job/drsjob-…`
    Job(JobId),
    /// `recovery-instance/i-…`
    RecoveryInstance(InstanceId),
}

impl Resource {
    /// The ARN of this resource in that place.
    pub fn arn(&self, place: &Place) -> String {
        let (kind, id) = match self {
            Self::SourceServer(id) => ("source-server", id.as_str()),
            Self::Job(id) => ("job", id.as_str()),
            Self::RecoveryInstance(id) => ("recovery-instance", id.as_str()),
        };
        format!("arn:aws:drs:{}:{}:{kind}/{id}", place.region, place.account)
    }

    /// The place and resource that an ARN names.
    pub fn parse_arn(arn: &str) -> Result<(Place, Self), InvalidId> {
        let invalid = || InvalidId {
            value: arn.to_owned(),
            expected: "arn:aws:drs:<region>:<account>:<source-server|job|recovery-instance>/<id>",
        };
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        let [_, _, "drs", region, account, path] = parts[..] else {
            return Err(invalid());
        };
        let (kind, id) = path.split_once('/').ok_or_else(invalid)?;
        let place = Place {
            account: AccountId::parse(account)?,
            region: Region::parse(region)?,
        };
        let resource = match kind {
            "source-server" => Self::SourceServer(SourceServerId::parse(id)?),
            "job" => Self::Job(JobId::parse(id)?),
            "recovery-instance" => Self::RecoveryInstance(InstanceId::parse(id)?),
            _ => return Err(invalid()),
        };
        Ok((place, resource))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_follow_the_patterns_of_the_service_model() {
        assert!(SourceServerId::parse("s-51d6b65c73391918f").is_ok());
        assert!(SourceServerId::parse("s-51d6b65c73391918").is_err());
        assert!(JobId::parse("drsjob-556c7b1d99221f996").is_ok());
        assert!(InstanceId::parse("i-0b3407219a2297268").is_ok());
        assert!(InstanceId::parse("i-0b34g7219a2297268").is_err());
        assert!(Region::parse("us-west-2").is_ok());
        assert!(Region::parse("US WEST").is_err());
    }

    #[test]
    fn an_arn_names_the_place_and_the_resource_it_was_made_from() {
        let arn = "arn:aws:drs:us-west-2:123456789012:job/drsjob-556c7b1d99221f996";
        let (place, resource) = Resource::parse_arn(arn).unwrap();
        assert_eq!(resource.arn(&place), arn);
        assert!(Resource::parse_arn("arn:aws:drs:us-west-2:123456789012:plan/x").is_err());
        assert!(Resource::parse_arn("nonsense").is_err());
    }
}
