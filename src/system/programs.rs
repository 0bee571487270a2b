//! The programs of this machine.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// Where Debian and Ubuntu have a program whose package has another name.
const PACKAGES: [(&str, &str); 16] = [
    ("cargo", "cargo"),
    ("dotnet", "dotnet-sdk-8.0"),
    ("g++", "g++"),
    ("gcc", "gcc"),
    ("go", "golang-go"),
    ("gradle", "gradle"),
    ("java", "openjdk-17-jre-headless"),
    ("javac", "openjdk-17-jdk-headless"),
    ("kcat", "kcat"),
    ("make", "make"),
    ("mvn", "maven"),
    ("node", "nodejs"),
    ("npm", "npm"),
    ("php", "php-cli"),
    ("python3", "python3"),
    ("ruby", "ruby"),
];

/// The path of a program, looked up in `PATH`.
pub fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join(name)).find(|file| is_program(file))
}

fn is_program(file: &Path) -> bool {
    file.metadata().is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

/// A program that is missing, with the package that has it, as in `mvn (apt-get install maven)`.
pub fn missing(name: &str) -> String {
    match PACKAGES.iter().find(|(program, _)| *program == name) {
        Some((_, package)) => format!("{name} (apt-get install {package})"),
        None => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_by_name() {
        assert!(find("sh").is_some_and(|path| path.is_absolute()));
        assert_eq!(find("no-such-program"), None);
        assert_eq!(find(""), None);
    }

    #[test]
    fn a_missing_program_has_its_package() {
        assert_eq!(missing("mvn"), "mvn (apt-get install maven)");
        assert_eq!(missing("quux"), "quux");
    }
}
