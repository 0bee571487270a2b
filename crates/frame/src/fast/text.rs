//! The two members of the root, read from a value that is known to be JSON.

use crate::fast::scalar::{self, code_unit};
use crate::rules::{MAX_TS, MAX_UID, Member};

/// The user id whose name ends before a position; if it has escapes, `scratch` holds the unescaped text.
#[inline]
pub(super) fn uid<'a>(value: &'a [u8], name_end: usize, scratch: &'a mut String) -> Option<&'a str> {
    let (raw, escaped) = string(after_colon(value, name_end))?;
    let uid = if escaped {
        unescape(raw, scratch)?;
        scratch.as_str()
    } else {
        std::str::from_utf8(raw).ok()?
    };
    (1..=MAX_UID).contains(&uid.len()).then_some(uid)
}

/// The seconds whose name ends before a position.
#[inline]
pub(super) fn ts(value: &[u8], name_end: usize, scratch: &mut String) -> Option<i64> {
    let rest = after_colon(value, name_end);
    match string(rest) {
        Some((raw, false)) => seconds(raw),
        Some((raw, true)) => {
            unescape(raw, scratch)?;
            seconds(scratch.as_bytes())
        }
        None => integer(rest),
    }
}

/// The number that `rest` starts with, if it is a whole one in range.
#[inline]
fn integer(rest: &[u8]) -> Option<i64> {
    // `-0` is zero.
    let sign = usize::from(rest.starts_with(b"-0"));
    let len = scalar::digits(&rest[sign..]);
    let (digits, after) = rest[sign..].split_at(len);
    let is_whole = after.first().is_some_and(|byte| matches!(byte, b',' | b'}') || scalar::is_space(*byte));
    if is_whole { seconds(digits) } else { None }
}

/// The number that all of `digits` spell, if it is in range.
#[inline]
fn seconds(digits: &[u8]) -> Option<i64> {
    if digits.is_empty() {
        return None;
    }
    let mut seconds = 0;
    for byte in digits {
        if !byte.is_ascii_digit() {
            return None;
        }
        seconds = seconds * 10 + i64::from(byte - b'0');
        if seconds > MAX_TS {
            return None;
        }
    }
    Some(seconds)
}

/// The text after the colon that follows a name ending before a position.
#[inline]
fn after_colon(value: &[u8], name_end: usize) -> &[u8] {
    let rest = &value[name_end..];
    let start = rest.iter().position(|byte| *byte != b':' && !scalar::is_space(*byte)).unwrap_or(rest.len());
    &rest[start..]
}

/// The text between the quotes of the string that `rest` starts with, and whether it has escapes.
#[inline]
fn string(rest: &[u8]) -> Option<(&[u8], bool)> {
    let body = rest.strip_prefix(b"\"")?;
    let mut escaped = false;
    let mut at = 0;
    loop {
        at += plain(&body[at..]);
        match body.get(at)? {
            b'"' => return Some((&body[..at], escaped)),
            _ => {
                escaped = true;
                at += 2;
            }
        }
        if at > body.len() {
            return None;
        }
    }
}

/// The number of bytes before the first quote or backslash. Eight at a time, as in [`scalar::digits`].
#[inline]
fn plain(rest: &[u8]) -> usize {
    let (eights, last) = rest.as_chunks::<8>();
    for (index, bytes) in eights.iter().enumerate() {
        let bytes = u64::from_le_bytes(*bytes);
        // Sets the highest bit of each zero byte, and perhaps of some bytes after it.
        let zero = |bytes: u64| bytes.wrapping_sub(0x0101_0101_0101_0101) & !bytes & 0x8080_8080_8080_8080;
        let found = zero(bytes ^ 0x2222_2222_2222_2222) | zero(bytes ^ 0x5C5C_5C5C_5C5C_5C5C);
        if found != 0 {
            return 8 * index + found.trailing_zeros() as usize / 8;
        }
    }
    8 * eights.len() + last.iter().take_while(|byte| !matches!(byte, b'"' | b'\\')).count()
}

/// Writes the unescaped text of a string; `None` if it has a lone surrogate.
fn unescape(raw: &[u8], text: &mut String) -> Option<()> {
    text.clear();
    let mut rest = raw;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        text.push_str(std::str::from_utf8(&rest[..at]).ok()?);
        let escape = *rest.get(at + 1)?;
        rest = &rest[at + 2..];
        text.push(match escape {
            b'b' => '\x08',
            b'f' => '\x0C',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let (scalar, len) = scalar_value(rest)?;
                rest = &rest[len..];
                scalar
            }
            other => char::from(other),
        });
    }
    text.push_str(std::str::from_utf8(rest).ok()?);
    Some(())
}

