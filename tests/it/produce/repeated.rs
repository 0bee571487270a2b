//! The input several times, each time later: the same answer from count, verify, and sets that are made here.

use crate::support::broker::{Mock, read, rows};
use crate::support::frames::{DAMAGED, MINUTE, frames, gzip_members, lines, windows, windows_by};
use crate::support::kuu::{Kuu, each};
use crate::support::wire::{Repeats, Window, settle};
use std::fs;

const DAY: i64 = 86_400;

/// The windows of an input that spans less than a day, so many times.
fn repeated(once: &[Window], times: i64) -> Vec<Window> {
    let later =
        |index: i64| once.iter().map(move |window| Window { start: window.start + index * 2 * DAY, ..window.clone() });
    (0..times).flat_map(later).collect()
}

/// Counts, verifies without naming files, and compares with these windows.
#[track_caller]
fn counted(kuu: &Kuu, mock: &Mock, expected: &[Window], options: &str) {
    kuu.run(&format!("count {options}")).exits(0);
    assert_eq!(settle(&rows(&mock.address, "output")), expected);
    kuu.run("verify").exits(0).says("exact: ");
    assert_eq!(kuu.record("verify").verdict.unwrap().windows as usize, expected.len());
}

#[test]
fn every_format_of_time() {
    // A frame of each way to write a time; both seconds are in one day, and a leap day follows.
    let whole = ["1709164799", "\"1709164860\"", "\"0001709164860\"", "\"\\u0031709164799\""];
    let parts = ["1709164799QQQ", "\"1709164860QQQ\"", "\"0001709164860QQQ\""];
    let text = ["\"2024-02-28T23:59:59.5Z\"", "\"2024-02-29t01:01:00+01:00\"", "\"2024-02-28 20:01:00-04:00\""];
    let of = |times: &[&str], digits: &str| times.iter().map(|time| time.replace("QQQ", digits)).collect::<Vec<_>>();
    let formats = [
        ("s", of(&whole, "")),
        ("ms", of(&parts, "123")),
        ("us", of(&parts, "123456")),
        ("ns", of(&parts, "123456789")),
        ("rfc3339", of(&text, "")),
    ];
    each(&formats, |(format, times)| {
        let mock = Mock::new(2);
        let kuu = Kuu::with(&mock.address);
        let frame = |(index, time): (usize, &String)| {
            format!("{{\"ts\":1,\"at\" : {{ \"t\\u0073\": {time} }},\"uid\":\"user-{index}\"}}\n")
        };
        let text: String = times.iter().enumerate().map(frame).collect();
        let file = kuu.file("a.jsonl", &text);
        let options = format!("--ts /at/ts --ts-format {format}");
        kuu.run(&format!("produce {file} --repeat 3 {options}"))
            .exits(0)
            .says("repeats: 3 whole, each 2 days later in event time");
        let once = kuu.run(&format!("batch {file} {options}")).exits(0).windows();
        assert_eq!(once.iter().map(|window| window.frames).sum::<u64>() as usize, times.len());
        counted(&kuu, &mock, &repeated(&once, 3), &options);
        let messages = read(&mock.address, "messages");
        assert_eq!(messages.len(), 3 * times.len());
        // All but the literal is as it was.
        let around = |value: &[u8]| {
            let text = String::from_utf8(value.to_vec()).unwrap();
            let (start, end) = (text.find("73\": ").unwrap() + 5, text.find(" },").unwrap());
            format!("{}{}", &text[..start], &text[end..])
        };
        let mut sent: Vec<String> = messages.iter().map(|message| around(message.value.as_ref().unwrap())).collect();
        let mut wanted: Vec<String> = text.repeat(3).lines().map(|line| around(line.as_bytes())).collect();
        sent.sort();
        wanted.sort();
        assert_eq!(sent, wanted);
    });
}

