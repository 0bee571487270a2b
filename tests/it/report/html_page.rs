//! The page: its texts, its tables, and what a record may not do to it.

use crate::report::records::{BENCH, RACE, bench, live, scorecard, sustained};
use crate::support::broker::Mock;
use crate::support::frames::{frames, lines};
use crate::support::html::Page;
use crate::support::kuu::Kuu;
use serde_json::{Value, json};
use std::fs;

/// What a command line, a name or a line of an engine may hold.
const HOSTILE: &str = "</style></title></svg><script>alert(1)</script>\"'><img src=x onerror=alert(2)>&amp;";

/// The page of some records.
#[track_caller]
fn page(kuu: &Kuu, records: &str) -> Page {
    let done = kuu.run(&format!("report {records} -o page.html")).exits(0);
    let several = records.split(' ').count();
    let what = if several == 1 { "1 record".into() } else { format!("{several} records") };
    assert_eq!(done.out, format!("page.html: page, {what}\n"));
    let page = Page::read(&fs::read_to_string(kuu.path("page.html")).unwrap());
    page.check();
    page
}

/// The words and sentences under the heading of the verdict.
fn verdict(page: &Page) -> Vec<&str> {
    let list = page.elements.iter().position(|it| it.attribute("class") == "statements").unwrap();
    let items = page.all("li").into_iter().filter(|it| it.within.last() == Some(&list));
    items.map(|it| it.text.as_str()).collect()
}

#[test]
fn a_bench() {
    let page = page(&Kuu::new(), BENCH);
    assert_eq!(page.texts("h1"), ["kuu bench, 2026-11-30T21:24:17Z"]);
    assert_eq!(
        verdict(&page),
        [
            "exact 10 of 10 windows exact, each in its first answer",
            "ledger 50,000 read = 50,000 counted + 0 malformed + 0 too late",
            "batch 376,038 frames/s, 0.80 of its ceiling on this machine (inflate)",
            "produce 110,196 frames/s, 0.82 of its ceiling on this machine (raw send)",
            "count 342,820 frames/s, 0.70 of its ceiling on this machine (raw read)",
            "latency at 5,000 frames/s a result is visible after p50 27.8 ms, p90 45.6 ms",
        ]
    );
    // The verdict stands first, and what this record has not is not there.
    assert_eq!(page.texts("h2")[0], "Verdict");
    let titles = ["Latency", "Throughput and lag over time", "Stages against their ceilings", "Figures"];
    let headings: Vec<&str> = page.texts("h3");
    assert_eq!(headings, [&titles[..], &["Machine, configuration, command line"]].concat());
    let legs = page.table("Latency by leg: percentiles");
    assert_eq!(legs[0], ["what", "p50", "p90", "p99", "p99.9", "max", "samples", "below zero"]);
    // The histogram of 517 results supports no 99th percentile.
    assert_eq!(legs[5], ["result", "27.8 ms", "45.6 ms", "-", "-", "71.4 ms", "517", "0"]);
    let phases = page.table("Phases beside their ceilings");
    assert_eq!(phases[3], ["count", "342,820", "raw read", "472,524", "0.70"]);
    assert_eq!(page.table("Where it ran")[2], ["processor", "AMD EPYC"]);
    let settings = page.table("Configuration in effect");
    assert!(settings.contains(&vec!["conditions.vector unit", "avx512"]), "{settings:?}");
    assert!(page.texts("pre")[0].starts_with("/work/main/target/release/kuu bench"), "{:?}", page.texts("pre"));
    // Six legs: a curve each, of more than a point.
    let curves = page.all("path").into_iter().filter(|it| it.attribute("d").contains('V')).count();
    assert!(curves >= 6, "{curves}");
}

