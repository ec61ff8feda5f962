//! One seed: a journal that lives, loses its power, is opened again, and so
//! on, and is held against what it acknowledged each time.

use std::pin::pin;

use futures::future::join_all;
use tokio::task::unconstrained;

use super::{
    super::super::{
        RedbJournal, Settings,
        batch::{Change, Outcome, Refusal},
        committer::WriteError,
        page_log::Shape,
    },
    changes::{certain, change},
    contents::{Answer, Contents, Names},
    disk::{Cut, Image, PowerDisk, Syncs},
    random::Random,
};

/// Little, so that the disk is read and not only written.
const CACHE: usize = 256 << 10;

/// So little that commits of all sizes meet the ends of its halves, and some
/// find no room in it.
pub(super) const HALF: usize = 64 << 10;

/// What was tried.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    /// Losses of power while the journal was made.
    pub(super) in_creation: usize,
    /// While it was opened, and repaired if need be.
    pub(super) in_recovery: usize,
    /// While a change was committed.
    pub(super) in_commit: usize,
    /// While it was closed.
    pub(super) in_close: usize,
    /// Changes that were answered.
    pub(super) answered: usize,
    /// Commits in doubt that turned out to be stored, and not to be.
    pub(super) kept: usize,
    pub(super) lost: usize,
    /// Operations of disks.
    pub(super) operations: usize,
}

/// What is broken, for a person.
pub(super) type Broken = String;

/// Lives through one seed.
pub(super) async fn live(seed: u64, syncs: Syncs, in_background: bool) -> Result<Tally, Broken> {
    let mut random = Random::new(seed);
    let lives = 3 + random.below(4);
    let mut journal = Life {
        random,
        syncs,
        shape: Shape {
            half: HALF,
            in_background,
        },
        image: Image::default(),
        created: false,
        possible: vec![Contents::default()],
        names: Names::default(),
        tally: Tally::default(),
    };
    for _ in 0..lives {
        journal.until_cut().await?;
    }
    journal.once_more().await?;
    Ok(journal.tally)
}

/// A journal through its losses of power.
struct Life {
    random: Random,
    syncs: Syncs,
    shape: Shape,
    /// What the disk holds between two lives.
    image: Image,
    /// It was opened once. Before that, what is left of it is thrown away, as
    /// a data directory does with a file that has not its name yet.
    created: bool,
    /// What may be stored: the commit under way at the cut is, or is not.
    possible: Vec<Contents>,
    names: Names,
    tally: Tally,
}

/// How far a life came.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reached {
    Opening,
    Committing,
    Closing,
}

impl Life {
    async fn until_cut(&mut self) -> Result<(), Broken> {
        let range = self.random.pick(&[12, 60, 250, 250]);
        let cut = Cut {
            at: 1 + self.random.below(range),
            // A disk that lies from the start never has a journal at all.
            syncs: if self.created {
                self.syncs
            } else {
                Syncs::Honest
            },
        };
        let image = std::mem::take(&mut self.image);
        let disk = PowerDisk::new(image, Some(cut), self.random.fork());
        let reached = self.live_on(&disk).await?;
        self.count(reached, &disk);
        self.image = disk.after_power_loss();
        if !self.created {
            self.image = Image::default();
        }
        Ok(())
    }

    /// The last look: whoever survived everything goes on.
    async fn once_more(&mut self) -> Result<(), Broken> {
        let image = std::mem::take(&mut self.image);
        let disk = PowerDisk::new(image, None, self.random.fork());
        let reached = self.live_on(&disk).await?;
        self.tally.operations += disk.operations();
        if reached == Reached::Closing {
            return Ok(());
        }
        Err("the journal failed although the power stayed".to_owned())
    }

    async fn live_on(&mut self, disk: &PowerDisk) -> Result<Reached, Broken> {
        let settings = Settings { cache_bytes: CACHE };
        let [pages, log] = disk.files();
        let journal = match RedbJournal::on_disks(pages, log, self.shape, &settings) {
            Ok(journal) => journal,
            Err(_) if disk.is_off() => return Ok(Reached::Opening),
            Err(problem) => return Err(format!("it cannot be opened: {problem}")),
        };
        self.created = true;
        if disk.is_off() {
            // Unless it went while a thread synced the pages.
            return if self.shape.in_background {
                Ok(Reached::Opening)
            } else {
                Err("it was opened although the power went".to_owned())
            };
        }
        let found = match Contents::read(&journal, &self.names).await {
            Ok(found) => found,
            Err(_) if disk.is_off() => return Ok(Reached::Opening),
            Err(error) => return Err(format!("it cannot be read: {error}")),
        };
        let mut held = self.settle(found)?;
        for _ in 0..5 + self.random.below(30) {
            if !self.round(&journal, disk, &mut held).await? {
                return Ok(Reached::Committing);
            }
        }
        self.possible = vec![held];
        drop(journal);
        Ok(Reached::Closing)
    }

