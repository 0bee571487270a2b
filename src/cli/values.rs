//! Parses the values of options.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use std::fmt::Debug;
use std::str::FromStr;
use std::time::Duration;
use strum::{EnumMessage, VariantArray};

/// One of the values of `T`, by its name.
pub fn named<T>() -> impl TypedValueParser<Value = T>
where
    T: VariantArray + Into<&'static str> + FromStr<Err: Debug> + Copy + Send + Sync,
{
    chosen(|value: &T| PossibleValue::new((*value).into()))
}

/// The same, with a help text for each value.
pub fn described<T>() -> impl TypedValueParser<Value = T>
where
    T: VariantArray + Into<&'static str> + EnumMessage + FromStr<Err: Debug> + Copy + Send + Sync,
{
    chosen(|value: &T| PossibleValue::new((*value).into()).help(value.get_documentation().unwrap_or_default()))
}

fn chosen<T>(value: fn(&T) -> PossibleValue) -> impl TypedValueParser<Value = T>
where
    T: VariantArray + FromStr<Err: Debug> + Copy + Send + Sync,
{
    let names = PossibleValuesParser::new(T::VARIANTS.iter().map(value));
    names.map(|name| name.parse().expect("clap lets only names through"))
}

/// A time with a unit, or in seconds.
pub fn duration(text: &str) -> Result<Duration, String> {
    // Whole numbers without a unit are seconds, as users expect of `--live-seconds 10`.
    match text.parse::<u32>() {
        Ok(seconds) => Ok(Duration::from_secs(seconds.into())),
        Err(_) => humantime::parse_duration(text).map_err(|e| format!("{e}: write 500ms, 5s, 2h or 1d")),
    }
}

/// The same, but at most the longest time that librdkafka can wait: it counts milliseconds in 32 bits.
pub fn patience(text: &str) -> Result<Duration, String> {
    let longest = Duration::from_secs(24 * 86_400);
    duration(text).and_then(|time| if time > longest { Err("24 days at most".into()) } else { Ok(time) })
}

/// The same as [`duration`], in whole seconds.
pub fn seconds(text: &str) -> Result<Duration, String> {
    let time = duration(text)?;
    if time.subsec_nanos() != 0 { Err("event time has whole seconds".into()) } else { Ok(time) }
}

/// A valid name of a topic.
///
/// # Errors
/// What such a name has, where the text is none.
pub fn topic(text: &str) -> Result<String, String> {
    let fine = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if text.is_empty() || text == "." || text == ".." || text.len() > 249 || !text.chars().all(fine) {
        return Err("a topic's name has 1 to 249 of the characters a-z A-Z 0-9 . _ -".into());
    }
    Ok(text.into())
}

/// The name of a topic that kuu writes to or deletes.
pub fn own_topic(text: &str) -> Result<String, String> {
    if text.starts_with("__") {
        return Err("topics that start with __ belong to the brokers: name another one".into());
    }
    topic(text)
}

/// A property of librdkafka.
pub fn property(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.into(), value.into())),
        _ => Err("write KEY=VALUE, as in -X fetch.wait.max.ms=5".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        assert_eq!(duration("10"), Ok(Duration::from_secs(10)));
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(seconds("1d"), Ok(Duration::from_secs(86_400)));
        assert!(patience("24d").is_ok() && patience("25d").is_err() && patience("584542046090 years").is_err());
        assert!(seconds("1500ms").is_err() && duration("soon").is_err());
    }

    #[test]
    fn topics() {
        assert_eq!(own_topic("a.b_c-1"), Ok("a.b_c-1".into()));
        assert_eq!(topic("__consumer_offsets"), Ok("__consumer_offsets".into()));
        assert!(own_topic("__consumer_offsets").is_err());
        for name in ["", ".", "..", "a b", "a/b", &"a".repeat(250)] {
            assert!(own_topic(name).is_err(), "{name}");
        }
    }

    #[test]
    fn properties() {
        assert_eq!(property("a=b=c"), Ok(("a".into(), "b=c".into())));
        assert!(property("a").is_err() && property("=b").is_err());
    }
}
