//! `kuu generate`: the bytes of a seed, and what becomes of files, pipes and full disks.

use crate::support::frames::{frames, lines};
use crate::support::kuu::Kuu;
use crate::support::wire::settle;
use sha2::{Digest, Sha256};
use std::io::Read;
use std::os::unix::fs::PermissionsExt;

/// All troubles that a file can show.
const TROUBLED: &str = "--frames 6000 --rate 20 --users 900 --skew 1 --seed 9 --frame-bytes 400 --crlf --delay \
20s --delay-probability 0.03 --partitions 3 --window minute,hour --trouble late-within=0.02 --trouble \
late-beyond=0.02 --trouble late-retention=0.01 --trouble past=0.01 --trouble edges=0.02 --trouble future-first=1 \
--trouble future-middle --trouble future-last --trouble ahead=1:2h --trouble behind=0:30s --trouble silent=2:50 \
--trouble pause=2d --trouble hot=0.1 --trouble duplicate --trouble blank --trouble big --trouble huge --trouble \
ts-text --trouble escaped-uid --trouble escaped-key --trouble deep=0.001 --trouble cut --trouble flip --trouble \
joined --trouble garbage --trouble too-deep=0.001 --trouble invalid-utf8 --trouble not-object --trouble \
repeated-uid --trouble repeated-ts --trouble no-uid --trouble empty-uid --trouble null-uid --trouble wrong-uid \
--trouble surrogate-uid --trouble no-ts --trouble empty-ts --trouble null-ts --trouble wrong-ts";

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn inflated(bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    flate2::read::MultiGzDecoder::new(bytes).read_to_end(&mut text).unwrap();
    text
}

/// The bytes of a seed never change: people name the stream by its options.
#[test]
fn a_seed_gives_the_same_bytes_on_any_number_of_threads() {
    for (options, frames, truth) in [
        (
            "--frames 5000",
            "1ee9322a1f30c4c8ed1e5d32e7bab76bb47e93b73b3e0e14cae07db6700aa5b8",
            "02207e1084348b029d71b4132b95b9ec41464fed07cede0a827a2c0217c05397",
        ),
        (
            TROUBLED,
            "f4f65d15c3244722dd077e074698355ce7ebc0d1aee1d3f4c6b50a3bcca08ecf",
            "419b01cbe048ce70769da2402a5a48ddc47f3b8a06d1b7da40b2bb55776e9655",
        ),
    ] {
        let mut packed = Vec::new();
        for threads in ["1", "2", "5"] {
            let mut kuu = Kuu::new();
            kuu.set("RAYON_NUM_THREADS", threads);
            kuu.run(&format!("generate {options} -o a.jsonl")).exits(0);
            kuu.run(&format!("generate {options} -o a.jsonl.gz --compression-level 1")).exits(0);
            let read = |name: &str| std::fs::read(kuu.path(name)).unwrap();
            assert_eq!(sha256(&read("a.jsonl")), frames, "{threads} threads: {options}");
            assert_eq!(sha256(&read("a.jsonl.truth.jsonl")), truth, "{threads} threads: {options}");
            assert_eq!(sha256(&inflated(&read("a.jsonl.gz"))), frames, "{threads} threads: {options}");
            packed.push(read("a.jsonl.gz"));
        }
        assert!(packed.iter().all(|other| *other == packed[0]), "the deflated bytes depend on the threads");
    }
}

#[test]
fn batch_count_and_the_truth_file_agree() {
    let kuu = Kuu::new();
    kuu.run("generate --frames 8000 --users 500 --delay 2min --delay-probability 0.1 --trouble cut -o a.jsonl.gz")
        .exits(0);
    let batch = kuu.run("batch a.jsonl.gz").exits(0).windows();
    let text = std::fs::read_to_string(kuu.path("a.jsonl.gz.truth.jsonl")).unwrap();
    let mut rows = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let header = rows.next().unwrap();
    let number = |value: &serde_json::Value, name: &str| value[name].as_u64().unwrap();
    let expected: Vec<_> =
        rows.map(|row| (number(&row, "start"), number(&row, "users"), number(&row, "frames"))).collect();
    let window = |window: &crate::support::wire::Window| (window.start as u64, window.users, window.frames);
    assert_eq!(batch.iter().map(window).collect::<Vec<_>>(), expected);
    for parser in ["fast", "plain"] {
        kuu.run(&format!("batch a.jsonl.gz --check a.jsonl.gz.truth.jsonl --parser {parser}")).exits(0);
        let rows = kuu.run(&format!("count a.jsonl.gz --parser {parser}")).exits(0).rows();
        assert_eq!(settle(&rows), batch);
    }
    let troubles = &header["troubles"][0];
    assert_eq!(troubles["trouble"], "cut=0.01");
    assert_eq!(number(troubles, "lines"), header["totals"]["malformed"]["not_json"].as_u64().unwrap());
}

