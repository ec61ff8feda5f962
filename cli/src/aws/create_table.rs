//! `tidegate aws create-table`.

use std::num::NonZeroU16;

use tidegate_gateway::adapters::journal_dynamodb::{Created, Settings, create_table};

use crate::{
    failure::{Exit, Failure},
    print::Printer,
};

/// Make the table of a journal that gateways share, or check it.
///
/// The table has on-demand billing and point-in-time recovery, and costs
/// nothing but its storage while nobody uses it. Run again, this checks what is
/// there and adds what is missing. Credentials are those that AWS tools would
/// find.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct CreateTable {
    /// Its name, as in journal.dynamodb.table.
    #[arg(long, value_name = "NAME", default_value = "tidegate")]
    table: String,
    /// Its Region, instead of the one that AWS tools would find.
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
    /// A DynamoDB Local instead of AWS.
    #[arg(long, value_name = "URL")]
    endpoint: Option<String>,
    /// Into how many parts executions are divided among gateways; a new table
    /// only. Several times as many as there will ever be gateways.
    #[arg(long, value_name = "NUMBER", default_value = "64")]
    partitions: NonZeroU16,
}

impl CreateTable {
    /// Makes it.
    pub(crate) async fn run(self, printer: Printer) -> Result<Exit, Failure> {
        let settings = Settings {
            region: self.region,
            endpoint: self.endpoint,
            ..Settings::new(&*self.table)
        };
        let created = create_table(&settings, self.partitions).await;
        let created = created.map_err(|error| Failure::Other(error.to_string()))?;
        for line in said(&self.table, &created, self.partitions) {
            printer.note(&line);
        }
        printer.data(&self.table)?;
        Ok(Exit::Ok)
    }
}

/// What a person is told.
fn said(table: &str, created: &Created, wanted: NonZeroU16) -> Vec<String> {
    let Created {
        region,
        is_new,
        partitions,
        has_backups,
    } = created;
    let what = match is_new {
        true => "made table",
        false => "checked what was there: table",
    };
    let mut lines = vec![format!(
        "{what} {table} in Region {region}, {partitions} partitions, on-demand billing"
    )];
    if *partitions != wanted.get() {
        lines.push(format!(
            "the number of partitions stays as it was made: {partitions}, not {wanted}"
        ));
    }
    if !has_backups {
        lines.push("this endpoint has no point-in-time recovery".to_owned());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_that_was_there_is_not_called_new_and_keeps_its_partitions() {
        let there = Created {
            region: "eu-west-1".to_owned(),
            is_new: false,
            partitions: 64,
            has_backups: true,
        };
        let lines = said("journal", &there, NonZeroU16::new(16).unwrap());
        assert!(lines[0].starts_with("checked"), "{lines:?}");
        assert!(lines[1].contains("64, not 16"), "{lines:?}");
        assert_eq!(lines.len(), 2);
    }
}
