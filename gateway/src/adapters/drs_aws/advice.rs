//! What to do about errors of AWS that a person must put right: credentials,
//! clocks, roles and Regions. DRS's own messages say what is wrong, and rarely
//! what to do.

/// What to do about an error that AWS answered.
pub(super) fn on_answer(code: Option<&str>, message: &str) -> Option<&'static str> {
    match code? {
        "ExpiredToken" | "ExpiredTokenException" => Some(EXPIRED),
        "RequestExpired" | "RequestTimeTooSkewed" => Some(CLOCK),
        "InvalidSignatureException" | "SignatureDoesNotMatch" => Some(signature(message)),
        "UnrecognizedClientException" | "InvalidClientTokenId" => Some(UNKNOWN_KEY),
        "UninitializedAccountException" => Some(UNINITIALIZED),
        "OptInRequired" => Some(OPT_IN),
        "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" | "NotAuthorized" => {
            Some(DENIED)
        }
        _ => None,
    }
}

const EXPIRED: &str = "the credentials have expired: renew them where the gateway finds them; it \
                       reads them again by itself";
const CLOCK: &str = "this machine's clock is off by more than the five minutes that AWS allows: \
                     set it (timedatectl, chronyc)";
const WRONG_SECRET: &str = "the secret key does not belong to the access key id: correct the \
                            credentials of the gateway";
const UNKNOWN_KEY: &str = "AWS does not know these credentials here: the access key was deleted, \
                           or the account has not enabled this Region";
const UNINITIALIZED: &str = "DRS was never set up in this account and Region: initialise it there \
                             (aws drs initialize-service), or correct the plan's target";
const OPT_IN: &str = "the account has not enabled this Region: enable it, or correct the plan's \
                      target";
const DENIED: &str = "permit it to the role that the plan names, or to the gateway's own identity \
                      if it names none";

/// A signature is refused for its time, or for its key.
fn signature(message: &str) -> &'static str {
    let is_of_time = ["Signature expired", "Signature not yet current"]
        .iter()
        .any(|begin| message.contains(begin));
    if is_of_time { CLOCK } else { WRONG_SECRET }
}

/// What to do about a role that cannot be assumed, by what STS answered.
pub(super) fn on_role(code: Option<&str>, message: &str) -> &'static str {
    match code {
        Some("AccessDenied" | "AccessDeniedException") => NO_TRUST,
        Some("RegionDisabledException") => NO_STS,
        Some("ValidationError") => NO_ROLE,
        _ => on_answer(code, message).unwrap_or(NO_TRUST),
    }
}

const NO_TRUST: &str = "see that the role exists, that its trust policy lets the gateway's \
                        identity assume it with the configured external id (and with sts:TagSession \
                        if drs.tag_sessions is set), and that the identity may call sts:AssumeRole";
const NO_STS: &str = "activate STS for this Region in the account's settings";
const NO_ROLE: &str = "correct the role's ARN in the plan, or the external id and session name in \
                       the settings";

/// What to do about the role that the gateway's own profile names.
pub(super) const ON_OWN_ROLE: &str = "see that the role in the gateway's profile exists, that its \
                                      trust policy lets the profile's source assume it, and that \
                                      the source may call sts:AssumeRole";

/// What to do where no connection could be made.
pub(super) fn on_no_connection(message: &str, region: &str) -> Option<String> {
    let is_unknown_name = ["dns error", "failed to lookup address"]
        .iter()
        .any(|part| message.contains(part));
    is_unknown_name.then(|| {
        format!(
            "no endpoint of that name: see that {region} is a Region with DRS, and that this \
             machine can resolve names"
        )
    })
}

/// An error and what to do about it.
pub(super) fn with(message: &str, advice: &str) -> String {
    format!("{}; {advice}", message.trim_end_matches(['.', ' ']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_wrong_by_its_time_or_by_its_key() {
        let late = "Signature expired: 20261127T043947Z is now earlier than 20261127T050000Z";
        let early = "Signature not yet current: 20261127T053947Z is still later than now";
        let wrong = "The request signature we calculated does not match";
        for code in ["InvalidSignatureException", "SignatureDoesNotMatch"] {
            assert_eq!(on_answer(Some(code), late), Some(CLOCK));
            assert_eq!(on_answer(Some(code), early), Some(CLOCK));
            assert_eq!(on_answer(Some(code), wrong), Some(WRONG_SECRET));
        }
        assert_eq!(on_answer(Some("RequestTimeTooSkewed"), ""), Some(CLOCK));
    }

    #[test]
    fn a_region_that_is_none_has_no_endpoint() {
        let message = "io error: dns error: failed to lookup address information: Name unknown";
        let advice = on_no_connection(message, "us-wset-2").expect("advice");
        assert!(advice.contains("us-wset-2 is a Region"), "{advice}");
        assert_eq!(on_no_connection("connection refused", "us-west-2"), None);
    }

    #[test]
    fn what_needs_no_person_needs_no_advice() {
        assert_eq!(on_answer(Some("ThrottlingException"), "slower"), None);
        assert_eq!(on_answer(None, "Signature expired"), None);
    }
}
