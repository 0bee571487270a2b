//! `kuu engines`: what it lists, what it builds, and what it says of a descriptor that is wrong.

use crate::race::processes::EngineRun;
use crate::support::broker::{Mock, rows};
use crate::support::frames::{frames, lines as json_lines, windows};
use crate::support::kuu::{Done, Kuu};
use crate::support::wire::settle;
use std::fs;
use std::path::Path;

const LEAST: &str = "title = \"A\"\nrun = [\"true\"]\n";

fn engine(kuu: &Kuu, name: &str, descriptor: &str) {
    let dir = kuu.path(&format!("engines/{name}"));
    fs::create_dir_all(&dir).unwrap();
    fs::write(dir.join("engine.toml"), format!("name = \"{name}\"\n{descriptor}")).unwrap();
}

fn lines(done: &Done) -> Vec<&str> {
    done.out.lines().map(str::trim_end).collect()
}

#[test]
fn each_has_its_version_or_what_is_missing() {
    let kuu = Kuu::new();
    engine(
        &kuu,
        "ready",
        "title = \"Ready\"\nrun = [\"true\"]\nlicence = \"MIT\"\nversion = { run = [\"echo\", \"v 1.2\"], regex = \"v (.*)\" }\n",
    );
    engine(&kuu, "plain", LEAST);
    engine(&kuu, "java", "title = \"J\"\nrun = [\"true\"]\nneeds = [\"sh\", \"no-such-program\"]\nends = \"never\"\n");
    engine(
        &kuu,
        "made",
        "title = \"M\"\nrun = [\"true\"]\nbuild = [[\"true\"]]\nemits = \"updates\"\nemits_every_ms = 500\n",
    );
    engine(
        &kuu,
        "bad",
        "title = \"B\"\nrun = [\"true\"]\nversion = { run = [\"sh\", \"-c\", \"echo oh >&2; exit 4\"] }\n",
    );
    let done = kuu.run("engines").exits(0);
    let claims = "emits finals, drops late frames, least watermark, exact, at-least-once";
    assert_eq!(
        lines(&done),
        [
            "bad    B",
            "       cannot run: `sh -c echo oh >&2; exit 4`: exit status 4",
            "       oh",
            "       licence unknown",
            &format!("       ends itself, {claims}"),
            "java   J",
            "       needs no-such-program",
            "       licence unknown",
            &format!("       never ends, {claims}"),
            "made   M",
            "       not built: kuu engines build made",
            "       licence unknown",
            "       ends itself, emits updates every 500 ms, drops late frames, least watermark, exact, at-least-once",
            "plain  A",
            "       unknown version",
            "       licence unknown",
            &format!("       ends itself, {claims}"),
            "ready  Ready",
            "       1.2",
            "       MIT",
            &format!("       ends itself, {claims}"),
        ]
    );
    let done = kuu.run("engines --json").exits(0);
    let document: serde_json::Value = serde_json::from_str(&done.out).unwrap();
    let states = document["engines"].as_array().unwrap().iter().map(|engine| engine["state"].as_str().unwrap());
    assert_eq!(states.collect::<Vec<_>>(), ["fails", "needs", "not-built", "ready", "ready"]);
    assert_eq!(document["engines"][4]["version"], "1.2");
    assert_eq!(document["engines"][4]["guarantee"], "at-least-once");
    assert_eq!(document["engines"][1]["programs"][0], "no-such-program");
    assert_eq!(document["faults"], serde_json::json!([]));
}

#[test]
fn a_wrong_descriptor_does_not_hide_the_others() {
    let kuu = Kuu::new();
    engine(&kuu, "good", LEAST);
    engine(&kuu, "wrong", "title = \"A\"\nrun = [\"true\"]\nends = \"soon\"\n");
    let words = "kuu: engines/wrong/engine.toml: TOML parse error at line 4, column 8";
    let allowed = "unknown variant `soon`, expected `itself` or `never`";
    let done = kuu.run("engines").exits(2).says("good  A").complains(words).complains(allowed);
    assert!(!done.out.contains("wrong"), "{done}");
    kuu.run("engines build").exits(2).says("good: nothing to do, unknown version").complains(words);
    kuu.run("engines build good").exits(0);
    kuu.run("engines build wrong").exits(2).complains("line 4");
    let done = kuu.run("engines --json").exits(2);
    let document: serde_json::Value = serde_json::from_str(&done.out).unwrap();
    assert!(document["faults"][0].as_str().unwrap().starts_with("engines/wrong/engine.toml: TOML"), "{done}");
}

#[test]
fn what_is_not_there_is_said() {
    let kuu = Kuu::new();
    kuu.run("engines").exits(2).complains("engines cannot be read: --engines names the directory of engines");
    engine(&kuu, "a", LEAST);
    kuu.run("engines build b").exits(2).complains("no engine b: there are a (--engines names another directory)");
    fs::create_dir_all(kuu.path("other/a")).unwrap();
    fs::copy(kuu.path("engines/a/engine.toml"), kuu.path("other/a/engine.toml")).unwrap();
    kuu.run("engines --engines engines --engines other").exits(2).complains("have the same name");
    kuu.run("engines --engines other").exits(0).says("a  A");
    fs::create_dir(kuu.path("empty")).unwrap();
    kuu.run("engines --engines empty").exits(0).says("no engines here");
}

