//! Finds members by a walk through the value, byte by byte: where names have escapes, or are too deep for the scanner.

use crate::fast::names::Members;
use crate::fast::scalar::is_space;
use crate::fast::text::{string, unescape};
use crate::format::FrameFormat;
use crate::rules::Member;
use std::ops::Range;

/// Finds the two members in an object that is known to be JSON.
#[cold]
pub(super) fn members(value: &[u8], format: &FrameFormat, scratch: &mut String) -> Members {
    Members { uid: member(value, format.uid.names(), scratch), ts: member(value, format.ts.names(), scratch) }
}

/// The place of the literal of the time in a value that is known to be JSON, and to have one such member.
pub(crate) fn ts_literal(value: &[u8], format: &FrameFormat, scratch: &mut String) -> Option<Range<usize>> {
    let root = after_space(value, 0);
    let object = value.get(root..)?;
    let Member::Good(name_end) = member(object, format.ts.names(), scratch) else { return None };
    let start = after_space(object, after_space(object, name_end) + 1);
    let literal = object.get(start..after_value(object, start))?;
    Some(root + start..root + start + literal.trim_ascii_end().len())
}

/// The position after the name of the member at the end of this path.
fn member(value: &[u8], path: &[String], scratch: &mut String) -> Member<usize> {
    let mut object = 0;
    for (level, name) in path.iter().enumerate() {
        let found = in_object(value, object, name, scratch);
        let Member::Good(name_end) = found else { return found };
        let start = after_space(value, after_space(value, name_end) + 1);
        if level + 1 == path.len() {
            return found;
        }
        if value.get(start) != Some(&b'{') {
            return Member::Missing;
        }
        object = start;
    }
    Member::Missing
}

/// The position after a name in the object that starts at `at`.
fn in_object(value: &[u8], at: usize, name: &str, scratch: &mut String) -> Member<usize> {
    let mut found = Member::Missing;
    let mut at = after_space(value, at + 1);
    while value.get(at) == Some(&b'"') {
        let (raw, escaped) = string(&value[at..]).unwrap_or_default();
        let name_end = at + 2 + raw.len();
        // A name with a lone surrogate is none that anyone looks for.
        let is_name =
            if escaped { unescape(raw, scratch).is_some() && scratch == name } else { raw == name.as_bytes() };
        if is_name {
            found = if found == Member::Missing { Member::Good(name_end) } else { Member::Repeated };
        }
        at = after_value(value, after_space(value, after_space(value, name_end) + 1));
        at = after_space(value, at);
        if value.get(at) != Some(&b',') {
            break;
        }
        at = after_space(value, at + 1);
    }
    found
}

fn after_space(value: &[u8], at: usize) -> usize {
    at + value.get(at..).unwrap_or_default().iter().take_while(|byte| is_space(**byte)).count()
}

/// The position after the value that starts at `at`.
fn after_value(value: &[u8], at: usize) -> usize {
    let mut depth = 0_usize;
    let mut end = at;
    while let Some(byte) = value.get(end) {
        match byte {
            b'"' => end += 1 + string(&value[end..]).unwrap_or_default().0.len(),
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth == 0 => return end,
            b'}' | b']' => depth -= 1,
            b',' if depth == 0 => return end,
            _ => {}
        }
        end += 1;
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_with_escaped_names() {
        let find = |value: &str| {
            let Members { uid, ts } = members(value.as_bytes(), &FrameFormat::default(), &mut String::new());
            (uid, ts)
        };
        assert_eq!(find(r#"{"\u0075id":1}"#), (Member::Good(11), Member::Missing));
        assert_eq!(find(r#"{"uid":{"ts":1},"ts":1,"t\u0073":["uid"]}"#), (Member::Good(6), Member::Repeated));
        assert_eq!(find(r#"{"\ud800":"uid","a":[{"\u0075id":1}]}"#), (Member::Missing, Member::Missing));
        assert_eq!(find(r#" { "uid" : [ {} , "}" ] , "ts" : 1 } "#).1, Member::Missing, "it starts with the bracket");
        assert_eq!(find(r#"{ "uid" : [ {} , "}" ] , "ts" : 1 } "#), (Member::Good(7), Member::Good(29)));
    }

    #[test]
    fn members_of_members() {
        let format =
            FrameFormat { uid: "/a/b/c".parse().unwrap(), ts: "/a/~1".parse().unwrap(), ..FrameFormat::default() };
        let find = |value: &str| {
            let Members { uid, ts } = members(value.as_bytes(), &format, &mut String::new());
            (uid, ts)
        };
        assert_eq!(find(r#"{"a":{"b":{"c":1},"\/":2}}"#), (Member::Good(14), Member::Good(22)));
        assert_eq!(find(r#"{"b":{"c":1},"a":[{"b":{"c":1}}]}"#), (Member::Missing, Member::Missing));
        assert_eq!(find(r#"{"a":{"b":1,"b":{"c":1}},"c":2}"#), (Member::Repeated, Member::Missing));
        assert_eq!(find(r#"{"a":{"b":{"c":1}},"\u0061":null}"#), (Member::Repeated, Member::Repeated));
    }
}
