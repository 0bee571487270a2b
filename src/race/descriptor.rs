//! What an engine is: a file `engines/NAME/engine.toml`.

use super::claims::{Brokers, ClaimedGuarantee, ClaimedWatermark, Distinct, Emits, Ends, Late, OutputFormat};
use super::command_words::CommandWords;
use kuu_core::speed::Ranking;
use regex_lite::Regex;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// The session timeout of Kafka's consumers.
const SESSION: Duration = Duration::from_secs(45);

/// An engine: how it is built and run, and what it claims.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Descriptor {
    /// The name of its folder.
    pub name: String,
    /// What it is, in a line.
    pub title: String,
    /// Where it comes from; may be empty.
    #[serde(default)]
    pub url: String,
    /// Its licence; may be empty.
    #[serde(default)]
    pub licence: String,
    /// The programs that must be there to build and run it.
    #[serde(default)]
    pub needs: Vec<String>,
    /// How its version is found out, which also shows that it can run.
    #[serde(default)]
    pub version: Option<VersionProbe>,
    /// The commands that build it, in this order, in its folder.
    #[serde(default)]
    pub build: Vec<CommandWords>,
    /// The command that runs it, in its folder.
    pub run: CommandWords,
    /// The command that runs it after a crash; none: `run`.
    #[serde(default)]
    pub restart: Option<CommandWords>,
    /// Whether it ends by itself where the input has an end.
    #[serde(default)]
    pub ends: Ends,
    /// What it writes.
    #[serde(default)]
    pub emits: Emits,
    /// What it does with frames that come after the first result of their window.
    #[serde(default)]
    pub late: Late,
    /// Which partition sets its watermark.
    #[serde(default)]
    pub watermark: ClaimedWatermark,
    /// Whether it counts or estimates.
    #[serde(default)]
    pub distinct: Distinct,
    /// The relative standard deviation of an estimate, between 0 and 1.
    #[serde(default)]
    pub rsd: Option<f64>,
    /// What a crash may do to its results.
    #[serde(default)]
    pub guarantee: ClaimedGuarantee,
    /// How it writes results.
    #[serde(default)]
    pub format: OutputFormat,
    /// Which brokers it can use.
    #[serde(default)]
    pub brokers: Brokers,
    /// The engine of which it is a variant; empty: of none.
    #[serde(default)]
    pub variant_of: String,
    /// Whether it has a place in the tables of a race.
    #[serde(default = "yes")]
    pub ranked: bool,
    /// Its environment, besides that of the race.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// How often it writes results, in milliseconds; none: as soon as there are any.
    #[serde(default)]
    pub emits_every_ms: Option<u64>,
    /// How often it commits or takes a checkpoint, in milliseconds; none: unknown.
    #[serde(default)]
    pub checkpoint_ms: Option<u64>,
    /// After which silence its consumer group drops it, in milliseconds; none: 45,000, the default of Kafka's clients.
    #[serde(default)]
    pub session_ms: Option<u64>,
    /// How long its transactions may take, in milliseconds; none: 60,000, the default of Kafka's clients.
    #[serde(default)]
    pub transaction_timeout_ms: Option<u64>,
    /// How long it may take to end after SIGTERM, in seconds; none: 10.
    #[serde(default)]
    pub stop_grace_s: Option<u64>,
}

/// A command that prints the engine's version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VersionProbe {
    /// The command, run in the engine's folder.
    pub run: CommandWords,
    /// What finds the version in its output: the first group, or all that matches.
    #[serde(default = "Pattern::line")]
    pub regex: Pattern,
}

/// A regular expression, in the syntax of the crate `regex-lite`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pattern(Regex);

impl PartialEq for Pattern {
    fn eq(&self, other: &Pattern) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

impl TryFrom<String> for Pattern {
    type Error = String;

    fn try_from(text: String) -> Result<Pattern, String> {
        Regex::new(&text).map(Pattern).map_err(|error| format!("`{text}` is no regular expression: {error}"))
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> String {
        pattern.0.as_str().to_owned()
    }
}

impl Pattern {
    /// The first line that is not empty.
    fn line() -> Pattern {
        Pattern(Regex::new(r"\S.*").expect("it is one"))
    }

