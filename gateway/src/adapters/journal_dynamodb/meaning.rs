//! What a failed call means: surely nothing was written, or nobody knows; and
//! what a person can do about it.
//!
//! Errors that say nothing of what to do are as good as none to somebody whose
//! recovery waits, so each names the table, the Region and the next step.

use crate::adapters::aws_failure::Failure as Answer;

use super::item::Item;

/// Why a call did nothing, or may have done something.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Failure {
    /// Nothing was written: conditions do not hold. One for each write, in
    /// order: the item as it is if its condition does not hold and the write
    /// shows it.
    Refused(Vec<Option<Item>>),
    /// Nothing was written: somebody else was writing the same.
    Conflict(String),
    /// Nothing was written, and it may be worth trying again.
    Unavailable(String),
    /// Nothing was written, and the same never will be.
    Never(String),
    /// It may or may not have been written, now or in a moment.
    Lost(String),
}

/// What is spoken of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) table: String,
    pub(super) region: String,
}

/// What an error's code says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    Throttled,
    Conflict,
    NoTable,
    Denied,
    Expired,
    Invalid,
    Skewed,
    /// The index's item collection has as many bytes as one can have.
    Full,
    /// Against a rule of DynamoDB, for example on the size of an item.
    Unfit,
    Unclear,
    Other,
}

/// Codes of DynamoDB, of AWS in general ("Common Error Types"), and the reasons
/// of cancelled transactions, which are spelled without "Exception".
const CODES: &[(&str, Meaning)] = &[
    ("ProvisionedThroughputExceededException", Meaning::Throttled),
    ("ThrottlingException", Meaning::Throttled),
    ("Throttling", Meaning::Throttled),
    ("RequestLimitExceeded", Meaning::Throttled),
    ("LimitExceededException", Meaning::Throttled),
    ("ProvisionedThroughputExceeded", Meaning::Throttled),
    ("ThrottlingError", Meaning::Throttled),
    ("TransactionConflictException", Meaning::Conflict),
    ("TransactionConflict", Meaning::Conflict),
    ("ReplicatedWriteConflictException", Meaning::Conflict),
    // The same transaction is being performed.
    ("TransactionInProgressException", Meaning::Unclear),
    ("ItemCollectionSizeLimitExceededException", Meaning::Full),
    ("ItemCollectionSizeLimitExceeded", Meaning::Full),
    ("ValidationException", Meaning::Unfit),
    ("ValidationError", Meaning::Unfit),
    ("ResourceNotFoundException", Meaning::NoTable),
    ("AccessDeniedException", Meaning::Denied),
    ("AccessDenied", Meaning::Denied),
    ("UnauthorizedOperation", Meaning::Denied),
    ("NotAuthorized", Meaning::Denied),
    ("OptInRequired", Meaning::Denied),
    ("ExpiredTokenException", Meaning::Expired),
    ("ExpiredToken", Meaning::Expired),
    ("UnrecognizedClientException", Meaning::Invalid),
    ("InvalidClientTokenId", Meaning::Invalid),
    ("InvalidSignatureException", Meaning::Invalid),
    ("SignatureDoesNotMatch", Meaning::Invalid),
    ("IncompleteSignature", Meaning::Invalid),
    ("IncompleteSignatureException", Meaning::Invalid),
    ("MissingAuthenticationToken", Meaning::Invalid),
    ("MissingAuthenticationTokenException", Meaning::Invalid),
    ("RequestExpired", Meaning::Skewed),
    ("RequestTimeTooSkewed", Meaning::Skewed),
    ("RequestInTheFuture", Meaning::Skewed),
];

/// The status with which DynamoDB says that it cancelled a transaction.
const CANCELLED: u16 = 400;

/// What to do about what DynamoDB failed at by itself.
const WAIT: &str = "Tidegate asks again; if it goes on, look at the AWS Health Dashboard and at \
                    the network between here and DynamoDB";

impl Failure {
    /// Whether the condition of a write did not hold, by its number in the
    /// transaction, and it shows the item.
    pub(super) fn refuses(&self, write: usize) -> bool {
        match self {
            Self::Refused(items) => items.get(write).is_some_and(Option::is_some),
            Self::Conflict(_) | Self::Unavailable(_) | Self::Never(_) | Self::Lost(_) => false,
        }
    }

