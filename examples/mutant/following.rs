//! The mutant `counts-twice` where its input has no end: it goes on with the numbers of its checkpoint. A row comes when the
//! watermark closes its window, and again when it changes after that.

use crate::Environment;
use crate::counting::{Checkpoint, Counts, frame, window};
use crate::reading::{Input, Isolation, Output};
use std::collections::{BTreeMap, BTreeSet, HashSet};

const LATENESS: i64 = 5;

/// The unit and the start of a window.
type Name = (String, i64);

/// What is counted since the start.
#[derive(Default)]
struct Following {
    /// The users before the start.
    before: Counts,
    sets: BTreeMap<Name, HashSet<String>>,
    /// The windows that changed since their last row, by their end.
    changed: BTreeSet<(i64, Name)>,
}

impl Following {
    fn users(&self, name: &Name) -> u64 {
        self.before.get(name).copied().unwrap_or(0) + self.sets.get(name).map_or(0, HashSet::len) as u64
    }

    fn take(&mut self, unit: &str, uid: &str, ts: i64) {
        let (start, end) = window(unit, ts);
        let name = (unit.to_owned(), start);
        if self.sets.entry(name.clone()).or_default().insert(uid.to_owned()) {
            self.changed.insert((end, name));
        }
    }

    /// Writes the windows that are closed and changed.
    fn write(&mut self, watermark: i64, output: &Output) -> Result<(), String> {
        while self.changed.first().is_some_and(|(end, _)| *end <= watermark) {
            let Some((_, name)) = self.changed.pop_first() else { break };
            output.row(&name.0, name.1, self.users(&name))?;
        }
        Ok(())
    }

    fn totals(&self) -> Vec<(Name, u64)> {
        let names: BTreeSet<&Name> = self.before.keys().chain(self.sets.keys()).collect();
        names.into_iter().map(|name| (name.clone(), self.users(name))).collect()
    }
}

/// Counts until it is killed; `checkpoint` is the file with what it keeps, if it keeps anything.
pub fn run(environment: &Environment, checkpoint: Option<&str>) -> Result<(), String> {
    let saved = checkpoint.map(Checkpoint::load).unwrap_or_default();
    let mut input = Input::open(environment, Isolation::Committed, &saved.offsets)?.without_end();
    let output = Output::open(environment)?;
    // A partition that was not read yet holds the watermark back.
    let mut clocks = vec![i64::MIN / 2; input.offsets().len()];
    let before: Counts = saved.totals.into_iter().collect();
    // Their last rows may not be written yet.
    let changed = before.keys().map(|name| (window(&name.0, name.1).1, name.clone())).collect();
    let mut following = Following { before, changed, ..Following::default() };
    while let Some(message) = input.next()? {
        if let Some(message) = message
            && let Some((uid, ts)) = message.value.as_deref().and_then(frame)
        {
            environment.units.iter().for_each(|unit| following.take(unit, &uid, ts));
            let clock = &mut clocks[message.partition as usize];
            *clock = ts.max(*clock);
            following.write(clocks.iter().min().copied().unwrap_or(0) - LATENESS, &output)?;
        }
        if let Some(path) = checkpoint
            && input.is_time_for_a_checkpoint()
        {
            output.flush()?;
            Checkpoint { offsets: input.offsets().to_vec(), totals: following.totals() }.save(path)?;
        }
    }
    Ok(())
}
