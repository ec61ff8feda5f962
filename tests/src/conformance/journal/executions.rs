//! Reading logs and heads.

use bytes::Bytes;
use tidegate_gateway::ports::journal::{Append, Head, Journal};

use super::{Subject, append, append_up_to, assert_log, head};

/// Pages follow each other by the last revision of the one before.
pub async fn reading_goes_page_by_page(subject: &mut impl Subject) {
    let journal = subject.open().await.journal;
    append_up_to(&*journal, "a", 7).await;
    append_up_to(&*journal, "b", 9).await;
    let cases = [
        (0, 3, vec![1, 2, 3]),
        (3, 3, vec![4, 5, 6]),
        (6, 3, vec![7]),
        (5, 100, vec![6, 7]),
        (7, 3, vec![]),
        (100, 3, vec![]),
        (u64::MAX, 3, vec![]),
        (0, 0, vec![]),
    ];
    for (after, limit, expected) in cases {
        let page = journal.read(&"a".into(), after, limit).await.unwrap();
        let revisions: Vec<_> = page.iter().map(|stored| stored.revision).collect();
        assert_eq!(revisions, expected, "{limit} after {after}");
    }
}

/// A page fits into memory, and is never empty for its size's sake.
pub async fn reading_stops_at_about_a_mebibyte(subject: &mut impl Subject) {
    const MIB: usize = 1 << 20;
    let journal = subject.open().await.journal;
    for revision in 1..=12 {
        let size = if revision == 5 { 3 * MIB } else { 300 << 10 };
        let large = Append {
            record: vec![u8::try_from(revision).unwrap(); size].into(),
            ..append("a", revision)
        };
        journal.append(large).await.unwrap();
    }
    let mut revisions = Vec::new();
    while revisions.len() < 12 {
        let after = revisions.last().copied().unwrap_or(0);
        let page = journal.read(&"a".into(), after, 100).await.unwrap();
        let size: usize = page.iter().map(|stored| stored.record.len()).sum();
        assert!(!page.is_empty());
        assert!(size <= 2 * MIB || page.len() == 1, "{size} bytes");
        revisions.extend(page.iter().map(|stored| stored.revision));
    }
    assert_eq!(revisions, (1..=12).collect::<Vec<_>>());
}

async fn listed(
    journal: &dyn Journal,
    before: Option<&str>,
    live_only: bool,
    limit: usize,
) -> Vec<String> {
    let before = before.map(Into::into);
    let heads = journal.heads(before.as_ref(), live_only, limit).await;
    let heads = heads.unwrap().into_iter();
    heads.map(|head| head.execution.to_string()).collect()
}

/// Lists go back in time; identifiers sort by creation.
pub async fn heads_are_listed_newest_first(subject: &mut impl Subject) {
    let journal = subject.open().await.journal;
    assert!(listed(&*journal, None, false, 10).await.is_empty());
    for execution in ["c", "a", "e", "b", "d"] {
        append_up_to(&*journal, execution, 2).await;
    }
    for execution in ["b", "e"] {
        let over = Append {
            head: Some(head(false, "over")),
            ..append(execution, 3)
        };
        journal.append(over).await.unwrap();
    }
    let all = ["e", "d", "c", "b", "a"];
    assert_eq!(listed(&*journal, None, false, 10).await, all);
    assert_eq!(listed(&*journal, None, false, 2).await, all[..2]);
    assert_eq!(listed(&*journal, Some("d"), false, 2).await, all[2..4]);
    assert_eq!(listed(&*journal, Some("cc"), false, 9).await, all[2..]);
    assert!(listed(&*journal, Some("a"), false, 9).await.is_empty());
    assert!(listed(&*journal, None, false, 0).await.is_empty());

    assert_eq!(listed(&*journal, None, true, 10).await, ["d", "c", "a"]);
    assert_eq!(listed(&*journal, None, true, 1).await, ["d"]);
    assert_eq!(listed(&*journal, Some("d"), true, 1).await, ["c"]);
    assert_eq!(listed(&*journal, Some("b"), true, 9).await, ["a"]);
}

/// A head changes with the record that changes it, and only then.
pub async fn the_newest_head_is_the_one_that_is_shown(subject: &mut impl Subject) {
    let journal = subject.open().await.journal;
    assert_eq!(journal.head(&"a".into()).await.unwrap(), None);
    // An execution that is over may be written to, and may come alive again.
    let steps = [
        (Some((true, "created")), (true, "created")),
        (None, (true, "created")),
        (Some((true, "running")), (true, "running")),
        (Some((false, "over")), (false, "over")),
        (None, (false, "over")),
        (Some((true, "again")), (true, "again")),
        (Some((false, "")), (false, "")),
    ];
    for (revision, (update, (live, summary))) in (1..).zip(steps) {
        let step = Append {
            head: update.map(|(live, summary)| head(live, summary)),
            ..append("a", revision)
        };
        journal.append(step).await.unwrap();

        let expected = Head {
            execution: "a".into(),
            live,
            summary: Bytes::from_static(summary.as_bytes()),
        };
        let shown = journal.head(&"a".into()).await.unwrap();
        assert_eq!(shown.as_ref(), Some(&expected));
        let all = journal.heads(None, false, 10).await.unwrap();
        assert_eq!(all, [expected]);
        let alive = journal.heads(None, true, 10).await.unwrap();
        assert_eq!(alive.len(), usize::from(live));
    }
    assert_log(&*journal, "a", 7).await;
}

/// Identifiers that contain, extend or look like each other's keys.
pub async fn logs_of_unusual_ids_stay_apart(subject: &mut impl Subject) {
    let journal = subject.open().await.journal;
    let long = "x".repeat(5000);
    let ids = [
        "",
        "\0",
        "\0\0\0\0\0\0\0\u{1}",
        "a",
        "a\0",
        "a\0\0\0\0\0\0\0\u{1}",
        "a\0\0\0\0\0\0\0\u{2}",
        "aa",
        "a/1",
        "a#1",
        "ä",
        "実行",
        "\u{10ffff}",
        &long,
    ];
    for (newest, id) in (1..).zip(ids) {
        append_up_to(&*journal, id, newest).await;
    }
    for (newest, id) in (1..).zip(ids) {
        assert_log(&*journal, id, newest).await;
        let head = journal.head(&id.into()).await.unwrap().unwrap();
        assert_eq!(head.execution.as_str(), id);
    }
    let mut newest_first = ids.to_vec();
    newest_first.sort_unstable();
    newest_first.reverse();
    assert_eq!(listed(&*journal, None, false, 100).await, newest_first);
    assert_eq!(listed(&*journal, None, true, 100).await, newest_first);
}
