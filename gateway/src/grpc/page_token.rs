//! Page tokens: where a list goes on, opaque to clients.
//!
//! A token is base64 of a version, the list that it belongs to, a digest of
//! what else the request said, and the last entry's key. It is no secret and
//! no promise: a token of another list or filter is refused.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use tonic::Status;

use super::status;

const VERSION: u8 = 1;

/// Which list a token belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum List {
    /// `ListPlans`.
    Plans,
    /// `ListPlanRevisions`.
    PlanRevisions,
    /// `ListExecutions`.
    Executions,
    /// `ListEvents`.
    Events,
    /// `ListHooks`.
    Hooks,
    /// `ListTapes`.
    Tapes,
    /// `ListRecoveryInstances`.
    RecoveryInstances,
}

impl List {
    const fn tag(self) -> u8 {
        match self {
            Self::Plans => 1,
            Self::PlanRevisions => 2,
            Self::Executions => 3,
            Self::Events => 4,
            Self::Hooks => 5,
            Self::Tapes => 6,
            Self::RecoveryInstances => 7,
        }
    }

    /// A token for the page after the entry with this key. `scope` is what
    /// the next request must repeat.
    pub(crate) fn token(self, scope: &[u8], key: &str) -> String {
        let mut bytes = vec![VERSION, self.tag()];
        bytes.extend(fingerprint(scope));
        bytes.extend(key.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The key in a token; `None` for the first page.
    pub(crate) fn key(self, scope: &[u8], token: &str) -> Result<Option<String>, Status> {
        if token.is_empty() {
            return Ok(None);
        }
        let read = || {
            let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
            let rest = bytes.strip_prefix(&[VERSION, self.tag()])?;
            let key = rest.strip_prefix(&fingerprint(scope))?;
            String::from_utf8(key.to_vec()).ok()
        };
        read().map(Some).ok_or_else(not_a_token)
    }

    /// The key in a token of a list whose keys are numbers.
    pub(crate) fn number(self, scope: &[u8], token: &str) -> Result<Option<u64>, Status> {
        let key = self.key(scope, token)?;
        key.map(|key| key.parse().map_err(|_| not_a_token()))
            .transpose()
    }
}

pub(crate) fn not_a_token() -> Status {
    status::invalid(
        "page_token",
        "is not a token of this list with this request; begin without a token",
    )
}

fn fingerprint(scope: &[u8]) -> [u8; 4] {
    let digest: [u8; 32] = Sha256::digest(scope).into();
    [digest[0], digest[1], digest[2], digest[3]]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_goes_on_where_its_page_ended() {
        let token = List::Plans.token(b"", "shop");
        assert_eq!(
            List::Plans.key(b"", &token).unwrap().as_deref(),
            Some("shop")
        );
        assert_eq!(List::Plans.key(b"", "").unwrap(), None);
    }

    #[test]
    fn a_number_that_is_none_is_refused() {
        let number = |key| List::Events.number(b"", &List::Events.token(b"", key));
        assert_eq!(number("7").unwrap(), Some(7));
        assert_eq!(List::Events.number(b"", "").unwrap(), None);
        for wrong in ["", "x", "-1", "18446744073709551616"] {
            let refused = number(wrong).unwrap_err();
            assert_eq!(refused.code(), tonic::Code::InvalidArgument);
        }
    }

    #[test]
    fn a_token_of_something_else_is_refused() {
        let token = List::Executions.token(b"plan=shop", "01J");
        assert!(List::Executions.key(b"plan=bank", &token).is_err());
        assert!(List::Events.key(b"plan=shop", &token).is_err());
        for garbage in ["?", "AAAA", "AQ", &token[1..]] {
            assert!(
                List::Executions.key(b"plan=shop", garbage).is_err(),
                "{garbage}"
            );
        }
    }
}