#[test]
fn nothing_is_replaced_unless_asked() {
    let kuu = Kuu::new();
    let file = kuu.file("a.jsonl", lines(&frames(5)));
    kuu.run(&format!("generate --frames 3 -o {file}")).exits(2).complains("a.jsonl exists: --force replaces it");
    assert_eq!(std::fs::read(kuu.path(&file)).unwrap(), lines(&frames(5)));
    assert!(!kuu.path("a.jsonl.truth.jsonl").exists());
    kuu.run(&format!("generate --frames 3 -o {file} --force")).exits(0);
    assert_eq!(std::fs::read(kuu.path(&file)).unwrap().split(|byte| *byte == b'\n').count(), 4);
    assert_eq!(kuu.path(&file).metadata().unwrap().permissions().mode() & 0o600, 0o600);
    kuu.run("generate --frames 3 -o b.jsonl --truth a.jsonl").exits(2).complains("a.jsonl exists");
    kuu.run("generate --frames 3 -o b.jsonl --truth b.jsonl").exits(2).complains("cannot go to the same file");
    kuu.run("generate --frames 3 -o nowhere/b.jsonl").exits(2).complains("nowhere/b.jsonl cannot be written");
    kuu.run("generate --frames 3 -o .").exits(2).complains("cannot be written");
    let left: Vec<_> = std::fs::read_dir(kuu.path(".")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "{left:?}");
}

#[test]
fn standard_output_and_devices() {
    let kuu = Kuu::new();
    let done = kuu.run("generate --frames 700 -o -").exits(0);
    kuu.run("generate --frames 700 -o a.jsonl").exits(0);
    assert_eq!(done.out.as_bytes(), std::fs::read(kuu.path("a.jsonl")).unwrap());
    assert_eq!(done.out.lines().count(), 700);
    kuu.run("generate --frames 700 -o - --truth t.jsonl").exits(0);
    let truth = |name: &str| std::fs::read(kuu.path(name)).unwrap();
    assert_eq!(truth("t.jsonl"), truth("a.jsonl.truth.jsonl"));
    assert!(!kuu.path("-.truth.jsonl").exists());
    let head = kuu.run_into_head("generate --frames 100000 -o -", 3).exits(0);
    assert_eq!(head.out.lines().count(), 3);
    kuu.run("generate --frames 700 -o /dev/null").exits(0);
    kuu.run("generate --frames 700 -o /dev/full").exits(2).complains("/dev/full cannot be written: No space left");
    kuu.run("generate --frames 70 -o b.jsonl --truth /dev/full").exits(2).complains("/dev/full cannot be written");
    assert!(!kuu.path("b.jsonl").exists());
    kuu.run_without_space("generate --frames 700 -o c.jsonl").exits(2).complains("c.jsonl cannot be written");
    assert!(!kuu.path("c.jsonl").exists());
    kuu.run("generate --frames 7 -o - --json").exits(2).complains("--json and the frames");
}

#[test]
fn an_interrupt_leaves_nothing() {
    let kuu = Kuu::new();
    let running = kuu.spawn("generate --frames 4000000000 -o a.jsonl");
    crate::support::kuu::eventually("the stream begins", || {
        let drafts = std::fs::read_dir(kuu.path(".")).unwrap().filter_map(|entry| entry.unwrap().metadata().ok());
        drafts.into_iter().find(|draft| draft.len() > 10_000_000)
    });
    running.signal("INT");
    running.wait().exits(130);
    assert_eq!(std::fs::read_dir(kuu.path(".")).unwrap().count(), 0);
}

#[test]
fn the_record_has_the_specification() {
    let kuu = Kuu::new();
    let record = kuu.run("generate --size 3MB --trouble cut=0.5 -o a.jsonl.gz --json").exits(0).document();
    assert_eq!(record.command, "generate");
    assert_eq!(record.config["compression_level"], 6);
    assert_eq!(record.config["spec"]["troubles"][0], "cut=0.5");
    assert_eq!(record.figure("generated_frames"), record.config["spec"]["frames"].as_f64().unwrap());
    assert_eq!(record.figure("written_bytes"), kuu.path("a.jsonl.gz").metadata().unwrap().len() as f64);
    let plain = kuu.run("generate --size 3MB -o b.jsonl --json").exits(0).document().figure("written_bytes");
    assert!((2_980_000.0..3_020_000.0).contains(&plain), "{plain}");
    assert_eq!(plain, kuu.path("b.jsonl").metadata().unwrap().len() as f64);
}

#[test]
fn options_that_make_no_stream() {
    let kuu = Kuu::new();
    for (options, words) in [
        ("", "--output"),
        ("-o a.jsonl --frames 5 --size 5MB", "--size"),
        ("-o a.jsonl --size 5 apples", "unexpected"),
        ("-o a.jsonl --delay-probability 0.1", "--delay"),
        ("-o a.jsonl --delay 5s --delay-probability 2", "0 to 1"),
        ("-o a.jsonl --trouble late", "no trouble `late`"),
        ("-o a.jsonl --trouble empty=4 --partitions 4", "numbered from 0"),
        ("-o a.jsonl --frame-bytes 5GB", "frame-bytes"),
        ("-o a.jsonl --rate 0", "rate"),
        ("-o a.jsonl --users 0", "users"),
        ("-o a.jsonl --start 1969-12-31T00:00:00Z", "start"),
        ("-o a.jsonl --start soon", "or Unix seconds"),
        ("-o a.jsonl.gz --compression-level 10", "10"),
    ] {
        kuu.run(&format!("generate {options}")).exits(2).complains(words);
    }
    assert_eq!(std::fs::read_dir(kuu.path(".")).unwrap().count(), 0);
    let help = kuu.run("generate --help").exits(0);
    assert!(help.out.contains("late-beyond=SHARE") && help.out.contains("silent=PARTITION:PERCENT"), "{help}");
}