    /// What the failure of a call means that is not about its conditions.
    pub(super) fn of(answer: Answer, place: &Place) -> Self {
        let Place { table, region } = place;
        match answer {
            Answer::Invalid { message } => Self::Unavailable(format!(
                "a call to DynamoDB for table {table} cannot be made: {message}; {}",
                unmade(&message)
            )),
            Answer::NotSent { message } => Self::Unavailable(format!(
                "DynamoDB in Region {region} is not reached (table {table}): {message}; {}",
                unmade(&message)
            )),
            Answer::Lost { message } => Self::Lost(format!(
                "no answer from DynamoDB in Region {region} (table {table}): {message}; {WAIT}"
            )),
            Answer::Answered {
                code,
                status,
                message,
                ..
            } => answered(code.as_deref(), status, &message, place),
        }
    }

    /// What a reason means, other than a condition, for which DynamoDB cancelled
    /// a transaction: then nothing of it is written.
    pub(super) fn cancelled(code: &str, message: &str, place: &Place) -> Self {
        match answered(Some(code), CANCELLED, message, place) {
            Self::Lost(text) => Self::Unavailable(text),
            known @ (Self::Refused(_)
            | Self::Conflict(_)
            | Self::Unavailable(_)
            | Self::Never(_)) => known,
        }
    }

    /// What a person is told.
    pub(super) fn text(self) -> String {
        match self {
            Self::Refused(_) => "a condition does not hold".to_owned(),
            Self::Conflict(text)
            | Self::Unavailable(text)
            | Self::Never(text)
            | Self::Lost(text) => text,
        }
    }
}

fn answered(code: Option<&str>, status: u16, message: &str, place: &Place) -> Failure {
    let known = CODES.iter().find(|(known, _)| Some(*known) == code);
    let meaning = match (known, status) {
        (Some((_, Meaning::Invalid)), _) if is_about_time(message) => Meaning::Skewed,
        (Some((_, meaning)), _) => *meaning,
        (None, 429) => Meaning::Throttled,
        (None, 401 | 403) => Meaning::Denied,
        (None, 408) => Meaning::Unclear,
        (None, 400..=499) => Meaning::Other,
        (None, _) => Meaning::Unclear,
    };
    let code = code.map_or_else(|| format!("HTTP {status}"), ToOwned::to_owned);
    let text = explained(meaning, &format!("{code}: {message}"), place);
    match meaning {
        Meaning::Unclear => Failure::Lost(text),
        Meaning::Conflict => Failure::Conflict(text),
        Meaning::Full | Meaning::Unfit => Failure::Never(text),
        Meaning::Throttled
        | Meaning::NoTable
        | Meaning::Denied
        | Meaning::Expired
        | Meaning::Invalid
        | Meaning::Skewed
        | Meaning::Other => Failure::Unavailable(text),
    }
}

fn explained(meaning: Meaning, said: &str, Place { table, region }: &Place) -> String {
    match meaning {
        Meaning::Throttled => format!(
            "DynamoDB throttles table {table} in Region {region} ({said}); if it goes on, look at \
             its capacity and at the account's limits"
        ),
        Meaning::Conflict => {
            format!("somebody else was writing the same in table {table} ({said})")
        }
        Meaning::NoTable => format!(
            "there is no table {table} in Region {region} ({said}); make it with `tidegate aws \
             create-table --table {table} --region {region}`, or correct journal.dynamodb.table \
             or journal.dynamodb.region"
        ),
        Meaning::Denied => format!(
            "not permitted on table {table} in Region {region} ({said}); give the gateway's role \
             the policy that `tidegate aws policy` prints"
        ),
        Meaning::Expired => format!(
            "the AWS credentials for table {table} have expired ({said}); renew them, for example \
             with `aws sso login`, or let the gateway run under a role"
        ),
        Meaning::Invalid => format!(
            "AWS does not accept the credentials for table {table} in Region {region} ({said}); \
             check AWS_ACCESS_KEY_ID, AWS_PROFILE or the role that the gateway runs under"
        ),
        Meaning::Skewed => format!(
            "AWS does not accept the time of this machine's clock (table {table}: {said}); set \
             the clock, best by a time service: it may be wrong by five minutes at most"
        ),
        Meaning::Full => format!(
            "table {table} in Region {region} has no room for more executions: DynamoDB keeps 10 \
             GiB of them ({said}); make another table with `tidegate aws create-table`, and name \
             it in journal.dynamodb.table once what runs is over"
        ),
        Meaning::Unfit => format!(
            "DynamoDB does not take what was to be written to table {table} in Region {region} \
             ({said}); trying again changes nothing: make the plan or the request smaller, and \
             report this line as a bug of Tidegate"
        ),
        Meaning::Unclear => {
            format!("DynamoDB in Region {region} failed (table {table}: {said}); {WAIT}")
        }
        Meaning::Other => format!(
            "DynamoDB refused a call for table {table} in Region {region} ({said}); look the code \
             up in DynamoDB's error handling, and report it as a bug of Tidegate if it is none of \
             your account's"
        ),
    }
}

