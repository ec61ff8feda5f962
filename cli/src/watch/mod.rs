//! Follows an execution: a live view on a terminal, a line for each change
//! elsewhere.

mod cursor;
#[cfg(test)]
mod fake;
mod fold;
pub(crate) mod hook_runs;
mod hooks;
mod layout;
pub(crate) mod lines;
mod live;
mod next;
mod paint;
mod render;
#[cfg(test)]
mod sample;
mod stream;
mod view;

use std::{
    io::{self, IsTerminal as _},
    pin::pin,
    time::Duration,
};

use jiff::Timestamp;
use layout::Room;
use live::Live;
pub(crate) use stream::{Heard, follow};
use tidegate_proto::v1::{Commit, Execution, WatchResponse, watch_response::Message};
use tokio::time::{Instant, MissedTickBehavior, interval};
pub(crate) use view::{ExecutionView, server_counts, troubled};

use crate::{
    command_line::CommandLine,
    connect::Gateway,
    failure::{self, Exit, Failure},
    names,
    print::{Format, Printer},
};

/// Between two frames: times tick, and more than this nobody reads.
const FRAME: Duration = Duration::from_millis(250);

/// How to show what happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Show {
    /// A view that is redrawn in place.
    Live,
    /// A line for each change.
    Lines,
    /// The same, with what each hook found, said and used.
    Details,
    /// A line for each change of the execution, its holds, its waves and their
    /// hooks.
    Milestones,
    /// A JSON message for each message of the stream.
    Messages,
    /// Nothing.
    Nothing,
}

impl Show {
    /// What fits the format and the standard output.
    pub(crate) fn fitting(format: Format) -> Self {
        match format {
            Format::Table if io::stdout().is_terminal() => Self::Live,
            Format::Table => Self::Lines,
            Format::Json | Format::Jsonl | Format::Yaml => Self::Messages,
            Format::Name => Self::Nothing,
        }
    }
}

/// Which execution is followed, and until when.
#[derive(Clone, Debug)]
pub(crate) struct Watch {
    /// Its id.
    pub(crate) id: String,
    /// Changes after this revision; `None` for the ones from now on.
    pub(crate) after: Option<u64>,
    /// How it is shown.
    pub(crate) show: Show,
    /// Whether a pause ends the watch.
    pub(crate) fail_on_pause: bool,
    /// Longest time.
    pub(crate) timeout: Option<Duration>,
}

impl Watch {
    /// From the beginning as lines, from now on as a view; until it is over.
    pub(crate) fn new(id: &str, show: Show) -> Self {
        Self {
            id: id.to_owned(),
            after: match show {
                Show::Live | Show::Nothing => None,
                Show::Lines | Show::Details | Show::Milestones | Show::Messages => Some(0),
            },
            show,
            fail_on_pause: false,
            timeout: None,
        }
    }

    /// Follows the execution until it is over, or Ctrl-C detaches.
    ///
    /// # Errors
    /// It cannot be followed, is paused, or takes too long.
    pub(crate) async fn run(self, gateway: &Gateway, printer: Printer) -> Result<Exit, Failure> {
        let mut heard = follow(gateway.clone(), &self.id, self.after);
        let mut screen = Screen::new(
            self.show,
            printer,
            gateway.commands().clone(),
            self.after.is_none(),
        );
        let deadline = self.timeout.map(|timeout| Instant::now() + timeout);
        let mut frames = interval(FRAME);
        frames.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut interrupt = pin!(tokio::signal::ctrl_c());
        loop {
            tokio::select! {
                message = heard.recv() => {
                    if screen.take(message)? {
                        return Ok(screen.end(&self.id));
                    }
                    if self.fail_on_pause && screen.is_paused() {
                        return Err(paused(&screen));
                    }
                }
                _ = frames.tick(), if self.show == Show::Live => screen.draw()?,
                _ = &mut interrupt => {
                    screen.detach(&self.id);
                    return Ok(Exit::Detached);
                }
                () = sleep_until(deadline) => return Err(too_late(&screen, &self.id)),
            }
        }
    }
}

async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

fn paused(screen: &Screen) -> Failure {
    Failure::Paused {
        holds: screen.execution().holds.iter().map(names::hold).collect(),
        next: next::human(&screen.view, &screen.commands),
    }
}

fn too_late(screen: &Screen, id: &str) -> Failure {
    let state = if screen.is_known {
        names::execution_state(screen.execution().state())
    } else {
        "unknown here"
    };
    Failure::TimedOut(format!(
        "--timeout passed; execution {id} is {state} and goes on\n  watch it: {}",
        screen.commands.watch(id)
    ))
}