#[test]
fn damaged_frames_and_blank_lines() {
    let mock = Mock::new(3);
    let kuu = Kuu::with(&mock.address);
    let mut all = frames(500);
    for (i, (_, value)) in DAMAGED.iter().enumerate() {
        all.insert(i * 20, value.to_vec());
    }
    let file = kuu.file("mixed.jsonl.gz", gzip_members(&[&lines(&all)[..], b"\n\n"].concat(), 5_000));
    kuu.run(&format!("produce {file} --repeat 4")).exits(0).says("produced 2,088 frames");
    counted(&kuu, &mock, &repeated(&windows(&frames(500)), 4), "");
    let ledger = kuu.record("count").ledger().clone();
    assert_eq!((ledger.read, ledger.counted, ledger.too_late, ledger.too_far), (2_088, 2_000, 0, 0));
    let once = kuu.run(&format!("batch {file} --json")).document().ledger().malformed.clone();
    assert_eq!(ledger.malformed, once.into_iter().map(|(reason, count)| (reason, 4 * count)).collect());
}

#[test]
fn a_limit_and_more_frames_after_it() {
    let mock = Mock::new(3);
    let kuu = Kuu::with(&mock.address);
    let all = frames(300);
    let (a, b) = (kuu.file("a.jsonl", lines(&all[..100])), kuu.file("b.jsonl", lines(&all[100..])));
    // Two whole repeats, and of the third one the first file and half of the second.
    kuu.run(&format!("produce {a} {b} --repeat 10 --limit 800"))
        .exits(0)
        .says("repeats: 2 whole and 200 frames of the next, each 2 days later");
    let shift_s = 2 * DAY;
    let repeats = |first, count| Some(Repeats { first, count, shift_s });
    let input = kuu.record("produce").input;
    let short: Vec<_> = input.iter().map(|source| (source.name.as_str(), source.frames, source.repeats)).collect();
    let expected = [
        ("a.jsonl", 100, repeats(0, 2)),
        ("b.jsonl", 200, repeats(0, 2)),
        ("a.jsonl", 100, repeats(2, 1)),
        ("b.jsonl", 100, repeats(2, 1)),
    ];
    assert_eq!(short, expected);
    assert!(input.iter().all(|source| source.sha256.len() == 64));
    let mut expected = repeated(&windows(&all), 2);
    expected.extend(repeated(&windows(&all[..200]), 3).into_iter().filter(|window| window.start > MINUTE + 3 * DAY));
    counted(&kuu, &mock, &expected, "");
    kuu.run("verify")
        .exits(0)
        .says("a.jsonl (100 frames, 2 times), b.jsonl (200 frames, 2 times), a.jsonl (100 frames)");

    // A later run of another process adds more: the receipt has both.
    let c = kuu.file("c.jsonl", lines(&all));
    kuu.run(&format!("produce {c} --append")).exits(0);
    // The embedded broker loses the offsets of transactions; and what is added begins anew in event time.
    kuu.run("count --guarantee at-least-once --retention 999d").exits(0);
    kuu.run("verify").exits(0);
    assert_eq!(kuu.record("count").ledger().read, 1_100);
    // Another file, or another number of repeats, is not what was sent.
    fs::write(kuu.path(&a), lines(&all[..99])).unwrap();
    kuu.run("verify").exits(2).complains("a.jsonl");
}

/// A limit that ends with a repeat, within the first one, or at its end.
#[test]
fn limits_at_the_ends_of_repeats() {
    let all = frames(100);
    each(
        &[(200, "2 whole,"), (100, "1 whole,"), (30, "1 whole,"), (101, "1 whole and 1 frame of"), (300, "3 whole,")],
        |(limit, words)| {
            let mock = Mock::new(2);
            let kuu = Kuu::with(&mock.address);
            let file = kuu.file("a.jsonl", lines(&all));
            kuu.run(&format!("produce {file} --repeat 3 --limit {limit}")).exits(0).says(&format!("repeats: {words}"));
            kuu.run("count").exits(0);
            kuu.run("verify").exits(0);
            assert_eq!(kuu.record("count").ledger().counted, *limit);
        },
    );
}

