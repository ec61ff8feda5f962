//! Items, without the SDK's spelling.

use std::collections::HashMap;

use aws_sdk_dynamodb::{primitives::Blob, types::AttributeValue};
use bytes::Bytes;

use super::keys::{Key, PARTITION, SORT, name_in};
use crate::ports::journal::ReadError;

/// An item as it is stored.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Item(pub(super) HashMap<String, AttributeValue>);

impl Item {
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let value = self.0.get(name)?;
        value.as_s().ok().map(String::as_str)
    }

    pub(super) fn number(&self, name: &str) -> Option<u64> {
        self.0.get(name)?.as_n().ok()?.parse().ok()
    }

    pub(super) fn bytes(&self, name: &str) -> Option<Bytes> {
        let blob = self.0.get(name)?.as_b().ok()?;
        Some(Bytes::copy_from_slice(blob.as_ref()))
    }

    /// Bytes of such an attribute.
    pub(super) fn length(&self, name: &str) -> Option<usize> {
        let blob = self.0.get(name)?.as_b().ok()?;
        Some(blob.as_ref().len())
    }

    /// A set of texts; empty if there is none.
    pub(super) fn texts(&self, name: &str) -> &[String] {
        let value = self.0.get(name);
        value
            .and_then(|value| value.as_ss().ok())
            .map_or(&[], Vec::as_slice)
    }

    /// The identifier that it is named by.
    pub(super) fn name(&self) -> Result<&str, ReadError> {
        let named = self.text("id").or_else(|| name_in(self.text(SORT)?));
        named.ok_or_else(|| self.damaged("no name"))
    }

    /// The number that it is sorted by.
    pub(super) fn position(&self) -> Result<u64, ReadError> {
        let number = self.text(SORT).and_then(|sk| sk.parse().ok());
        number.ok_or_else(|| self.damaged("no number as its key"))
    }

    /// What is wrong with it, for people.
    pub(super) fn damaged(&self, what: &str) -> ReadError {
        let part = |name| self.text(name).unwrap_or_default();
        let (pk, sk) = (part(PARTITION), part(SORT));
        ReadError::Damaged(format!("the item {pk:?}, {sk:?} has {what}"))
    }

    pub(super) fn key(&self) -> Option<Key> {
        Some(Key::new(self.text(PARTITION)?, self.text(SORT)?))
    }
}

pub(super) fn text(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

pub(super) fn number(number: u64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

pub(super) fn bytes(bytes: &[u8]) -> AttributeValue {
    AttributeValue::B(Blob::new(bytes))
}
