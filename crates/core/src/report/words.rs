//! Numbers as people read them.

use crate::statistics::Interval;

/// A number with its thousands apart.
pub(super) fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A value that need not be whole, rounded to a whole number.
pub(super) fn whole(value: f64) -> String {
    if !value.is_finite() {
        return "-".into();
    }
    let sign = if value <= -0.5 { "-" } else { "" };
    format!("{sign}{}", count(value.abs().round() as u64))
}

/// `1 window`, `2 windows`.
pub(super) fn plural(n: u64, noun: &str) -> String {
    format!("{} {noun}{}", count(n), if n == 1 { "" } else { "s" })
}

/// A difference with its sign.
pub(super) fn difference(n: i64) -> String {
    let sign = match n {
        0 => "",
        n if n > 0 => "+",
        _ => "-",
    };
    format!("{sign}{}", count(n.unsigned_abs()))
}

/// Three digits, and no more than two behind the point.
pub(super) fn short(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 || size == 0.0 => whole(value),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// Microseconds in a suitable unit.
pub(super) fn time(us: f64) -> String {
    match us.abs() {
        size if size >= 1e6 => format!("{} s", short(us / 1e6)),
        size if size >= 10.0 => format!("{} ms", short(us / 1e3)),
        _ => format!("{} µs", whole(us)),
    }
}

/// Bytes in MB (10^6 bytes).
pub(super) fn size(bytes: f64) -> String {
    format!("{} MB", short(bytes / 1e6))
}

/// As in `0.79 to 1.89`.
pub(super) fn ends(interval: Interval) -> String {
    format!("{} to {}", short(interval.low), short(interval.high))
}

/// A value that may be missing.
pub(super) fn or_dash(value: Option<String>) -> String {
    value.unwrap_or_else(|| "-".into())
}

/// The value of a figure, with the unit with which its name ends.
pub(super) fn figure(name: &str, value: f64) -> String {
    let ends = |unit: &str| name.ends_with(unit);
    if ends("_frames_per_s") {
        format!("{} frames/s", whole(value))
    } else if ends("_bytes_per_s") {
        format!("{} MB/s", whole(value / 1e6))
    } else if ends("_ns_per_frame") {
        format!("{} ns/frame", short(value))
    } else if ends("_us_per_frame") {
        format!("{} µs/frame", short(value))
    } else if ends("_share") {
        format!("{value:.2}")
    } else if ends("_bytes") {
        size(value)
    } else if ends("_us") {
        time(value)
    } else if ends("_s") {
        time(value * 1e6)
    } else {
        short(value)
    }
}

/// A number for an axis, without what its neighbours show.
pub(super) fn tick(value: f64) -> String {
    let trimmed = |value: f64, unit: &str| {
        let text = format!("{value:.2}");
        format!("{}{unit}", text.trim_end_matches('0').trim_end_matches('.'))
    };
    match value.abs() {
        size if size >= 1e9 => trimmed(value / 1e9, " G"),
        size if size >= 1e6 => trimmed(value / 1e6, " M"),
        size if size >= 1e3 => trimmed(value / 1e3, " k"),
        _ => trimmed(value, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        assert_eq!((count(0), count(999), count(1_234_567)), ("0".into(), "999".into(), "1,234,567".into()));
        assert_eq!((whole(-1_234.5), whole(0.4), whole(f64::NAN)), ("-1,235".into(), "0".into(), "-".into()));
        assert_eq!((difference(-1_234), difference(0), difference(5)), ("-1,234".into(), "0".into(), "+5".into()));
        assert_eq!([0.0, 0.123, 12.34, 1_234.5].map(short), ["0", "0.12", "12.3", "1,235"]);
        assert_eq!([3.0, 77.0, 27_759.0, 2_500_000.0].map(time), ["3 µs", "0.08 ms", "27.8 ms", "2.50 s"]);
        assert_eq!([0.0, 0.5, 1_500.0, 2e6, 3e9].map(tick), ["0", "0.5", "1.5 k", "2 M", "3 G"]);
        assert_eq!((plural(1, "window"), plural(2, "frame")), ("1 window".into(), "2 frames".into()));
    }

    #[test]
    fn figures_have_the_unit_of_their_name() {
        for (name, value, words) in [
            ("count_frames_per_s", 342_820.2, "342,820 frames/s"),
            ("count_bytes_per_s", 712_844_958.0, "713 MB/s"),
            ("parse_ns_per_frame", 1_135.6, "1,136 ns/frame"),
            ("cold_1_cpu_us_per_frame", 2.5, "2.50 µs/frame"),
            ("count_share", 0.696, "0.70"),
            ("peak_resident_bytes", 445_067_264.0, "445 MB"),
            ("elapsed_us", 226_300.0, "226 ms"),
            ("schedule_slip_max_s", 0.25, "250 ms"),
            ("results_rows", 523.0, "523"),
        ] {
            assert_eq!(figure(name, value), words, "{name}");
        }
    }
}