/// Longer windows are of several repeats.
#[test]
fn weeks_months_and_years() {
    let mock = Mock::new(2);
    let kuu = Kuu::with(&mock.address);
    let all = frames(200);
    let file = kuu.file("a.jsonl", lines(&all));
    kuu.run(&format!("produce {file} --repeat 5")).exits(0);
    kuu.run("count --window day,week,month,7min").exits(0);
    kuu.run("verify").exits(0);
    let days = windows_by("day", &all, |ts| ts - ts % DAY);
    let found = settle(&rows(&mock.address, "output"));
    assert_eq!(found.iter().filter(|window| window.unit == "day").cloned().collect::<Vec<_>>(), repeated(&days, 5));
    // Monday 2016-07-11, 13, 15, 17 are in one week, 19 in the next.
    let weeks: Vec<u64> = found.iter().filter(|window| window.unit == "week").map(|window| window.frames).collect();
    assert_eq!(weeks, [800, 200]);
}

#[test]
fn until_a_time_is_over() {
    let mock = Mock::new(2);
    let kuu = Kuu::with(&mock.address);
    let file = kuu.file("a.jsonl", lines(&frames(70)));
    let done = kuu.run(&format!("produce {file} --rate 1000 --for 300ms"));
    assert!(matches!(done.code, Some(0 | 5)), "{done}");
    // However fast the machine is, no frame is due after the time.
    let sent = kuu.record("produce").figure("delivered_frames") as u64;
    assert!((1..=300).contains(&sent), "{sent}");
    kuu.run("count --guarantee at-least-once --retention 999d").exits(0);
    kuu.run("verify").exits(0);
    assert_eq!(kuu.record("count").ledger().counted, sent);
    // As fast as it goes.
    kuu.run(&format!("produce {file} --for 50ms --append")).exits(0);
    kuu.run("count --guarantee at-least-once --retention 999d").exits(0);
    kuu.run("verify").exits(0);
}

/// The time is over in the middle of a file that is larger than a block.
#[test]
fn a_time_that_ends_in_the_first_file() {
    let mock = Mock::new(2);
    let kuu = Kuu::with(&mock.address);
    let all = frames(20_000);
    let (a, b) = (kuu.file("a.jsonl", lines(&all)), kuu.file("b.jsonl", lines(&all)));
    let done = kuu.run(&format!("produce {a} {b} --rate 10 --for 100ms"));
    assert!(matches!(done.code, Some(0 | 5)), "{done}");
    let input = kuu.record("produce").input;
    assert_eq!((input.len(), input[0].frames, input[0].sha256.len()), (1, 1, 64));
    kuu.run("count").exits(0);
    kuu.run("verify").exits(0);
}

#[test]
fn what_cannot_be_repeated() {
    let mock = Mock::new(1);
    let kuu = Kuu::with(&mock.address);
    let far = kuu.file("far.jsonl", "{\"uid\":\"a\",\"ts\":253402300799}\n{\"uid\":\"a\",\"ts\":1}\n");
    kuu.run(&format!("produce {far} --repeat 2"))
        .exits(2)
        .complains("repeat 2 would be beyond the year 9999: each comes 2,932,898 days later")
        .says("produced 2 frames");
    // What was sent is in the receipt.
    kuu.run("count").exits(0);
    kuu.run("verify").exits(0);
    let file = kuu.file("a.jsonl", lines(&frames(3)));
    let words = "repeat 99,999,999 would be beyond the year 9999: each comes 1 day later";
    kuu.run(&format!("produce {file} --append --repeat 99999999")).exits(2).complains(words);
    let empty = kuu.file("empty.jsonl", "\n\n");
    kuu.run(&format!("produce {empty} --append --for 1d")).exits(0).says("produced 0 frames");
    kuu.run("produce missing.jsonl --append --repeat 2").exits(2).complains("there is no such file");
}
