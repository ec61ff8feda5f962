//! The host of an endpoint: a name or an address, in its one plain spelling.
//!
//! Resolvers, libraries and servers read odd spellings differently (`0x7f.1`,
//! `127.1`, `2130706433` and `017700000001` are the same loopback address to
//! some). None of them is accepted, so nothing that is checked here is read
//! as something else further on.

use std::{fmt, net::IpAddr};

use thiserror::Error;

/// Where an endpoint is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    /// A DNS name in lower case.
    Name(String),
    /// An address, which nobody has to resolve.
    Address(IpAddr),
}

/// Neither a DNS name nor an address.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BadHost {
    /// Nothing there.
    #[error("write a DNS name or an address")]
    Empty,
    /// More than 253 bytes.
    #[error("a DNS name has at most 253 characters")]
    TooLong,
    /// A character that no name has.
    #[error("{0:?} cannot stand in a DNS name or an address: write the host alone")]
    Character(char),
    /// An empty label, one of more than 63 bytes, or a hyphen at its edge.
    #[error("`{0}` cannot be a part of a DNS name")]
    Label(String),
    /// A number in place of a name.
    #[error("`{0}` is neither a name nor an address in its full form, such as `192.0.2.10`")]
    Number(String),
}

impl Host {
    /// Reads the host of an endpoint.
    pub(crate) fn parse(text: &str) -> Result<Self, BadHost> {
        if text.is_empty() {
            return Err(BadHost::Empty);
        }
        if let Ok(address) = text.parse() {
            return Ok(Self::Address(address));
        }
        if text.len() > 253 {
            return Err(BadHost::TooLong);
        }
        // Names inside companies do have underscores.
        let belongs = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if let Some(stranger) = text.chars().find(|c| !belongs(*c)) {
            return Err(BadHost::Character(stranger));
        }
        for label in text.split('.') {
            let edges = label.starts_with('-') || label.ends_with('-');
            if label.is_empty() || label.len() > 63 || edges {
                return Err(BadHost::Label(label.to_owned()));
            }
        }
        // Where the last label is a number, URL parsers and `inet_aton` read
        // the whole as an address (WHATWG URL, "ends in a number").
        let last = text.rsplit('.').next().unwrap_or(text);
        let hexadecimal = last.strip_prefix("0x").or_else(|| last.strip_prefix("0X"));
        let number = match hexadecimal {
            Some(digits) => digits.bytes().all(|digit| digit.is_ascii_hexdigit()),
            None => last.bytes().all(|digit| digit.is_ascii_digit()),
        };
        if number {
            return Err(BadHost::Number(text.to_owned()));
        }
        Ok(Self::Name(text.to_ascii_lowercase()))
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(IpAddr::V4(address)) => write!(f, "{address}"),
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses_are_accepted_in_their_plain_form() {
        for (text, host) in [
            ("db.internal", Host::Name("db.internal".to_owned())),
            ("DB.Internal", Host::Name("db.internal".to_owned())),
            ("ad_dc01.corp", Host::Name("ad_dc01.corp".to_owned())),
            ("3com.example", Host::Name("3com.example".to_owned())),
            ("localhost", Host::Name("localhost".to_owned())),
            ("192.0.2.10", Host::Address([192, 0, 2, 10].into())),
            ("FD00::1", Host::Address("fd00::1".parse().unwrap())),
        ] {
            assert_eq!(Host::parse(text), Ok(host), "{text}");
        }
    }

    #[test]
    fn a_host_is_shown_as_it_stands_in_a_url() {
        assert_eq!(Host::parse("fd00::1").unwrap().to_string(), "[fd00::1]");
        assert_eq!(Host::parse("192.0.2.10").unwrap().to_string(), "192.0.2.10");
        assert_eq!(Host::parse("DB").unwrap().to_string(), "db");
    }

    #[test]
    fn what_is_no_name_is_refused_for_what_is_wrong_with_it() {
        assert_eq!(Host::parse(""), Err(BadHost::Empty));
        assert_eq!(Host::parse(&"a.".repeat(127)), Err(BadHost::TooLong));
        for (text, stranger) in [
            ("a b", ' '),
            ("a/b", '/'),
            ("a:80", ':'),
            ("u@a", '@'),
            ("%61", '%'),
            ("[::1]", '['),
            ("a\u{3002}b", '\u{3002}'),
            ("bücher", 'ü'),
            ("a\r\nb", '\r'),
            ("a\0", '\0'),
            ("*.a", '*'),
        ] {
            assert_eq!(
                Host::parse(text),
                Err(BadHost::Character(stranger)),
                "{text:?}"
            );
        }
        for text in [
            ".",
            ".a",
            "a.",
            "a..b",
            "-a",
            "a-",
            "a.-",
            &format!("{}.b", "a".repeat(64)),
        ] {
            assert!(
                matches!(Host::parse(text), Err(BadHost::Label(_))),
                "{text:?}"
            );
        }
        for text in [
            "127.1",
            "2130706433",
            "017700000001",
            "0x7f.1",
            "0x7F000001",
            "1.2.3.4.5",
            "0x",
        ] {
            assert_eq!(
                Host::parse(text),
                Err(BadHost::Number(text.to_owned())),
                "{text:?}"
            );
        }
    }
}
