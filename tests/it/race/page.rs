//! docs/engines.md: its example is what it says.

use crate::race::processes::EngineRun;
use crate::support::frames::{frames, lines};
use crate::support::kuu::Kuu;
use crate::support::topics::Topics;
use std::fs;
use std::path::Path;
use std::time::Duration;

/// The blocks of code of the page, with their language, in order.
fn blocks() -> Vec<(String, String)> {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/engines.md")).unwrap();
    let mut blocks: Vec<(String, String)> = Vec::new();
    let mut is_inside = false;
    for line in page.lines() {
        match line.strip_prefix("```") {
            Some(language) if !is_inside => {
                blocks.push((language.to_owned(), String::new()));
                is_inside = true;
            }
            Some(_) => is_inside = false,
            None if is_inside => blocks.last_mut().unwrap().1 += &format!("{line}\n"),
            None => {}
        }
    }
    blocks
}

fn block(language: &str) -> String {
    blocks().into_iter().find(|(found, _)| found == language).unwrap().1
}

/// A directory with the example, as the page has it.
fn example(kuu: Kuu) -> Kuu {
    fs::create_dir_all(kuu.path("mine/tiny")).unwrap();
    kuu.file("mine/tiny/engine.toml", block("toml"));
    kuu.file("mine/tiny/count.py", block("python"));
    kuu
}

#[test]
fn the_example_is_short_and_found() {
    assert!(block("toml").lines().count() <= 10, "ten lines");
    let program = block("python");
    assert_eq!(program.lines().filter(|line| !line.is_empty()).count(), 20, "twenty lines");
    let done = example(Kuu::new()).run("engines --engines mine");
    assert_eq!(done.code, Some(0), "{done}");
    let lines: Vec<&str> = done.out.lines().collect();
    assert_eq!(lines[0], "tiny  Python in twenty lines");
    assert!(
        ["      not built: kuu engines build tiny", "      needs python3 (apt-get install python3)"]
            .contains(&lines[1]),
        "{done}"
    );
    assert_eq!(
        lines[2..],
        [
            "      licence unknown",
            "      ends itself, emits finals, corrects late frames, least watermark, exact, at-least-once",
        ]
    );
}

#[test]
#[ignore = "needs Kafka"]
fn the_example_is_built_and_counts_right() {
    let topics = Topics::new("page");
    let kuu = example(Kuu::with(&topics.address));
    let commands = blocks().into_iter().find(|(_, text)| text.starts_with("kuu engines build tiny")).unwrap().1;
    for command in commands.lines() {
        let done = kuu.spawn(command.strip_prefix("kuu ").unwrap()).close().wait_for(Duration::from_secs(600)).exits(0);
        assert!(!done.out.contains("cannot run"), "{done}");
    }
    let file = kuu.file("a.jsonl", lines(&frames(2_000)));
    kuu.run(&format!("produce {file} --topic {}", topics.messages)).exits(0);
    topics.make(&topics.output, 1, &[]);

    let (input, output) = (topics.messages.as_str(), topics.output.as_str());
    let run = EngineRun { directory: &kuu.path("mine"), name: "tiny", brokers: &topics.address, input, output };
    run.to_its_end(&kuu.path("state"));
    kuu.run(&format!("verify --topic {} --output {}", topics.messages, topics.output)).exits(0).says("exact:");
}
