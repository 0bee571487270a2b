//! What values have that lack the members of a frame, for an error that helps.

use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many values are looked at, and how many of their members are listed.
const VALUES: u64 = 3;
const MEMBERS: usize = 12;
/// How deep members are listed, and the longest value that is shown, in characters.
const DEPTH: usize = 4;
const SHOWN: usize = 30;

/// The members of the first values without a valid user id or time.
#[derive(Debug, Default)]
pub struct Sample {
    taken: AtomicU64,
    members: Mutex<BTreeMap<String, String>>,
}

impl Sample {
    /// Adds the members of a value, if it is one of the first.
    #[cold]
    pub(crate) fn take(&self, value: &[u8]) {
        if self.taken.fetch_add(1, Ordering::Relaxed) >= VALUES {
            return;
        }
        if let (Ok(value), Ok(mut members)) = (serde_json::from_slice(value), self.members.lock()) {
            list(&value, "", 1, &mut members);
        }
    }

    /// The number of values without a valid user id or time so far.
    pub fn values(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }

    /// The members, each as a pointer and a value: `/event/user/id (17)`. Not all, if there are many.
    pub fn members(&self) -> Vec<String> {
        self.members
            .lock()
            .map(|members| members.iter().take(MEMBERS).map(|(at, value)| format!("{at} ({value})")).collect())
            .unwrap_or_default()
    }
}

fn list(value: &Value, at: &str, depth: usize, members: &mut BTreeMap<String, String>) {
    let Value::Object(object) = value else { return };
    for (name, value) in object {
        let at = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
        match value {
            Value::Object(_) if depth < DEPTH => list(value, &at, depth + 1, members),
            Value::Object(_) | Value::Array(_) => {}
            _ => _ = members.entry(at).or_insert_with(|| shown(&value.to_string())),
        }
    }
}

fn shown(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_listed_with_their_values() {
        let sample = Sample::default();
        sample.take(br#"{"event":{"user":{"id":17},"tags":["a"]},"at":"2026-03-01T00:00:00.123Z","a/b":null}"#);
        sample.take(b"[not json");
        sample.take(format!(r#"{{"long":"{}"}}"#, "é".repeat(50)).as_bytes());
        sample.take(br#"{"fourth":1}"#);
        let long = format!("/long (\"{}...)", "é".repeat(29));
        let at = "/at (\"2026-03-01T00:00:00.123Z\")";
        assert_eq!(sample.members(), [at, "/a~1b (null)", "/event/user/id (17)", long.as_str()]);
    }
}
