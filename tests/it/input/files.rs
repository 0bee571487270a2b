//! `kuu batch` and `kuu count` over files and standard input: all ways give the same windows.

use crate::support::frames::{
    self, DAMAGED, FIXTURE, FIXTURE_FRAMES, MINUTE, fixture_lines, fixture_windows, frame, frames, frames_from, gzip,
    gzip_members, joined, lines, windows, windows_by,
};
use crate::support::kuu::Kuu;
use crate::support::start::Start as _;
use crate::support::wire::{Row, Window, settle};
use std::io::Read;
use std::process::{Command, Stdio};

const PARSERS: [&str; 2] = ["fast", "plain"];

fn timeless(rows: &[Row]) -> Vec<Row> {
    rows.iter().map(Row::timeless).collect()
}

#[test]
fn the_truth_about_the_fixture() {
    for parser in PARSERS {
        let done = Kuu::new().run(&format!("batch {FIXTURE} --parser {parser}")).exits(0);
        assert_eq!(done.windows(), fixture_windows());
        done.complains("ledger: 50,000 read = 50,000 counted + 0 malformed + 0 too late");
    }
}

#[test]
fn the_fixture_as_a_stream() {
    let mut rows = Vec::new();
    for parser in PARSERS {
        let done = Kuu::new().run(&format!("count {FIXTURE} --parser {parser}")).exits(0);
        assert_eq!(settle(&done.rows()), fixture_windows());
        rows.push(timeless(&done.rows()));
        done.complains("ledger: 50,000 read = 50,000 counted + 0 malformed + 0 too late");
    }
    assert_eq!(rows[0], rows[1]);
}

#[test]
fn the_fixture_from_standard_input() {
    let gz = std::fs::read(FIXTURE).unwrap();
    let done = Kuu::new().feed("count -", &gz).exits(0);
    assert_eq!(settle(&done.rows()), fixture_windows());
    let mut plain = Vec::new();
    flate2::read::MultiGzDecoder::new(&gz[..]).read_to_end(&mut plain).unwrap();
    let piped = Kuu::new().feed("count -", &plain).exits(0);
    assert_eq!(timeless(&piped.rows()), timeless(&done.rows()));
    assert_eq!(Kuu::new().feed("batch -", &plain).exits(0).windows(), fixture_windows());
}

#[test]
fn however_the_lines_are_wrapped() {
    let frames = frames(3_000);
    let expected = windows(&frames);
    let plain = lines(&frames);
    let unended = &plain[..plain.len() - 1];
    let crlf = joined(&frames, b"\r\n");
    let bom = [b"\xef\xbb\xbf", &plain[..]].concat();
    let spaced = joined(&frames, b"\n\n \t\r\n");
    let shapes: [(&str, Vec<u8>, u64); 11] = [
        ("plain", plain.clone(), 0),
        ("no newline at the end", unended.to_vec(), 0),
        ("crlf", crlf.clone(), 0),
        ("crlf, no newline at the end", crlf[..crlf.len() - 2].to_vec(), 0),
        ("bom", bom.clone(), 0),
        ("blank lines", spaced, 6_000),
        ("gzip", gzip(&plain), 0),
        ("gzip, bom", gzip(&bom), 0),
        ("gzip, no newline at the end", gzip(unended), 0),
        ("gzip members of 1,000 bytes", gzip_members(&plain, 1_000), 0),
        ("gzip members with empty ones and padding", [gzip(b""), gzip(&plain), gzip(b""), vec![0; 512]].concat(), 0),
    ];
    for (shape, bytes, blank) in shapes {
        let kuu = Kuu::new();
        let file = kuu.file("frames", &bytes);
        for parser in PARSERS {
            let truth = kuu.run(&format!("batch {file} --json --parser {parser}")).exits(0).document();
            assert_eq!(truth.windows, expected, "{shape}");
            assert_eq!((truth.ledger().read, truth.ledger().blank), (3_000, blank), "{shape}");
            let count = kuu.run(&format!("count {file} --parser {parser}")).exits(0);
            assert_eq!(settle(&count.rows()), expected, "{shape}");
        }
        let piped = kuu.feed("count - --json", &bytes).exits(0).document();
        assert_eq!((piped.ledger().counted, piped.ledger().blank), (3_000, blank), "{shape}");
    }
}

