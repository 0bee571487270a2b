//! Inputs that are pipes or files, opened only once; inputs that are rejected; and inputs that change.

use crate::support::broker::{Mock, values};
use crate::support::frames::{FIXTURE, fixture_lines, fixture_windows, frame, frames, gzip, lines, windows};
use crate::support::kuu::{Kuu, PATIENCE, each};
use crate::support::start::Start as _;
use crate::support::wire::{Window, settle};
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Instant;

fn pipe(kuu: &Kuu, name: &str) -> PathBuf {
    assert!(Command::new("mkfifo").arg(kuu.path(name)).ended().success());
    kuu.path(name)
}

/// Writes to a named pipe as much as its reader takes.
fn fill(path: PathBuf, bytes: Vec<u8>) -> thread::JoinHandle<bool> {
    thread::spawn(move || OpenOptions::new().write(true).open(path).unwrap().write_all(&bytes).is_ok())
}

fn shapes(frames: &[Vec<u8>]) -> [(&'static str, Vec<u8>); 2] {
    [("plain", lines(frames)), ("gzip", gzip(&lines(frames)))]
}

#[test]
fn nothing_of_a_pipe_is_lost() {
    let frames = fixture_lines(3_000);
    let expected = windows(frames);
    each(&shapes(frames), |(shape, bytes)| {
        let mock = Mock::new(1);
        let kuu = Kuu::with(&mock.address);
        assert!(bytes.len() > 3 * 64 * 1024, "more than a pipe holds");
        kuu.feed("produce /dev/stdin", bytes).exits(0).says("produced 3,000 frames");
        assert_eq!(values(&mock.address, "messages"), frames, "{shape}");
        kuu.run("count").exits(0);
        kuu.feed("verify /dev/stdin", bytes).exits(0).says("exact: ");
        kuu.run("verify").exits(2).complains("3,000 frames came from /dev/stdin: name files with the same frames");
        assert_eq!(settle(&kuu.feed("count /dev/stdin", bytes).exits(0).rows()), expected, "{shape}");
        assert_eq!(kuu.feed("batch /proc/self/fd/0", bytes).exits(0).windows(), expected, "{shape}");
    });
}

#[test]
fn nothing_of_a_named_pipe_is_lost() {
    let frames = fixture_lines(3_000);
    let expected = windows(frames);
    each(&shapes(frames), |(shape, bytes)| {
        let mock = Mock::new(1);
        let kuu = Kuu::with(&mock.address);
        let path = pipe(&kuu, "p");
        let run = |line: &str| {
            let writer = fill(path.clone(), bytes.clone());
            let done = kuu.run(line).exits(0);
            assert!(writer.join().unwrap(), "{shape}: the writer of {line} was cut off");
            done
        };
        run("produce p").says("produced 3,000 frames");
        assert_eq!(values(&mock.address, "messages"), frames, "{shape}");
        kuu.run("count").exits(0);
        run("verify p").says("exact: ");
        // The pipe has no writer now.
        kuu.run("verify").exits(2).complains("3,000 frames came from p: name files with the same frames");
        assert_eq!(settle(&run("count p").rows()), expected, "{shape}");
        assert_eq!(run("batch p").windows(), expected, "{shape}");
    });
}

#[test]
fn pipes_are_read_in_their_order_by_every_command() {
    let frames = frames(6_000);
    let mock = Mock::new(1);
    let kuu = Kuu::with(&mock.address);
    let paths = [pipe(&kuu, "p"), pipe(&kuu, "q")];
    for line in ["produce p q", "verify p q", "count p q", "batch p q"] {
        let (paths, parts) = (paths.clone(), [lines(&frames[..3_000]), lines(&frames[3_000..])]);
        // As `(gen > p; gen > q)`: the second pipe has no writer until the first is read.
        let writer =
            thread::spawn(move || paths.into_iter().zip(parts).all(|(path, part)| fill(path, part).join().unwrap()));
        let done = kuu.run(line).exits(0);
        assert!(writer.join().unwrap(), "{line}");
        match line {
            "produce p q" => {
                assert_eq!(values(&mock.address, "messages"), frames);
                kuu.run("count").exits(0);
            }
            "count p q" => assert_eq!(settle(&done.rows()), windows(&frames)),
            "batch p q" => assert_eq!(done.windows(), windows(&frames)),
            _ => {}
        }
    }
}

#[test]
fn a_limit_ends_at_its_frame_though_the_pipe_goes_on() {
    let frames = frames(100);
    let mock = Mock::new(1);
    let kuu = Kuu::with(&mock.address);
    let mut running = kuu.spawn("produce - --limit 30");
    running.write(&lines(&frames));
    // Standard input stays open.
    running.wait().exits(0).says("produced 30 frames");
    assert_eq!(values(&mock.address, "messages"), frames[..30]);
}

#[test]
fn bench_needs_a_file() {
    let kuu = Kuu::bare();
    pipe(&kuu, "p");
    for name in ["-", "/dev/stdin", "p"] {
        let said = format!("{name}: is not a regular file, but must be read several times; save it to a file");
        kuu.feed(&format!("bench {name}"), &lines(&frames(10))).exits(2).complains(&said);
    }
}

#[test]
fn a_stream_is_named_once() {
    let mock = Mock::new(1);
    let kuu = Kuu::with(&mock.address);
    let bytes = lines(&frames(1_000));
    pipe(&kuu, "p");
    fs::hard_link(kuu.path("p"), kuu.path("q")).unwrap();
    std::os::unix::fs::symlink("/proc/self/fd/0", kuu.path("link")).unwrap();
    for command in ["produce", "verify", "count", "batch"] {
        for names in
            ["- -", "- /dev/stdin", "/dev/fd/0 -", "/dev/stdin /proc/self/fd/0", "link /dev/stdin", "p p", "p q"]
        {
            let (first, file) = names.split_once(' ').unwrap();
            let said = format!("{file}: this stream is named twice (before as {first}), but gives its bytes only once");
            kuu.feed(&format!("{command} {names}"), &bytes).exits(2).complains(&said);
        }
    }
    assert!(values(&mock.address, "messages").is_empty());

    // Standard input has one position, even if it is a file.
    let file = kuu.file("f", &bytes);
    let shell = |line: &str| {
        let line = line.replace("kuu", env!("CARGO_BIN_EXE_kuu"));
        let done = Command::new("bash").args(["-c", &line]).current_dir(kuu.path("")).collected();
        (done.status.code(), String::from_utf8(done.stderr).unwrap())
    };
    for line in ["kuu batch - - < f", "kuu count - - < f", "kuu batch - /dev/stdin < f", "kuu batch f - < f"] {
        let (code, err) = shell(line);
        assert_eq!(code, Some(2), "{line}: {err}");
        assert!(err.contains("this stream is named twice"), "{line}: {err}");
    }
    // A file has a position for each reader.
    let read = |line: &str| {
        let (code, err) = shell(line);
        assert_eq!(code, Some(0), "{line}: {err}");
        assert!(err.contains("ledger: 2,000 read = 2,000 counted + 0 malformed"), "{line}: {err}");
    };
    for line in ["kuu batch f f", "kuu count f ./f", "kuu batch f /dev/stdin < f", "kuu batch <(cat f) <(cat f)"] {
        read(line);
    }
    kuu.run(&format!("produce {file} {file}")).exits(0).says("produced 2,000 frames");
}

/// Runs kuu with two threads, and no broker.
fn kuu(dir: &Kuu, line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kuu"));
    command.args(line.split_whitespace()).current_dir(dir.path("")).env("RAYON_NUM_THREADS", "2");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn append(path: &Path) {
    OpenOptions::new().append(true).open(path).unwrap().write_all(b"{}\n").unwrap();
}

fn truncate(path: &Path) {
    OpenOptions::new().write(true).open(path).unwrap().set_len(0).unwrap();
}

fn replace(path: &Path) {
    fs::copy(path, path.with_extension("new")).unwrap();
    fs::rename(path.with_extension("new"), path).unwrap();
}

/// A way to change a file, and the expected message.
struct Change {
    make: fn(&Path),
    said: &'static str,
}

const CHANGES: [Change; 3] = [
    Change { make: append, said: " bytes and has " },
    Change { make: truncate, said: " bytes and has 0" },
    Change { make: replace, said: "another file took its name" },
];

#[test]
fn a_file_that_changes_under_batch() {
    for name in ["f.jsonl", "f.jsonl.gz"] {
        for Change { make, said } in CHANGES {
            let dir = Kuu::new();
            let all = frames(5_000);
            dir.file(name, if name.ends_with("gz") { gzip(&lines(&all)) } else { lines(&all) });
            let path = pipe(&dir, "p");
            let child = kuu(&dir, &format!("batch {name} p")).start();
            // Both inputs are being read once the pipe opens; the first file is checked only after both are read.
            let mut writer = OpenOptions::new().write(true).open(path).unwrap();
            make(&dir.path(name));
            writer.write_all(&lines(&all)).unwrap();
            drop(writer);
            let done = child.wait_with_output().unwrap();
            let err = String::from_utf8(done.stderr).unwrap();
            assert_eq!(done.status.code(), Some(2), "{name} {said}: {err}");
            assert!(err.contains(&format!("{name}: changed while it was read: ")) && err.contains(said), "{err}");
        }
    }
}

#[test]
fn a_file_that_changes_under_count() {
    let mut all = Vec::new();
    for second in 0..20_000 {
        all.push([&frame("a", 1_468_244_340 + second)[..], &[b' '; 2_000]].concat());
    }
    for Change { make, said } in CHANGES {
        let dir = Kuu::new();
        dir.file("f.jsonl", lines(&all));
        let mut child = kuu(&dir, "count f.jsonl --window second").start();
        // No reader takes the results, so kuu cannot reach the end: much more input is left than it reads ahead.
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut row = String::new();
        out.read_line(&mut row).unwrap();
        make(&dir.path("f.jsonl"));
        let mut rest = Vec::new();
        out.read_to_end(&mut rest).unwrap();
        let done = child.wait_with_output().unwrap();
        let err = String::from_utf8(done.stderr).unwrap();
        assert_eq!(done.status.code(), Some(2), "{said}: {err}");
        assert!(err.contains("f.jsonl: changed while it was read: ") && err.contains(said), "{err}");
    }
}

#[test]
fn a_file_that_changes_between_two_readings_of_bench() {
    for Change { make, said } in CHANGES {
        let kuu = Kuu::bare();
        let file = kuu.file("f.jsonl", lines(fixture_lines(3_000)));
        let mut running = kuu.spawn(&format!("bench {file} --rounds 1 --live-seconds 500ms"));
        // The first line of output comes after the whole input was read once.
        assert!(running.line().starts_with("kuu "));
        make(&kuu.path(&file));
        let done = running.wait().exits(2).complains("f.jsonl: changed while it was read: ").complains(said);
        assert!(!done.out.contains("WRONG") && !done.err.contains("WRONG"), "{done}");
        assert!(!kuu.has_record("bench"));
    }
}

#[test]
fn other_formats_are_refused_by_name() {
    let text = String::from_utf8(lines(&frames(200))).unwrap();
    let utf16: Vec<u8> = "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_be_bytes).collect();
    let zstd = [b"\x28\xb5\x2f\xfd\x04\x58".to_vec(), b"some\nbytes\n".repeat(40)].concat();
    let cases = [("UTF-16 text", utf16.clone()), ("UTF-16 text", gzip(&utf16)), ("zstd data", zstd)];
    let mock = Mock::new(1);
    let kuu = Kuu::with(&mock.address);
    for (what, bytes) in cases {
        let file = kuu.file("f", &bytes);
        let said = format!("holds {what}, which is not read; pipe its text in: `");
        for command in ["batch", "count", "produce", "verify"] {
            kuu.run(&format!("{command} {file}")).exits(2).complains(&format!("f: {said}"));
            kuu.feed(&format!("{command} -"), &bytes).exits(2).complains(&format!("standard input: {said}"));
        }
        kuu.run(&format!("bench {file}")).exits(2).complains(&format!("f: {said}"));
    }
    assert!(values(&mock.address, "messages").is_empty());
}

#[test]
fn a_line_without_end_is_refused_at_the_limit() {
    let mock = Mock::new(1);
    let kuu = Kuu::with(&mock.address);
    let said = "line 1 is longer than 134217728 bytes";
    // /dev/zero has no end: kuu must not read on forever.
    each(&["batch", "count", "produce", "verify"], |command| {
        kuu.run(&format!("{command} /dev/zero")).exits(2).complains(&format!("/dev/zero: {said}"));
    });
    File::create(kuu.path("long")).unwrap().set_len(1 << 40).unwrap();
    kuu.run("batch long").exits(2).complains(&format!("long: {said}"));
    let record = kuu.run("count long --json").exits(2).complains(said).document();
    assert!(record.input[0].bytes < 200 << 20, "{record:?}");
}

#[test]
fn batch_records_the_bytes_of_the_frames() {
    let kuu = Kuu::new();
    let all = frames(3_000);
    let bytes = |frames: &[Vec<u8>]| frames.iter().map(|frame| frame.len() as u64).sum::<u64>();
    let one = kuu.file("a.jsonl", crate::support::frames::joined(&all[..1_000], b"\r\n\n"));
    let two = kuu.file("b.jsonl.gz", crate::support::frames::gzip_members(&lines(&all[1_000..]), 5_000));
    let record = kuu.run(&format!("batch {one} {two} --json")).exits(0).document();
    let found: Vec<_> = record.input.iter().map(|source| source.frame_bytes).collect();
    assert_eq!(found, [bytes(&all[..1_000]), bytes(&all[1_000..])]);
}

#[test]
fn the_fixture_by_a_pipe_of_the_shell() {
    let done = kuu(&Kuu::new(), &format!("batch {FIXTURE}")).collected();
    let line = format!("{} batch <(cat {FIXTURE})", env!("CARGO_BIN_EXE_kuu"));
    let started = Instant::now();
    let piped = Command::new("bash").args(["-c", &line]).collected();
    assert!(started.elapsed() < PATIENCE);
    assert_eq!(piped.stdout, done.stdout);
    let found: Vec<Window> =
        String::from_utf8(piped.stdout).unwrap().lines().map(|it| serde_json::from_str(it).unwrap()).collect();
    assert_eq!(found, fixture_windows());
}
