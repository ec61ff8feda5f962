//! Streams that break, against a gateway that plays scripts.

use tonic::Status;

use super::{
    super::fake::{Fake, Script, commit, end, header},
    *,
};

/// What a watcher hears of these scripts, in short words.
async fn heard(scripts: Vec<Script>, after: Option<u64>) -> (Vec<String>, Vec<Option<u64>>) {
    let (fake, gateway) = Fake::serve(scripts).await;
    let mut receiver = follow(gateway, "01J", after);
    let mut words = Vec::new();
    while let Some(heard) = receiver.recv().await {
        words.push(match heard {
            Heard::Snapshot { header, first } => {
                let waves = header.snapshot.map_or(0, |snapshot| snapshot.waves.len());
                format!("snapshot first={first} waves={waves}")
            }
            Heard::Commit(commit) => {
                let indices: Vec<String> = commit
                    .changes
                    .iter()
                    .map(|change| change.index.to_string())
                    .collect();
                indices.join(",")
            }
            Heard::Bookmark(_) => "bookmark".to_owned(),
            Heard::Ended => "ended".to_owned(),
            Heard::Lost(_) => "lost".to_owned(),
            Heard::Failed(failure) => format!("failed {:?}", failure.exit()),
        });
    }
    (words, fake.asked())
}

#[tokio::test]
async fn a_broken_stream_goes_on_without_loss_or_repetition() {
    let (words, asked) = heard(
        vec![
            vec![
                header(3, 10, &["a"], true),
                commit(4, 11..=12, true),
                commit(5, 13..=14, false),
                Err(Status::unavailable("the gateway restarts")),
            ],
            vec![
                header(4, 12, &["a"], true),
                commit(5, 13..=15, true),
                end(WatchEndReason::Shutdown),
            ],
            vec![
                header(5, 15, &["a"], true),
                commit(6, 16..=16, true),
                end(WatchEndReason::ExecutionEnded),
            ],
        ],
        None,
    )
    .await;
    let expected = [
        "snapshot first=true waves=1",
        "11,12",
        "13,14",
        "lost",
        "15",
        "lost",
        "16",
        "ended",
    ];
    assert_eq!(words, expected);
    assert_eq!(asked, [None, Some(4), Some(5)]);
}

#[tokio::test]
async fn a_snapshot_that_broke_off_is_asked_for_again() {
    let (words, asked) = heard(
        vec![
            vec![header(3, 10, &["a"], false)],
            vec![
                header(3, 10, &["a"], false),
                header(3, 10, &["b"], true),
                end(WatchEndReason::ExecutionEnded),
            ],
        ],
        Some(3),
    )
    .await;
    let expected = [
        "snapshot first=true waves=1",
        "lost",
        "snapshot first=true waves=1",
        "snapshot first=false waves=1",
        "ended",
    ];
    assert_eq!(words, expected);
    assert_eq!(asked, [Some(3), Some(3)]);
}

#[tokio::test]
async fn a_gap_is_never_skipped() {
    let (words, asked) = heard(
        vec![
            vec![header(3, 10, &[], true), commit(5, 12..=12, true)],
            vec![
                header(3, 10, &[], true),
                commit(4, 11..=11, true),
                commit(5, 12..=12, true),
                end(WatchEndReason::ExecutionEnded),
            ],
        ],
        None,
    )
    .await;
    let expected = ["snapshot first=true waves=0", "lost", "11", "12", "ended"];
    assert_eq!(words, expected);
    assert_eq!(asked, [None, Some(3)]);
}

#[tokio::test]
async fn an_execution_that_is_not_there_is_no_endless_wait() {
    let (words, _) = heard(Vec::new(), None).await;
    assert_eq!(words, ["failed NotFound"]);
}

#[tokio::test]
async fn a_cursor_that_is_gone_begins_anew() {
    let (words, asked) = heard(
        vec![
            vec![header(9, 20, &["a"], true)],
            vec![Err(Status::out_of_range("the newest revision is 5"))],
            vec![
                header(5, 12, &["a"], true),
                end(WatchEndReason::ExecutionEnded),
            ],
        ],
        Some(2),
    )
    .await;
    let expected = [
        "snapshot first=true waves=1",
        "lost",
        "lost",
        "snapshot first=true waves=1",
        "ended",
    ];
    assert_eq!(words, expected);
    assert_eq!(asked, [Some(2), Some(9), None]);
}

#[tokio::test]
async fn a_cursor_that_was_given_and_is_beyond_the_newest_is_refused() {
    let (words, asked) = heard(
        vec![
            vec![Err(Status::out_of_range("the newest revision is 5"))],
            vec![header(5, 12, &["a"], true)],
        ],
        Some(999_999),
    )
    .await;
    assert_eq!(words, ["failed Invalid"]);
    assert_eq!(asked, [Some(999_999)], "it is not asked again");
}
