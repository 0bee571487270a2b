//! The mutants as engines.

use crate::support::kuu::Kuu;
use std::fs;
use std::path::Path;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Puts mutants into a directory of engines, as they are in `tests/mutants`, but with the example that is built.
pub fn engines(kuu: &Kuu, names: &[&str]) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_kuu")).with_file_name("examples").join("mutant");
    assert!(program.exists(), "{} is missing: cargo build --locked --example mutant", program.display());
    for name in names {
        let text = fs::read_to_string(format!("{ROOT}/tests/mutants/{name}/engine.toml")).unwrap();
        let kept: Vec<&str> =
            text.lines().filter(|line| !line.starts_with("build") && !line.starts_with("needs")).collect();
        let text = kept.join("\n").replace("../../../target/debug/examples/mutant", program.to_str().unwrap());
        let folder = kuu.path("engines").join(name);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("engine.toml"), text).unwrap();
    }
    kuu.path("engines").display().to_string()
}
