//! Whether a workload shows the mistakes that it is there for.

use super::bounds::Bounds;
use super::case::Case;
use super::damage::Damage;
use super::finding::in_words;
use super::tally::UsersByWindow;
use crate::workload::Mistake;
use std::ops::RangeInclusive;

impl Case {
    /// Checks that every mistake that the workload targets gives a wrong answer here, and one that only this mistake
    /// explains.
    ///
    /// # Errors
    /// The target that is not told from the right answer or from another mistake, in words.
    pub fn check_targets(&self, run: &RangeInclusive<i64>) -> Result<(), String> {
        for target in &self.workload.targets {
            if *target == Mistake::MissesLastWindow && self.workload.epilogue {
                return Err(format!("targets: {target} does not show where an epilogue closes the last window"));
            }
            let Some(answer) = self.example(*target, run) else {
                return Err(format!("targets: {target} gives the right answer here"));
            };
            let found = self.diagnose(&answer, run);
            if found.len() != 1 || found[0].mistake != *target {
                return Err(format!("targets: {target} is not told from others here: {}", in_words(&found)));
            }
        }
        Ok(())
    }

    /// A wrong answer that a mistake gives; none if all of its answers are right. The wall clock's is within `run`.
    pub fn example(&self, mistake: Mistake, run: &RangeInclusive<i64>) -> Option<UsersByWindow> {
        let answers: Vec<UsersByWindow> = match mistake {
            Mistake::DropsLate
            | Mistake::GreatestWatermark
            | Mistake::FutureStamp
            | Mistake::MissesLastWindow
            | Mistake::CountsAborted
            | Mistake::AddsPartitions
            | Mistake::ShiftsTimeZone => {
                let variants = self.variants().into_iter().filter(|variant| variant.mistake == mistake);
                variants.map(|variant| variant.users).collect()
            }
            Mistake::CountsDamaged => vec![Damage::new(self).answer(u32::MAX)],
            Mistake::CountsTwice => vec![self.counted_twice()],
            Mistake::LosesFrames => vec![self.judged(&self.count(|at, _, _| at < self.frames.len() / 2))],
            Mistake::Approximates => vec![self.approximated()],
            Mistake::WallClock => vec![self.by_wall_clock(*run.start())],
        };
        answers.into_iter().find(|answer| !self.is_right(answer))
    }

    /// The users before the middle, and then those after it.
    fn counted_twice(&self) -> UsersByWindow {
        let middle = self.frames.len() / 2;
        let mut sum = self.count(|at, _, _| at < middle);
        let after = self.count(|at, _, _| at >= middle);
        after.into_iter().for_each(|(window, users)| *sum.entry(window).or_default() += users);
        self.judged(&sum)
    }

    /// Off by two hundredths, now up and now down.
    fn approximated(&self) -> UsersByWindow {
        let off = |(number, (window, bounds)): (usize, (&_, &Bounds))| {
            let error = (bounds.max / 50).max(1);
            (*window, if number % 2 == 0 { bounds.max + error } else { bounds.max.saturating_sub(error) })
        };
        self.bounds.iter().enumerate().map(off).collect()
    }

    /// All in the windows of one moment.
    fn by_wall_clock(&self, now: i64) -> UsersByWindow {
        let mut numbers = self.numbers.clone();
        let windows = numbers.windows(now);
        numbers.count(self.data().flat_map(|(_, frame)| windows.iter().map(|window| (*window, frame.user))))
    }
}
