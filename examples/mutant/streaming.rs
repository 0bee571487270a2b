//! Mutants that give each window's row as soon as the watermark closes it: `slow` takes 20,000 frames a second at most,
//! `late-results` holds every row back for 300 ms. Without an end of the input they follow it until they are stopped, and
//! so does `none`.

use crate::Environment;
use crate::counting::{frame, window};
use crate::reading::{Input, Isolation, Output};
use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};
use std::time::{Duration, Instant};

const LATENESS: i64 = 5;
/// How much time it may make up for: that of a machine which does something else for a moment.
const CREDIT: Duration = Duration::from_millis(100);

/// How slow it is.
pub struct Pace {
    /// Frames per second, at most.
    frames: Option<f64>,
    /// How long a row is held back.
    hold: Duration,
}

impl Pace {
    /// That of a mutant. `follows` is whether the input has no end.
    pub fn of(name: &str, follows: bool) -> Option<Pace> {
        match name {
            "none" if follows => Some(Pace { frames: None, hold: Duration::ZERO }),
            "slow" => Some(Pace { frames: Some(20_000.0), hold: Duration::ZERO }),
            "late-results" => Some(Pace { frames: None, hold: Duration::from_millis(300) }),
            _ => None,
        }
    }
}

/// Rows that wait for their time.
struct Held {
    rows: VecDeque<(Instant, String, i64, u64)>,
    output: Output,
}

impl Held {
    /// Writes the rows whose time has come.
    fn serve(&mut self) -> Result<(), String> {
        while self.rows.front().is_some_and(|row| row.0 <= Instant::now()) {
            let Some((_, unit, start, users)) = self.rows.pop_front() else { break };
            self.output.row(&unit, start, users)?;
        }
        Ok(())
    }
}

type Sets = BTreeMap<(i64, i64, String), HashSet<String>>;

/// Counts, and corrects a window whose row is out already.
pub fn run(pace: &Pace, environment: &Environment) -> Result<(), String> {
    let mut input = Input::open(environment, Isolation::Committed, &[])?.without_end();
    let mut held = Held { rows: VecDeque::new(), output: Output::open(environment)? };
    let (mut sets, mut changed) = (Sets::new(), BTreeSet::new());
    let mut clocks: BTreeMap<i32, i64> = BTreeMap::new();
    let mut due = Instant::now();
    while let Some(message) = input.next()? {
        held.serve()?;
        let Some(message) = message else { continue };
        let Some((uid, ts)) = message.value.as_deref().and_then(frame) else { continue };
        for unit in &environment.units {
            let (start, end) = window(unit, ts);
            if sets.entry((end, start, unit.clone())).or_default().insert(uid.clone()) {
                changed.insert((end, start, unit.clone()));
            }
        }
        let clock = clocks.entry(message.partition).or_insert(ts);
        *clock = ts.max(*clock);
        let least = clocks.values().min().copied().unwrap_or(i64::MIN).saturating_sub(LATENESS);
        while changed.first().is_some_and(|window| window.0 <= least) {
            changed.pop_first().into_iter().for_each(|window| emit(&sets, window, pace, &mut held));
        }
        if let Some(rate) = pace.frames {
            // What it did not take while there was nothing to do is lost, but for a moment: else it would be faster later.
            let now = Instant::now();
            due = due.max(now.checked_sub(CREDIT).unwrap_or(now)) + Duration::from_secs_f64(1.0 / rate);
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
        }
    }
    changed.into_iter().for_each(|window| emit(&sets, window, pace, &mut held));
    while !held.rows.is_empty() {
        held.serve()?;
        std::thread::sleep(Duration::from_millis(1));
    }
    held.output.flush()
}

fn emit(sets: &Sets, window: (i64, i64, String), pace: &Pace, held: &mut Held) {
    let users = sets.get(&window).map_or(0, HashSet::len) as u64;
    let (_, start, unit) = window;
    held.rows.push_back((Instant::now() + pace.hold, unit, start, users));
}
