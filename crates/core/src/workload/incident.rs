//! What happens while an engine counts, as a workload says it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, IntoStaticStr, VariantArray};

/// The most moments at random that have room beside each other, and leave some to chance.
const MOST_AT_RANDOM: u8 = 5;

/// Something that happens while an engine counts: `at 40 %: kill -9 engine`, or `3 times at random: kill -9 engine`.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Incident {
    /// When it happens.
    pub when: When,
    /// What happens.
    pub action: Action,
}

/// When something happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// When so much of the frames is sent.
    At {
        /// Their share, from 0 to 100.
        percent: u8,
    },
    /// At moments that the seed of a race draws.
    Random {
        /// Their number.
        times: u8,
    },
}

/// What can happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Display, EnumString, IntoStaticStr, VariantArray)]
pub enum Action {
    /// The engine is killed, with all its processes, and started again.
    #[strum(serialize = "kill -9 engine")]
    KillEngine,
    /// The engine is stopped for longer than the group waits for it, and goes on.
    #[strum(serialize = "stall engine")]
    StallEngine,
    /// A second instance of the engine is started.
    #[strum(serialize = "start second engine")]
    StartSecond,
    /// The broker is stopped and started again.
    #[strum(serialize = "restart broker")]
    RestartBroker,
}

impl Incident {
    /// How many times it happens.
    pub fn times(&self) -> u64 {
        match self.when {
            When::At { .. } => 1,
            When::Random { times } => times.into(),
        }
    }
}

impl TryFrom<String> for Incident {
    type Error = String;

    fn try_from(text: String) -> Result<Incident, String> {
        let actions: Vec<&str> = Action::VARIANTS.iter().map(Into::into).collect();
        let wrong = || {
            format!(
                "`{text}` is no event: write `at 40 %: ACTION` or `3 times at random: ACTION`, with one of {}",
                actions.join(", ")
            )
        };
        let (when, action) = text.split_once(": ").ok_or_else(wrong)?;
        Ok(Incident { when: parsed(when).ok_or_else(wrong)?, action: action.parse().map_err(|_| wrong())? })
    }
}

fn parsed(when: &str) -> Option<When> {
    if let Some(times) = when.strip_suffix(" times at random") {
        return times.parse().ok().filter(|times| *times > 0).map(|times| When::Random { times });
    }
    let percent = when.strip_prefix("at ")?.strip_suffix(" %")?.parse().ok()?;
    (percent <= 100).then_some(When::At { percent })
}

impl From<Incident> for String {
    fn from(incident: Incident) -> String {
        match incident.when {
            When::At { percent } => format!("at {percent} %: {}", incident.action),
            When::Random { times } => format!("{times} times at random: {}", incident.action),
        }
    }
}

/// Checks what cannot be seen in one incident alone.
pub(super) fn check(meanwhile: &[Incident]) -> Result<(), String> {
    let random: Vec<&Incident> =
        meanwhile.iter().filter(|incident| matches!(incident.when, When::Random { .. })).collect();
    if random.is_empty() {
        return Ok(());
    }
    if random.len() < meanwhile.len() {
        return Err("meanwhile: all events are at random, or none: else two of them could meet".into());
    }
    if random.iter().map(|incident| incident.times()).sum::<u64>() > MOST_AT_RANDOM.into() {
        return Err(format!("meanwhile: at most {MOST_AT_RANDOM} events at random, as they are a checkpoint apart"));
    }
    // A stall may outlast the frames, and there is but one second instance.
    let fits = |incident: &&&Incident| matches!(incident.action, Action::KillEngine | Action::RestartBroker);
    match random.iter().find(|incident| !fits(incident)) {
        Some(incident) => {
            Err(format!("meanwhile: `{}` at a share of the frames (at 40 %), not at random", incident.action))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Incident, String> {
        Incident::try_from(text.to_owned())
    }

    #[test]
    fn words_and_back() {
        let kill = |when| Incident { when, action: Action::KillEngine };
        for (text, incident, times) in [
            ("at 40 %: kill -9 engine", kill(When::At { percent: 40 }), 1),
            ("3 times at random: kill -9 engine", kill(When::Random { times: 3 }), 3),
        ] {
            assert_eq!(read(text).as_ref(), Ok(&incident));
            assert_eq!(incident.times(), times);
            assert_eq!(String::from(incident), text);
        }
        for text in
            ["0 times at random: kill -9 engine", "often at random: kill -9 engine", "at 101 %: stall engine", "kill"]
        {
            assert!(read(text).unwrap_err().starts_with(&format!("`{text}` is no event: write ")), "{text}");
        }
    }

    #[test]
    fn what_does_not_go_together() {
        for (texts, says) in [
            (&["at 40 %: stall engine", "at 40 %: kill -9 engine"][..], None),
            (&["2 times at random: kill -9 engine", "3 times at random: restart broker"], None),
            (&["3 times at random: kill -9 engine", "3 times at random: restart broker"], Some("at most 5")),
            (&["1 times at random: stall engine"], Some("`stall engine` at a share")),
            (&["1 times at random: start second engine"], Some("`start second engine` at a share")),
            (&["1 times at random: kill -9 engine", "at 40 %: kill -9 engine"], Some("all events are at random")),
        ] {
            let all: Vec<Incident> = texts.iter().map(|text| read(text).unwrap()).collect();
            match (check(&all), says) {
                (Ok(()), None) => {}
                (Err(error), Some(says)) => assert!(error.contains(says), "{error}"),
                (found, _) => panic!("{texts:?}: {found:?}"),
            }
        }
    }
}
