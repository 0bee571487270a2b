//! docs/engines.md: its example is what it says.

use crate::support::kuu::Kuu;
use std::fs;
use std::path::Path;

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
fn example() -> Kuu {
    let kuu = Kuu::new();
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
    let done = example().run("engines --engines mine");
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
