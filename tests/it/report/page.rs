//! docs/exports.md: its examples are what the tool prints.

use crate::support::kuu::Kuu;
use std::os::unix::fs::symlink;

const PAGE: &str = include_str!("../../../docs/exports.md");

#[test]
fn the_examples_are_of_the_tool() {
    let kuu = Kuu::new();
    symlink(concat!(env!("CARGO_MANIFEST_DIR"), "/results"), kuu.path("results")).unwrap();
    let mut lines = PAGE.lines();
    let mut checked = 0;
    while let Some(line) = lines.next() {
        let Some(command) = line.strip_prefix("$ kuu ") else { continue };
        let out = kuu.run(command).exits(0).out;
        let mut printed = out.lines();
        // What the page leaves out, it has three dots for.
        let mut is_next = true;
        for shown in lines.by_ref().take_while(|line| !line.starts_with('$') && *line != "```") {
            if shown == "..." {
                is_next = false;
                continue;
            }
            let found = if is_next { printed.next() == Some(shown) } else { printed.any(|line| line == shown) };
            assert!(found, "kuu {command} does not print this there: {shown}");
            is_next = true;
            checked += 1;
        }
    }
    assert!(checked > 50, "{checked}");
}
