//! `bench.sh` with a cargo and a kuu that only note what they are given; `--help` of every script.

use crate::support::start::{Start as _, without_starts};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::thread;
use tempfile::TempDir;

/// Notes its words and the brokers of the environment.
const NOTE: &str = "#!/bin/sh\necho \"${0##*/} [${KUU_BROKERS-unset}] $*\" >>\"$NOTES\"\n";

/// A copy of `bench.sh`, in a tree in which nothing is built and nothing is measured.
struct Tree(TempDir);

impl Tree {
    fn new() -> Tree {
        let tree = Tree(tempfile::tempdir().unwrap());
        let script = fs::read_to_string(project().join("bench.sh")).unwrap();
        tree.program("bench.sh", &script);
        // As Docker without an engine, and a Kafka that starts at once.
        tree.program("bin/docker", "#!/bin/sh\nexit 1\n");
        tree.program("scripts/kafka.sh", &format!("{NOTE}[ \"$1\" != status ]\n"));
        tree.program("bin/cargo", NOTE);
        tree.program("there/release/kuu", NOTE);
        tree
    }

    fn program(&self, name: &str, text: &str) {
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        // A program that is being started would have it open for writing, and then it cannot be run.
        let _none = without_starts();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Its exit status, what it printed, and what the programs noted, with the name of the tree left out.
    fn bench(&self, words: &[&str]) -> (Option<i32>, String, Vec<String>) {
        let at = |name: &str| self.0.path().join(name);
        let _ = fs::remove_file(at("notes"));
        let done = Command::new(at("bench.sh"))
            .args(words)
            .current_dir(self.0.path())
            .env("PATH", format!("{}:{}", at("bin").display(), std::env::var("PATH").unwrap()))
            .env("CARGO_TARGET_DIR", at("there"))
            .env("KUU_BROKERS", "elsewhere:9092")
            .env_remove("KUU_KAFKA_PORT")
            .env("NOTES", at("notes"))
            .collected();
        let printed = String::from_utf8([done.stdout, done.stderr].concat()).unwrap();
        let notes = fs::read_to_string(at("notes")).unwrap_or_default();
        let place = format!("{}/", self.0.path().display());
        (done.status.code(), printed, notes.lines().map(|line| line.replace(&place, "")).collect())
    }
}

fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

const BUILT: &str = "cargo [elsewhere:9092] build --release --locked --quiet --manifest-path Cargo.toml";
const BENCH: &str = "kuu [elsewhere:9092] bench --results results --default-file fixtures/stream.jsonl.gz";

#[test]
fn bench_passes_options_with_their_values() {
    let tree = Tree::new();
    let words = [
        "--config",
        "client.properties",
        "--rounds",
        "3",
        "-X",
        "linger.ms=5",
        "--assert",
        "count.share > 0.5",
        "a.jsonl",
    ];
    let (code, printed, notes) = tree.bench(&words);
    assert_eq!((code, printed.as_str()), (Some(0), ""));
    assert_eq!(notes, [BUILT, &format!("{BENCH} {}", words.join(" "))]);
    assert_eq!(tree.bench(&[]).2, [BUILT, BENCH]);
}

#[test]
fn bench_keeps_tls() {
    let tree = Tree::new();
    let with_tls = BUILT.replace("--quiet", "--quiet --features tls");
    assert_eq!(tree.bench(&["--features", "tls"]).2[0], with_tls);
    assert_eq!(tree.bench(&["--features=tls,slow-parser"]).2[0], with_tls.replace("tls", "tls,slow-parser"));
    tree.program("there/release/kuu", &format!("{NOTE}# SSL_CTX_new\n"));
    let (code, printed, notes) = tree.bench(&["--rounds", "1"]);
    assert_eq!(code, Some(0));
    assert_eq!(printed, "kuu is built with TLS, as it was: --features '' builds it without\n");
    assert_eq!(notes, [with_tls.as_str(), &format!("{BENCH} --rounds 1")]);
    assert_eq!(tree.bench(&["--features", ""]).2[0], BUILT);
}

#[test]
fn bench_measures_where_it_is_told() {
    let tree = Tree::new();
    let unset = |line: &str| line.replace("elsewhere:9092", "unset");
    assert_eq!(tree.bench(&["--embedded"]).2, [unset(BUILT), unset(BENCH)]);
    let kafka = |words: &str| format!("kafka.sh [unset] {words} --port 9092");
    let measured = format!("{} --brokers localhost:9092 --rounds 1", unset(BENCH));
    let expected = [unset(BUILT), kafka("status"), kafka("start"), measured, kafka("stop")];
    assert_eq!(tree.bench(&["--kafka", "--rounds", "1"]).2, expected);

    fs::write(tree.0.path().join("client.properties"), "# one\nbootstrap.servers=there:9092\n").unwrap();
    for (words, error) in [
        (&["--kafka", "--embedded"][..], "give --kafka or --embedded, not both"),
        (&["--kafka", "-b", "there:9092"], "--kafka starts a Kafka of its own: leave out -b, or --kafka"),
        (
            &["--brokers=there:9092", "--embedded"],
            "--embedded is a broker in kuu's own process: leave out --brokers, or --embedded",
        ),
        (
            &["--embedded", "--config", "client.properties"],
            "client.properties names bootstrap.servers: leave that out, or --embedded",
        ),
    ] {
        assert_eq!(tree.bench(words), (Some(2), format!("bench.sh: {error}\n"), vec![]));
    }
}

#[test]
fn every_script_prints_its_usage() {
    let mut scripts: Vec<PathBuf> = fs::read_dir(project().join("scripts"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file() && path.metadata().unwrap().permissions().mode() & 0o100 != 0)
        .collect();
    assert!(scripts.len() > 10, "{scripts:?}");
    scripts.push(project().join("bench.sh"));
    let help = |script: &PathBuf| Command::new(script).arg("--help").env("CARGO_HOME", "/nowhere").collected();
    // They are many, and each starts an interpreter.
    let done: Vec<Output> = thread::scope(|scope| {
        let running: Vec<_> = scripts.iter().map(|script| scope.spawn(move || help(script))).collect();
        running.into_iter().map(|one| one.join().unwrap()).collect()
    });
    for (script, done) in scripts.iter().zip(done) {
        let text = String::from_utf8_lossy(&done.stdout).into_owned();
        assert!(done.status.success(), "{}: {}", script.display(), String::from_utf8_lossy(&done.stderr));
        assert!(text.to_lowercase().contains("usage") || text.contains("scripts/"), "{}: {text}", script.display());
    }
}
