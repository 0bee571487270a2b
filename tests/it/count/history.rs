//! Two years of history, with every unit from minute to year, in bounded memory.

use crate::support::frames::{MINUTE, fixture_lines, frame};
use crate::support::kuu::Kuu;
use std::collections::BTreeMap;
use std::io::Write;

/// 2015-01-01 00:00:00 UTC, a Thursday.
const START: i64 = 1_420_070_400;
const DAY: i64 = 86_400;
const DAYS: i64 = 365 + 366;
const STEP: i64 = 5;
const USERS: i64 = 100_000;

/// Frame i belongs to user i modulo [`USERS`], [`STEP`] seconds after the previous frame: so a window of n consecutive
/// frames has n users, up to all of them.
fn expected(seconds: i64) -> (u64, u64) {
    let frames = seconds / STEP;
    (frames.min(USERS) as u64, frames as u64)
}

#[test]
#[ignore = "takes a minute; run with the tests on Kafka"]
fn two_years_with_every_unit_in_bounded_memory() {
    let kuu = Kuu::new();
    let mut running = kuu.spawn("count - --json --window minute,hour,day,week,month,year");
    let mut pipe = running.take_input();
    let writer = std::thread::spawn(move || {
        let mut text = Vec::new();
        for i in 0..DAYS * DAY / STEP {
            let (uid, ts) = (i % USERS, START + i * STEP);
            writeln!(text, r#"{{"uid":"user-{uid:015}","ts":{ts}}}"#).unwrap();
            if text.len() > 1 << 20 {
                pipe.write_all(&text).unwrap();
                text.clear();
            }
        }
        pipe.write_all(&text).unwrap();
    });
    // With --json, standard output has the record alone and the results go to standard error.
    let done = running.wait_for(std::time::Duration::from_secs(600)).exits(0);
    writer.join().unwrap();

    let mut windows: BTreeMap<(String, i64), (i64, u64, u64)> = BTreeMap::new();
    for line in done.err.lines().filter(|line| line.starts_with('{')) {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!((&row["timing"], &row["revision"]), (&"on_time".into(), &0.into()), "nothing was late: {line}");
        let number = |name: &str| row[name].as_i64().unwrap();
        let key = (row["unit"].as_str().unwrap().to_owned(), number("start"));
        let value = (number("end"), number("users") as u64, number("frames") as u64);
        assert_eq!(windows.insert(key, value), None);
    }
    let count = |unit: &str| windows.keys().filter(|(name, _)| name == unit).count() as i64;
    let counts = ["minute", "hour", "day", "week", "month", "year"].map(count);
    assert_eq!(counts, [DAYS * 1440, DAYS * 24, DAYS, 105, 24, 2]);
    let end = START + DAYS * DAY;
    for ((unit, start), (stop, users, frames)) in &windows {
        // The first and the last week extend beyond the history.
        let seconds = (*stop).min(end) - (*start).max(START);
        assert_eq!((*users, *frames), expected(seconds), "{unit} {start}");
    }
    let record: serde_json::Value = serde_json::from_str(&done.out).unwrap();
    let resident = record["figures"]["peak_resident_bytes"]["value"].as_f64().unwrap();
    assert!(resident < 500e6, "{resident} bytes");
    println!("peak resident: {:.0} MB", resident / 1e6);
}

#[test]
fn one_frame_from_the_future_changes_no_other_result() {
    let lines = fixture_lines(8_000);
    let results = |lines: &[Vec<u8>]| {
        let done = Kuu::new().feed("count -", &lines.join(&b'\n')).exits(0);
        let row = |line: &str| {
            let mut row: serde_json::Value = serde_json::from_str(line).unwrap();
            row.as_object_mut().unwrap().remove("emitted_us");
            row
        };
        done.out.lines().map(row).collect::<Vec<_>>()
    };
    let expected = results(lines);
    assert_eq!(expected.len(), 2);
    // The first frame, one among the first eight, some in and between windows, and the last one.
    for at in [0, 5, 8, 2_128, 2_129, 5_000, 8_000] {
        let mut wild = lines.to_vec();
        wild.insert(at, frame("wild", MINUTE + 10 * 365 * DAY));
        let mut rows = results(&wild);
        let last = rows.pop().unwrap();
        assert_eq!(
            (&last["users"], &last["start"]),
            (&1.into(), &(MINUTE + 10 * 365 * DAY).into()),
            "before frame {at}"
        );
        assert_eq!(rows, expected, "before frame {at}");
    }
}