#[test]
fn a_race_for_speed() {
    let page = page(&Kuu::new(), RACE);
    assert_eq!(verdict(&page)[0], "right each engine was right in each of 240 runs");
    let title = "Cold: from start to right answer, 1,000,000 frames";
    let table = page.table(&format!("{title}: figures"));
    assert_eq!(table.len(), 7);
    assert_eq!((table[1][0], table[1][4], table[1][5]), ("kuu", "the best", "-"));
    // By Python, of the speeds of the ten rounds: exp(mean(log(x / kuu))), and Student's t of them.
    assert_eq!(table[2][..6], ["go", "2", "399,186", "385,888 to 412,941", "0.55", "0.52 to 0.58"]);
    let bars: Vec<f64> = page
        .all("rect")
        .into_iter()
        .filter(|it| it.attribute("class") == "bar")
        .map(|it| it.attribute("width").parse().unwrap())
        .collect();
    assert_eq!(bars.len(), 24);
    // In each of four pictures the best comes first, then those that are slower, then two controls.
    assert!(bars.chunks(6).all(|of| of[..4].is_sorted_by(|one, next| one >= next)), "{bars:?}");
    assert!(page.texts("h3").contains(&"Throughput and lag over time"));
}

#[test]
fn a_scorecard_has_the_story_of_each_cell() {
    let kuu = Kuu::new();
    let mut record = scorecard();
    record["cells"][1]["incidents"] = json!(["at 40 %: kill -9 engine"]);
    record["cells"][1]["again"] = "kuu race --scorecard go --workload late".into();
    record["cells"][0]["recovery"] = json!({ "seed": 1, "frames_per_s": 600.0, "interruptions": [
        { "kind": "crash", "begun_us": 1, "back_us": 1_000_000, "news_us": 1_250_000 }],
        "lost_windows": 0, "repeated_windows": 2, "repeated_firsts": 1 });
    kuu.file("cells.json", record.to_string());
    let page = page(&kuu, "cells.json");
    assert_eq!(
        verdict(&page),
        ["scorecard 1 of 2 cells rightgo on late: wrong: -3 users in 2 windows: drops late frames"]
    );
    assert_eq!(
        page.table("Verdicts by workload and engine"),
        [vec!["workload", "kuu", "go"], vec!["late", "exact", "wrong"]]
    );
    let wrong = page.all("a").into_iter().find(|it| it.text == "wrong").unwrap();
    let story = &page.by_id(&wrong.attribute("href")[1..]).text;
    assert_eq!(
        story,
        "go: wrong: -3 users in 2 windows: drops late framesfirst row after 6 µs; right after 7 µs; 1 row; 5 µs of processor \
         time; 0.00 MB at mostat 40 %: kill -9 engineAgain: kuu race --scorecard go --workload late"
    );
    let right = &page.by_id("record-1-cell-0").text;
    assert!(
        right.ends_with(
            "1 interruption, going on after 250 ms; 0 windows lost, 2 windows with repeated rows, 1 first answer again"
        ),
        "{right}"
    );
}

#[test]
fn live_races() {
    let kuu = Kuu::new();
    kuu.file("sustained.json", sustained().to_string());
    let found = page(&kuu, "sustained.json");
    assert_eq!(verdict(&found)[0], "WRONG go in 2 runsgo: wrong: +1 user in 1 window: x: it has no time");
    assert_eq!(verdict(&found)[1], "live the highest rates that are provenkuu sustains 4,000 frames/s");
    assert_eq!(found.table("Rates that were found")[1], ["kuu", "1", "4,000", "4,100", "refuted"]);
    kuu.file("live.json", live().to_string());
    let at_a_rate = page(&kuu, "live.json");
    assert_eq!(verdict(&at_a_rate)[1], "live 1 of 2 runs kept up with the rate");
    let runs = at_a_rate.table("Runs of the live race");
    assert_eq!(runs[1], ["kuu", "1", "1,000", "1,000", "0 of 0", "kept up"]);
    assert_eq!(runs[2], ["go", "1", "1,000", "999", "1 of 0", "did not keep up: its lag grew"]);
    // Of the run that did not keep up there is no curve.
    let late = at_a_rate.table("Latency last_frame, at 1,000 frames/s: percentiles");
    assert_eq!((late.len(), late[1][0], late[1][1]), (2, "kuu", "20.0 ms"));
    let lag = at_a_rate.table("Live: lag of results");
    assert_eq!(lag[1..4], [["kuu", "1.0", "900"], ["kuu", "2.0", "200"], ["kuu", "3.0", "0"]]);
}

