//! Tables for people: columns, no lines, no wrapping.

use comfy_table::{ContentArrangement, Table, presets};

/// A table with a heading. Without rows it is a line that says so.
pub(crate) fn table<const N: usize>(
    heading: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(heading)
        .add_rows(rows);
    if table.row_count() == 0 {
        return "nothing there".to_owned();
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table
        .lines()
        .map(|line| line.trim_end().to_owned())
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_nothing_trails() {
        let rows = [
            ["shop".to_owned(), "1".to_owned()],
            ["a".to_owned(), "12".to_owned()],
        ];
        assert_eq!(
            table(["NAME", "REVISION"], rows),
            "NAME  REVISION\nshop  1\na     12"
        );
    }

    #[test]
    fn an_empty_table_says_so() {
        assert_eq!(table(["NAME"], []), "nothing there");
    }
}
