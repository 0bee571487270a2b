//! The program of an engine and its arguments, with the race's variables in them.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use strum::{IntoStaticStr, VariantArray};

/// A variable of the race: in the environment of a running engine, and in the arguments of a descriptor as `$KUU_GROUP`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE", prefix = "KUU_")]
pub enum Variable {
    /// The brokers, as `host:port,host:port`.
    Brokers,
    /// The topic with the frames.
    Input,
    /// Where the input ends: a JSON array of offsets, the index is the partition. Unset where the input has no end.
    InputEnd,
    /// The topic for the results.
    Output,
    /// The consumer group, and a prefix for whatever else needs a name.
    Group,
    /// A directory for state. It outlives a crash of the engine.
    StateDir,
    /// The number of partitions of the input.
    Partitions,
    /// The unit of the windows: `minute`.
    Window,
    /// The length of a window, in seconds.
    WindowS,
    /// The allowed lateness, in seconds of event time.
    LatenessS,
    /// How long after its end a window accepts frames, in seconds of event time.
    RetentionS,
    /// After which silence a partition no longer holds the watermark back, in milliseconds.
    IdleMs,
    /// How often the engine commits or takes a checkpoint, in milliseconds. Unset where its descriptor does not say it.
    CheckpointMs,
    /// The memory that the engine may use, in bytes: the same for all.
    MemoryBytes,
    /// The processors that the engine may use.
    Cpus,
    /// The path of the running kuu. Also there for `build` and `version`.
    Program,
}

impl Variable {
    /// Its name in the environment, as `KUU_GROUP`.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// The variable of this name in the environment.
    pub fn named(name: &str) -> Option<Variable> {
        Variable::VARIANTS.iter().copied().find(|variable| variable.name() == name)
    }
}

/// The start of a variable in an argument; other words with a dollar are left as they are.
const MARK: &str = "$KUU_";

/// A program and its arguments, as the descriptor has them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>")]
pub struct CommandWords(Vec<String>);

impl TryFrom<Vec<String>> for CommandWords {
    type Error = String;

    fn try_from(words: Vec<String>) -> Result<CommandWords, String> {
        if words.first().is_none_or(String::is_empty) {
            return Err("a program is missing: write [\"python3\", \"count.py\"]".into());
        }
        if let Some(word) = words.iter().find(|word| word.contains('\0')) {
            return Err(format!("`{}` has a NUL, which no argument can have", word.escape_debug()));
        }
        words.iter().try_for_each(|word| pieces(word).map(drop))?;
        Ok(CommandWords(words))
    }
}

impl CommandWords {
    /// The first variable besides `$KUU_PROGRAM`, which is the only one that is there before a race.
    pub fn of_a_race(&self) -> Option<Variable> {
        let all = self.0.iter().filter_map(|word| pieces(word).ok()).flatten();
        all.filter_map(|piece| piece.variable).find(|variable| *variable != Variable::Program)
    }

    /// The words with the values of the variables; a variable without a value becomes empty text.
    pub fn expand(&self, values: &BTreeMap<Variable, String>) -> Vec<String> {
        let value = |variable: Variable| values.get(&variable).map_or("", String::as_str);
        let expand = |word: &String| {
            let pieces = pieces(word).unwrap_or_default();
            pieces.iter().flat_map(|piece| [piece.text, piece.variable.map_or("", value)]).collect()
        };
        self.0.iter().map(expand).collect()
    }
}

/// Text, and the variable behind it.
struct Piece<'a> {
    text: &'a str,
    variable: Option<Variable>,
}

/// Cuts a word behind its variables. A variable's name ends before the first character that is no capital, digit or `_`.
fn pieces(word: &str) -> Result<Vec<Piece<'_>>, String> {
    let mut pieces = Vec::new();
    let mut rest = word;
    while let Some(at) = rest.find(MARK) {
        let name = &rest[at + 1..];
        let is_part = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
        let len = name.find(|c| !is_part(c)).unwrap_or(name.len());
        let variable = Variable::named(&name[..len]).ok_or_else(|| {
            let names: Vec<_> = Variable::VARIANTS.iter().map(|variable| format!("${}", variable.name())).collect();
            format!("no variable `${}`: there are {}", &name[..len], names.join(" "))
        })?;
        pieces.push(Piece { text: &rest[..at], variable: Some(variable) });
        rest = &name[len..];
    }
    pieces.push(Piece { text: rest, variable: None });
    Ok(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Result<CommandWords, String> {
        CommandWords::try_from(words.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    #[test]
    fn variables_are_named_as_the_engine_sees_them() {
        assert_eq!(Variable::InputEnd.name(), "KUU_INPUT_END");
        assert_eq!(Variable::named("KUU_WINDOW_S"), Some(Variable::WindowS));
        assert_eq!(Variable::named("WINDOW_S"), None);
        let all: Vec<_> = Variable::VARIANTS.iter().map(|variable| variable.name()).collect();
        assert_eq!(all[all.len() - 4..], ["KUU_CHECKPOINT_MS", "KUU_MEMORY_BYTES", "KUU_CPUS", "KUU_PROGRAM"]);
    }

    #[test]
    fn words_are_expanded() {
        let given = words(&["$KUU_PROGRAM", "--idle", "$KUU_IDLE_MSms", "$HOME/$KUU_GROUP$KUU_WINDOW-$1", "$KUU_CPUS"]);
        let values = [
            (Variable::Program, "/usr/bin/kuu"),
            (Variable::IdleMs, "2000"),
            (Variable::Group, "g"),
            (Variable::Window, "minute"),
        ];
        let values = values.map(|(variable, value)| (variable, value.to_owned())).into();
        let expanded = given.unwrap().expand(&values);
        assert_eq!(expanded, ["/usr/bin/kuu", "--idle", "2000ms", "$HOME/gminute-$1", ""]);
    }

    #[test]
    fn what_is_wrong_is_said() {
        assert!(words(&[]).unwrap_err().contains("a program is missing"));
        assert!(words(&["", "a"]).unwrap_err().contains("a program is missing"));
        assert!(words(&["a\0b"]).unwrap_err().contains("has a NUL"));
        let error = words(&["a", "x=$KUU_TOPIC"]).unwrap_err();
        assert!(error.starts_with("no variable `$KUU_TOPIC`: there are $KUU_BROKERS $KUU_INPUT "), "{error}");
    }

    #[test]
    fn a_build_has_the_program_only() {
        assert_eq!(words(&["$KUU_PROGRAM"]).unwrap().of_a_race(), None);
        assert_eq!(words(&["$KUU_PROGRAM", "a$KUU_GROUP"]).unwrap().of_a_race(), Some(Variable::Group));
    }
}
