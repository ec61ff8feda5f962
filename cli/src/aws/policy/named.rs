//! What the arguments name, as AWS lets it be named.

use std::fmt;

use clap::ValueEnum;

/// A partition of AWS: accounts and Regions that know nothing of the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Partition {
    /// The commercial one.
    Aws,
    /// The one of the government of the United States.
    AwsUsGov,
    /// The one of China.
    AwsCn,
}

impl Partition {
    /// The one that a Region is in.
    pub(super) fn of(region: &str) -> Self {
        if region.starts_with("us-gov-") {
            Self::AwsUsGov
        } else if region.starts_with("cn-") {
            Self::AwsCn
        } else {
            Self::Aws
        }
    }

    /// EC2, as IAM calls it when a role is passed on.
    pub(super) fn ec2(self) -> &'static str {
        match self {
            Self::Aws | Self::AwsUsGov => "ec2.amazonaws.com",
            Self::AwsCn => "ec2.amazonaws.com.cn",
        }
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Aws => "aws",
            Self::AwsUsGov => "aws-us-gov",
            Self::AwsCn => "aws-cn",
        })
    }
}

/// The ARN of a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Role(String);

impl Role {
    pub(super) fn arn(&self) -> &str {
        &self.0
    }
}

/// A table, as DynamoDB takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Table {
    Name(String),
    Arn(String),
}

/// Reads an account.
///
/// # Errors
/// It is not one; the text says what is. So do the others.
pub(super) fn account(text: &str) -> Result<String, String> {
    if text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        Ok(text.to_owned())
    } else {
        Err("an account is 12 digits, for example 123456789012".to_owned())
    }
}

/// Reads a Region: `us-west-2`, `us-gov-east-1`.
pub(super) fn region(text: &str) -> Result<String, String> {
    let parts: Vec<&str> = text.split('-').collect();
    let is_word = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase());
    let is_region = match &parts[..] {
        [words @ .., number] => {
            words.len() >= 2
                && words.iter().all(is_word)
                && !number.is_empty()
                && number.bytes().all(|byte| byte.is_ascii_digit())
        }
        [] => false,
    };
    if is_region {
        Ok(text.to_owned())
    } else {
        Err("a Region is written like us-west-2".to_owned())
    }
}

/// Reads the name of a role, with its path if it has one.
pub(super) fn role_name(text: &str) -> Result<String, String> {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-/".contains(c);
    let name = text.rsplit('/').next().unwrap_or_default();
    let is_name = !name.is_empty() && name.len() <= 64 && !text.starts_with('/');
    if is_name && text.chars().all(is_allowed) {
        Ok(text.to_owned())
    } else {
        Err(
            "a role's name has up to 64 letters, digits and _+=,.@-, with its path before it, for \
             example tidegate-target or recovery/tidegate-target"
                .to_owned(),
        )
    }
}

/// Reads the ARN of a role.
pub(super) fn role(text: &str) -> Result<Role, String> {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let is_role = match parts[..] {
        ["arn", partition, "iam", "", owner, resource] => {
            let name = resource.strip_prefix("role/");
            is_partition(partition)
                && account(owner).is_ok()
                && name.is_some_and(|name| role_name(name).is_ok())
        }
        _ => false,
    };
    if is_role {
        Ok(Role(text.to_owned()))
    } else {
        Err(
            "the ARN of a role is written like arn:aws:iam::123456789012:role/tidegate-gateway; \
             that of a session (arn:aws:sts::…:assumed-role/…) is of no use here"
                .to_owned(),
        )
    }
}

/// Reads a table's name or ARN.
pub(super) fn table(text: &str) -> Result<Table, String> {
    let wrong = || {
        "a table's name has 3 to 255 letters, digits and _.-; its ARN is written like \
         arn:aws:dynamodb:us-west-2:123456789012:table/tidegate"
            .to_owned()
    };
    let is_name = |name: &str| {
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
        (3..=255).contains(&name.len()) && name.chars().all(is_allowed)
    };
    if is_name(text) {
        return Ok(Table::Name(text.to_owned()));
    }
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    match parts[..] {
        ["arn", partition, "dynamodb", place, owner, resource]
            if is_partition(partition)
                && region(place).is_ok()
                && account(owner).is_ok()
                && resource.strip_prefix("table/").is_some_and(is_name) =>
        {
            Ok(Table::Arn(text.to_owned()))
        }
        _ => Err(wrong()),
    }
}

/// Reads an external id
/// (<https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>).
pub(super) fn external_id(text: &str) -> Result<String, String> {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "_+=,.@:/-".contains(c);
    if (2..=1224).contains(&text.len()) && text.chars().all(is_allowed) {
        Ok(text.to_owned())
    } else {
        Err("an external id has 2 to 1224 letters, digits and _+=,.@:/-".to_owned())
    }
}

fn is_partition(text: &str) -> bool {
    Partition::value_variants()
        .iter()
        .any(|partition| partition.to_string() == text)
}