    /// What it finds in this text: the first group, or all that matches.
    pub fn find(&self, text: &str) -> Option<String> {
        let found = self.0.captures(text)?;
        Some(found.get(1).or_else(|| found.get(0))?.as_str().trim().to_owned())
    }
}

impl Descriptor {
    /// After which silence its consumer group drops it.
    pub fn session(&self) -> Duration {
        self.session_ms.map_or(SESSION, Duration::from_millis)
    }

    /// Reads the text of a file in a folder of this name.
    ///
    /// # Errors
    /// What is wrong with it, in which line, and what is allowed.
    pub fn parse(text: &str, folder: &str) -> Result<Descriptor, String> {
        let descriptor: Descriptor = toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())?;
        match descriptor.check(folder) {
            Ok(()) => Ok(descriptor),
            Err(Fault { member, words }) => Err(format!("line {}: {member}: {words}", line_of(text, member))),
        }
    }

    /// The time for an orderly end.
    pub fn stop_grace(&self) -> Duration {
        Duration::from_secs(self.stop_grace_s.unwrap_or(10))
    }

    /// How it stands in the tables of a race.
    pub fn ranking(&self) -> Ranking {
        match self.distinct {
            Distinct::Approximate => Ranking::Approximate,
            Distinct::Exact if self.ranked => Ranking::Ranked,
            Distinct::Exact => Ranking::Unranked,
        }
    }

    /// The command after a crash.
    pub fn restart(&self) -> &CommandWords {
        self.restart.as_ref().unwrap_or(&self.run)
    }

    /// What it claims, in a line for people.
    pub fn claims(&self) -> String {
        let every = self.emits_every_ms.map_or_else(String::new, |ms| format!(" every {ms} ms"));
        let distinct = match self.rsd {
            Some(rsd) => format!("{} (rsd {rsd})", self.distinct),
            None => self.distinct.to_string(),
        };
        let ends = match self.ends {
            Ends::Itself => "ends itself",
            Ends::Never => "never ends",
        };
        let emits = match self.emits {
            Emits::Final => "emits finals",
            Emits::Updates => "emits updates",
        };
        let Descriptor { late, watermark, guarantee, .. } = self;
        let mut claims = format!("{ends}, {emits}{every}, {late} late frames, {watermark} watermark, {distinct}, ");
        claims += match guarantee {
            ClaimedGuarantee::None => "no guarantee".to_owned(),
            other => other.to_string(),
        }
        .as_str();
        for more in [
            (self.format != OutputFormat::Rows).then(|| format!("writes {}", self.format)),
            (self.brokers == Brokers::Kafka).then(|| "needs Apache Kafka".to_owned()),
            (!self.variant_of.is_empty()).then(|| format!("variant of {}", self.variant_of)),
            (!self.ranked).then(|| "never ranked".to_owned()),
        ]
        .into_iter()
        .flatten()
        {
            claims += ", ";
            claims += &more;
        }
        claims
    }

    /// Checks what no single member shows.
    fn check(&self, folder: &str) -> Result<(), Fault> {
        let Descriptor { name, rsd, .. } = self;
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        ensure(name == folder, "name", || format!("`{name}` is not the folder's name, `{folder}`"))?;
        ensure(name.chars().all(is_plain), "name", || format!("`{name}` has other characters than a-z, 0-9 and -"))?;
        ensure(!self.title.trim().is_empty(), "title", || "a line is missing".into())?;
        for program in &self.needs {
            let is_name = !program.is_empty() && !program.contains('/');
            ensure(is_name, "needs", || format!("`{program}` is no name of a program, such as `python3`"))?;
        }
        let version = self.version.iter().map(|version| ("version", &version.run));
        for (member, words) in version.chain(self.build.iter().map(|words| ("build", words))) {
            if let Some(variable) = words.of_a_race() {
                let name = variable.name();
                let words = format!("${name} is there only while the engine runs; here there is $KUU_PROGRAM");
                return Err(Fault { member, words });
            }
        }
        ensure(rsd.is_none_or(|rsd| rsd > 0.0 && rsd < 1.0), "rsd", || "it is between 0 and 1, as in 0.05".into())?;
        ensure(rsd.is_none() || self.distinct == Distinct::Approximate, "rsd", || {
            "only with distinct = \"approximate\"".into()
        })?;
        ensure(rsd.is_some() || self.distinct == Distinct::Exact, "distinct", || {
            "\"approximate\" needs rsd, the relative standard deviation, as in rsd = 0.05".into()
        })?;
        ensure(self.variant_of != *name, "variant_of", || "it is this engine itself".into())?;
        for name in self.env.keys() {
            ensure(!name.is_empty() && !name.contains(['=', '\0']), "env", || {
                format!("`{}` is no name of a variable", name.escape_debug())
            })?;
            ensure(!name.starts_with("KUU_"), "env", || format!("`{name}`: the race sets KUU_..., name it otherwise"))?;
        }
        self.check_times()
    }

