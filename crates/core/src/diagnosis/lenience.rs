//! What a lenient reader finds in a value that is no frame, and which leniences it needs for it.

use strum::{Display, VariantArray};

/// A way to take what is damaged. The words are what the lines have that it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Display, VariantArray)]
pub(super) enum Lenience {
    #[strum(to_string = "bytes that are not UTF-8")]
    NotUtf8,
    #[strum(to_string = "text after the frame")]
    Trailing,
    #[strum(to_string = "a second frame in the line")]
    Second,
    #[strum(to_string = "text that is no JSON")]
    NotJson,
    #[strum(to_string = "more than 1,024 levels")]
    TooDeep,
    #[strum(to_string = "no object")]
    NotObject,
    #[strum(to_string = "no uid")]
    NoUid,
    #[strum(to_string = "no uid (a user of its own)")]
    NamedNoUid,
    #[strum(to_string = "an empty uid")]
    EmptyUid,
    #[strum(to_string = "the uid null")]
    NullUid,
    #[strum(to_string = "the uid null (a user of its own)")]
    NamedNullUid,
    #[strum(to_string = "a number or bool as uid")]
    ScalarUid,
    #[strum(to_string = "an array or object as uid")]
    CompositeUid,
    #[strum(to_string = "half a surrogate pair in the uid")]
    Surrogate,
    #[strum(to_string = "half a surrogate pair in the uid (replaced)")]
    ReplacedSurrogate,
    #[strum(to_string = "no ts or null")]
    NoTs,
    #[strum(to_string = "an empty ts")]
    EmptyTs,
    #[strum(to_string = "a ts with a fraction or exponent")]
    FractionTs,
    #[strum(to_string = "a ts before 1970 or after 9999")]
    FarTs,
    #[strum(to_string = "a ts that is another kind of number, as \"+1\" or true")]
    LooseTs,
    #[strum(to_string = "a date as ts")]
    DateTs,
    #[strum(to_string = "no value (at 1970)")]
    Tombstone,
    #[strum(to_string = "no value (at the time of the frame before)")]
    TombstoneOfNow,
}

impl Lenience {
    /// Its bit in [`Found::needs`].
    pub(super) fn bit(self) -> u32 {
        1 << self as u32
    }
}

/// Users and times that a reader finds in a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// The bits of the leniences that it needs: none for a frame.
    pub(super) needs: u32,
    pub(super) frames: Vec<(String, i64)>,
}

/// A user or a time that a value may have, with the bits of the leniences that it needs.
type Choice<T> = (u32, T);

/// The users in a literal; a frame has one without needs.
pub(super) fn users(literal: Option<&str>) -> Vec<Choice<String>> {
    use Lenience::{
        CompositeUid, EmptyUid, NamedNoUid, NamedNullUid, NoUid, NullUid, ReplacedSurrogate, ScalarUid, Surrogate,
    };
    let nobody = |plain: Lenience, named: Lenience| vec![(plain.bit(), String::new()), (named.bit(), "None".into())];
    match literal {
        None => nobody(NoUid, NamedNoUid),
        Some("null") => nobody(NullUid, NamedNullUid),
        Some(text) if text.starts_with('"') => match serde_json::from_str::<String>(text) {
            Ok(text) if text.is_empty() => vec![(EmptyUid.bit(), text)],
            Ok(text) => vec![(0, text)],
            Err(_) => vec![(Surrogate.bit(), text.into()), (ReplacedSurrogate.bit(), "\u{fffd}".into())],
        },
        Some(text) if text.starts_with(['{', '[']) => vec![(CompositeUid.bit(), text.into())],
        Some(text) => vec![(ScalarUid.bit(), text.into())],
    }
}