/// Where a watch is shown.
pub(crate) struct Screen {
    view: ExecutionView,
    show: Show,
    printer: Printer,
    commands: CommandLine,
    live: Live,
    has_told_pause: bool,
    /// Whether what is shown is the present, not history that is caught up with.
    is_current: bool,
    /// Whether a snapshot was heard.
    is_known: bool,
    /// Whether the stream is broken, and that was said.
    is_lost: bool,
}

impl Screen {
    /// A screen on which nothing is shown yet. `is_current` says whether the
    /// stream begins with the present.
    pub(crate) fn new(
        show: Show,
        printer: Printer,
        commands: CommandLine,
        is_current: bool,
    ) -> Self {
        Self {
            view: ExecutionView::default(),
            show,
            printer,
            commands,
            live: Live::default(),
            has_told_pause: false,
            is_current,
            is_known: false,
            is_lost: false,
        }
    }

    /// The execution as far as it is known.
    pub(crate) fn execution(&self) -> &Execution {
        self.view.execution()
    }

    /// Whether nothing happens until a person acts.
    pub(crate) fn is_paused(&self) -> bool {
        self.is_current && self.view.is_paused()
    }

    /// Takes what was heard; says whether it is over.
    ///
    /// # Errors
    /// The watch cannot go on, or the standard output cannot be written to.
    pub(crate) fn take(&mut self, heard: Option<Heard>) -> Result<bool, Failure> {
        let message = match heard {
            None | Some(Heard::Ended) => return Ok(true),
            Some(Heard::Failed(failure)) => {
                self.live.clear()?;
                return Err(failure);
            }
            Some(Heard::Lost(reason)) => {
                if !self.is_lost {
                    self.note(&format!("the stream broke ({reason}); it is opened again"));
                }
                self.is_lost = true;
                return Ok(false);
            }
            Some(Heard::Snapshot { header, first }) => {
                self.view.snapshot((*header).clone(), first);
                Message::Header(*header)
            }
            Some(Heard::Commit(commit)) => {
                self.view.commit(&commit);
                self.lines(&commit)?;
                Message::Commit(commit)
            }
            Some(Heard::Bookmark(bookmark)) => {
                // It was sent when nothing newer was left to send.
                self.is_current = true;
                self.view.bookmark(bookmark.clone(), Timestamp::now());
                Message::Bookmark(bookmark)
            }
        };
        self.is_known = true;
        self.is_lost = false;
        if self.show == Show::Messages {
            let message = Some(message);
            self.printer.streamed(&WatchResponse { message })?;
        }
        self.tell_pause();
        Ok(false)
    }

    fn lines(&self, commit: &Commit) -> Result<(), Failure> {
        let all = match self.show {
            Show::Lines => lines::of(commit).collect(),
            Show::Details => lines::detailed(commit).collect(),
            Show::Milestones => lines::milestones(commit).collect(),
            Show::Live | Show::Messages | Show::Nothing => Vec::new(),
        };
        all.iter().try_for_each(|line| self.printer.data(line))
    }

    /// Says once for each pause what a person may type.
    fn tell_pause(&mut self) {
        let is_paused = self.is_paused();
        let speaks = !matches!(self.show, Show::Live | Show::Milestones);
        if is_paused && !self.has_told_pause && speaks {
            for hold in &self.view.execution().holds {
                self.printer.note(&format!("paused: {}", names::hold(hold)));
            }
            for command in next::human(&self.view, &self.commands) {
                self.printer.note(&format!("next: {command}"));
            }
        }
        self.has_told_pause = is_paused;
    }

    /// Says something beside the view.
    pub(crate) fn note(&mut self, text: &str) {
        // A terminal that cannot be cleared shows the frame above the note.
        let _ = self.live.clear();
        self.printer.note(text);
    }

    /// Draws the view as it is now.
    ///
    /// # Errors
    /// The standard output cannot be written to.
    pub(crate) fn draw(&mut self) -> Result<(), Failure> {
        if self.show == Show::Live && self.is_known {
            let (width, height) = Live::size();
            let room = Room {
                width: width.into(),
                height: Live::room(height),
            };
            let frame = render::render(&self.view, Timestamp::now(), room, &self.commands);
            self.live.draw(&frame)?;
        }
        Ok(())
    }

    /// Shows the end and says how it ended.
    fn end(&mut self, id: &str) -> Exit {
        let _ = self.draw();
        let execution = self.view.execution();
        let state = execution.state();
        self.printer
            .note(&failure::ended(id, state, &execution.state_detail));
        for command in next::human(&self.view, &self.commands) {
            self.printer.note(&format!("next: {command}"));
        }
        Exit::of(state)
    }

    /// Says that only the watching ended.
    pub(crate) fn detach(&self, id: &str) {
        self.printer.note(&format!(
            "\ndetached; execution {id} goes on\n  watch it again: {}",
            self.commands.watch(id)
        ));
    }
}
