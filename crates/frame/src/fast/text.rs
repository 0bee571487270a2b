//! The two members, read from a value that is known to be JSON.

use crate::fast::scalar::{self, code_unit};
use crate::format::{TsFormat, UidType};
use crate::rules::{MAX_TS, MAX_UID};
use crate::time::rfc3339;

/// The user id whose name ends before a position; if it has escapes, `scratch` holds the unescaped text.
#[inline]
pub(super) fn uid<'a>(value: &'a [u8], name_end: usize, uid_type: UidType, scratch: &'a mut String) -> Option<&'a str> {
    let rest = after_colon(value, name_end);
    if uid_type != UidType::String {
        return uid_of_type(rest, uid_type, scratch);
    }
    let (raw, escaped) = string(rest)?;
    let uid = if escaped {
        unescape(raw, scratch)?;
        scratch.as_str()
    } else {
        std::str::from_utf8(raw).ok()?
    };
    (1..=MAX_UID).contains(&uid.len()).then_some(uid)
}

/// The user id that `rest` starts with, where numbers are ids.
fn uid_of_type<'a>(rest: &'a [u8], uid_type: UidType, scratch: &'a mut String) -> Option<&'a str> {
    let Some((raw, escaped)) = string(rest) else { return number(rest) };
    if uid_type == UidType::Integer {
        return None;
    }
    // The quotes tell it from a number.
    let uid = if escaped {
        unescape(raw, scratch)?;
        scratch.insert(0, '"');
        scratch.push('"');
        scratch.as_str()
    } else {
        std::str::from_utf8(&rest[..raw.len() + 2]).ok()?
    };
    (1..=MAX_UID).contains(&(uid.len() - 2)).then_some(uid)
}

/// The text of the number without fraction and exponent that `rest` starts with.
fn number(rest: &[u8]) -> Option<&str> {
    let sign = usize::from(rest.starts_with(b"-"));
    let len = whole(&rest[sign..])?;
    let text = std::str::from_utf8(&rest[..sign + len]).ok()?;
    match text {
        "-0" => Some("0"),
        _ => (text.len() <= MAX_UID).then_some(text),
    }
}

/// How many digits `rest` starts with, if the number ends with them.
#[inline]
fn whole(rest: &[u8]) -> Option<usize> {
    let len = scalar::digits(rest);
    let ends = rest.get(len).is_some_and(|byte| matches!(byte, b',' | b'}') || scalar::is_space(*byte));
    (ends && len > 0).then_some(len)
}

/// The time whose name ends before a position, in seconds.
#[inline]
pub(super) fn ts(value: &[u8], name_end: usize, format: TsFormat, scratch: &mut String) -> Option<i64> {
    let rest = after_colon(value, name_end);
    let text = match string(rest) {
        Some((raw, false)) => Some(raw),
        Some((raw, true)) => {
            unescape(raw, scratch)?;
            Some(scratch.as_bytes())
        }
        None => None,
    };
    match (format, text) {
        (TsFormat::S, Some(text)) => seconds(text),
        (TsFormat::S, None) => seconds(integer(rest)?),
        (TsFormat::Rfc3339, text) => rfc3339(text?),
        (TsFormat::Ms, text) => parts(text.or_else(|| integer(rest))?, 1_000),
        (TsFormat::Us, text) => parts(text.or_else(|| integer(rest))?, 1_000_000),
        (TsFormat::Ns, text) => parts(text.or_else(|| integer(rest))?, 1_000_000_000),
    }
}

/// The digits of the number that `rest` starts with, if it is a whole one that is not negative.
#[inline]
fn integer(rest: &[u8]) -> Option<&[u8]> {
    // `-0` is zero.
    let sign = usize::from(rest.starts_with(b"-0"));
    let digits = &rest[sign..];
    whole(digits).map(|len| &digits[..len])
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

/// The seconds in the parts of a second, a power of ten, that all of `digits` spell.
#[inline]
fn parts(digits: &[u8], per_second: u32) -> Option<i64> {
    let (whole, parts) = digits.split_at(digits.len().saturating_sub(per_second.ilog10() as usize));
    if parts.is_empty() || !parts.iter().all(u8::is_ascii_digit) {
        return None;
    }
    if whole.is_empty() { Some(0) } else { seconds(whole) }
}

/// The second that a whole text names, in this format: digits, or a time as RFC 3339 has it; in `0..=MAX_TS`.
pub fn second_of(text: &str, format: TsFormat) -> Option<i64> {
    match format {
        TsFormat::S => seconds(text.as_bytes()),
        TsFormat::Ms => parts(text.as_bytes(), 1_000),
        TsFormat::Us => parts(text.as_bytes(), 1_000_000),
        TsFormat::Ns => parts(text.as_bytes(), 1_000_000_000),
        TsFormat::Rfc3339 => rfc3339(text.as_bytes()),
    }
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
pub(crate) fn string(rest: &[u8]) -> Option<(&[u8], bool)> {
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
pub(crate) fn unescape(raw: &[u8], text: &mut String) -> Option<()> {
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads the `uid` of an object that starts with it.
    fn read_uid(value: &str) -> Option<String> {
        uid(value.as_bytes(), r#"{"uid""#.len(), UidType::String, &mut String::from("left over")).map(String::from)
    }

    /// Reads the `ts` of an object that starts with it.
    fn read_ts(value: &str) -> Option<i64> {
        ts(value.as_bytes(), r#"{"ts""#.len(), TsFormat::S, &mut String::from("left over"))
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
    fn a_text_names_a_second() {
        let second = |text, format| second_of(text, format);
        assert_eq!(
            [second("7", TsFormat::S), second("7999", TsFormat::Ms), second("1", TsFormat::Us)],
            [Some(7), Some(7), Some(0)]
        );
        assert_eq!(second("2000000000", TsFormat::Ns), Some(2));
        assert_eq!(second("1970-01-01T00:01:00Z", TsFormat::Rfc3339), Some(60));
        assert_eq!([second("", TsFormat::S), second("-1", TsFormat::Ms), second("60", TsFormat::Rfc3339)], [None; 3]);
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
}