/// The time in a literal, if a reader finds one; a frame has it without needs.
pub(super) fn time(literal: Option<&str>) -> Option<Choice<i64>> {
    use Lenience::{DateTs, EmptyTs, FractionTs, LooseTs, NoTs};
    let text = match literal {
        None | Some("null") => return Some((NoTs.bit(), 0)),
        Some("true") => return Some((LooseTs.bit(), 1)),
        Some("false") => return Some((LooseTs.bit(), 0)),
        Some(text) => text,
    };
    if text.starts_with(['{', '[']) {
        return None;
    }
    let Ok(words) = serde_json::from_str::<String>(text) else {
        return whole(text, 0).or_else(|| Some((FractionTs.bit(), text.parse::<f64>().ok()? as i64)));
    };
    if words.is_empty() {
        return Some((EmptyTs.bit(), 0));
    }
    if words.bytes().all(|byte| byte.is_ascii_digit()) {
        return whole(&words, 0);
    }
    let loose = words.trim();
    let loose = loose.strip_prefix('+').unwrap_or(loose);
    let date = || words.parse::<jiff::Timestamp>().ok().map(|time| (DateTs.bit(), time.as_second()));
    whole(loose, LooseTs.bit()).or_else(date)
}

/// A whole number.
fn whole(text: &str, needs: u32) -> Option<Choice<i64>> {
    let number = text.parse::<i128>().ok()?;
    let is_near = (0..=253_402_300_799).contains(&number);
    let needs = if is_near { needs } else { needs | Lenience::FarTs.bit() };
    // Nobody needs to know how far beyond.
    Some((needs, number.clamp(-1 << 40, 1 << 40) as i64))
}

/// Everything that readers find in an object with these literals.
pub(super) fn found(needs: u32, uid: Option<&str>, ts: Option<&str>) -> Vec<Found> {
    let Some((for_ts, ts)) = time(ts) else { return Vec::new() };
    let all = users(uid).into_iter();
    all.map(|(for_uid, user)| Found { needs: needs | for_uid | for_ts, frames: vec![(user, ts)] }).collect()
}

/// The literals after the first `"uid"` and the first `"ts"` of a text, wherever they are: as a regular expression
/// finds them in a text that is no JSON.
pub(super) fn scan(text: &str) -> [Option<&str>; 2] {
    let after = |name: &str| Some(text[text.find(name)? + name.len()..].trim_start().strip_prefix(':')?.trim_start());
    let string = |text: &'_ str| text.strip_prefix('"').and_then(|rest| rest.find('"')).map(|end| end + 2);
    let uid = after("\"uid\"").and_then(|rest| string(rest).map(|end| &rest[..end]));
    let ts = after("\"ts\"").and_then(|rest| {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        if digits > 0 { Some(&rest[..digits]) } else { string(rest).map(|end| &rest[..end]) }
    });
    [uid, ts]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        let needs = |lenience: Lenience, ts| Some((lenience.bit(), ts));
        for (literal, expected) in [
            ("17", Some((0, 17))),
            ("\"0017\"", Some((0, 17))),
            ("253402300799", Some((0, 253_402_300_799))),
            ("253402300800", needs(Lenience::FarTs, 253_402_300_800)),
            ("-1", needs(Lenience::FarTs, -1)),
            ("1.5", needs(Lenience::FractionTs, 1)),
            ("1.468244384e9", needs(Lenience::FractionTs, 1_468_244_384)),
            ("\"+17\"", needs(Lenience::LooseTs, 17)),
            ("\" 17\"", needs(Lenience::LooseTs, 17)),
            ("true", needs(Lenience::LooseTs, 1)),
            ("null", needs(Lenience::NoTs, 0)),
            ("\"\"", needs(Lenience::EmptyTs, 0)),
            ("\"1970-01-01T00:01:00Z\"", needs(Lenience::DateTs, 60)),
            ("[1]", None),
            ("\"soon\"", None),
        ] {
            assert_eq!(time(Some(literal)), expected, "{literal}");
        }
        assert_eq!(time(None), needs(Lenience::NoTs, 0));
    }

    #[test]
    fn what_a_scan_finds() {
        assert_eq!(scan(r#"{"a":1,"uid":"x","ts": 17,"b":"#), [Some("\"x\""), Some("17")]);
        assert_eq!(scan(r#"["ts":"17","uid" : "x""#), [Some("\"x\""), Some("\"17\"")]);
        assert_eq!(scan(r#"{"uid":"x"#), [None, None]);
        assert_eq!(scan("%&/"), [None, None]);
    }
}
