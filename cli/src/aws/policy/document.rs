//! Policies as IAM reads them.

use std::collections::BTreeMap;

use serde::Serialize;
use tidegate_gateway::adapters::aws_grant::{DRS_TAG, Grant, On, Only};

use super::named::{Partition, Table};
use crate::failure::Failure;

/// The version of IAM's policy language.
const LANGUAGE: &str = "2012-10-17";

/// A policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Document {
    version: &'static str,
    statement: Vec<Statement>,
}

impl Document {
    pub(super) fn new(statement: Vec<Statement>) -> Self {
        Self {
            version: LANGUAGE,
            statement,
        }
    }

    /// As JSON for people.
    pub(super) fn pretty(&self) -> Result<String, Failure> {
        serde_json::to_string_pretty(self)
            .map_err(|error| Failure::Other(format!("the policy cannot be written: {error}")))
    }
}

/// One permission.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Statement {
    sid: &'static str,
    effect: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    principal: Option<Principal>,
    action: &'static [&'static str],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    resource: Vec<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    condition: Conditions,
}

/// Operators, the keys that each compares, and with which values.
type Conditions = BTreeMap<&'static str, BTreeMap<String, Vec<String>>>;

impl Statement {
    pub(super) fn allow(
        sid: &'static str,
        action: &'static [&'static str],
        resource: Vec<String>,
    ) -> Self {
        Self {
            sid,
            effect: "Allow",
            principal: None,
            action,
            resource,
            condition: Conditions::new(),
        }
    }

    /// Lets somebody assume a role, if they know the external id.
    pub(super) fn trust(
        sid: &'static str,
        action: &'static [&'static str],
        principal: Principal,
        external_id: Option<&str>,
    ) -> Self {
        let mut trust = Self::allow(sid, action, Vec::new());
        trust.principal = Some(principal);
        if let Some(external_id) = external_id {
            trust.only("StringEquals", "sts:ExternalId", &[external_id]);
        }
        trust
    }

    fn only(&mut self, operator: &'static str, key: impl Into<String>, values: &[&str]) {
        let keys = self.condition.entry(operator).or_default();
        let values = values.iter().map(ToString::to_string);
        keys.entry(key.into()).or_default().extend(values);
    }
}

/// Whom a trust policy trusts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Principal {
    #[serde(rename = "AWS")]
    aws: String,
}

impl Principal {
    pub(super) fn role(arn: &str) -> Self {
        Self {
            aws: arn.to_owned(),
        }
    }
}

/// Where permissions hold.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scope<'a> {
    pub(super) partition: Partition,
    /// Empty: any.
    pub(super) accounts: &'a [String],
    /// Empty: any.
    pub(super) regions: &'a [String],
    pub(super) role_name: &'a str,
    pub(super) table: Option<&'a Table>,
}

impl<'a> Scope<'a> {
    /// Permissions as statements.
    pub(super) fn statements(
        &'a self,
        grants: &'static [Grant],
    ) -> impl Iterator<Item = Statement> + 'a {
        grants.iter().map(|grant| self.statement(grant))
    }

    /// ARNs of roles in every account.
    pub(super) fn roles(&self, names: &[&str]) -> Vec<String> {
        let partition = self.partition;
        let any = ["*".to_owned()];
        let accounts = match self.accounts {
            [] => &any[..],
            accounts => accounts,
        };
        let in_account = |account: &String| {
            let roles = names.iter();
            let arns = roles.map(move |name| format!("arn:{partition}:iam::{account}:role/{name}"));
            arns.collect::<Vec<_>>()
        };
        accounts.iter().flat_map(in_account).collect()
    }

    fn statement(&self, grant: &Grant) -> Statement {
        let mut statement = Statement::allow(grant.sid, grant.actions, self.resources(grant.on));
        for only in grant.only {
            self.condition(&mut statement, *only);
        }
        // IAM is in no Region, and a table's ARN names its own.
        let is_regional = matches!(grant.on, On::Anything | On::Ec2(_));
        if is_regional && !self.regions.is_empty() {
            let regions: Vec<&str> = self.regions.iter().map(String::as_str).collect();
            statement.only("StringEquals", "aws:RequestedRegion", &regions);
        }
        statement
    }

    fn resources(&self, on: On) -> Vec<String> {
        match on {
            On::Anything => vec!["*".to_owned()],
            // Images and snapshots may be of another account, or of none.
            On::Ec2(types) => {
                let arn = |of: &&str| format!("arn:{}:ec2:*:*:{of}/*", self.partition);
                types.iter().map(arn).collect()
            }
            On::Roles(names) => self.roles(names),
            On::Itself => self.roles(&[self.role_name]),
            On::Table => self.tables(""),
            On::Index(name) => self.tables(&format!("/index/{name}")),
        }
    }

    fn tables(&self, suffix: &str) -> Vec<String> {
        let partition = self.partition;
        // An account that is named is a target's; in a policy of a role, any
        // account means the role's own, unless another one's table shares itself.
        let in_region = |name: &str, region: &str| {
            format!("arn:{partition}:dynamodb:{region}:*:table/{name}{suffix}")
        };
        match self.table {
            None => Vec::new(),
            Some(Table::Arn(arn)) => vec![format!("{arn}{suffix}")],
            Some(Table::Name(name)) if self.regions.is_empty() => vec![in_region(name, "*")],
            Some(Table::Name(name)) => {
                let regions = self.regions.iter();
                regions.map(|region| in_region(name, region)).collect()
            }
        }
    }

    fn condition(&self, statement: &mut Statement, only: Only) {
        let tag = |of: &str| format!("{of}/{DRS_TAG}");
        match only {
            Only::ThroughAws => statement.only("Bool", "aws:ViaAWSService", &["true"]),
            Only::ThroughDrs => {
                let drs = ["drs.amazonaws.com"];
                statement.only("ForAnyValue:StringEquals", "aws:CalledVia", &drs);
            }
            Only::OnWhatDrsMade => statement.only("Null", tag("aws:ResourceTag"), &["false"]),
            Only::MakingItForDrs => statement.only("Null", tag("aws:RequestTag"), &["false"]),
            Only::WhereLaunchingIsAllowed => statement.only(
                "StringEquals",
                "aws:ResourceTag/AWSDRS",
                &["AllowLaunchingIntoThisInstance"],
            ),
            Only::PassedToEc2 => {
                let ec2 = self.partition.ec2();
                statement.only("StringEquals", "iam:PassedToService", &[ec2]);
            }
            Only::TaggingIn(calls) => statement.only("StringEquals", "ec2:CreateAction", calls),
        }
    }
}
