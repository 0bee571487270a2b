//! Rows, keys and starts.

use super::*;
use crate::counter::{Emission, Timing};
use crate::window::{Unit, Window};
use kuu_frame::{MAX_TS, TsFormat};

fn parse(value: &[u8]) -> Result<Row, String> {
    RowFormat::default().parse(value)
}

fn row(text: &str) -> Row {
    parse(text.as_bytes()).unwrap()
}

fn minute(start: i64) -> Window {
    Unit::Minute.window(start)
}

#[test]
fn rows_of_any_engine() {
    let plain = row(r#"{"start":1468244340,"users":7}"#);
    assert_eq!(plain.window, minute(1_468_244_340));
    assert_eq!(plain.count, Count { users: 7, frames: None });
    for start in [
        "2016-07-11T13:39:00Z",
        "2016-07-11t13:39:00z",
        "2016-07-11 13:39:00Z",
        "2016-07-11T15:39:00+02:00",
        "2016-07-11T08:09:00-05:30",
        "2016-07-11T13:39:00.000Z",
        "2016-07-11T13:39:00.0+00:00",
    ] {
        assert_eq!(row(&format!(r#" {{"start":"{start}","users":7,"by":"another"}}"#)), plain, "{start}");
    }
    assert_eq!(row(r#"{"unit":"year","start":"9999-01-01T00:00:00Z","users":1}"#).window.end, MAX_TS + 1);
    assert_eq!(row(r#"{"unit":"minute","start":"9999-12-31T23:59:00Z","users":1}"#).window.end, MAX_TS + 1);
    assert_eq!(row(r#"{"unit":"week","start":-259200,"users":1}"#).window.start, -259_200);
}

#[test]
fn what_is_written_is_read() {
    for (timing, revision, distinct, end) in [
        (Timing::Early, None, "exact", r#""timing":"early","emitted_us":7}"#),
        (Timing::OnTime, Some(0), "exact", r#""timing":"on_time","revision":0,"emitted_us":7}"#),
        (Timing::Late, Some(1), "exact", r#""timing":"late","revision":1,"emitted_us":7}"#),
        (Timing::Late, Some(1), "hll:12", r#""distinct":"hll","timing":"late","revision":1,"emitted_us":7}"#),
    ] {
        let distinct = distinct.parse().unwrap();
        let row = Row::from(&Emission { window: minute(60), users: 5, frames: 6, distinct, timing, revision });
        let mut text = Vec::new();
        row.write(7, &mut text);
        let text = String::from_utf8(text).unwrap();
        let begin = r#"{"unit":"minute","start":60,"end":120,"users":5,"frames":6,"#;
        assert_eq!(text, format!("{begin}{end}"));
        assert_eq!(parse(text.as_bytes()), Ok(row));
    }
}

#[test]
fn estimates_are_marked() {
    for (member, is_approximate) in [
        (r#""distinct":"hll""#, true),
        (r#""distinct":"theta""#, true),
        (r#""distinct":"exact""#, false),
        (r#""distinct":null"#, false),
        (r#""distinct":7"#, false),
        (r#""approximate":true"#, false),
    ] {
        assert_eq!(row(&format!(r#"{{"start":60,"users":5,{member}}}"#)).is_approximate, is_approximate, "{member}");
    }
}

#[test]
fn rows_that_are_none() {
    for (text, says) in [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[]", "not a result row: it is not an object"),
        (r#"["minute",60,5,5,0,"on_time"]"#, "it is not an object"),
        (r#" [null,60,5,null,null,null]"#, "it is not an object"),
        ("7", "not a result row: it is not an object"),
        (r#"{"start":60}"#, "not a result row: it has no `users`"),
        (r#"{"users":60}"#, "not a result row: it has no `start`"),
        (r#"{"start":null,"users":60}"#, "not a result row: it has no `start`"),
        (
            r#"{"start":60.0,"users":1}"#,
            "not a result row: `start` is 60.0, not whole Unix seconds or an RFC 3339 text",
        ),
        (
            r#"{"start":[60],"users":1}"#,
            "not a result row: `start` is [60], not whole Unix seconds or an RFC 3339 text",
        ),
        (
            r#"{"start":1e30,"users":1}"#,
            "not a result row: `start` is 1e+30, not whole Unix seconds or an RFC 3339 text",
        ),
        (
            r#"{"start":60,"users":-1}"#,
            "not a result row: `users` is -1, not a whole number from 0 to 18446744073709551615",
        ),
        (
            r#"{"start":60,"users":"5"}"#,
            "not a result row: `users` is \"5\", not a whole number from 0 to 18446744073709551615",
        ),
        (
            r#"{"start":60,"users":5,"frames":5.5}"#,
            "not a result row: `frames` is 5.5, not a whole number from 0 to 18446744073709551615",
        ),
        (
            r#"{"start":60,"users":5,"revision":4294967296}"#,
            "not a result row: `revision` is 4294967296, not a whole number from 0 to 4294967295",
        ),
        (r#"{"start":60,"users":5,"unit":7}"#, "not a result row: `unit` is 7, not a text"),
        (r#"{"start":60,"users":5,"timing":true}"#, "not a result row: `timing` is true, not a text"),
        (r#"{"start":60,"users":5,"users":6}"#, "duplicate field `users`"),
        (r#"{"start":61,"users":1}"#, "no minute starts at 61"),
        (r#"{"start":"2016-07-11T13:39:00.5Z","users":1}"#, "is not a whole second"),
        (r#"{"unit":"fortnight","start":60,"users":1}"#, "no unit `fortnight`"),
        (r#"{"start":-9223372036854775808,"users":1}"#, "no minute starts at"),
    ] {
        let error = parse(text.as_bytes()).unwrap_err();
        assert!(error.contains(says), "{text}: {error}");
    }
}

#[test]
fn a_row_is_text() {
    for value in [&b"{\"start\":60,\"users\":1,\"x\":\"\xff\"}"[..], b"\xff"] {
        assert_eq!(parse(value).unwrap_err(), "not UTF-8");
    }
    assert!(parse("{\"start\":60,\"users\":1,\"x\":\"é\"}".as_bytes()).is_ok());
}

#[test]
fn starts_that_are_not_rfc_3339() {
    for start in [
        "",
        "yesterday",
        "2016-07-11",
        "2016-07-11T13:40:00",
        "2016-07-11T13:40Z",
        "2016-07-11T13:40:00[Europe/Berlin]Z",
        "2016-07-11T13:40:00+02:00[Europe/Berlin]",
        "2016-07-11T13:40:00Z[UTC]",
        "2016-07-11T13:40:00+0200",
        "2016-07-11T13:40:00+02",
        "2016-07-11T13:40:00+24:00",
        "2016-07-11T13:40:00+00:60",
        "2016-07-11T13:40:00.Z",
        "2016-07-11T13:40:00,0Z",
        "2016-07-11T13:40:00ZZ",
        "2016-07-11T13:40:00Z ",
        " 2016-07-11T13:40:00Z",
        "20160711T134000Z",
        "2016-W28-1T13:40:00Z",
        "+002016-07-11T13:40:00Z",
        "2016-02-30T13:40:00Z",
        "2016-07-11T24:00:00Z",
        "2016-07-11T13:39:60Z",
        "2016-07-11T13:40:0éZ",
        "２016-07-11T13:40:00Z",
    ] {
        let error = parse(format!(r#"{{"start":"{start}","users":1}}"#).as_bytes()).unwrap_err();
        assert!(error.contains("is not RFC 3339"), "{start}: {error}");
    }
}

#[test]
fn keys() {
    assert_eq!(parse_key(b"minute:1468244340"), Ok(minute(1_468_244_340)));
    for key in ["", "minute", "minute:x", "minute:61", "eon:0"] {
        assert!(parse_key(key.as_bytes()).is_err(), "{key}");
    }
}

fn format(start: &str, users: &str, start_format: Option<TsFormat>) -> RowFormat {
    RowFormat { start: start.into(), users: users.into(), start_format, unit: Unit::Minute }
}

#[test]
fn members_and_starts_of_other_engines() {
    let expected = minute(1_468_244_340);
    for (start_format, start) in [
        (None, "1468244340"),
        (None, r#""2016-07-11T13:39:00Z""#),
        (Some(TsFormat::S), "1468244340"),
        (Some(TsFormat::S), r#""1468244340""#),
        (Some(TsFormat::Ms), "1468244340000"),
        (Some(TsFormat::Ms), r#""1468244340000""#),
        (Some(TsFormat::Us), "1468244340000000"),
        (Some(TsFormat::Ns), "1468244340000000000"),
        (Some(TsFormat::Rfc3339), r#""2016-07-11T15:39:00+02:00""#),
    ] {
        let text = format!(r#"{{"window_start":{start},"start":7,"users":[],"\u0063ount":5,"frames":9}}"#);
        let row = format("window_start", "count", start_format).parse(text.as_bytes()).unwrap();
        assert_eq!((row.window, row.count), (expected, Count { users: 5, frames: Some(9) }), "{text}");
    }
    // Frames that stand for the users are no frames.
    let other = format("start", "frames", None).parse(br#"{"start":60,"frames":9}"#).unwrap();
    assert_eq!(other.count, Count { users: 9, frames: None });
    let five = RowFormat { unit: Unit::every(300).unwrap(), ..RowFormat::default() };
    assert_eq!(five.parse(br#"{"start":600,"users":9}"#).unwrap().window.key(), "5min:600");
    assert_eq!(five.parse(br#"{"start":660,"users":9}"#).unwrap_err(), "no 5min starts at 660");
    for unit in ["5min", "300s"] {
        let text = format!(r#"{{"unit":"{unit}","start":600,"users":9}}"#);
        assert_eq!(row(&text).window.key(), "5min:600");
    }
}

#[test]
fn starts_in_another_format_than_the_given_one() {
    for (start_format, start, says) in [
        (TsFormat::Ms, "1468244340001", "not a result row: `at` is 1468244340001 milliseconds, not a whole second"),
        (TsFormat::Ms, "1468244340", "not a result row: `at` is 1468244340 milliseconds, not a whole second"),
        (TsFormat::Ms, "1.5", "not a result row: `at` is 1.5, not whole Unix milliseconds"),
        (TsFormat::Us, r#""soon""#, "not a result row: `at` is \"soon\", not whole Unix microseconds"),
        (TsFormat::S, r#""2016-07-11T13:39:00Z""#, "\"2016-07-11T13:39:00Z\", not whole Unix seconds"),
        (TsFormat::S, "18446744073709551615", "not a result row: `at` is 18446744073709551615, not a time"),
        (TsFormat::Rfc3339, "1468244340", "not a result row: `at` is 1468244340, not an RFC 3339 text"),
        (TsFormat::Rfc3339, r#""13:39""#, "at `13:39` is not RFC 3339, as in 2016-07-11T13:39:00Z"),
        (TsFormat::Ms, "null", "not a result row: it has no `at`"),
    ] {
        let text = format!(r#"{{"at":{start},"n":5}}"#);
        let error = format("at", "n", Some(start_format)).parse(text.as_bytes()).unwrap_err();
        assert!(error.ends_with(says), "{text}: {error}");
    }
    let twice = format("at", "n", None).parse(br#"{"at":60,"n":5,"n":null}"#).unwrap_err();
    assert!(twice.contains("duplicate field `n`"), "{twice}");
}

#[test]
fn options_that_would_help() {
    let guess = |text: &str| RowFormat::default().guess(text.as_bytes()).map(|guess| (guess.finding, guess.options));
    for (text, finding, options) in [
        (
            r#"{"start":1468244340000,"users":5}"#,
            "`start` is 1468244340000, which would be minute 2016-07-11 13:39 in milliseconds",
            "--start-format ms",
        ),
        (
            r#"{"unit":"hour","start":"1468242000000000","users":5}"#,
            "`start` is \"1468242000000000\", which would be hour 2016-07-11 13:00 in microseconds",
            "--start-format us",
        ),
        (
            r#"{"start":1468244340000000000,"users":5}"#,
            "`start` is 1468244340000000000, which would be minute 2016-07-11 13:39 in nanoseconds",
            "--start-format ns",
        ),
        (
            r#"{"start":"1468244340","users":5}"#,
            "`start` is \"1468244340\", which would be minute 2016-07-11 13:39 in seconds",
            "--start-format s",
        ),
        (
            r#"{"window_start":1468244340,"count":5}"#,
            "it has no `start` and no `users`, but `count`, `window_start`",
            "--start-field window_start --users-field count",
        ),
        (
            r#"{"window_start":1468244340000,"window_end":1468244400000,"n":5,"distinct_users":5}"#,
            "it has no `start` and no `users`, but `distinct_users`, `n`, `window_end`, `window_start`; \
             `window_start` is 1468244340000, which would be minute 2016-07-11 13:39 in milliseconds",
            "--start-field window_start --users-field distinct_users --start-format ms",
        ),
        (
            r#"{"a":1468244340,"b":1468244400,"users":5}"#,
            "it has no `start`, but `a`, `b`, `users`",
            "--start-field NAME",
        ),
        (r#"{"start":60,"a b":5}"#, "it has no `users`, but `a b`, `start`", "--users-field NAME"),
        (r#"{"when":"13:39","users":5}"#, "it has no `start`, but `users`, `when`", "--start-field NAME"),
    ] {
        assert_eq!(guess(text), Some((finding.into(), options.into())), "{text}");
    }
    for text in
        ["", "[]", "7", "{}", r#"{"start":61,"users":5}"#, r#"{"start":60,"users":-5}"#, r#"{"unit":7,"start":0}"#]
    {
        assert_eq!(guess(text), None, "{text}");
    }
    let given = format("at", "users", Some(TsFormat::Ms));
    let options = given.guess(br#"{"at":1468244340,"users":5}"#).unwrap().options;
    assert_eq!(options, "--start-format s");
}