#[test]
fn several_files_are_one_stream_in_their_order() {
    let frames = frames(4_000);
    let kuu = Kuu::new();
    let whole = kuu.file("whole.jsonl", lines(&frames));
    let first = kuu.file("first.jsonl.gz", gzip(&lines(&frames[..1_500])));
    let second = kuu.file("second.jsonl", joined(&frames[1_500..1_501], b""));
    let third = kuu.file("third.jsonl.gz", gzip_members(&lines(&frames[1_501..]), 5_000));

    let one = kuu.run(&format!("count {whole}")).exits(0);
    let three = kuu.run(&format!("count {first} {second} {third}")).exits(0);
    assert_eq!(timeless(&three.rows()), timeless(&one.rows()));
    assert_eq!(settle(&three.rows()), windows(&frames));

    let record = kuu.run(&format!("batch {first} {second} {third} --json")).exits(0).document();
    assert_eq!(record.windows, windows(&frames));
    let sources: Vec<_> = record.input.iter().map(|source| (source.name.as_str(), source.frames)).collect();
    assert_eq!(sources, [("first.jsonl.gz", 1_500), ("second.jsonl", 1), ("third.jsonl.gz", 2_499)]);

    let streamed = kuu.run(&format!("count {first} {second} {third} --json")).exits(0).document();
    let bytes: Vec<_> = streamed.input.iter().map(|source| (source.frames, source.frame_bytes)).collect();
    let size = |frames: &[Vec<u8>]| frames.iter().map(|frame| frame.len() as u64).sum::<u64>();
    assert_eq!(
        bytes,
        [(1_500, size(&frames[..1_500])), (1, size(&frames[1_500..1_501])), (2_499, size(&frames[1_501..]))]
    );
}

#[test]
fn the_record_names_the_input_by_its_hash() {
    let kuu = Kuu::new();
    let file = kuu.file("frames.jsonl.gz", gzip_members(&lines(&frames(500)), 3_000));
    let sum = Command::new("sha256sum").arg(kuu.path(&file)).stdout(Stdio::piped()).collected();
    let sum = String::from_utf8(sum.stdout).unwrap();
    let bytes = std::fs::metadata(kuu.path(&file)).unwrap().len();
    for command in ["batch", "count"] {
        let record = kuu.run(&format!("{command} {file} --json")).exits(0).document();
        assert_eq!(Some(record.input[0].sha256.as_str()), sum.split_whitespace().next(), "{command}");
        assert_eq!(record.input[0].bytes, bytes, "{command}");
    }
}

#[test]
fn every_damaged_value_is_booked_by_its_reason() {
    let sound = frames(200);
    let mut mixed = sound.clone();
    for (i, (_, value)) in DAMAGED.iter().enumerate() {
        mixed.insert(i * 9, value.to_vec());
    }
    let mut expected = std::collections::BTreeMap::<String, u64>::new();
    DAMAGED.iter().for_each(|(reason, _)| *expected.entry((*reason).to_owned()).or_default() += 1);
    let kuu = Kuu::new();
    let file = kuu.file("mixed.jsonl", lines(&mixed));
    for parser in PARSERS {
        for command in ["batch", "count"] {
            let record = kuu.run(&format!("{command} {file} --json --parser {parser}")).exits(0).document();
            let ledger = record.ledger();
            assert_eq!((ledger.read, ledger.counted, ledger.too_late), (222, 200, 0), "{command} {parser}");
            assert_eq!(ledger.malformed, expected, "{command} {parser}");
        }
        let count = kuu.run(&format!("count {file} --parser {parser}")).exits(0);
        assert_eq!(settle(&count.rows()), windows(&sound));
        count.complains(
            "ledger: 222 read = 200 counted + 22 malformed (4 bad_ts, 3 bad_uid, 2 duplicate_key, 1 no_ts, ",
        );
    }
}

