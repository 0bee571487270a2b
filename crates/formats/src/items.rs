//! A walk through values whose maps and arrays begin with their length: MessagePack and CBOR.

use crate::answer::Scalar;
use crate::error::FormatError;
use crate::walk::{Walk, text};
use std::borrow::Cow;

/// What begins at a place, and what of it is read.
pub(crate) enum Item<'a> {
    /// So many members: a name and a value each.
    Map(u64),
    /// So many values.
    Array(u64),
    /// A whole text.
    Text(&'a [u8]),
    /// A whole integer.
    Integer(i128),
    /// All of another value.
    Other,
}

/// The rest of a value, and how its items are read.
pub(crate) struct ItemWalk<'a, F> {
    pub rest: &'a [u8],
    pub next: F,
}

impl<'a, F: FnMut(&mut &'a [u8]) -> Result<Item<'a>, FormatError>> ItemWalk<'a, F> {
    fn item(&mut self) -> Result<Item<'a>, FormatError> {
        (self.next)(&mut self.rest)
    }

    fn skip_all(&mut self, mut items: u64) -> Result<(), FormatError> {
        while items > 0 {
            items -= 1;
            // A length beyond the message ends in an error soon enough.
            items = items.saturating_add(match self.item()? {
                Item::Map(len) => len.saturating_mul(2),
                Item::Array(len) => len,
                _ => 0,
            });
        }
        Ok(())
    }
}

impl<'a, F: FnMut(&mut &'a [u8]) -> Result<Item<'a>, FormatError>> Walk<'a> for ItemWalk<'a, F> {
    /// How many members are left.
    type Entries = u64;

    fn enter(&mut self) -> Result<Option<u64>, FormatError> {
        match self.item()? {
            Item::Map(len) => return Ok(Some(len)),
            Item::Array(len) => self.skip_all(len)?,
            _ => {}
        }
        Ok(None)
    }

    fn name(&mut self, left: &mut u64) -> Result<Option<Cow<'a, str>>, FormatError> {
        let Some(after) = left.checked_sub(1) else { return Ok(None) };
        *left = after;
        match self.item()? {
            Item::Text(name) => text(name).map(Some),
            _ => Err(FormatError::NoMember("name")),
        }
    }

    fn scalar(&mut self) -> Result<Scalar<'a>, FormatError> {
        Ok(match self.item()? {
            Item::Text(value) => Scalar::Text(text(value)?),
            Item::Integer(value) => Scalar::Integer(value),
            Item::Map(len) => self.skip_all(len.saturating_mul(2)).map(|()| Scalar::Other)?,
            Item::Array(len) => self.skip_all(len).map(|()| Scalar::Other)?,
            Item::Other => Scalar::Other,
        })
    }

    fn skip(&mut self) -> Result<(), FormatError> {
        self.skip_all(1)
    }
}