/// The character that `rest`, the text after `\u`, encodes, and its length.
fn scalar_value(rest: &[u8]) -> Option<(char, usize)> {
    let first = code_unit(rest, 0)?;
    if let Some(character) = char::from_u32(first.into()) {
        return Some((character, 4));
    }
    let second = if rest[4..].starts_with(b"\\u") { code_unit(rest, 6)? } else { return None };
    let character = char::decode_utf16([first, second]).next()?.ok()?;
    Some((character, 10))
}

/// Finds the root members of an object in which some names have escapes.
#[cold]
pub(super) fn members(value: &[u8], scratch: &mut String) -> (Member<usize>, Member<usize>) {
    let (mut uid, mut ts) = (Member::Missing, Member::Missing);
    let mut depth = 0_usize;
    let mut name_next = false;
    let mut at = 0;
    while let Some(byte) = value.get(at) {
        match byte {
            b'{' | b'[' => {
                depth += 1;
                name_next = depth == 1;
            }
            b'}' | b']' => depth -= 1,
            b',' => name_next = depth == 1,
            b'"' => {
                let (raw, _) = string(&value[at..]).unwrap_or_default();
                // Skips the closing quote.
                at += 1 + raw.len();
                // A name with a lone surrogate is neither `uid` nor `ts`.
                if std::mem::take(&mut name_next) && unescape(raw, scratch).is_some() {
                    let member = match scratch.as_str() {
                        "uid" => Some(&mut uid),
                        "ts" => Some(&mut ts),
                        _ => None,
                    };
                    if let Some(member) = member {
                        *member = if *member == Member::Missing { Member::Good(at + 1) } else { Member::Repeated };
                    }
                }
            }
            _ => {}
        }
        at += 1;
    }
    (uid, ts)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads the `uid` of an object that starts with it.
    fn read_uid(value: &str) -> Option<String> {
        uid(value.as_bytes(), r#"{"uid""#.len(), &mut String::from("left over")).map(String::from)
    }

    /// Reads the `ts` of an object that starts with it.
    fn read_ts(value: &str) -> Option<i64> {
        ts(value.as_bytes(), r#"{"ts""#.len(), &mut String::from("left over"))
    }

    #[test]
    fn uids() {
        assert_eq!(read_uid(r#"{"uid":"a"}"#).as_deref(), Some("a"));
        assert_eq!(read_uid(r#"{"uid" : "\u0061\n\ud83d\ude00\"\\"}"#).as_deref(), Some("a\n\u{1f600}\"\\"));
        for value in
            [r#"{"uid":""}"#, r#"{"uid":1}"#, r#"{"uid":["a"]}"#, r#"{"uid":"\ud83d"}"#, r#"{"uid":"\ude00x"}"#]
        {
            assert_eq!(read_uid(value), None, "{value}");
        }
    }

    #[test]
    fn times() {
        assert_eq!(read_ts(r#"{"ts":0}"#), Some(0));
        assert_eq!(read_ts(r#"{"ts": -0 }"#), Some(0));
        assert_eq!(read_ts(r#"{"ts":253402300799,"a":1}"#), Some(MAX_TS));
        assert_eq!(read_ts(r#"{"ts":"0000000000000000000000012"}"#), Some(12));
        assert_eq!(read_ts(r#"{"ts":"\u0031"}"#), Some(1));
        for value in
            [r#"{"ts":-1}"#, r#"{"ts":1.0}"#, r#"{"ts":1e3}"#, r#"{"ts":""}"#, r#"{"ts":"-0"}"#, r#"{"ts":null}"#]
        {
            assert_eq!(read_ts(value), None, "{value}");
        }
        assert_eq!(read_ts(r#"{"ts":253402300800}"#), None);
        assert_eq!(read_ts(r#"{"ts":99999999999999999999999999}"#), None);
    }

    #[test]
    fn members_with_escaped_names() {
        let find = |value: &str| members(value.as_bytes(), &mut String::new());
        assert_eq!(find(r#"{"\u0075id":1}"#), (Member::Good(11), Member::Missing));
        assert_eq!(find(r#"{"uid":{"ts":1},"ts":1,"t\u0073":["uid"]}"#), (Member::Good(6), Member::Repeated));
        assert_eq!(find(r#"{"\ud800":"uid","a":[{"\u0075id":1}]}"#), (Member::Missing, Member::Missing));
    }
}
