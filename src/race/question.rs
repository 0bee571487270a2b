//! What a workload asks of an engine, and every answer that has a name.

use crate::engine::stop::Stop;
use crate::input::is_blank;
use crate::input::several;
use crate::race::claims::{Distinct, Late};
use crate::race::descriptor::Descriptor;
use crate::race::setup::seconds;
use crate::system::clock::now_us;
use crate::terminal::count;
use anyhow::{Result, anyhow, bail};
use kuu_core::diagnosis::{Bounds, Case, CaseBuilder};
use kuu_core::record::Source;
use kuu_core::window::{Unit, Window};
use kuu_core::workload::{DeliveryStep, Generator, Messages, Role, Spec, TopicMessage, Workload};
use kuu_frame::{FrameFormat, Member, fast::FastParser};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::ops::RangeInclusive;
use std::sync::Arc;

/// How many standard deviations an estimate may be off.
const DEVIATIONS: f64 = 4.0;
/// The least time between two sets of the epilogue, in seconds.
const HOUR: i64 = 3_600;

/// A workload of the race.
#[derive(Clone)]
pub struct RaceWorkload {
    /// Its name, as topics and directories have it.
    pub name: String,
    /// As the command line has it: its name, or a file.
    pub given: String,
    /// What it is.
    pub workload: Workload,
    /// What it asks.
    pub question: Arc<Question>,
}

impl RaceWorkload {
    /// The same frames and the same question, and nothing breaks.
    pub fn calm(&self) -> RaceWorkload {
        let workload = Workload { meanwhile: Vec::new(), ..self.workload.clone() };
        RaceWorkload { name: format!("{}.calm", self.name), workload, ..self.clone() }
    }
}

/// What a workload asks of an engine: the users of every window of one unit.
pub struct Question {
    unit: Unit,
    last: i64,
    case: Case,
    truth: BTreeMap<Window, u64>,
    frames: BTreeMap<Window, u64>,
    source: Option<Source>,
}

/// The workload as it is raced: with the shortest of its units, and without an epilogue of its own, as the race sends
/// one where it is needed.
pub fn raced(workload: Workload) -> Workload {
    let unit = workload.frames.window.iter().min().copied().unwrap_or(Unit::Minute);
    let frames = Spec { window: vec![unit], ..workload.frames };
    Workload { frames, epilogue: false, ..workload }
}

impl Question {
    /// The question of a workload that is raced.
    ///
    /// # Errors
    /// If its frames cannot be made or read, or if it does not show the mistakes that it is there for.
    pub fn new(workload: &Workload, stop: &Stop) -> Result<Question> {
        let mut asking = Asking {
            builder: CaseBuilder::new(workload),
            parser: FastParser::new(&FrameFormat::default()),
            // The frames of a file may be of any time.
            last: if workload.file.is_some() { 0 } else { workload.frames.start },
            unit: workload.frames.window.first().copied().unwrap_or(Unit::Minute),
            frames: BTreeMap::new(),
        };
        let source = match &workload.file {
            None => {
                let generator = Generator::new(&workload.frames).map_err(|error| anyhow!(error))?;
                Messages::of_made(workload, &generator, |step| {
                    if stop.interrupted() {
                        bail!("interrupted");
                    }
                    let Ok(()) = asking.take(step);
                    Ok(())
                })?;
                None
            }
            Some(file) => asking.read(workload, file, stop)?,
        };
        let case = asking.builder.finish();
        let now = now_us() / 1_000_000;
        case.check_targets(&(now..=now + 60)).map_err(|error| anyhow!(error))?;
        let truth = case.bounds().iter().map(|(window, bounds)| (*window, bounds.max)).collect();
        Ok(Question { unit: asking.unit, last: asking.last, case, truth, frames: asking.frames, source })
    }

    /// The unit of its windows.
    pub fn unit(&self) -> Unit {
        self.unit
    }

    /// The latest plausible second of the data.
    pub fn last(&self) -> i64 {
        self.last
    }

    /// The event time between two sets of the epilogue, in seconds: each opens a window of its own.
    pub fn epilogue_step(&self) -> i64 {
        HOUR.max(2 * seconds(self.unit))
    }

    /// The users of every valid frame, by window.
    pub fn truth(&self) -> &BTreeMap<Window, u64> {
        &self.truth
    }

    /// The frames by window that every reader takes for the same, as they were sent.
    pub fn frames(&self) -> &BTreeMap<Window, u64> {
        &self.frames
    }

    /// The file with the frames, if they are not made.
    pub fn source(&self) -> Option<&Source> {
        self.source.as_ref()
    }

    /// Why engines that are right may give different answers, in words, if they may.
    pub fn doubt(&self) -> Option<String> {
        let dialects = self.case.dialects();
        let late = |(window, bounds): (&Window, &Bounds)| (bounds.min < bounds.max).then_some(*window);
        let windows: Vec<Window> = self.case.bounds().iter().filter_map(late).collect();
        match (dialects, windows.first()) {
            (0, None) => None,
            (0, Some(first)) => Some(format!(
                "{} of {} have frames that come so late that an engine may drop them, the first at {}",
                windows.len(),
                self.case.bounds().len(),
                first.start
            )),
            (n, _) => Some(format!("{} frames may be read in several ways: docs/frames.md", count(n as u64))),
        }
    }

