//! Paths of requests, and the prefix below which they stay.
//!
//! Servers differ in how often they decode a path and in what they make of
//! `..`, `;` and a backslash. A path is accepted only if it means the same
//! however often it is decoded.

use std::str::FromStr;

use http::uri::PathAndQuery;
use thiserror::Error;

/// Longer paths are refused.
const LONGEST: usize = 8 << 10;

/// What the path of every request to an endpoint begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PathPrefix(String);

impl Default for PathPrefix {
    /// Admits every path.
    fn default() -> Self {
        Self("/".to_owned())
    }
}

/// A path that is not asked for.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BadPath {
    /// Does not begin with a slash.
    #[error("a path begins with `/`")]
    NoSlash,
    /// More than 8 KiB.
    #[error("a path has at most {LONGEST} bytes")]
    TooLong,
    /// Something that has to be written as an escape, or not at all.
    #[error("{0:?} cannot stand in a path")]
    Character(char),
    /// A percent sign without two hexadecimal digits, or an escaped control
    /// character, backslash or byte that is no UTF-8.
    #[error("an escape in the path stands for nothing that a path may have")]
    Escape,
    /// An empty segment.
    #[error("a path has no `//`")]
    DoubleSlash,
    /// A segment that leads elsewhere.
    #[error("a path has no `.` and no `..`, however it is spelled")]
    DotSegment,
    /// A query in a prefix.
    #[error("a prefix has no query")]
    Query,
    /// A path somewhere else.
    #[error("the path does not lie below `{0}`")]
    Outside(String),
}

impl PathPrefix {
    /// Reads a prefix; an empty one admits every path.
    pub(crate) fn parse(text: &str) -> Result<Self, BadPath> {
        let text = if text.is_empty() { "/" } else { text };
        let (path, query) = split(text)?;
        check(path)?;
        match query {
            Some(_) => Err(BadPath::Query),
            None => Ok(Self(path.to_owned())),
        }
    }

    /// Checks the path of a request, with its query.
    pub(crate) fn admit(&self, text: &str) -> Result<PathAndQuery, BadPath> {
        let (path, query) = split(text)?;
        check(path)?;
        if let Some(stranger) = query.unwrap_or_default().chars().find(|c| !in_query(*c)) {
            return Err(BadPath::Character(stranger));
        }
        let rest = path.strip_prefix(&self.0);
        let below = |rest: &str| rest.is_empty() || rest.starts_with('/') || self.0.ends_with('/');
        if !rest.is_some_and(below) {
            return Err(BadPath::Outside(self.0.clone()));
        }
        Ok(PathAndQuery::from_str(text).expect("these characters may all stand in a request"))
    }
}

fn split(text: &str) -> Result<(&str, Option<&str>), BadPath> {
    if text.len() > LONGEST {
        return Err(BadPath::TooLong);
    }
    if !text.starts_with('/') {
        return Err(BadPath::NoSlash);
    }
    Ok(match text.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (text, None),
    })
}

/// RFC 3986, `path-absolute`.
fn in_path(c: char) -> bool {
    c.is_ascii_alphanumeric() || "/-._~!$&'()*+,;=:@%".contains(c)
}

/// RFC 3986, `query`, and what people do not bother to escape in one.
fn in_query(c: char) -> bool {
    in_path(c) || "?[]{}|".contains(c)
}

fn check(path: &str) -> Result<(), BadPath> {
    if let Some(stranger) = path.chars().find(|c| !in_path(*c)) {
        return Err(BadPath::Character(stranger));
    }
    let mut stage = path.as_bytes().to_vec();
    let mut decoded = decode(&stage).ok_or(BadPath::Escape)?;
    loop {
        check_stage(&stage)?;
        if decoded == stage {
            return Ok(());
        }
        stage = decoded;
        // A stray percent sign is only wrong where the guest wrote it; from
        // here on it ends the decoding.
        decoded = decode(&stage).unwrap_or_else(|| stage.clone());
    }
}

fn check_stage(path: &[u8]) -> Result<(), BadPath> {
    let text = std::str::from_utf8(path).map_err(|_| BadPath::Escape)?;
    if text.contains(|c: char| c.is_control() || c == '\\') {
        return Err(BadPath::Escape);
    }
    if text.contains("//") {
        return Err(BadPath::DoubleSlash);
    }
    for segment in text.split('/') {
        // Some servers drop what follows a semicolon before they look.
        let name = segment.split(';').next().unwrap_or(segment).trim_ascii();
        if matches!(name, "." | "..") {
            return Err(BadPath::DotSegment);
        }
    }
    Ok(())
}

