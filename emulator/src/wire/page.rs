//! Pagination: opaque tokens that hold a position, so that nothing has to be remembered.
//!
//! A position is the key of the last item given. Keys only ever grow in the order of the listing,
//! so a page is right even when items came or went since the one before.

use super::check::Fields;
use crate::model::Seed;
use crate::operation::Operation;

/// Items in a page unless the caller asks for another number. The service model states neither
/// this nor a ceiling; DRS cuts its pages somewhere, and so do we.
const DEFAULT: usize = 200;
/// Items in a page at most, whatever the caller asks for.
const CEILING: usize = 1_000;
const TOKEN_LENGTH: usize = 2_048;

/// One request for a page.
#[derive(Debug)]
pub(super) struct Pager {
    /// Ties a token to the listing that it came from.
    listing: String,
    size: usize,
    after: Option<String>,
}

impl Pager {
    /// `filters` is what else the request said: a token is for the same listing only.
    pub(super) fn of(
        operation: Operation,
        filters: &str,
        max_results: Option<i64>,
        token: Option<&str>,
        fields: &mut Fields,
    ) -> Self {
        let listing = Seed(0).hex16(&[operation.name(), filters]);
        let size = match max_results {
            None => DEFAULT,
            Some(number) if number >= 1 => usize::try_from(number).unwrap_or(CEILING).min(CEILING),
            Some(_) => {
                let message = "Member must have value greater than or equal to 1";
                fields.problem("maxResults", message);
                DEFAULT
            }
        };
        let mut after = None;
        if let Some(token) = token.filter(|token| !token.is_empty()) {
            after = position(token, &listing);
            if after.is_none() {
                fields.problem("nextToken", "The token is not one of this listing");
            }
        }
        Self {
            listing,
            size,
            after,
        }
    }

    /// The items of this page, and the token of the next one, if any is left.
    pub(super) fn cut<T>(
        &self,
        items: impl Iterator<Item = (String, T)>,
    ) -> (Vec<T>, Option<String>) {
        let mut page = Vec::new();
        let mut last = String::new();
        for (key, item) in items.skip_while(|(key, _)| Some(key) <= self.after.as_ref()) {
            if page.len() == self.size {
                return (page, Some(token(&self.listing, &last)));
            }
            page.push(item);
            last = key;
        }
        (page, None)
    }
}

/// A key that sorts as the number does.
pub(super) fn key(number: usize) -> String {
    format!("{number:012}")
}

/// A key that sorts against the number.
pub(super) fn descending_key(number: usize) -> String {
    key(999_999_999_999 - number)
}

fn token(listing: &str, key: &str) -> String {
    format!("{listing}{key}")
        .bytes()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn position(token: &str, listing: &str) -> Option<String> {
    if token.len() > TOKEN_LENGTH || !token.is_ascii() {
        return None;
    }
    let bytes: Option<Vec<u8>> = token
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect();
    String::from_utf8(bytes?)
        .ok()?
        .strip_prefix(listing)
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(size: i64, token: Option<&str>) -> (Vec<usize>, Option<String>) {
        let mut fields = Fields::default();
        let pager = Pager::of(Operation::DescribeJobs, "", Some(size), token, &mut fields);
        fields.finish().unwrap();
        pager.cut((0..5).map(|n| (key(n), n)))
    }

    #[test]
    fn pages_follow_each_other_without_gap_or_overlap() {
        let (first, token) = page(2, None);
        let (second, token) = page(2, token.as_deref());
        let (third, end) = page(2, token.as_deref());
        assert_eq!([first, second, third].concat(), [0, 1, 2, 3, 4]);
        assert_eq!(end, None);
    }

    #[test]
    fn a_full_last_page_has_no_next_one() {
        assert_eq!(page(5, None).1, None);
    }

    #[test]
    fn a_token_is_good_for_its_own_listing_only() {
        let (_, token) = page(2, None);
        for (operation, token) in [
            (Operation::DescribeJobLogItems, token.as_deref()),
            (Operation::DescribeJobs, Some("zz")),
            (Operation::DescribeJobs, Some("é")),
        ] {
            let mut fields = Fields::default();
            Pager::of(operation, "", None, token, &mut fields);
            assert_eq!(fields.finish().unwrap_err().code(), "ValidationException");
        }
    }

    #[test]
    fn zero_results_are_refused() {
        let mut fields = Fields::default();
        Pager::of(Operation::DescribeJobs, "", Some(0), None, &mut fields);
        assert!(fields.finish().is_err());
    }
}
