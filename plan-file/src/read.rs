//! From bytes to a [`PlanFile`], with bounds on everything that a file can blow up.

use std::{
    fs::File,
    io::{self, Read},
};

use serde_saphyr::{DuplicateKeyPolicy, MergeKeyPolicy, Options};

use super::{
    complaint,
    mistake::{Mistake, Place},
    syntax::PlanFile,
};

/// A file may have this many bytes.
pub const MAX_BYTES: u64 = 2 << 20;

/// A file's text and the name to show for it.
#[derive(Clone, Debug)]
pub struct Source {
    /// `<stdin>` or the path as it was given.
    pub name: String,
    /// The whole text.
    pub text: String,
}

/// Reads `path`, or the standard input for `-`.
///
/// # Errors
/// The file as people are to see it named, and what is wrong with it.
pub(crate) fn read(path: &str) -> Result<Source, (Source, Mistake)> {
    let (name, bytes) = if path == "-" {
        ("<stdin>".to_owned(), bounded(io::stdin().lock()))
    } else {
        (path.to_owned(), File::open(path).and_then(bounded))
    };
    match bytes {
        Ok(bytes) => Source::decoded(name, bytes),
        Err(error) => {
            let mistake = Mistake::whole(format!("cannot read the plan file: {error}"));
            let text = String::new();
            Err((Source { name, text }, mistake))
        }
    }
}

impl Source {
    /// The text in these bytes.
    pub(crate) fn decoded(name: String, bytes: Vec<u8>) -> Result<Self, (Self, Mistake)> {
        match decode(bytes) {
            Ok(text) => Ok(Self { name, text }),
            Err((text, mistake)) => Err((Self { name, text }, mistake)),
        }
    }
}

/// One byte more than is allowed, so that too much is seen.
fn bounded(reader: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The text, or as much of it as can be shown, and what is wrong with it.
fn decode(bytes: Vec<u8>) -> Result<String, (String, Mistake)> {
    if bytes.len() as u64 > MAX_BYTES {
        let too_large = format!(
            "the file is larger than {} MiB, which no plan is",
            MAX_BYTES >> 20
        );
        return Err((String::new(), Mistake::whole(too_large)));
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let before = String::from_utf8_lossy(valid);
        let mistake = Mistake {
            text: "the file is not valid UTF-8".to_owned(),
            place: Some(Place {
                line: before.matches('\n').count() + 1,
                column: before.chars().rev().take_while(|c| *c != '\n').count() + 1,
            }),
            help: Some("save it as UTF-8 text".to_owned()),
        };
        let shown = String::from_utf8_lossy(error.as_bytes());
        (shown.into_owned(), mistake)
    })
}

/// Reads the plan in a text. JSON is YAML.
///
/// # Errors
/// The first mistake.
pub(crate) fn parse(text: &str) -> Result<PlanFile, Mistake> {
    if text.trim().is_empty() {
        return Err(Mistake {
            text: "the file is empty".to_owned(),
            place: None,
            help: Some("a plan begins with \"apiVersion: tidegate/v1\"".to_owned()),
        });
    }
    serde_saphyr::from_str_with_options(text, options()).map_err(|error| complaint::of(&error))
}

/// Bounds: far above any plan (200 waves, 5,000 servers), far below harm.
fn options() -> Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: 32,
            max_aliases: 2_000,
            max_anchors: 500,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: 50_000,
            max_replay_stack_depth: 8,
        },
        duplicate_keys: DuplicateKeyPolicy::Error,
        merge_keys: MergeKeyPolicy::Merge,
        strict_booleans: true,
        with_snippet: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_above_two_mebibytes_is_refused() {
        let bytes = bounded(io::repeat(b'a').take(10 << 20)).unwrap();
        assert!(bytes.len() as u64 == MAX_BYTES + 1, "not all of it is read");
        let (_, mistake) = decode(bytes).unwrap_err();
        assert!(mistake.text.contains("larger than 2 MiB"));
    }

    #[test]
    fn invalid_utf8_is_shown_in_its_place() {
        let (text, mistake) = decode(b"a: 1\nb: x\xff\xfey\n".to_vec()).unwrap_err();
        insta::assert_snapshot!(mistake.render("plan.yaml", &text), @r#"
        the file is not valid UTF-8
          --> plan.yaml:2:5
           |
         2 | b: x��y
           |     ^
          = save it as UTF-8 text
        "#);
    }

    #[test]
    fn an_empty_file_says_how_to_begin() {
        let mistake = parse(" \n").unwrap_err();
        assert!(mistake.help.unwrap().contains("apiVersion"));
    }

    #[test]
    fn a_missing_file_is_named() {
        let (source, mistake) = read("/no/such/plan.yaml").unwrap_err();
        assert_eq!(source.name, "/no/such/plan.yaml");
        assert!(mistake.text.contains("cannot read"));
    }
}
