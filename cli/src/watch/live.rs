//! Draws frames in place on a terminal, without taking the whole screen: what
//! was said before stays, and so does the last frame.

use std::io::{self, Write as _};

use anstream::{AutoStream, ColorChoice};
use crossterm::{
    cursor, queue,
    terminal::{self, Clear, ClearType},
};

/// A frame that can be replaced.
#[derive(Debug, Default)]
pub(super) struct Live {
    drawn: u16,
}

impl Live {
    /// Width and height of the terminal.
    pub(super) fn size() -> (u16, u16) {
        terminal::size().unwrap_or((80, 24))
    }

    /// Lines that a frame may have: one that scrolls could not be replaced.
    pub(super) fn room(height: u16) -> usize {
        usize::from(height.saturating_sub(1)).max(1)
    }

    /// Replaces the last frame. The new one was made for the terminal's room;
    /// if that shrank since, what is too much is cut off at the bottom.
    pub(super) fn draw(&mut self, frame: &str) -> io::Result<()> {
        let (_, height) = Self::size();
        let lines: Vec<&str> = frame.lines().take(Self::room(height)).collect();
        let mut out = io::stdout().lock();
        if self.drawn > 0 {
            queue!(out, cursor::MoveToPreviousLine(self.drawn))?;
        }
        queue!(out, Clear(ClearType::FromCursorDown))?;
        for line in &lines {
            writeln!(out, "{}", coloured(line))?;
        }
        self.drawn = u16::try_from(lines.len()).unwrap_or(height);
        out.flush()
    }

    /// Takes the frame away, so that something else can be said.
    pub(super) fn clear(&mut self) -> io::Result<()> {
        let mut out = io::stdout().lock();
        if self.drawn > 0 {
            queue!(
                out,
                cursor::MoveToPreviousLine(self.drawn),
                Clear(ClearType::FromCursorDown)
            )?;
        }
        self.drawn = 0;
        out.flush()
    }
}

/// The line with or without colours. anstream would take the cursor's movements away as well.
fn coloured(line: &str) -> String {
    if AutoStream::choice(&io::stdout()) == ColorChoice::Never {
        anstream::adapter::strip_str(line).to_string()
    } else {
        line.to_owned()
    }
}
