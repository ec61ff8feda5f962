//! `tidegate aws policy`: prints what IAM has to know, and calls nothing.

mod document;
mod named;
#[cfg(test)]
mod tests;

use clap::ValueEnum;
use tidegate_gateway::adapters::{drs_aws, journal_dynamodb};

use self::{
    document::{Document, Principal, Scope, Statement},
    named::{Partition, Role, Table, account, external_id, region, role, role_name, table},
};
use crate::{
    failure::{Exit, Failure},
    print::Printer,
};

/// Characters that a managed policy may have, without white space
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>).
const MANAGED: usize = 6_144;

/// The same of all policies of a role's own together.
const INLINE: usize = 10_240;

/// Print the IAM policies that a gateway needs, as JSON.
///
/// Three roles play a part. The gateway's own (--for gateway) assumes the roles
/// of targets and keeps the journal in a table, if it has one. A role in each
/// account (--for target) launches there; who may assume it says its trust
/// policy (--trust). Whoever makes the table needs --for admin. A gateway that
/// launches in its own account without a role needs --for target as well. That
/// one is too long for a managed policy: give it to the role itself (aws iam
/// put-role-policy).
///
/// StartRecovery and TerminateRecoveryInstances act on EC2 with the caller's
/// permissions: the actions are the "dependent actions" that AWS lists for them
/// in its Service Authorization Reference, in the circumstances of the managed
/// policy AWSElasticDisasterRecoveryConsoleFullAccess_v2. Servers with
/// post-launch actions need AWSElasticDisasterRecoveryLaunchActionsPolicy
/// besides, and volumes with a key of your own its grants in KMS.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Policy {
    /// Whose permissions.
    #[arg(
        long = "for",
        value_enum,
        value_name = "WHOM",
        required_unless_present = "trust"
    )]
    whom: Option<Whom>,
    /// Who may assume a target's role, instead.
    #[arg(long, conflicts_with_all = ["whom", "account", "region", "table"], requires = "gateway_role")]
    trust: bool,
    /// Account of targets, 12 digits; may be repeated.
    #[arg(long, value_name = "ID", value_parser = account)]
    account: Vec<String>,
    /// Region of targets (--for target) or of the table; may be repeated
    /// [default: any].
    #[arg(long, value_name = "REGION", value_parser = region)]
    region: Vec<String>,
    /// Partition of the accounts [default: that of the Regions, or aws].
    #[arg(long, value_enum)]
    partition: Option<Partition>,
    /// Name of the role in the accounts of targets, with its path.
    #[arg(long, value_name = "NAME", default_value = "tidegate-target", value_parser = role_name)]
    role_name: String,
    /// Table of the journal, by name or ARN.
    #[arg(long, value_name = "TABLE", value_parser = table)]
    table: Option<Table>,
    /// ARN of the gateway's own role.
    #[arg(long, value_name = "ARN", value_parser = role, requires = "trust")]
    gateway_role: Option<Role>,
    /// What the gateway sends along when it assumes a role, as in
    /// drs.external_id.
    #[arg(long, value_name = "TEXT", value_parser = external_id, requires = "trust")]
    external_id: Option<String>,
}

/// Whose permissions are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Whom {
    /// The gateway's own role.
    Gateway,
    /// The role in an account in which the gateway launches.
    Target,
    /// Whoever runs `tidegate aws create-table`.
    Admin,
}

impl Policy {
    /// Prints it.
    pub(crate) fn run(&self, printer: Printer) -> Result<Exit, Failure> {
        let document = self.document()?.pretty()?;
        printer.data(&document)?;
        if let Some(note) = too_long(&document) {
            printer.note(&note);
        }
        Ok(Exit::Ok)
    }

    fn document(&self) -> Result<Document, Failure> {
        let scope = self.scope()?;
        match (self.whom, &self.gateway_role) {
            (Some(Whom::Gateway), _) => self.of_gateway(&scope),
            (Some(Whom::Target), _) => self.of_target(&scope),
            (Some(Whom::Admin), _) => self.of_admin(&scope),
            (None, Some(role)) => Ok(self.trust(role)),
            (None, None) => Err(invalid("--trust needs --gateway-role")),
        }
    }

    fn scope(&self) -> Result<Scope<'_>, Failure> {
        let mut meant = self.partition;
        for region in &self.region {
            let own = Partition::of(region);
            if *meant.get_or_insert(own) != own {
                return Err(invalid(format!(
                    "Region {region} is in the partition {own}: leave --partition out, and print \
                     policies of different partitions one by one"
                )));
            }
        }
        Ok(Scope {
            partition: meant.unwrap_or(Partition::Aws),
            accounts: &self.account,
            regions: &self.region,
            role_name: &self.role_name,
            table: self.table.as_ref(),
        })
    }

    fn of_gateway(&self, scope: &Scope<'_>) -> Result<Document, Failure> {
        let mut statements = Vec::new();
        if !self.account.is_empty() {
            let roles = scope.roles(&[&self.role_name]);
            let assumed = drs_aws::permissions::ASSUMED;
            statements.push(Statement::allow("ReachTargets", assumed, roles));
        }
        if self.table.is_some() {
            statements.extend(scope.statements(journal_dynamodb::permissions::KEEPING));
        }
        if statements.is_empty() {
            return Err(invalid(
                "--for gateway needs --account for each account in which it assumes a role, or \
                 --table for its journal; a gateway without either needs only --for target",
            ));
        }
        Ok(Document::new(statements))
    }

    fn of_target(&self, scope: &Scope<'_>) -> Result<Document, Failure> {
        if self.table.is_some() {
            return Err(invalid(
                "--table is for --for gateway and --for admin: the role of a target never reads \
                 the journal",
            ));
        }
        if self.account.is_empty() {
            return Err(invalid(
                "--for target needs --account, the account of the role: it may pass on roles of \
                 that account only",
            ));
        }
        let called = scope.statements(drs_aws::permissions::CALLED);
        let on_behalf = scope.statements(drs_aws::permissions::ON_BEHALF);
        Ok(Document::new(called.chain(on_behalf).collect()))
    }

    fn of_admin(&self, scope: &Scope<'_>) -> Result<Document, Failure> {
        if self.table.is_none() {
            return Err(invalid(
                "--for admin needs --table, the table that is to be made",
            ));
        }
        let making = scope.statements(journal_dynamodb::permissions::MAKING);
        Ok(Document::new(making.collect()))
    }

    fn trust(&self, gateway: &Role) -> Document {
        let assumed = drs_aws::permissions::ASSUMED;
        let principal = Principal::role(gateway.arn());
        Document::new(vec![Statement::trust(
            "Gateway",
            assumed,
            principal,
            self.external_id.as_deref(),
        )])
    }
}

/// Where a policy does not fit, for it to be known before IAM refuses it.
fn too_long(policy: &str) -> Option<String> {
    let size = policy.chars().filter(|it| !it.is_whitespace()).count();
    if size <= MANAGED {
        return None;
    }
    let what = if size <= INLINE {
        format!(
            "it fits a role's own policies ({INLINE}: aws iam put-role-policy), and is too long \
             for a managed policy ({MANAGED})"
        )
    } else {
        format!(
            "it is too long for the policies of a role ({INLINE}): print one for each account, \
             with fewer Regions"
        )
    };
    Some(format!(
        "the policy has {size} characters without white space; {what}"
    ))
}

fn invalid(text: impl Into<String>) -> Failure {
    Failure::Invalid(text.into())
}