    /// Finds out which of the possible contents it is.
    fn settle(&mut self, found: Contents) -> Result<Contents, Broken> {
        if let Some(contradiction) = found.contradiction() {
            return Err(contradiction);
        }
        let place = self.possible.iter().position(|held| *held == found);
        let in_doubt = self.possible.len() > 1;
        match place {
            Some(0) if in_doubt => self.tally.lost += 1,
            Some(_) if in_doubt => self.tally.kept += 1,
            Some(_) => {}
            None => return Err(difference(&self.possible, &found)),
        }
        self.possible = vec![found.clone()];
        Ok(found)
    }

    /// One commit, or two of which the second is of many changes. False if
    /// the power went.
    async fn round(
        &mut self,
        journal: &RedbJournal,
        disk: &PowerDisk,
        held: &mut Contents,
    ) -> Result<bool, Broken> {
        let before = held.clone();
        // Which changes share a commit can only be told if nothing else happens
        // on the disk.
        if self.shape.in_background || !self.random.one_in(3) {
            let change = change(&mut self.random, held, &mut self.names);
            let expected = held.perform(&change);
            let answer = submit(journal, change).await;
            return self.judge([before, held.clone()], &[expected], &[answer], disk);
        }
        let first = certain(&mut self.random, held);
        let expected_first = held.perform(&first);
        let between = held.clone();
        let (changes, expected): (Vec<Change>, Vec<Answer>) = (0..2 + self.random.below(10))
            .map(|_| {
                let change = change(&mut self.random, held, &mut self.names);
                let expected = held.perform(&change);
                (change, expected)
            })
            .unzip();
        let (answer, answers) = commit_together(journal, disk, first, changes).await;
        let goes_on = self.judge(
            [before, between.clone()],
            &[expected_first],
            &[answer],
            disk,
        )?;
        if !goes_on {
            if answers.iter().any(Option::is_some) {
                return Err("a change was answered after the journal had failed".to_owned());
            }
            return Ok(false);
        }
        self.judge([between, held.clone()], &expected, &answers, disk)
    }

    /// Compares the answers of one commit with what was expected. False if
    /// the power went in it: then either of the contents may be stored.
    fn judge(
        &mut self,
        possible: [Contents; 2],
        expected: &[Answer],
        answers: &[Heard],
        disk: &PowerDisk,
    ) -> Result<bool, Broken> {
        if answers.iter().all(Option::is_none) {
            if !disk.is_off() {
                return Err("a change failed although the power stayed".to_owned());
            }
            self.possible = possible.into();
            return Ok(false);
        }
        if !answers.iter().flatten().eq(expected) {
            return Err(format!("answered {answers:?} for {expected:?}"));
        }
        self.tally.answered += answers.len();
        Ok(true)
    }

    fn count(&mut self, reached: Reached, disk: &PowerDisk) {
        self.tally.operations += disk.operations();
        let cuts = match reached {
            Reached::Opening if self.created => &mut self.tally.in_recovery,
            Reached::Opening => &mut self.tally.in_creation,
            Reached::Committing => &mut self.tally.in_commit,
            Reached::Closing => &mut self.tally.in_close,
        };
        *cuts += usize::from(disk.is_off());
    }
}

/// What was heard of a change; `None` if the journal failed.
type Heard = Option<Answer>;

async fn submit(journal: &RedbJournal, change: Change) -> Heard {
    match journal.submit(change).await {
        Ok(Outcome::Done) => Some(Answer::Done),
        Ok(Outcome::Moot) => Some(Answer::Moot),
        Err(WriteError::Refused(Refusal::Taken { .. })) => Some(Answer::Taken),
        Err(WriteError::Refused(Refusal::Claimed { .. })) => Some(Answer::Claimed),
        Err(WriteError::Refused(Refusal::Outdated)) => unreachable!("no change names a number"),
        Err(WriteError::Failed(_)) => None,
    }
}

/// A commit of one change, held until all the others have queued for the next
/// one: which changes share a commit must not depend on threads. Unconstrained,
/// because a task that has used up its budget would queue nothing when polled.
async fn commit_together(
    journal: &RedbJournal,
    disk: &PowerDisk,
    first: Change,
    others: Vec<Change>,
) -> (Heard, Vec<Heard>) {
    disk.hold();
    let mut first = pin!(unconstrained(submit(journal, first)));
    assert!(futures::poll!(first.as_mut()).is_pending());
    disk.wait_for_held();
    let others = others.into_iter().map(|change| submit(journal, change));
    let mut others = pin!(unconstrained(join_all(others)));
    assert!(futures::poll!(others.as_mut()).is_pending());
    disk.release();
    (first.await, others.await)
}

/// Which parts of what was found are not as they should be.
fn difference(possible: &[Contents], found: &Contents) -> Broken {
    let parts = |held: &Contents| {
        [
            ("logs", held.logs == found.logs),
            ("heads", held.heads == found.heads),
            ("claims", held.claims == found.claims),
            ("plans", held.plans == found.plans),
            ("revisions", held.last_revisions == found.last_revisions),
            ("hooks", held.hooks == found.hooks),
            ("tapes", held.tapes == found.tapes),
        ]
        .into_iter()
        .filter_map(|(part, same)| (!same).then_some(part))
        .collect::<Vec<_>>()
        .join(", ")
    };
    let parts: Vec<_> = possible.iter().map(parts).collect();
    format!(
        "what is stored was never the state; it differs in {}",
        parts.join(", or in ")
    )
}