#[test]
fn no_record_gets_out_of_its_text() {
    let kuu = Kuu::new();
    let mut record = scorecard();
    record["command_line"] = json!(["kuu", HOSTILE]);
    record["remarks"] = json!([HOSTILE]);
    record["machine"]["cpu"] = HOSTILE.into();
    record["config"]["engines"] = json!([HOSTILE]);
    record["cells"][1]["engine"] = HOSTILE.into();
    record["cells"][1]["workload"] = HOSTILE.into();
    record["cells"][1]["version"] = HOSTILE.into();
    record["cells"][1]["remarks"] = json!([HOSTILE]);
    record["cells"][1]["why"] = json!([HOSTILE]);
    kuu.file("cells.json", record.to_string());
    let mut race = bench();
    race["figures"][HOSTILE] = json!({ "value": 1.0 });
    race["figures"]["count_frames_per_s"]["ceiling"]["name"] = HOSTILE.into();
    kuu.file("bench.json", race.to_string());
    // No tag or attribute more than in the same records without it: `check` finds none that could do anything.
    let page = page(&kuu, "cells.json bench.json");
    assert_eq!(page.all("style").len(), 1);
    let quoted = format!("kuu '{}'", HOSTILE.replace('\'', r"'\''"));
    assert_eq!(page.texts("pre")[0], quoted);
    assert!(page.texts("li").contains(&HOSTILE));
    assert_eq!(page.table("Where it ran")[2], ["processor", HOSTILE]);
}

#[test]
fn records_side_by_side() {
    let kuu = Kuu::new();
    let mut other = bench();
    let of = &mut other["figures"]["count_frames_per_s"];
    let slower: Vec<f64> = of["samples"].as_array().unwrap().iter().map(|rate| rate.as_f64().unwrap() / 2.0).collect();
    of["samples"] = json!(slower);
    other["machine"]["cores"] = 4.into();
    kuu.file("other.json", other.to_string());
    let two = page(&kuu, &format!("{BENCH} other.json"));
    assert_eq!(two.texts("h2")[..2], ["Verdict", "Side by side"]);
    let figures = two.table("Figures of both records");
    let count = figures.iter().find(|row| row[0] == "count_frames_per_s (more is better)").unwrap();
    assert_eq!(count[1..4], ["342,820 frames/s", "171,410 frames/s", "0.50"]);
    assert_eq!(count[5], "WORSE");
    assert_eq!(two.table("What was not the same")[1], ["machine", "AMD EPYC, 2 cores", "AMD EPYC, 4 cores"]);
    assert!(
        two.texts("p").iter().any(|words| words.starts_with("These two were not measured under the same conditions"))
    );
    assert!(two.texts("figcaption").contains(&"Latency of result"));
    kuu.file("third.json", other.to_string());
    let three = page(&kuu, &format!("{BENCH} other.json third.json"));
    let all = three.table("Figures of all records");
    assert_eq!(all[0], ["figure", BENCH, "other.json", "third.json"]);
    assert!(all.contains(&vec!["count_share", "0.70", "0.70", "0.70"]), "{all:?}");
    // Of records that have nothing in common each stands alone.
    kuu.file("cells.json", scorecard().to_string());
    assert!(!page(&kuu, "cells.json other.json").texts("h2").contains(&"Side by side"));
}

