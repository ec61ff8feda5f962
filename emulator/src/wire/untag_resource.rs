//! UntagResource.

use percent_encoding::percent_decode_str;

use super::answer::{Call, Reply};
use super::check::Fields;
use super::error::ServiceError;

pub(super) fn perform(call: &mut Call<'_>) -> Result<Reply, ServiceError> {
    let keys = tag_keys(call.query);
    let mut fields = Fields::default();
    if keys.is_empty() {
        fields.problem("tagKeys", "Member must not be null");
    }
    fields.finish()?;
    call.model
        .untag(&call.place, call.arn, &keys)
        .map_err(|refusal| ServiceError::refused(call.operation, &refusal))?;
    Ok(Reply::empty())
}

/// `tagKeys=a&tagKeys=b`
fn tag_keys(query: &str) -> Vec<String> {
    query
        .split('&')
        .filter_map(|pair| pair.strip_prefix("tagKeys="))
        .map(|key| {
            percent_decode_str(&key.replace('+', " "))
                .decode_utf8_lossy()
                .into_owned()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_repeated_members_of_the_query() {
        assert_eq!(
            tag_keys("tagKeys=a%3Ab&x=y&tagKeys=c+d%2B"),
            ["a:b", "c d+"]
        );
        assert!(tag_keys("").is_empty());
    }
}
