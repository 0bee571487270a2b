//! Finds two members of a map without reading the others.

use crate::answer::{Found, Scalar, Wanted};
use crate::error::FormatError;
use std::borrow::Cow;

/// A place in a value of nested maps and arrays.
pub(crate) trait Walk<'a> {
    /// What is left of a map.
    type Entries;

    /// Goes into the map here; if there is none, skips what is here.
    fn enter(&mut self) -> Result<Option<Self::Entries>, FormatError>;

    /// The next name of the map; the place is its value then. None behind the last.
    fn name(&mut self, entries: &mut Self::Entries) -> Result<Option<Cow<'a, str>>, FormatError>;

    /// Takes the value here.
    fn scalar(&mut self) -> Result<Scalar<'a>, FormatError>;

    /// Goes behind the value here.
    fn skip(&mut self) -> Result<(), FormatError>;
}

/// The user id and the event time of the value here. What comes behind the second of them is not read.
pub(crate) fn find<'a, W: Walk<'a>>(walk: &mut W, wanted: &Wanted) -> Result<(Cow<'a, str>, i64), FormatError> {
    let mut found = Found::default();
    search(walk, wanted, [Some(wanted.uid_names()), Some(wanted.ts_names())], &mut found)?;
    let uid = found.uid.ok_or(FormatError::NoMember("user id"))?;
    Ok((uid, found.ts.ok_or(FormatError::NoMember("event time"))?))
}

/// Searches the map here; `paths` are the names below it, to user id and event time, if they are below it.
fn search<'a, W: Walk<'a>>(
    walk: &mut W,
    wanted: &Wanted,
    paths: [Option<&[String]>; 2],
    found: &mut Found<'a>,
) -> Result<(), FormatError> {
    let Some(mut entries) = walk.enter()? else { return Ok(()) };
    while let Some(name) = walk.name(&mut entries)? {
        let below = paths.map(|path| path.and_then(<[String]>::split_first).filter(|(first, _)| **first == name));
        if below == [None, None] {
            walk.skip()?;
            continue;
        }
        let [uid_ends, ts_ends] = below.map(|path| path.is_some_and(|(_, rest)| rest.is_empty()));
        if !uid_ends && !ts_ends {
            search(walk, wanted, below.map(|path| path.map(|(_, rest)| rest)), found)?;
        } else {
            let value = walk.scalar()?;
            if ts_ends {
                found.ts = wanted.ts(&value);
            }
            if uid_ends {
                found.uid = wanted.uid(value);
            }
        }
        if found.uid.is_some() && found.ts.is_some() {
            return Ok(());
        }
    }
    Ok(())
}

/// The next `len` bytes of `rest`, which then begins behind them.
pub(crate) fn take<'a>(rest: &mut &'a [u8], len: u64) -> Result<&'a [u8], FormatError> {
    let len = usize::try_from(len).map_err(|_| FormatError::TooShort)?;
    let (taken, after) = rest.split_at_checked(len).ok_or(FormatError::TooShort)?;
    *rest = after;
    Ok(taken)
}

/// The big-endian number in the next `len` bytes, at most eight.
pub(crate) fn number(rest: &mut &[u8], len: u64) -> Result<u64, FormatError> {
    Ok(take(rest, len)?.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

/// These bytes as text.
pub(crate) fn text(bytes: &[u8]) -> Result<Cow<'_, str>, FormatError> {
    std::str::from_utf8(bytes).map(Cow::Borrowed).map_err(|_| FormatError::NotUtf8)
}
