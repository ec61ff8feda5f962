//! A mistake in a file, shown with its line, its column and a caret.

use std::fmt::Write as _;

/// How much of a long line is shown on each side of the caret.
const AROUND: usize = 60;

/// A position in a text, both from 1, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

/// One thing that is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mistake {
    /// What is wrong.
    pub(crate) text: String,
    /// Where; `None` if it is the file as a whole.
    pub(crate) place: Option<Place>,
    /// What to do.
    pub(crate) help: Option<String>,
}

impl Mistake {
    /// A mistake of the file as a whole.
    pub(crate) fn whole(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            place: None,
            help: None,
        }
    }

    /// The mistake as people read it. `name` names the file whose text is `source`.
    pub(crate) fn render(&self, name: &str, source: &str) -> String {
        let mut out = self.text.clone();
        match self.place {
            None => {
                let _ = write!(out, "\n  --> {name}");
            }
            Some(place) => {
                let _ = write!(out, "\n  --> {name}:{}:{}", place.line, place.column);
                if let Some(line) = source.lines().nth(place.line.saturating_sub(1)) {
                    excerpt(&mut out, line, place);
                }
            }
        }
        if let Some(help) = &self.help {
            let _ = write!(out, "\n  = {help}");
        }
        out
    }
}

/// The line, and a caret under the word that begins at the place.
fn excerpt(out: &mut String, line: &str, place: Place) {
    let line: Vec<char> = line.chars().map(printable).collect();
    let at = place.column.saturating_sub(1).min(line.len());
    let from = at.saturating_sub(AROUND);
    let to = line.len().min(at + AROUND);
    let shown: String = line[from..to].iter().collect();
    let word = line[at..to]
        .iter()
        .take_while(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '/' | '.'))
        .count()
        .max(1);
    let number = place.line.to_string();
    let gutter = " ".repeat(number.len());
    let _ = write!(
        out,
        "\n {gutter} |\n {number} | {}\n {gutter} | {}{}",
        shown.trim_end(),
        " ".repeat(at - from),
        "^".repeat(word)
    );
}

/// Tabs and control characters take one column each, and cannot steer a terminal.
fn printable(c: char) -> char {
    if c.is_control() { ' ' } else { c }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(line: usize, column: usize) -> Mistake {
        Mistake {
            text: "wrong".to_owned(),
            place: Some(Place { line, column }),
            help: None,
        }
    }

    #[test]
    fn the_caret_is_under_the_word() {
        assert_eq!(
            at(2, 3).render("plan.yaml", "a: 1\n  verifi: []\n"),
            "wrong\n  --> plan.yaml:2:3\n   |\n 2 |   verifi: []\n   |   ^^^^^^"
        );
    }

    #[test]
    fn a_long_line_is_cut_around_the_caret() {
        let source = format!("{}x{}", "a".repeat(500), "b".repeat(500));
        let shown = at(1, 501).render("f", &source);
        assert!(shown.lines().all(|line| line.len() < 150), "{shown}");
    }

    #[test]
    fn a_place_beyond_the_text_is_no_panic() {
        assert!(at(9, 9).render("f", "a").contains("f:9:9"));
        assert!(at(1, 99).render("f", "a").contains('^'));
    }

    #[test]
    fn a_file_cannot_steer_the_terminal() {
        assert!(!at(1, 1).render("f", "\u{1b}[2J").contains('\u{1b}'));
    }
}