#[test]
fn a_user_is_the_unescaped_text() {
    let spellings = [r#""ab""#, r#""\u0061b""#, r#""a\u0062""#];
    let mut text = String::new();
    for spelling in spellings {
        text += &format!(
            "{{\"uid\":{spelling},\"ts\":{MINUTE}}}\n{{\"\\u0075id\":{spelling},\"\\u0074s\":\"{MINUTE}\"}}\n"
        );
    }
    let kuu = Kuu::new();
    let file = kuu.file("spellings.jsonl", text);
    let expected = [Window { unit: "minute".into(), start: MINUTE, users: 1, frames: 6 }];
    for parser in PARSERS {
        assert_eq!(kuu.run(&format!("batch {file} --parser {parser}")).exits(0).windows(), expected);
        assert_eq!(settle(&kuu.run(&format!("count {file} --parser {parser}")).exits(0).rows()), expected);
    }
}

#[test]
fn every_unit_from_one_pass() {
    // From 2020-02-29 23:40 over a leap day and a month, then across the end of a year that ends inside an ISO week.
    let mut all = frames_from(1_583_019_600 - 7_200, 1_000);
    for (i, day) in (0..400).enumerate() {
        all.extend(frames_from(1_583_020_800 + day * 86_400, 20 + i % 7));
    }
    let kuu = Kuu::new();
    let file = kuu.file("long.jsonl", lines(&all));
    let every = |seconds: i64| move |ts: i64| ts - ts % seconds;
    let week = |ts: i64| ts - (ts + 3 * 86_400) % (7 * 86_400);
    let mut expected = Vec::new();
    for (unit, windows) in [
        ("second", windows_by("second", &all, every(1))),
        ("minute", windows_by("minute", &all, every(60))),
        ("hour", windows_by("hour", &all, every(3_600))),
        ("day", windows_by("day", &all, every(86_400))),
        ("week", windows_by("week", &all, week)),
        ("month", windows_by("month", &all, |ts| civil(ts, false))),
        ("year", windows_by("year", &all, |ts| civil(ts, true))),
    ] {
        let alone = kuu.run(&format!("batch {file} --window {unit}")).exits(0);
        assert_eq!(alone.windows(), windows);
        expected.extend(windows);
    }
    expected.sort();
    let units = "year,second,week,minute,month,hour,day,minute";
    let mut together = kuu.run(&format!("batch {file} --window {units}")).exits(0).windows();
    together.sort();
    assert_eq!(together, expected);
    let mut streamed = settle(&kuu.run(&format!("count {file} --window {units}")).exits(0).rows());
    streamed.sort();
    assert_eq!(streamed, expected);
}

/// Start of the month or of the year of a time, counted day by day.
fn civil(ts: i64, whole_year: bool) -> i64 {
    let (mut year, mut start) = (1970, 0);
    let leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = |year| (365 + i64::from(leap(year))) * 86_400;
    while start + length(year) <= ts {
        start += length(year);
        year += 1;
    }
    if whole_year {
        return start;
    }
    for days in [31, 28 + i64::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if start + days * 86_400 > ts {
            break;
        }
        start += days * 86_400;
    }
    start
}

#[test]
fn late_frames_correct_their_window_and_very_late_ones_are_booked() {
    let mut all = frames_from(MINUTE, 7 * 180);
    // After three minutes of the stream: one new user for the first minute, which closed long before.
    all.push(frame("straggler", MINUTE + 1));
    all.extend(frames_from(MINUTE + 180, 7 * 60));
    let kuu = Kuu::new();
    let file = kuu.file("late.jsonl", lines(&all));
    let done = kuu.run(&format!("count {file}")).exits(0);
    assert_eq!(settle(&done.rows()), windows(&all));
    let last = done.rows().into_iter().rfind(|row| row.start == MINUTE).unwrap();
    assert_eq!(last.window(), windows(&all)[0]);
    assert_eq!(last.timing, "late");
    // A second run gives the same results.
    assert_eq!(timeless(&kuu.run(&format!("count {file}")).exits(0).rows()), timeless(&done.rows()));

    let strict = kuu.run(&format!("count {file} --retention 30s --json")).exits(0).document();
    let ledger = strict.ledger();
    assert_eq!((ledger.read, ledger.counted, ledger.too_late), (1_681, 1_680, 1));
    // With a large lateness every first answer is right.
    let patient = kuu.run(&format!("count {file} --lateness 1h")).exits(0);
    assert!(patient.rows().iter().all(|row| row.revision == Some(0)));
    assert_eq!(settle(&patient.rows()), windows(&all));
}

#[test]
fn one_wild_time_changes_no_other_window() {
    let kuu = Kuu::new();
    let frames = fixture_lines(3_000).to_vec();
    let count = |frames: &[Vec<u8>]| {
        let file = kuu.file("wild.jsonl", lines(frames));
        timeless(&kuu.run(&format!("count {file} --window second,minute")).exits(0).rows())
    };
    let calm = count(&frames);
    let ahead = MINUTE + 10 * 365 * 86_400;
    for place in [0, 1, 7, 8, 1_500, 2_999, 3_000] {
        let mut wild = frames.clone();
        wild.insert(place, frame("wild", ahead));
        let (strange, rest): (Vec<Row>, Vec<Row>) =
            count(&wild).into_iter().partition(|row| row.start > MINUTE + 86_400);
        assert_eq!(rest, calm, "at {place}");
        assert!(strange.iter().all(|row| (row.users, row.frames, row.revision) == (1, 1, Some(0))), "at {place}");
        assert_eq!(strange.len(), 2, "at {place}");
    }
}

#[test]
fn an_empty_input_is_an_empty_answer() {
    let kuu = Kuu::new();
    for (name, bytes) in
        [("empty", vec![]), ("newline", b"\n".to_vec()), ("bom", b"\xef\xbb\xbf".to_vec()), ("gz", gzip(b""))]
    {
        let file = kuu.file(name, bytes);
        for command in ["batch", "count"] {
            let done = kuu.run(&format!("{command} {file}")).exits(0);
            assert_eq!(done.out, "", "{command} {name}");
            done.complains("ledger: 0 read = 0 counted");
        }
    }
}

#[test]
fn the_fixture_has_as_many_frames_as_it_says() {
    assert_eq!(fixture_windows().iter().map(|window| window.frames).sum::<u64>(), FIXTURE_FRAMES);
    assert_eq!(frames::parse(fixture_lines(1)).len(), 1);
}
