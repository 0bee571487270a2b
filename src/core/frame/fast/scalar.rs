//! Tokens that are read byte by byte: numbers, literals, and strings outside any object or array.

/// White space between tokens.
#[inline(always)]
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// Whether `rest` starts with a number or literal that ends where a value may end.
#[inline]
pub(super) fn starts(rest: &[u8]) -> bool {
    let Some(len) = len(rest) else {
        return false;
    };
    match rest.get(len) {
        Some(byte) => matches!(byte, b',' | b'}' | b']') || is_space(*byte),
        None => true,
    }
}

/// The length of the number or literal that `rest` starts with.
#[inline]
fn len(rest: &[u8]) -> Option<usize> {
    match rest.first()? {
        b't' => rest.starts_with(b"true").then_some(4),
        b'f' => rest.starts_with(b"false").then_some(5),
        b'n' => rest.starts_with(b"null").then_some(4),
        b'-' | b'0'..=b'9' => number(rest),
        _ => None,
    }
}

/// The length of the number that `rest` starts with, as far as the grammar takes it.
#[inline]
fn number(rest: &[u8]) -> Option<usize> {
    let digits = |from: usize| rest[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut len = usize::from(rest[0] == b'-');
    len += match rest.get(len)? {
        b'0' => 1,
        b'1'..=b'9' => digits(len),
        _ => return None,
    };
    if rest.get(len) == Some(&b'.') {
        let fraction = digits(len + 1);
        if fraction == 0 {
            return None;
        }
        len += 1 + fraction;
    }
    if matches!(rest.get(len), Some(b'e' | b'E')) {
        len += 1 + usize::from(matches!(rest.get(len + 1), Some(b'+' | b'-')));
        let exponent = digits(len);
        if exponent == 0 {
            return None;
        }
        len += exponent;
    }
    Some(len)
}

/// Whether the value is a single string, number or literal, but for white space after it.
pub(super) fn is_whole(value: &[u8]) -> bool {
    let end = value.iter().rposition(|byte| !is_space(*byte)).map_or(0, |last| last + 1);
    let token = &value[..end];
    if token.starts_with(b"\"") { is_string(token) } else { len(token) == Some(token.len()) }
}

/// Whether all of `token`, which begins with a quote, is one string.
fn is_string(token: &[u8]) -> bool {
    let mut at = 1;
    while let Some(byte) = token.get(at) {
        at += match byte {
            b'"' => return at + 1 == token.len(),
            b'\\' => match token.get(at + 1) {
                Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => 2,
                Some(b'u') if code_unit(token, at + 2).is_some() => 6,
                _ => return false,
            },
            0..0x20 => return false,
            _ => 1,
        };
    }
    false
}

/// The UTF-16 code unit that four hexadecimal digits at a position name.
pub(super) fn code_unit(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at + 4)?.iter().try_fold(0, |unit, byte| {
        let digit = char::from(*byte).to_digit(16)?;
        Some(unit << 4 | digit as u16)
    })
}
