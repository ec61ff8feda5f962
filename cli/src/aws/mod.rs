//! `tidegate aws`: what a gateway needs in an AWS account.

mod create_table;
mod policy;

use clap::Subcommand;

use crate::{
    failure::{Exit, Failure},
    print::Printer,
};

use self::{create_table::CreateTable, policy::Policy};

/// What can be prepared in AWS.
#[derive(Debug, Subcommand)]
pub(crate) enum AwsCommand {
    /// Make the table of a journal that gateways share, or check it.
    CreateTable(CreateTable),
    /// Print the IAM policies that a gateway needs, as JSON.
    Policy(Box<Policy>),
}

impl AwsCommand {
    /// Runs the verb.
    pub(crate) async fn run(self, printer: Printer) -> Result<Exit, Failure> {
        match self {
            Self::CreateTable(verb) => verb.run(printer).await,
            Self::Policy(verb) => verb.run(printer),
        }
    }
}
