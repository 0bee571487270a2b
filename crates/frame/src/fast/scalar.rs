//! Tokens that are read byte by byte: numbers, literals, and strings outside any object or array.

/// White space between tokens.
#[inline(always)]
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// Whether `rest` starts with a number or literal that ends where a value may end in an object or array.
#[inline]
pub(super) fn starts(rest: &[u8]) -> bool {
    let Some(len) = len(rest) else {
        return false;
    };
    let after = rest[len..].iter().find(|byte| !is_space(**byte));
    matches!(after, Some(b',' | b'}' | b']'))
}

/// Whether `head` starts with a number or literal that fits into it, has no exponent, and is followed directly by one
/// of `ends`. The masks have a bit for each byte: the digits, the points, and the bytes that may follow.
///
/// The tokens of most values pass this check, without a branch on their kind or length.
#[inline(always)]
pub(super) fn starts_plainly(head: &[u8; 32], digits: u64, points: u64, ends: u64) -> bool {
    let start = u64::from_le_bytes(*head.first_chunk().unwrap_or(&[0; 8]));
    let is = |word: &[u8; 8], len: usize| (start ^ u64::from_le_bytes(*word)) << (64 - 8 * len) == 0;
    let is_four = is(b"true    ", 4) | is(b"null    ", 4);
    let is_five = is(b"false   ", 5);
    let literal = u64::from(is_four) << 4 | u64::from(is_five) << 5;

    // Adding its first bit to a run of digits carries to the position after the run; without digits, the bit stays.
    let after_digits = |first: u64| (digits + first) & !digits & !first;
    let sign = usize::from(head[0] == b'-');
    let first = 1 << sign;
    let after_whole = after_digits(first);
    let fraction = (after_whole & points) << 1;
    let number = after_whole & !points | after_digits(fraction);
    let superfluous_zero = (head[sign] == b'0') & (after_whole != first << 1);
    ((number | literal) & ends != 0) & !superfluous_zero
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

/// The length of the number that `rest` starts with.
#[inline]
fn number(rest: &[u8]) -> Option<usize> {
    let mut len = usize::from(rest[0] == b'-');
    len += match rest.get(len)? {
        b'0' => 1,
        b'1'..=b'9' => digits(&rest[len..]),
        _ => return None,
    };
    if rest.get(len) == Some(&b'.') {
        let fraction = digits(&rest[len + 1..]);
        if fraction == 0 {
            return None;
        }
        len += 1 + fraction;
    }
    if matches!(rest.get(len), Some(b'e' | b'E')) {
        len += 1 + usize::from(matches!(rest.get(len + 1), Some(b'+' | b'-')));
        let exponent = digits(&rest[len..]);
        if exponent == 0 {
            return None;
        }
        len += exponent;
    }
    Some(len)
}

/// How many digits `rest` starts with. Eight at a time: a loop over them would often be mispredicted.
#[inline]
pub(super) fn digits(rest: &[u8]) -> usize {
    let (eights, last) = rest.as_chunks::<8>();
    for (index, bytes) in eights.iter().enumerate() {
        // A digit has the high half 3, and keeps it when 6 is added to the low half.
        let bytes = u64::from_le_bytes(*bytes);
        let high = |bytes: u64| bytes & 0xF0F0_F0F0_F0F0_F0F0 ^ 0x3030_3030_3030_3030;
        let other = high(bytes) | high((bytes & 0x7F7F_7F7F_7F7F_7F7F) + 0x0606_0606_0606_0606);
        if other != 0 {
            return 8 * index + other.trailing_zeros() as usize / 8;
        }
    }
    8 * eights.len() + last.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

/// Whether the value is a single string, number or literal, apart from white space after it.
pub(super) fn is_whole(value: &[u8]) -> bool {
    let end = value.iter().rposition(|byte| !is_space(*byte)).map_or(0, |last| last + 1);
    let token = &value[..end];
    if token.starts_with(b"\"") { is_string(token) } else { len(token) == Some(token.len()) }
}

/// Whether `token`, which begins with a quote, is exactly one string.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_or_literal_ends_where_a_value_may() {
        for rest in
            ["0,", "-0}", "10]", "0.5 ,", "1e999\n]", "1E-07}", "-12.50e+10\t\r\n }", "true,", "false]", "null }"]
        {
            assert!(starts(rest.as_bytes()), "{rest}");
        }
        for rest in
            ["", "0", "1 ", "1:", "1 :", "1\"", "1{", "1 2,", "01,", "-,", "1.,", ".5,", "1e,", "1e+,", "+1,", "1x,"]
        {
            assert!(!starts(rest.as_bytes()), "{rest}");
        }
        for rest in ["tru,", "truee,", "True,", "nul", "null", "nullnull,", "NaN,", "\"a\",", "\u{436},"] {
            assert!(!starts(rest.as_bytes()), "{rest}");
        }
    }

    #[test]
    fn a_value_without_brackets() {
        for value in ["0", "-1.5e3 \n", "null", "\"\"", "\"\\\"\" ", r#""\ud800\n\/""#] {
            assert!(is_whole(value.as_bytes()), "{value}");
        }
        for value in
            ["", "0 0", "0,", "\"", "\"\\\"", "\"\n\"", "\"a\"b\"", r#""\u12x4""#, r#""\u123""#, r#""\a""#, "nul"]
        {
            assert!(!is_whole(value.as_bytes()), "{value}");
        }
    }

    #[test]
    fn digits_are_counted() {
        for byte in 0..=255_u8 {
            for len in 0..20 {
                let mut rest = b"01234567890123456789"[..len].to_vec();
                rest.push(byte);
                let more = usize::from(byte.is_ascii_digit());
                assert_eq!(digits(&rest), len + more, "{len} digits and {byte}");
                rest.extend(b"---------");
                assert_eq!(digits(&rest), len + more, "{len} digits, {byte} and more");
            }
        }
    }

    #[test]
    fn code_units() {
        assert_eq!(code_unit(b"u00e9", 1), Some(0xE9));
        assert_eq!(code_unit(b"FFFF", 0), Some(0xFFFF));
        for bytes in ["", "123", "12g4", "+123", "12 4"] {
            assert_eq!(code_unit(bytes.as_bytes(), 0), None, "{bytes}");
        }
        assert_eq!(code_unit(b"12345", 2), None);
    }
}