/// Decodes once. None with a percent sign that begins no escape.
fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        if *first == b'%' {
            let [high, low, tail @ ..] = tail else {
                return None;
            };
            decoded.push(digit(*high)? << 4 | digit(*low)?);
            rest = tail;
        } else {
            decoded.push(*first);
            rest = tail;
        }
    }
    Some(decoded)
}

fn digit(byte: u8) -> Option<u8> {
    let value = char::from(byte).to_digit(16)?;
    u8::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admit(prefix: &str, path: &str) -> Result<String, BadPath> {
        let path = PathPrefix::parse(prefix).unwrap().admit(path)?;
        Ok(path.as_str().to_owned())
    }

    #[test]
    fn what_lies_below_the_prefix_is_asked_for_as_it_was_written() {
        for (prefix, path) in [
            ("", "/"),
            ("/", "/health"),
            ("/", "/?q=1"),
            ("/api", "/api"),
            ("/api", "/api/"),
            ("/api", "/api?deep=[1,2]&a={b|c}&next=/../x?"),
            ("/api/", "/api/v1/%E2%82%AC%20;a=b/...x/.well-known"),
            ("/api", "/api/100%25"),
            ("/api", "/api/a%2Fb"),
        ] {
            assert_eq!(admit(prefix, path).as_deref(), Ok(path), "{prefix} {path}");
        }
    }

    #[test]
    fn a_prefix_ends_where_a_segment_ends() {
        for (prefix, path) in [
            ("/api", "/apix"),
            ("/api", "/api%2Fadmin"),
            ("/api", "/ap"),
            ("/api", "/%61pi"),
            ("/api", "/API/x"),
            ("/api/", "/api"),
            ("/api", "/api;x/y"),
            ("/api", "/?/api"),
        ] {
            let outside = BadPath::Outside(prefix.to_owned());
            assert_eq!(admit(prefix, path), Err(outside), "{prefix} {path}");
        }
    }

    #[test]
    fn dot_segments_are_refused_however_they_are_spelled() {
        for path in [
            "/.",
            "/..",
            "/a/../b",
            "/a/./b",
            "/a/..",
            "/a/%2e%2e/b",
            "/a/.%2E",
            "/a/%2e",
            "/a/%252e%252e/b",
            "/a/%25252e./b",
            "/a/..%2fb",
            "/a/..;x/b",
            "/a/..%3bx/b",
            "/a/%20../b",
            "/a/..%20/b",
        ] {
            assert_eq!(admit("/", path), Err(BadPath::DotSegment), "{path}");
        }
    }

    #[test]
    fn what_servers_read_differently_is_refused() {
        assert_eq!(admit("/", ""), Err(BadPath::NoSlash));
        assert_eq!(admit("/", "http://169.254.169.254/"), Err(BadPath::NoSlash));
        assert_eq!(admit("/", "*"), Err(BadPath::NoSlash));
        assert_eq!(
            admit("/", &format!("/{}", "a".repeat(LONGEST))),
            Err(BadPath::TooLong)
        );
        for path in [
            "//",
            "//evil.example/",
            "/a//b",
            "/a/%2fb",
            "/a%2f%2fb",
            "/a/%252fb",
        ] {
            assert_eq!(admit("/", path), Err(BadPath::DoubleSlash), "{path}");
        }
        for path in [
            "/%",
            "/%4",
            "/%zz",
            "/%00",
            "/%0d%0aX:y",
            "/a%5c..",
            "/%c0%ae%c0%ae/",
            "/%250a",
            "/%7f",
        ] {
            assert_eq!(admit("/", path), Err(BadPath::Escape), "{path}");
        }
        for (path, stranger) in [
            ("/a b", ' '),
            ("/a\r\nHost: x", '\r'),
            ("/a\0", '\0'),
            ("/a\tb", '\t'),
            ("/a#b", '#'),
            ("/a\\b", '\\'),
            ("/é", 'é'),
            ("/a?b#c", '#'),
            ("/a?b c", ' '),
            ("/a?\u{7f}", '\u{7f}'),
            ("/a?\r\n", '\r'),
            ("/a?é", 'é'),
        ] {
            assert_eq!(
                admit("/", path),
                Err(BadPath::Character(stranger)),
                "{path:?}"
            );
        }
    }

    #[test]
    fn a_prefix_is_a_path_without_a_query() {
        for (prefix, error) in [
            ("api", BadPath::NoSlash),
            ("/api?x", BadPath::Query),
            ("/api/..", BadPath::DotSegment),
            ("//api", BadPath::DoubleSlash),
            ("/a b", BadPath::Character(' ')),
        ] {
            assert_eq!(PathPrefix::parse(prefix), Err(error), "{prefix}");
        }
    }
}
