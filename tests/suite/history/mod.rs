//! Whole histories of earlier versions, which fold to the same states, want
//! the same commands under the same ids and allow the same requests for ever.
//! `tests/history/README.md` says how they are made and when to add more.

mod coverage;
mod file;
mod shown;
mod stories;
mod story;

use std::{
    collections::BTreeSet,
    env,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use tidegate_core::engine::{Execution, Genesis, Settings};
use tidegate_gateway::{
    grpc::pinned_plan,
    journal_format::{self, GenesisRecord},
};

/// The folder that new histories are written to: of the version at work.
const NEWEST: &str = "v2";

#[test]
fn every_stored_history_folds_to_the_state_that_was_saved_with_it() {
    write_missing();
    let mut count = 0;
    for version in versions() {
        for journal in files(&version, "journal") {
            let told = told(&read(&journal)).join("");
            compare(&told, &journal.with_extension("txt"));
            count += 1;
        }
    }
    assert!(count >= stories::ALL.len(), "there are {count} histories");
}

#[test]
fn every_story_is_told_to_its_end() {
    for (name, tell) in stories::ALL {
        let story = tell();
        let over = story.execution.state().is_terminal();
        assert_eq!(over, name != "unfinished", "{name}");
        let (folded, _) = fold(&story.records);
        assert_eq!(folded, story.execution, "{name}");
    }
}

#[test]
fn the_histories_of_the_first_version_cover_all_that_it_can_say() {
    let said = said_by("v1");
    for name in names(&coverage::FIRST_VERSION) {
        assert!(said.contains(&name), "no history has {name}: {said:#?}");
    }
}

#[test]
fn the_histories_of_the_second_version_cover_all_that_it_can_say() {
    let said = said_by("v2");
    let of_both = names(&coverage::FIRST_VERSION).chain(names(&coverage::SECOND_VERSION));
    let mut still_said = of_both.filter(|name| name != coverage::NOT_SINCE_THE_FIRST);
    if let Some(name) = still_said.find(|name| !said.contains(name)) {
        panic!("no history has {name}: {said:#?}");
    }
    assert!(!said.contains(coverage::NOT_SINCE_THE_FIRST));
}

fn said_by(version: &str) -> BTreeSet<String> {
    let journals = files(&root().join(version), "journal");
    let histories: Vec<Vec<Bytes>> = journals.iter().map(|path| read(path)).collect();
    coverage::of(&histories)
}

fn names(all: &'static [(&str, &str)]) -> impl Iterator<Item = String> {
    all.iter().flat_map(|(what, names)| {
        let names = names.split_whitespace();
        names.map(move |name| format!("{what} {name}"))
    })
}

/// Writes what the newest version lacks, if that is asked for. Nothing that is
/// there is ever written anew.
fn write_missing() {
    if env::var_os("TIDEGATE_WRITE_HISTORY").is_none() {
        return;
    }
    let folder = root().join(NEWEST);
    fs::create_dir_all(&folder).expect("the folder can be made");
    for (name, tell) in stories::ALL {
        let journal = folder.join(name).with_extension("journal");
        if !journal.exists() {
            let story = tell();
            fs::write(&journal, framed(&story.records)).expect("it can be written");
            let told = told(&story.records).join("");
            fs::write(journal.with_extension("txt"), told).expect("it can be written");
        }
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("history")
}

/// The folders of all versions.
fn versions() -> Vec<PathBuf> {
    let entries = fs::read_dir(root()).expect("there are histories");
    let paths = entries.map(|entry| entry.expect("it can be read").path());
    let mut folders: Vec<PathBuf> = paths.filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the version has histories");
    let paths = entries.map(|entry| entry.expect("it can be read").path());
    let mut files: Vec<PathBuf> = paths
        .filter(|path| path.extension().is_some_and(|it| it == extension))
        .collect();
    files.sort();
    files
}

fn compare(told: &str, saved: &Path) {
    let wanted = fs::read_to_string(saved).unwrap_or_else(|error| panic!("{saved:?}: {error}"));
    let mut lines = told.lines().zip(wanted.lines()).enumerate();
    if let Some((line, (now, then))) = lines.find(|(_, (now, then))| now != then) {
        panic!("{saved:?} line {}: {now:?} instead of {then:?}", line + 1);
    }
    assert_eq!(told, wanted, "{saved:?}");
}

/// Records one after the other, each preceded by its length in four bytes, the
/// largest first.
fn framed(records: &[Bytes]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for record in records {
        let length = u32::try_from(record.len()).expect("a record is small");
        bytes.extend(length.to_be_bytes());
        bytes.extend_from_slice(record);
    }
    bytes
}

fn read(journal: &Path) -> Vec<Bytes> {
    let mut rest = Bytes::from(fs::read(journal).expect("the history can be read"));
    let mut records = Vec::new();
    while !rest.is_empty() {
        let (length, _) = rest.split_first_chunk::<4>().expect("a length");
        let length = u32::from_be_bytes(*length) as usize;
        let mut record = rest.split_to(4 + length);
        records.push(record.split_off(4));
    }
    records
}

fn begin(genesis: &GenesisRecord) -> Execution {
    let plan = pinned_plan(&genesis.origin.plan).expect("the pinned plan can be read");
    let genesis = Genesis {
        id: genesis.execution.clone(),
        kind: genesis.kind,
        plan: Arc::new(plan),
        created_at: genesis.created_at,
    };
    let settings = Settings {
        servers_per_job: story::SERVERS_PER_JOB,
        ..Settings::default()
    };
    Execution::new(genesis, settings)
}

fn fold(records: &[Bytes]) -> (Execution, Vec<String>) {
    let mut execution: Option<Execution> = None;
    let mut previous = None;
    let mut now = None;
    let mut told = Vec::new();
    for bytes in records {
        let record = journal_format::decode(bytes).expect("it is a record");
        assert_eq!(record.previous, previous, "the records are a chain");
        previous = Some(journal_format::hash(bytes));
        let execution = execution.get_or_insert_with(|| {
            begin(
                record
                    .genesis
                    .as_ref()
                    .expect("the first record has an origin"),
            )
        });
        assert_eq!(record.view.first_index, execution.change_count() + 2);
        for change in &record.view.changes {
            assert_eq!(execution.fits(change), Ok(()), "{change:?}");
            execution.apply(change, record.view.at);
        }
        assert_eq!(execution.violations(), []);
        now = Some(record.view.at);
        let mut text = String::new();
        let _ = writeln!(
            text,
            "revision {} at {} index {} epoch {} request {:?}",
            record.view.revision,
            record.view.at.as_millis(),
            record.view.first_index,
            record.epoch,
            record.view.request_id
        );
        text.push_str(&shown::wants(execution));
        told.push(text);
    }
    let execution = execution.expect("a history has records");
    told.push(shown::whole(
        &execution,
        now.expect("a history has records"),
    ));
    (execution, told)
}

/// A part for each prefix of the history, and the whole state at its end.
fn told(records: &[Bytes]) -> Vec<String> {
    fold(records).1
}
