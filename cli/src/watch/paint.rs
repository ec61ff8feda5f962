//! Lines of styled text that know their width, so that clipping never cuts an
//! escape sequence.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

/// Nothing special.
pub(super) const PLAIN: Style = Style::new();
/// Headings.
pub(super) const STRONG: Style = Style::new().bold();
/// Of less interest.
pub(super) const FAINT: Style = Style::new().dimmed();
/// Done.
pub(super) const GOOD: Style = AnsiColor::Green.on_default();
/// Under way.
pub(super) const BUSY: Style = AnsiColor::Cyan.on_default();
/// Waits for a person, or deserves a look.
pub(super) const LOOK: Style = AnsiColor::Yellow.on_default().bold();
/// Failed.
pub(super) const BAD: Style = AnsiColor::Red.on_default().bold();

/// One line.
#[derive(Clone, Debug, Default)]
pub(super) struct Line(Vec<(Style, String)>);

impl Line {
    /// An unstyled line.
    pub(super) fn plain(text: impl Into<String>) -> Self {
        Self::default().with(PLAIN, text)
    }

    /// Adds text. What comes from outside cannot steer the terminal.
    pub(super) fn with(mut self, style: Style, text: impl Into<String>) -> Self {
        let text: String = text
            .into()
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        self.0.push((style, text));
        self
    }

    /// The line with escape sequences, at most `width` characters wide.
    fn render(&self, width: usize) -> String {
        let mut out = String::new();
        let mut room = width;
        for (style, text) in &self.0 {
            let shown: String = text.chars().take(room).collect();
            room -= shown.chars().count();
            if *style == PLAIN {
                out.push_str(&shown);
            } else if !shown.is_empty() {
                let _ = write!(out, "{style}{shown}{style:#}");
            }
        }
        out.truncate(out.trim_end_matches(' ').len());
        out
    }
}

/// All lines, each with its line break.
pub(super) fn render(lines: &[Line], width: usize) -> String {
    lines
        .iter()
        .map(|line| format!("{}\n", line.render(width)))
        .collect()
}

/// A bar of `width` characters, filled to `part` of `whole`.
pub(super) fn bar(part: f64, whole: f64, width: usize) -> String {
    let share = if whole > 0.0 {
        (part / whole).clamp(0.0, 1.0)
    } else {
        0.0
    };
    let filled = (share * width as f64).floor() as usize;
    format!("[{}{}]", "#".repeat(filled), ".".repeat(width - filled))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clipping_counts_characters_not_escapes() {
        let line = Line::plain("äb").with(BAD, "cdef").with(GOOD, "x");
        let shown = anstream::adapter::strip_str(&line.render(4)).to_string();
        assert_eq!(shown, "äbcd");
    }

    #[test]
    fn a_bar_is_never_wider_than_it_is() {
        assert_eq!(bar(5.0, 10.0, 4), "[##..]");
        assert_eq!(bar(50.0, 10.0, 4), "[####]");
        assert_eq!(bar(5.0, 0.0, 4), "[....]");
    }
}