#[test]
fn windows_as_first_answered_and_as_true() {
    let mock = Mock::new(1);
    let kuu = Kuu::with(&mock.address);
    let file = kuu.file("f.jsonl", lines(&frames(300)));
    kuu.run(&format!("produce {file}")).exits(0);
    kuu.run("count").exits(0);
    kuu.run("verify").exits(0);
    let record = kuu.record("verify");
    let known: Vec<_> =
        record.windows.iter().map(|window| (window.first_users, window.users, window.truth_users)).collect();
    assert!(
        !known.is_empty()
            && known.iter().all(|(first, users, truth)| first.is_some() && first == users && users == truth)
    );
    let right = page(&kuu, "results/verify.json");
    let rows = right.table("Users per window");
    assert_eq!(rows.len(), known.len() + 1);
    assert_eq!(rows[1][1..5], [known[0].1.unwrap().to_string().as_str(), rows[1][2], rows[1][3], "0"]);
    // A wrong answer is said first, with its faults, and its record is no export.
    let text = fs::read_to_string(kuu.path("results/verify.json")).unwrap();
    let mut wrong: Value = serde_json::from_str(&text).unwrap();
    wrong["verdict"]["exact"] = false.into();
    wrong["verdict"]["wrong"] = 1.into();
    wrong["verdict"]["faults"] = json!(["minute x has 1 users instead of 2"]);
    wrong["windows"][0]["users"] = 1.into();
    kuu.file("wrong.json", wrong.to_string());
    let page = page(&kuu, "wrong.json");
    let words = format!("WRONG {} of {} windows exactminute x has 1 users instead of 2", known.len() - 1, known.len());
    assert_eq!(verdict(&page)[0], words.replace("1 windows", "1 window"));
    assert!(verdict(&page).contains(&"figures none: a wrong answer has no speed"));
    assert!(page.table("Users per window")[1][0].ends_with(" WRONG"));
    // The count alone is not checked; the document of `batch` is the truth.
    kuu.file("batch.json", kuu.run(&format!("batch {file} --json")).exits(0).out);
    let both = self::page(&kuu, "results/count.json batch.json");
    assert!(verdict(&both)[0].starts_with("not checked kuu verify compares"), "{:?}", verdict(&both));
    assert!(both.table("Users per window").iter().all(|row| !row[0].contains("WRONG")));
}

#[test]
fn a_page_goes_where_it_is_wanted() {
    let kuu = Kuu::new();
    kuu.file("cells.json", scorecard().to_string());
    let printed = kuu.run("report cells.json").exits(0).out;
    assert!(printed.starts_with("<!DOCTYPE html><html lang=\"en\">") && printed.ends_with("</html>\n"));
    kuu.file("page.html", "old");
    kuu.run("report cells.json -o page.html --quiet").exits(0);
    assert_eq!(fs::read_to_string(kuu.path("page.html")).unwrap(), printed);
    kuu.run_into_head(&format!("report {RACE}"), 1).exits(0);
    let mut damaged = bench();
    damaged["latency"]["ack"]["histogram"] = "!".into();
    kuu.file("damaged.json", damaged.to_string());
    damaged["format"] = 7.into();
    kuu.file("old.json", damaged.to_string());
    for (line, words) in [
        ("report", "<RECORD>..."),
        ("report none.json -o page.html", "none.json: there is no such file: name records that kuu wrote"),
        ("report old.json -o page.html", "old.json has format 7, this kuu reads 1"),
        ("report page.html -o other.html", "page.html is not a record of kuu: name records that kuu wrote"),
        ("report damaged.json -o page.html", "damaged.json: the histogram of the record is not base64"),
        ("report cells.json cells.json -o page.html", "cells.json is named twice: name it once"),
        (
            "report cells.json -o ./cells.json",
            "cells.json is one of the records, and would be lost: name another file with -o",
        ),
        ("report cells.json -o page.html --json", "--json: standard output would have no JSON document: leave it out"),
        ("report cells.json -o none/x", "none/x cannot be written"),
    ] {
        assert_eq!(kuu.run(line).exits(2).complains(words).out, "");
    }
    assert_eq!(fs::read_to_string(kuu.path("page.html")).unwrap(), printed);
}
