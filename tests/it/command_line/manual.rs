//! `kuu completions` and `kuu man`.

use crate::support::kuu::Kuu;
use std::fs;
use std::path::Path;

const COMMANDS: [&str; 15] = [
    "batch",
    "bench",
    "compare",
    "completions",
    "count",
    "engines",
    "formats",
    "generate",
    "man",
    "output",
    "produce",
    "race",
    "report",
    "results",
    "verify",
];

#[test]
fn completions_know_every_command() {
    let kuu = Kuu::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let done = kuu.run(&format!("completions {shell}")).exits(0);
        for command in COMMANDS {
            assert!(done.out.contains(command), "{shell}: {command}");
        }
        assert!(done.out.contains("commit-interval"), "{shell}");
        // `kuu keep` is for kuu itself.
        for hidden in ["subcmd__keep", "kuu__keep", "'keep:", "-a \"keep\"", "kuu;keep"] {
            assert!(!done.out.contains(hidden), "{shell}: {hidden}");
        }
    }
    kuu.run("completions csh").exits(2).complains("possible values: bash, elvish, fish, powershell, zsh");
    assert_eq!(kuu.run_into_head("completions bash", 1).code, Some(0));
}

#[test]
fn manual_pages() {
    let kuu = Kuu::new();
    let count = kuu.run("man count").exits(0).out;
    assert!(count.starts_with(".ie ") && count.contains("\n.TH kuu-count 1 "), "{count}");
    assert!(count.contains("\\-\\-commit\\-interval") && count.contains("\\-\\-brokers"), "{count}");
    assert!(kuu.run("man").exits(0).out.contains(".TH kuu 1 "));
    for none in ["keep", "nothing"] {
        kuu.run(&format!("man {none}"))
            .exits(2)
            .complains(&format!("there is no command {none}: kuu --help lists them"));
    }
    kuu.run("man --dir pages").exits(0);
    let mut pages: Vec<String> =
        fs::read_dir(kuu.path("pages")).unwrap().map(|page| page.unwrap().file_name().into_string().unwrap()).collect();
    pages.sort();
    let mut expected: Vec<String> = COMMANDS.iter().map(|command| format!("kuu-{command}.1")).collect();
    expected.push("kuu.1".into());
    expected.sort();
    assert_eq!(pages, expected);
    assert_eq!(fs::read_to_string(kuu.path("pages/kuu-count.1")).unwrap(), count);
    kuu.file("file", "");
    kuu.run("man --dir file").exits(2).complains("the pages cannot be written to file");
    assert!(Path::new(&kuu.path("file")).is_file());
}
