//! `[drs]` and `[drs.accounts]`: how roles of other accounts are assumed.

use std::collections::BTreeMap;

use serde::Deserialize;

/// What is particular about one account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// Sent when a role of this account is assumed, instead of
    /// `drs.external_id`.
    #[serde(default)]
    external_id: Option<String>,
}

/// How roles are assumed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sessions {
    /// Name of every session.
    pub name: String,
    /// Sent where an account has none of its own.
    pub external_id: Option<String>,
    /// External ids by account.
    pub external_ids: BTreeMap<String, String>,
    /// Whether sessions carry the tag `tidegate:gateway`.
    pub tagged: bool,
}

/// A setting of sessions that AWS would refuse.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SessionsError {
    /// STS takes no such name.
    #[error("drs.session_name is {0:?}: use 2 to 64 letters, digits and characters of \"_=,.@+-\"")]
    Name(String),
    /// A table of `[drs.accounts]` is for no account.
    #[error("drs.accounts.{0:?} is no account: use its twelve digits, in quotation marks")]
    Account(String),
    /// STS takes no such external id.
    #[error("{field} is no external id: use 2 to 1224 letters, digits and \"_=,.@:/+-\"")]
    ExternalId {
        /// The setting.
        field: String,
    },
}

impl Sessions {
    /// Checked as STS would check it, so that a mistake is seen at the start
    /// and not on the day of a recovery.
    pub(super) fn read(
        name: &str,
        external_id: Option<&String>,
        accounts: &BTreeMap<String, Account>,
        tagged: bool,
    ) -> Result<Self, SessionsError> {
        if !is_text(name, 64, "_=,.@+-") {
            return Err(SessionsError::Name(name.to_owned()));
        }
        if let Some(id) = external_id {
            check_external_id("drs.external_id", id)?;
        }
        let mut external_ids = BTreeMap::new();
        for (account, own) in accounts {
            if account.len() != 12 || !account.bytes().all(|b| b.is_ascii_digit()) {
                return Err(SessionsError::Account(account.clone()));
            }
            if let Some(id) = &own.external_id {
                check_external_id(&format!("drs.accounts.{account:?}.external_id"), id)?;
                external_ids.insert(account.clone(), id.clone());
            }
        }
        Ok(Self {
            name: name.to_owned(),
            external_id: external_id.cloned(),
            external_ids,
            tagged,
        })
    }
}

fn check_external_id(field: &str, id: &str) -> Result<(), SessionsError> {
    if is_text(id, 1_224, "_=,.@:/+-") {
        Ok(())
    } else {
        let field = field.to_owned();
        Err(SessionsError::ExternalId { field })
    }
}

fn is_text(text: &str, longest: usize, besides: &str) -> bool {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || besides.contains(c);
    (2..=longest).contains(&text.len()) && text.chars().all(is_allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, accounts: &[(&str, &str)]) -> Result<Sessions, SessionsError> {
        let accounts = accounts.iter().map(|(account, id)| {
            let external_id = Some((*id).to_owned());
            ((*account).to_owned(), Account { external_id })
        });
        let general = "general".to_owned();
        Sessions::read(name, Some(&general), &accounts.collect(), false)
    }

    #[test]
    fn each_account_has_its_own_external_id() {
        let sessions = read("prod-eu", &[("123456789012", "a:1/2")]).expect("it is right");
        assert_eq!(sessions.external_ids["123456789012"], "a:1/2");
        assert_eq!(sessions.external_id.as_deref(), Some("general"));
    }

    #[test]
    fn what_sts_would_refuse_is_refused_at_the_start_and_named() {
        let table = [
            (read("x", &[]), "drs.session_name"),
            (read("two words", &[]), "drs.session_name"),
            (read("ok", &[("shop", "id")]), "drs.accounts.\"shop\""),
            (
                read("ok", &[("123456789012", "a b")]),
                "drs.accounts.\"123456789012\".external_id",
            ),
        ];
        for (answer, field) in table {
            let error = answer.expect_err(field).to_string();
            assert!(error.starts_with(field), "{error}");
        }
    }
}