#[test]
fn an_engine_is_built_once_for_each_state_of_its_source() {
    let kuu = Kuu::new();
    let build = "build = [[\"sh\", \"-c\", \"mkdir -p build; cat version >> build/v\"], [\"sh\", \"-c\", \"echo >> build/n\"]]\n";
    let version = "version = { run = [\"tail\", \"-n1\", \"build/v\"] }\n";
    engine(&kuu, "a", &format!("{LEAST}{build}{version}"));
    kuu.file("engines/a/version", "1\n");
    let builds = || fs::read(kuu.path("engines/a/build/n")).unwrap().len();
    let done = kuu.run("engines build a").exits(0);
    assert_eq!(
        lines(&done),
        ["a: sh -c mkdir -p build; cat version >> build/v", "a: sh -c echo >> build/n", "a: built, 1"]
    );
    kuu.run("engines build a").exits(0).says("a: nothing to do, 1\n");
    assert_eq!(builds(), 1);

    kuu.file("engines/a/version", "2\n");
    kuu.run("engines").exits(0).says("changed since it was built: kuu engines build a");
    kuu.run("engines build").exits(0).says("a: built, 2\n");
    kuu.run("engines").exits(0).says("   2\n");
    assert_eq!(builds(), 2);

    // What was made is gone: the receipt alone is not enough.
    fs::remove_dir_all(kuu.path("engines/a/build")).unwrap();
    kuu.run("engines").exits(0).says("cannot run: `tail -n1 build/v`: exit status 1");
    kuu.run("engines build a").exits(0).says("a: built, 2\n");

    engine(&kuu, "a", &format!("{LEAST}{}{version}", build.replace("echo", "date")));
    kuu.run("engines").exits(0).says("changed since it was built");
}

#[test]
fn a_failed_build_shows_its_last_lines() {
    let kuu = Kuu::new();
    let script = "for i in $(seq 30); do echo line $i; done; echo bad >&2; exit 5";
    engine(
        &kuu,
        "a",
        &format!("{LEAST}build = [[\"true\"], [\"sh\", \"-c\", \"{script}\"], [\"touch\", \"never\"]]\n"),
    );
    engine(&kuu, "b", &format!("{LEAST}build = [[\"false\"]]\n"));
    engine(&kuu, "c", &format!("{LEAST}build = [[\"true\"]]\n"));
    engine(&kuu, "d", &format!("{LEAST}build = [[\"no-such-program\"]]\n"));
    let done = kuu.run("engines build").exits(2).says("c: built, unknown version");
    let dir = kuu.path("engines").canonicalize().unwrap();
    let lines: Vec<_> = (16..=30).map(|i| format!("line {i}\n")).collect();
    let dir = dir.display();
    let words = format!(
        "kuu: a: `sh -c {script}`: exit status 5\n--- {dir}/a/.build/stdout.log\n{}--- {dir}/a/.build/stderr.log\nbad\n",
        lines.concat()
    );
    let done = done.complains(&words).complains("kuu: b: `false`: exit status 1, without a word\n");
    done.complains(&format!("kuu: d: no-such-program cannot be started in {dir}/d: No such file or directory"));
    assert!(!kuu.path("engines/a/never").exists() && !kuu.path("engines/a/.build/receipt.json").exists());
    kuu.run("engines").exits(0).says("not built: kuu engines build a");
}

#[test]
fn missing_programs_are_no_fault_of_a_build_of_all() {
    let kuu = Kuu::new();
    engine(&kuu, "a", &format!("{LEAST}needs = [\"no-such-program\"]\nbuild = [[\"true\"]]\n"));
    kuu.run("engines build").exits(0).says("a: left out, as it needs no-such-program");
    kuu.run("engines build a").exits(2).complains("kuu: a: needs no-such-program");
}

#[test]
fn those_of_this_repository_are_right() {
    let kuu = Kuu::new();
    let engines = Path::new(env!("CARGO_MANIFEST_DIR")).join("engines");
    let done = kuu.run(&format!("engines --json --engines {}", engines.display())).exits(0);
    let document: serde_json::Value = serde_json::from_str(&done.out).unwrap();
    let version = kuu.run("--version").exits(0);
    let own = document["engines"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|engine| ["kuu", "kuu-plain"].contains(&engine["name"].as_str().unwrap()));
    let own: Vec<_> = own.map(|engine| format!("kuu {}\n", engine["version"].as_str().unwrap())).collect();
    assert_eq!(own, [version.out.as_str(); 2]);
    for engine in document["engines"].as_array().unwrap() {
        let readme = engines.join(engine["name"].as_str().unwrap()).join("README.md");
        assert!(fs::read_to_string(&readme).is_ok_and(|text| text.len() > 100), "{}", readme.display());
        assert_ne!(engine["licence"], "", "{}", engine["name"]);
    }
}

#[test]
fn kuu_counts_right_by_its_descriptors() {
    let all = frames(3_000);
    for name in ["kuu", "kuu-plain"] {
        let mock = Mock::new(2);
        mock.topic("messages-state", 1);
        let kuu = Kuu::with(&mock.address);
        let file = kuu.file("a.jsonl", json_lines(&all));
        kuu.run(&format!("produce {file}")).exits(0);
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("engines");
        let run =
            EngineRun { directory: &directory, name, brokers: &mock.address, input: "messages", output: "output" };
        run.to_its_end(&kuu.path("state"));
        assert_eq!(settle(&rows(&mock.address, "output")), windows(&all), "{name}");
        kuu.run("verify").exits(0);
    }
}