/// A wrong clock makes a wrong signature, and only the text tells them apart.
fn is_about_time(message: &str) -> bool {
    message.contains("Signature expired") || message.contains("Signature not yet current")
}

/// What to do about a call that was not made.
fn unmade(message: &str) -> &'static str {
    let message = message.to_ascii_lowercase();
    if message.contains("credential") || message.contains("identity") {
        "give the gateway AWS credentials: a role, AWS_PROFILE, or AWS_ACCESS_KEY_ID and \
         AWS_SECRET_ACCESS_KEY"
    } else if message.contains("region") {
        "set journal.dynamodb.region or AWS_REGION"
    } else {
        "check the network, and that journal.dynamodb.region or AWS_REGION is spelled right"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(code: Option<&str>, status: u16, message: &str) -> Failure {
        let answer = Answer::Answered {
            code: code.map(str::to_owned),
            status,
            message: message.to_owned(),
            after: None,
            quota: None,
        };
        let place = Place {
            table: "journal".to_owned(),
            region: "eu-west-1".to_owned(),
        };
        Failure::of(answer, &place)
    }

    #[test]
    fn every_error_says_whether_something_may_be_written_and_what_to_do() {
        let late = "Signature expired: 20260101T000000Z is now earlier than";
        for (code, status, message, said) in [
            (
                "ThrottlingException",
                400,
                "slow",
                "throttles table journal",
            ),
            (
                "ResourceNotFoundException",
                400,
                "no",
                "create-table --table journal --region eu-west-1",
            ),
            ("AccessDeniedException", 400, "no", "tidegate aws policy"),
            ("ExpiredTokenException", 400, "old", "have expired"),
            (
                "UnrecognizedClientException",
                400,
                "who",
                "AWS_ACCESS_KEY_ID",
            ),
            ("InvalidSignatureException", 400, "odd", "AWS_ACCESS_KEY_ID"),
            ("InvalidSignatureException", 400, late, "clock"),
            ("RequestTimeTooSkewed", 403, "late", "clock"),
            ("RequestExpired", 400, "late", "clock"),
            ("SomethingNewException", 400, "odd", "look the code up"),
        ] {
            let failure = failure(Some(code), status, message);
            let Failure::Unavailable(text) = failure else {
                panic!("{code}: {failure:?}");
            };
            assert!(text.contains(said), "{code}: {text}");
        }
    }

    #[test]
    fn what_never_succeeds_is_told_from_what_is_worth_trying_again() {
        for (code, said) in [
            ("ItemCollectionSizeLimitExceededException", "create-table"),
            ("ItemCollectionSizeLimitExceeded", "create-table"),
            ("ValidationException", "smaller"),
            ("ValidationError", "smaller"),
        ] {
            let failure = failure(Some(code), 400, "no");
            let Failure::Never(text) = failure else {
                panic!("{code}: {failure:?}");
            };
            assert!(text.contains(said) && text.contains(code), "{text}");
        }
    }

    #[test]
    fn the_reason_of_a_cancelled_transaction_is_told_like_an_error() {
        let place = Place {
            table: "journal".to_owned(),
            region: "eu-west-1".to_owned(),
        };
        for code in ["ThrottlingError", "ProvisionedThroughputExceeded"] {
            let told = Failure::cancelled(code, "slow", &place);
            let Failure::Unavailable(text) = told else {
                panic!("{code}: {told:?}");
            };
            assert!(text.contains("throttles table"), "{text}");
        }
        let busy = Failure::cancelled("TransactionConflict", "busy", &place);
        assert!(matches!(busy, Failure::Conflict(_)), "{busy:?}");
        // Nothing of a cancelled transaction is written, whatever the reason.
        let odd = Failure::cancelled("TransactionInProgressException", "odd", &place);
        assert!(matches!(odd, Failure::Unavailable(_)), "{odd:?}");
    }

    #[test]
    fn what_a_server_failed_at_may_have_been_done() {
        for (code, status) in [
            (Some("InternalServerError"), 500),
            (Some("ServiceUnavailable"), 503),
            (Some("TransactionInProgressException"), 400),
            (None, 502),
            (None, 408),
        ] {
            let told = failure(code, status, "broken");
            let Failure::Lost(text) = told else {
                panic!("{code:?}: {told:?}");
            };
            assert!(text.contains("asks again"), "{code:?}: {text}");
        }
        let conflict = failure(Some("TransactionConflictException"), 400, "busy");
        assert!(matches!(conflict, Failure::Conflict(_)));
    }
}
