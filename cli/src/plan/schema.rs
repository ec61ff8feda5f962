//! `tidegate plan schema`.

use crate::{
    failure::{Exit, Failure},
    print::Printer,
};

/// Prints the JSON Schema of plan files.
pub(super) fn run(printer: Printer) -> Result<Exit, Failure> {
    let schema = format!("{:#}", tidegate_plan_file::json_schema());
    printer.data(&schema)?;
    Ok(Exit::Ok)
}
