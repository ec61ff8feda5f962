//! One write, alone or in a transaction.
//!
//! Every attribute in an expression is written `#name`: DynamoDB reserves some
//! hundred words, and this way none of them matters.

use std::collections::HashMap;

use aws_sdk_dynamodb::{
    error::BuildError,
    types::{
        AttributeValue, Delete, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
    },
};

use super::keys::Key;

/// Gives a call, or a part of a transaction, its table and the condition of a
/// write: their builders have the same methods and no common trait.
macro_rules! conditioned {
    ($call:expr, $write:expr, $table:expr) => {
        $call
            .table_name($table)
            .set_condition_expression($write.condition.clone())
            .set_expression_attribute_names($write.names())
            .set_expression_attribute_values($write.values())
            .return_values_on_condition_check_failure($write.shows.clone())
    };
}
pub(super) use conditioned;

/// One write.
#[derive(Clone, Debug)]
pub(super) struct Write {
    pub(super) key: Key,
    pub(super) action: Action,
    pub(super) condition: Option<String>,
    values: HashMap<String, AttributeValue>,
    /// Whether a refusal is to show the item as it is.
    pub(super) shows: ReturnValuesOnConditionCheckFailure,
}

/// What it does.
#[derive(Clone, Debug)]
pub(super) enum Action {
    /// Replaces the item.
    Put(HashMap<String, AttributeValue>),
    /// Changes it by an update expression.
    Update(String),
    /// Deletes it.
    Delete,
}

impl Write {
    pub(super) fn put(key: Key) -> Self {
        let item = key.attributes().into();
        Self::new(key, Action::Put(item))
    }

    pub(super) fn update(key: Key, expression: impl Into<String>) -> Self {
        Self::new(key, Action::Update(expression.into()))
    }

    pub(super) fn delete(key: Key) -> Self {
        Self::new(key, Action::Delete)
    }

    fn new(key: Key, action: Action) -> Self {
        Self {
            key,
            action,
            condition: None,
            values: HashMap::new(),
            shows: ReturnValuesOnConditionCheckFailure::None,
        }
    }

    /// An attribute of the item that is put.
    pub(super) fn set(mut self, name: &str, value: AttributeValue) -> Self {
        if let Action::Put(item) = &mut self.action {
            item.insert(name.to_owned(), value);
        }
        self
    }

    /// A value of an expression, `:name` there.
    pub(super) fn with(mut self, name: &str, value: AttributeValue) -> Self {
        self.values.insert(format!(":{name}"), value);
        self
    }

    pub(super) fn only_if(mut self, condition: impl Into<String>) -> Self {
        self.condition = Some(condition.into());
        self
    }

    /// Only if there is no such item.
    pub(super) fn if_absent(self) -> Self {
        self.only_if("attribute_not_exists(#pk)")
    }

    /// Only if there is such an item.
    pub(super) fn if_present(self) -> Self {
        self.only_if("attribute_exists(#pk)")
    }

    /// A refusal shows the item as it is.
    pub(super) fn showing(mut self) -> Self {
        self.shows = ReturnValuesOnConditionCheckFailure::AllOld;
        self
    }

    pub(super) fn names(&self) -> Option<HashMap<String, String>> {
        let update = match &self.action {
            Action::Update(expression) => expression.as_str(),
            Action::Put(_) | Action::Delete => "",
        };
        names([update, self.condition.as_deref().unwrap_or_default()])
    }

    pub(super) fn values(&self) -> Option<HashMap<String, AttributeValue>> {
        (!self.values.is_empty()).then(|| self.values.clone())
    }

    /// As a part of a transaction.
    pub(super) fn in_transaction(&self, table: &str) -> Result<TransactWriteItem, BuildError> {
        let item = TransactWriteItem::builder();
        let key = || Some(self.key.attributes().into());
        let item = match &self.action {
            Action::Put(attributes) => {
                let put = Put::builder().set_item(Some(attributes.clone()));
                item.put(conditioned!(put, self, table).build()?)
            }
            Action::Update(expression) => {
                let update = Update::builder().set_key(key());
                let update = update.update_expression(expression);
                item.update(conditioned!(update, self, table).build()?)
            }
            Action::Delete => {
                let delete = Delete::builder().set_key(key());
                item.delete(conditioned!(delete, self, table).build()?)
            }
        };
        Ok(item.build())
    }
}

/// The names that expressions use, each standing for itself.
pub(super) fn names<'a>(
    expressions: impl IntoIterator<Item = &'a str>,
) -> Option<HashMap<String, String>> {
    let mut names = HashMap::new();
    for expression in expressions {
        for part in expression.split('#').skip(1) {
            let end = part.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
            let name = &part[..end.unwrap_or(part.len())];
            names.insert(format!("#{name}"), name.to_owned());
        }
    }
    (!names.is_empty()).then_some(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_of_an_expression_stands_for_itself() {
        let update = Write::update(Key::new("a", "b"), "SET #live = :live REMOVE #servers")
            .only_if("attribute_exists(#pk) AND #t15 = :x");
        let mut names: Vec<_> = update.names().unwrap().into_iter().collect();
        names.sort();
        let expected = ["live", "pk", "servers", "t15"];
        assert_eq!(names, expected.map(|it| (format!("#{it}"), it.to_owned())));
        assert_eq!(Write::delete(Key::new("a", "b")).names(), None);
    }
}
