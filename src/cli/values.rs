//! Parses the values of options.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use kuu_core::workload::{Kind, ValueKind};
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

/// How often an engine commits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckpointInterval {
    /// As often as it does by itself.
    Own,
    /// This often.
    Every(Duration),
}

/// `own`, or a time of at least a millisecond and at most a day, in whole milliseconds.
pub fn checkpoint(text: &str) -> Result<CheckpointInterval, String> {
    if text == "own" {
        return Ok(CheckpointInterval::Own);
    }
    let every = duration(text)?;
    let fits = (1..=86_400_000).contains(&every.as_millis()) && every.subsec_nanos() % 1_000_000 == 0;
    if fits {
        Ok(CheckpointInterval::Every(every))
    } else {
        Err("write own, or a time of whole milliseconds, at most 1d".into())
    }
}

/// The same as [`duration`], but at most the longest time that librdkafka can wait: it counts milliseconds in 32 bits.
pub fn patience(text: &str) -> Result<Duration, String> {
    let longest = Duration::from_secs(24 * 86_400);
    duration(text).and_then(|time| if time > longest { Err("24 days at most".into()) } else { Ok(time) })
}

/// The same as [`duration`], in whole seconds.
pub fn seconds(text: &str) -> Result<Duration, String> {
    let time = duration(text)?;
    if time.subsec_nanos() != 0 { Err("event time has whole seconds".into()) } else { Ok(time) }
}

/// A share in percent, as a fraction: `5%` and `5` are 0.05.
pub fn percent(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix('%').unwrap_or(text).trim_end().parse().ok();
    let share = number.filter(|number: &f64| (0.0..100.0).contains(number)).map(|number| number / 100.0);
    share.ok_or_else(|| format!("`{text}` is no share: write 5% or 0.5%, less than 100%"))
}

/// The same as [`percent`], above 0.
pub fn bound(text: &str) -> Result<f64, String> {
    match percent(text)? {
        0.0 => Err("without --within the counts must be exact: write a share above 0, as in 2%".into()),
        share => Ok(share),
    }
}

/// Bytes with a unit: `500`, `64KB`, `2GB` (powers of 1000), `1MiB` (of 1024).
pub fn bytes(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{text}` is no size: write 500, 64KB, 200MB, 2GB or 1MiB");
    let (number, unit) = text.split_at(text.bytes().take_while(u8::is_ascii_digit).count());
    let units = ["", "K", "M", "G", "T"];
    let upper = unit.trim_start().to_ascii_uppercase();
    let (base, letter) = match upper.strip_suffix("IB") {
        Some(letter) => (1024_u64, letter),
        None => (1000, upper.strip_suffix('B').unwrap_or(&upper)),
    };
    let power = units.iter().position(|unit| *unit == letter).ok_or_else(wrong)?;
    let number: u64 = number.parse().map_err(|_| wrong())?;
    number.checked_mul(base.pow(power as u32)).ok_or_else(wrong)
}

/// Unix seconds, or a time of RFC 3339.
pub fn moment(text: &str) -> Result<i64, String> {
    if let Ok(seconds) = text.parse() {
        return Ok(seconds);
    }
    let time: jiff::Timestamp = text.parse().map_err(|_| "write 2016-07-11T13:39:44Z or Unix seconds".to_owned())?;
    if time.subsec_nanosecond() == 0 { Ok(time.as_second()) } else { Err("event time has whole seconds".into()) }
}

/// A table of all troubles of a stream.
pub fn described_troubles() -> String {
    let row = |kind: &Kind| {
        let value = match kind.value_kind() {
            ValueKind::Share => "SHARE",
            ValueKind::Count => "N",
            ValueKind::Partition => "PARTITION",
            ValueKind::PartitionTime => "PARTITION:TIME",
            ValueKind::PartitionFrom => "PARTITION:PERCENT",
            ValueKind::Time => "TIME",
        };
        format!("  {:<28}{}\n", format!("{kind}={value}"), kind.get_documentation().unwrap_or_default())
    };
    let rows: String = Kind::ALL.iter().map(row).collect();
    format!("Troubles (without a value: a share of 0.01, one frame, partition 0, 10 minutes, 50 %, 3 days):\n{rows}")
}

/// A longer time than none.
pub fn some_time(text: &str) -> Result<Duration, String> {
    duration(text)
        .and_then(|time| if time.is_zero() { Err("write a time above 0, as in 10min".into()) } else { Ok(time) })
}

/// So many in a second.
pub fn pace(text: &str) -> Result<f64, String> {
    let pace: f64 = text.parse().map_err(|_| "write a number, as in 5000".to_owned())?;
    // Rejects what is no number, too.
    if (1e-6..=1e9).contains(&pace) { Ok(pace) } else { Err("write a number from 0.000001 to 1000000000".into()) }
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
        _ => Err("write KEY=VALUE, as in -X fetch.wait.max.ms=5; -X list prints all".into()),
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
    fn sizes() {
        for (text, size) in [("500", 500), ("64KB", 64_000), ("2 gb", 2_000_000_000), ("1MiB", 1 << 20), ("3k", 3_000)]
        {
            assert_eq!(bytes(text), Ok(size), "{text}");
        }
        for text in ["", "KB", "-1", "1.5GB", "1XB", "1iB2", "99999999999TB"] {
            assert!(bytes(text).is_err(), "{text}");
        }
    }

    #[test]
    fn bounds() {
        assert_eq!((bound("2%"), bound("0.5 %"), bound("12")), (Ok(0.02), Ok(0.005), Ok(0.12)));
        for text in ["0", "0%", "-1%", "100%", "NaN", "much", ""] {
            assert!(bound(text).is_err(), "{text}");
        }
    }

    #[test]
    fn moments() {
        assert_eq!(moment("1468244384"), Ok(1_468_244_384));
        assert_eq!(moment("2016-07-11T15:39:44+02:00"), Ok(1_468_244_384));
        assert!(moment("2016-07-11").is_err() && moment("2016-07-11T13:39:44.5Z").is_err());
    }

    #[test]
    fn paces() {
        assert_eq!((pace("0.000001"), pace("1e9"), pace("2.5")), (Ok(1e-6), Ok(1e9), Ok(2.5)));
        for text in ["0", "-0", "-1", "NaN", "inf", "1e-300", "1e300", "", "fast", "5/s"] {
            assert!(pace(text).is_err(), "{text}");
        }
        assert!(some_time("0s").is_err() && some_time("0").is_err());
        assert_eq!(some_time("1ms"), Ok(Duration::from_millis(1)));
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