    /// A test for windows of the epilogue, if one is sent: else a window there is one of a wrong answer.
    pub fn epilogue_test(&self, is_sent: bool) -> impl Fn(Window) -> bool + Send + 'static {
        let (last, step) = (self.last, self.epilogue_step());
        let data: std::collections::BTreeSet<Window> = self.truth.keys().copied().collect();
        move |window| {
            // The set within the window, if there is one: sets are at last + n * step, n from 1.
            let sets_before_end = (window.end - 1 - last).div_euclid(step);
            is_sent && sets_before_end >= 1 && last + sets_before_end * step >= window.start && !data.contains(&window)
        }
    }

    /// The users that each window may have in the end, by what an engine claims.
    pub fn accepted(&self, engine: &Descriptor) -> BTreeMap<Window, RangeInclusive<u64>> {
        ranges(engine, self.case.bounds())
    }

    /// Whether the answer has all frames, or all that the retention keeps.
    pub fn is_kept(&self, answers: &BTreeMap<Window, u64>) -> bool {
        let all = |users: fn(&Bounds) -> u64| {
            let answer = |window: &Window| answers.get(window).copied().unwrap_or(0);
            self.case.bounds().iter().all(|(window, bounds)| answer(window) == users(bounds))
        };
        all(|bounds| bounds.max) || all(|bounds| bounds.kept)
    }

    /// The answer that is accepted where sane engines differ, in words, if it is this one; or if it is as near to this one
    /// as the engine claims.
    pub fn named(&self, engine: &Descriptor, answers: &BTreeMap<Window, u64>) -> Option<String> {
        if let Some(accepted) = self.case.accepted(answers) {
            return Some(accepted.words.clone());
        }
        let others = self.case.answers().iter().filter(|other| is_within(answers, &ranges(engine, &other.bounds)));
        let words: Vec<&str> = others.map(|other| other.words.as_str()).collect();
        (!words.is_empty()).then(|| format!("{}, within its policy", words.join(", or ")))
    }

    /// The mistakes that give this answer, in words. `run` has the first and the last second of the engine.
    pub fn diagnose(&self, answers: &BTreeMap<Window, u64>, run: &RangeInclusive<i64>) -> Vec<String> {
        self.case.diagnose(answers, run).iter().map(ToString::to_string).collect()
    }
}

/// The users that each window may have in the end, by what an engine claims, if it reads the frames in this way.
fn ranges(engine: &Descriptor, bounds: &BTreeMap<Window, Bounds>) -> BTreeMap<Window, RangeInclusive<u64>> {
    let range = |bounds: &Bounds| {
        let least = if engine.late == Late::Drops { bounds.min.min(bounds.kept) } else { bounds.kept };
        match (engine.distinct, engine.rsd) {
            (Distinct::Approximate, Some(rsd)) => {
                let off = |users: u64| (users as f64 * rsd * DEVIATIONS).ceil() as u64;
                least.saturating_sub(off(least))..=bounds.max + off(bounds.max)
            }
            _ => least..=bounds.max,
        }
    };
    bounds.iter().map(|(window, bounds)| (*window, range(bounds))).collect()
}

/// Whether an answer has no other windows than these, and in each as many users as it may have.
pub fn is_within(answers: &BTreeMap<Window, u64>, accepted: &BTreeMap<Window, RangeInclusive<u64>>) -> bool {
    let users = |window: &Window| answers.get(window).copied().unwrap_or(0);
    accepted.iter().all(|(window, accepted)| accepted.contains(&users(window)))
        && answers.keys().all(|window| accepted.contains_key(window))
}

/// Takes the messages of a workload.
struct Asking {
    builder: CaseBuilder,
    parser: FastParser,
    last: i64,
    unit: Unit,
    frames: BTreeMap<Window, u64>,
}

impl Asking {
    fn take(&mut self, step: DeliveryStep<'_>) -> Result<(), Infallible> {
        if let DeliveryStep::Send(TopicMessage { role: Role::Data { is_wild: false }, value: Some(value), .. }) = step
            && let Ok(root) = self.parser.root(value)
            && let Member::Good(ts) = root.ts
        {
            self.last = self.last.max(ts);
            if root.frame().is_ok() {
                *self.frames.entry(self.unit.window(ts)).or_default() += 1;
            }
        }
        self.builder.take(step);
        Ok(())
    }

    fn read(&mut self, workload: &Workload, file: &str, stop: &Stop) -> Result<Option<Source>> {
        let mut messages = Messages::new(workload);
        let mut reading = several::read(
            &[file.to_owned()],
            workload.part.frames,
            stop,
            |_| {},
            |_, block| {
                for (_, line) in block.lines().filter(|(_, line)| !is_blank(line)) {
                    let Ok(()) = messages.file_line(line, |step| self.take(step));
                }
                true
            },
        );
        if let Some(error) = reading.error.take() {
            return Err(error.into());
        }
        let Ok(()) = messages.end(|step| self.take(step));
        Ok(reading.sources.pop())
    }
}
