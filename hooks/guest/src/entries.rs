//! Named values.

use crate::bindings::generated::tidegate::hooks::types::Entry;

/// Named values, sorted by name, no name twice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entries(Vec<(String, String)>);

impl Entries {
    /// The value of this name, if there is one.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let at = self.position(name).ok()?;
        Some(&self.0[at].1)
    }

    /// In the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Sets a value, replacing one of the same name.
    pub fn set(&mut self, name: impl Into<String>, value: impl ToString) {
        let (name, value) = (name.into(), value.to_string());
        match self.position(&name) {
            Ok(at) => self.0[at].1 = value,
            Err(at) => self.0.insert(at, (name, value)),
        }
    }

    pub(crate) fn from_contract(entries: Vec<Entry>) -> Self {
        entries
            .into_iter()
            .map(|entry| (entry.name, entry.value))
            .collect()
    }

    pub(crate) fn into_contract(self) -> Vec<Entry> {
        self.0
            .into_iter()
            .map(|(name, value)| Entry { name, value })
            .collect()
    }

    fn position(&self, name: &str) -> Result<usize, usize> {
        self.0
            .binary_search_by(|(other, _)| other.as_str().cmp(name))
    }
}

impl<N: Into<String>, V: ToString> FromIterator<(N, V)> for Entries {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(entries: I) -> Self {
        let mut all = Self::default();
        for (name, value) in entries {
            all.set(name, value);
        }
        all
    }
}

impl<N: Into<String>, V: ToString, const LENGTH: usize> From<[(N, V); LENGTH]> for Entries {
    fn from(entries: [(N, V); LENGTH]) -> Self {
        entries.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_sorted_and_the_last_of_a_name_counts() {
        let entries = Entries::from([("b", 1), ("a", 2), ("b", 3)]);
        assert_eq!(entries.iter().collect::<Vec<_>>(), [("a", "2"), ("b", "3")]);
        assert_eq!(entries.get("b"), Some("3"));
        assert_eq!(entries.get("c"), None);
    }
}
