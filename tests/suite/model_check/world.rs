//! The state of the modelled world, and what of it can be varied.

/// Counts how often DRS was asked for the launch, from 1.
pub(crate) type Attempt = u8;
/// A job of DRS, by its place among them.
pub(crate) type Job = u8;

/// What is promised, taken away or assumed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    /// An append to a taken position is refused (`ports::journal::Journal`).
    pub(crate) fence: bool,
    /// What comes of an answer that was lost.
    pub(crate) lost: Lost,
    /// When a look that found nothing must have been made to count.
    pub(crate) nothing: Nothing,
    /// A person is asked before a traceless launch is asked for again
    /// (`core::plan::UnknownLaunch`).
    pub(crate) asks_person: bool,
    /// Between the record of an attempt and the end of its settle window, a
    /// call that is made arrives or never does, and its job can be seen; and
    /// no copy of a call arrives after its job has ended, or after DRS has
    /// answered another copy "not now".
    pub(crate) timely: bool,
    /// DRS refuses a second live job for a server.
    pub(crate) one_live_job: bool,
    /// How often DRS is asked at most. What is timely never comes so far.
    pub(crate) attempts: Attempt,
    /// Processes that may start besides the first.
    pub(crate) starts: u8,
    /// Calls, answers and patience that may be lost, and refusals to do
    /// something now.
    pub(crate) mishaps: u8,
    /// Calls that the network may deliver twice.
    pub(crate) duplicates: u8,
    /// Times that a person resumes.
    pub(crate) approvals: u8,
}

/// What comes of an answer that was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lost {
    /// It is looked for.
    Looked,
    /// It is asked again: the control.
    AskedAgain,
}

/// When a look that found nothing must have been made to count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nothing {
    /// It was begun after the settle window.
    BegunAfter,
    /// It was heard after the settle window: the control.
    HeardAfter,
}

/// Everything at one instant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct World {
    /// The execution's log; what stands first was written at revision 1.
    pub(crate) log: Vec<Record>,
    /// Appends on their way to the journal.
    pub(crate) puts: Vec<Put>,
    pub(crate) owners: [Option<Owner>; 2],
    /// How the next process will be called.
    pub(crate) next_writer: u8,
    /// Calls of StartRecovery on their way to DRS.
    pub(crate) calls: Vec<Attempt>,
    /// Attempts that some process called DRS for, ever.
    pub(crate) called: Vec<Attempt>,
    pub(crate) jobs: Vec<JobRun>,
    /// Attempts whose settle window has passed.
    pub(crate) settled: Vec<Attempt>,
    pub(crate) left: Left,
    pub(crate) faults: Faults,
}

/// What may still go wrong, or be decided by a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Left {
    pub(crate) starts: u8,
    pub(crate) mishaps: u8,
    pub(crate) duplicates: u8,
    pub(crate) approvals: u8,
}

/// What a step did that it must never do, remembered for the rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Faults {
    /// A position was written again.
    pub(crate) overwritten: bool,
    /// A position was left out.
    pub(crate) gap: bool,
    /// A process called DRS without having recorded that it would, or twice
    /// for one record.
    pub(crate) unrecorded_call: bool,
}

/// One record of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Record {
    /// Which process wrote it; stands for the nonce.
    pub(crate) writer: u8,
    pub(crate) change: Change,
}

/// What a record says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Change {
    Created,
    /// Its writer has taken over.
    Owner,
    Launch(Launch),
}

/// Where the launch stands: `core::engine::LaunchState`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Launch {
    /// Nothing is recorded yet.
    Wanted,
    Asking(Attempt),
    Reconciling(Attempt),
    /// Reconciling, looked for in vain, and a person is asked.
    Traceless(Attempt),
    Deferred(Attempt),
    Running(Job),
    Ended(Job),
}

/// An append on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Put {
    /// How many records there must be before it.
    pub(crate) after: u8,
    pub(crate) record: Record,
}

/// A process that drives the execution, or thinks so, or is about to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Owner {
    pub(crate) writer: u8,
    /// Records that it has folded.
    pub(crate) folded: u8,
    /// What they said.
    pub(crate) launch: Launch,
    /// Its first record is in the log.
    pub(crate) drives: bool,
    /// What it waits for the journal to accept.
    pub(crate) appending: Option<Change>,
    pub(crate) call: Call,
    pub(crate) look: Option<Look>,
}

/// A process's own call of DRS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Call {
    None,
    /// Made and not answered.
    Open(Attempt),
    /// Answered, and not yet heard by the engine.
    Answered(Attempt, Answer),
}

/// `core::engine::LaunchAnswer`. Refusals for ever end a launch and need no
/// model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Answer {
    Accepted(Job),
    Deferred,
    Unknown,
}

/// A look that was made, and not yet heard by the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Look {
    pub(crate) attempt: Attempt,
    /// The earliest job with the launch's tag that DRS showed.
    pub(crate) found: Option<Job>,
    /// The attempt's settle window had passed when it was begun.
    pub(crate) begun_settled: bool,
}

/// A job for the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct JobRun {
    pub(crate) lives: bool,
    /// Lists and tags show it.
    pub(crate) shown: bool,
}

impl World {
    /// The launch as the log says, and who may continue it.
    pub(crate) fn folded(&self, setting: &Setting) -> (u8, Launch) {
        let mut owner = 0;
        let mut launch = Launch::Wanted;
        for record in &self.log {
            if record.change.changes_owner() {
                owner = record.writer;
            }
            launch = launch.after(record.change, setting);
        }
        (owner, launch)
    }
}

impl Change {
    pub(crate) fn changes_owner(self) -> bool {
        match self {
            Self::Created | Self::Owner => true,
            Self::Launch(_) => false,
        }
    }
}

impl Launch {
    /// Folds one record. A new owner does not know what came of a call that
    /// was wanted (`decide::requests::owner_changed`).
    pub(crate) fn after(self, change: Change, setting: &Setting) -> Self {
        match (change, self) {
            (Change::Launch(launch), _) => launch,
            (Change::Owner, Self::Asking(attempt)) => Self::lost(attempt, setting),
            (Change::Owner | Change::Created, launch) => launch,
        }
    }

    /// What an answer that was lost makes of an attempt.
    pub(crate) fn lost(attempt: Attempt, setting: &Setting) -> Self {
        match setting.lost {
            Lost::Looked => Self::Reconciling(attempt),
            Lost::AskedAgain => Self::Deferred(attempt),
        }
    }

    /// The attempt whose answer is still wanted (`decide::launches::awaits`).
    pub(crate) fn awaited(self) -> Option<Attempt> {
        match self {
            Self::Asking(attempt) | Self::Reconciling(attempt) | Self::Traceless(attempt) => {
                Some(attempt)
            }
            Self::Wanted | Self::Deferred(_) | Self::Running(_) | Self::Ended(_) => None,
        }
    }
}