    fn check_times(&self) -> Result<(), Fault> {
        for (member, time, most) in [
            ("emits_every_ms", self.emits_every_ms, 86_400_000),
            ("checkpoint_ms", self.checkpoint_ms, 86_400_000),
            ("session_ms", self.session_ms, 86_400_000),
            ("transaction_timeout_ms", self.transaction_timeout_ms, 86_400_000),
            ("stop_grace_s", self.stop_grace_s, 3_600),
        ] {
            let fits = time.is_none_or(|time| (1..=most).contains(&time));
            ensure(fits, member, || format!("a whole number from 1 to {most}"))?;
        }
        Ok(())
    }
}

fn yes() -> bool {
    true
}

/// What is wrong with a member.
struct Fault {
    member: &'static str,
    words: String,
}

fn ensure(is_fine: bool, member: &'static str, words: impl FnOnce() -> String) -> Result<(), Fault> {
    if is_fine { Ok(()) } else { Err(Fault { member, words: words() }) }
}

/// The number of the line with this member of the root, from 1; 1 if it is not there.
fn line_of(text: &str, member: &str) -> usize {
    let has = |line: &str| {
        let line = line.trim_start().trim_start_matches('[');
        line.strip_prefix(member).is_some_and(|rest| rest.trim_start().starts_with(['=', ']', '.']))
    };
    text.lines().position(has).map_or(1, |at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::race::command_words::Variable;

    /// That of the design, with all members.
    const TEXT: &str = r#"
name = "python"
title = "Python: confluent-kafka, orjson"
url = "https://github.com/confluentinc/confluent-kafka-python"
licence = "Apache-2.0"
needs = ["python3"]
version = { run = [".venv/bin/pip", "show", "confluent-kafka"], regex = "Version: (.*)" }
build = [["python3", "-m", "venv", ".venv"], [".venv/bin/pip", "install", "-r", "requirements.txt"]]
run = [".venv/bin/python", "count.py", "$KUU_GROUP"]
restart = [".venv/bin/python", "count.py", "--again"]
ends = "itself"
emits = "final"
late = "drops"
watermark = "least"
distinct = "exact"
guarantee = "at-least-once"
format = "rows"
brokers = "any"
variant_of = ""
env = { LANG = "C" }
emits_every_ms = 1000
checkpoint_ms = 5000
session_ms = 6000
transaction_timeout_ms = 60000
stop_grace_s = 3
ranked = false
"#;

    const LEAST: &str = "name = \"a\"\ntitle = \"A\"\nrun = [\"a\"]\n";

    #[test]
    fn a_file() {
        let engine = Descriptor::parse(TEXT, "python").unwrap();
        assert_eq!((engine.build.len(), engine.stop_grace()), (2, Duration::from_secs(3)));
        let values = [(Variable::Group, "g1".to_owned())].into();
        assert_eq!(engine.run.expand(&values), [".venv/bin/python", "count.py", "g1"]);
        assert_eq!(engine.restart().expand(&values)[2], "--again");
        let version = engine.version.as_ref().unwrap();
        assert_eq!(version.regex.find("Name: x\nVersion: 2.1 \n"), Some("2.1".into()));
        assert_eq!(
            engine.claims(),
            "ends itself, emits finals every 1000 ms, drops late frames, least watermark, exact, at-least-once, never ranked"
        );
        assert_eq!(engine.ranking(), Ranking::Unranked);
        let again = serde_json::from_value(serde_json::to_value(&engine).unwrap()).unwrap();
        assert_eq!(engine, again);
    }

    #[test]
    fn all_but_three_members_may_be_left_out() {
        let least = Descriptor::parse(LEAST, "a").unwrap();
        let all = TEXT
            .lines()
            .filter(|line| !["env", "emits_e", "check", "sess", "trans", "stop"].iter().any(|it| line.starts_with(it)));
        let all: String = all.flat_map(|line| [line, "\n"]).collect();
        let all = Descriptor::parse(&all, "python").unwrap();
        let claims = |it: &Descriptor| {
            (it.ends, it.emits, it.late, it.watermark, it.distinct, it.guarantee, it.format, it.brokers)
        };
        // The words of the design's example are the defaults.
        assert_eq!(claims(&least), claims(&all));
        assert_eq!(least.restart(), &least.run);
        assert_eq!(least.stop_grace(), Duration::from_secs(10));
        let version = |text: &str| toml::from_str::<VersionProbe>("run = [\"a\"]").unwrap().regex.find(text);
        assert_eq!((version("\n  a 1.2 \nb"), version(" \n")), (Some("a 1.2".into()), None));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        for (from, to, line, says) in [
            ("licence", "license", 5, "unknown field `license`, expected one of `name`, `title`"),
            ("\"itself\"", "\"soon\"", 11, "unknown variant `soon`, expected `itself` or `never`"),
            ("\"at-least-once\"", "\"always\"", 16, "expected one of `at-least-once`, `exactly-once`, `none`"),
            ("run = [\".venv/bin/python\", \"count.py\", \"$KUU_GROUP\"]", "run = []", 9, "a program is missing"),
            ("$KUU_GROUP", "$KUU_TOPIC", 9, "no variable `$KUU_TOPIC`: there are $KUU_BROKERS"),
            ("Version: (.*)", "Version: (", 7, "is no regular expression"),
            ("regex =", "regexp =", 7, "unknown field `regexp`, expected `run` or `regex`"),
            ("6000", "\"6 s\"", 23, "expected u64"),
            ("stop_grace_s = 3", "stop_grace_s = 0", 25, "stop_grace_s: a whole number from 1 to 3600"),
            ("\"-m\"", "\"$KUU_GROUP\"", 8, "build: $KUU_GROUP is there only while the engine runs"),
            ("\"show\"", "\"$KUU_INPUT\"", 7, "version: $KUU_INPUT is there only while the engine runs"),
            ("name = \"python\"", "name = \"go\"", 2, "name: `go` is not the folder's name, `python`"),
            ("\"exact\"", "\"approximate\"", 15, "distinct: \"approximate\" needs rsd"),
            ("distinct =", "rsd = 0.1\ndistinct =", 15, "rsd: only with distinct = \"approximate\""),
            ("distinct = \"exact\"", "distinct = \"approximate\"\nrsd = 5", 16, "rsd: it is between 0 and 1"),
            ("LANG", "KUU_GROUP", 20, "env: `KUU_GROUP`: the race sets KUU_..."),
            ("needs = [\"python3\"]", "needs = [\"/usr/bin/python3\"]", 6, "is no name of a program"),
            ("variant_of = \"\"", "variant_of = \"python\"", 19, "variant_of: it is this engine itself"),
            ("\"Python: confluent-kafka, orjson\"", "\"\"", 3, "title: a line is missing"),
            ("url = \"", "url = ", 4, "TOML parse error at line 4"),
        ] {
            assert!(TEXT.contains(from), "{from}");
            let error = Descriptor::parse(&TEXT.replacen(from, to, 1), "python").unwrap_err();
            assert!(error.contains(says) && error.contains(&format!("line {line}")), "{from} -> {to}: {error}");
        }
        let error = Descriptor::parse("name = \"a\"\ntitle = \"A\"\n", "a").unwrap_err();
        assert!(error.contains("missing field `run`"), "{error}");
        let error = Descriptor::parse(&LEAST.replace("\"a\"", "\"A b\""), "A b").unwrap_err();
        assert_eq!(error, "line 1: name: `A b` has other characters than a-z, 0-9 and -");
    }
}
