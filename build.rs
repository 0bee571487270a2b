//! Bakes the git revision and the compiler's version into the binary, for records. A program that is not the committed one
//! says so.

use std::process::Command;

/// What the program is built from.
const PROGRAM: [&str; 5] = ["src", "crates", "Cargo.toml", "Cargo.lock", "build.rs"];

fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

fn main() {
    let mut git = output("git", &["rev-parse", "--short=7", "HEAD"]).unwrap_or_else(|| "unknown".into());
    let changes = output("git", &[&["status", "--porcelain", "--"], &PROGRAM[..]].concat());
    if changes.is_some_and(|changes| !changes.is_empty()) {
        git.push_str("-dirty");
    }
    let rustc = std::env::var("RUSTC").ok().and_then(|rustc| output(&rustc, &["--version"])).unwrap_or_default();
    println!("cargo::rustc-env=KUU_GIT={git}");
    println!("cargo::rustc-env=KUU_RUSTC={rustc}");
    println!("cargo::rustc-env=KUU_VERSION={} ({git})", env!("CARGO_PKG_VERSION"));
    for path in PROGRAM.iter().chain(&[".git/HEAD", ".git/logs/HEAD"]) {
        if std::path::Path::new(path).exists() {
            println!("cargo::rerun-if-changed={path}");
        }
    }
}
