//! Makes the blocks of a stream, each by itself.

use super::block::{GeneratedBlock, Meant, Place};
use super::calendar;
use super::damage::{self, Form};
use super::dice::Dice;
use super::frame_writer::FrameWriter;
use super::names::Names;
use super::schedule::{Partitions, Schedule};
use super::spec::{FIVE_YEARS, Spec, YEARS_AGO, is_of_form};
use super::trouble::{Amount, Kind, Share};
use super::users::Users;
use crate::window::Unit;
use std::collections::BTreeMap;

/// Bytes of a block, about.
const BLOCK_BYTES: u64 = 2_000_000;

/// More bytes than a frame has beyond its length, on average.
const ROOM: usize = 64;

/// Frames that are made to learn how long they are.
const SAMPLE: u64 = 1_000;

/// How far ahead of its partition the stamp of a single frame may be, in seconds, and still move the clock.
const PLAUSIBLE: i64 = 3_600;

/// How many lines back the first of two equal frames is, at most.
const DUPLICATE_WITHIN: usize = 64;

/// Makes the stream of one specification.
pub struct Generator {
    spec: Spec,
    users: Users,
    schedule: Schedule,
    partitions: Partitions,
    writer: FrameWriter,
    times: Vec<Choice<Time>>,
    forms: Vec<Choice<Form>>,
    hot: Vec<usize>,
    singles: BTreeMap<u64, usize>,
}

/// What is drawn if the dice show less than `below` (of 2^32), and no choice before it is drawn.
struct Choice<T> {
    below: u64,
    /// Index in the counts of a block.
    count: usize,
    what: T,
}

/// What becomes of the time of a frame.
enum Time {
    /// It lies back by at least the first and at most the second number of seconds.
    Back(i64, i64),
    /// It is the first or the last second of a window of this unit.
    Edge(Unit),
}

impl Generator {
    /// A generator of this stream.
    ///
    /// # Errors
    /// What is wrong with the specification.
    pub fn new(spec: &Spec) -> Result<Generator, String> {
        spec.check()?;
        let indexed = || spec.troubles.iter().enumerate();
        let forms = indexed().filter(|(_, trouble)| is_of_form(trouble.kind));
        let forms = forms.filter_map(|(i, trouble)| Some((trouble.share(), i, Form::of(trouble.kind)?)));
        let delay =
            (spec.delay > 0).then(|| (spec.delay_probability, spec.troubles.len(), Time::Back(1, spec.delay.into())));
        let times = indexed().filter_map(|(i, trouble)| Some((trouble.share(), i, time(spec, trouble.kind)?)));
        Ok(Generator {
            users: Users::new(spec.seed, spec.users, spec.skew),
            schedule: Schedule::new(spec),
            partitions: Partitions::new(spec),
            writer: FrameWriter::new(spec.frame_bytes),
            times: choices(times.chain(delay)),
            forms: choices(forms),
            hot: indexed().filter(|(_, trouble)| trouble.kind == Kind::Hot).map(|(i, _)| i).collect(),
            singles: singles(spec),
            spec: spec.clone(),
        })
    }

    /// The specification.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// How many frames of this specification have about `bytes` bytes, without its troubles.
    ///
    /// # Errors
    /// What is wrong with the specification.
    pub fn frames_of(spec: &Spec, bytes: u64) -> Result<u64, String> {
        let plain = Spec { frames: SAMPLE, troubles: Vec::new(), ..spec.clone() };
        let (generator, mut block) = (Generator::new(&plain)?, GeneratedBlock::default());
        generator.fill(0, &mut block);
        let (len, frames) = (block.bytes().len() as u64, block.lines().count() as u64);
        Ok((u128::from(bytes) * u128::from(frames) / u128::from(len.max(1))).clamp(1, 1 << 53) as u64)
    }

    /// The id of a user.
    pub fn uid(&self, user: u32) -> String {
        self.users.uid(user).iter().copied().map(char::from).collect()
    }

    /// Number of blocks of the stream.
    pub fn blocks(&self) -> u64 {
        self.spec.frames.div_ceil(self.lines_of_a_block())
    }

    fn lines_of_a_block(&self) -> u64 {
        BLOCK_BYTES.div_ceil(self.spec.frame_bytes.into())
    }

    /// Makes block `number`, from 0, in place of what `block` holds. The blocks may be made in any order.
    pub fn fill(&self, number: u64, block: &mut GeneratedBlock) {
        block.clear(self.spec.troubles.len());
        let mut dice = Dice::new(self.spec.seed, number);
        // At once: growing costs a copy each time.
        block.page.reserve(self.lines_of_a_block() as usize * (self.spec.frame_bytes as usize + ROOM));
        let first = number * self.lines_of_a_block();
        block.up_to = (first + self.lines_of_a_block()).min(self.spec.frames);
        for index in first..block.up_to {
            self.line(index, &mut dice, block);
        }
    }

    #[inline]
    fn line(&self, index: u64, dice: &mut Dice, block: &mut GeneratedBlock) {
        let user = self.user(dice, block);
        let chance = dice.next();
        let single = self.singles.get(&index).copied();
        let place = self.partitions.place(index, user);
        let mut partition = place.partition;
        if let Some(Amount::Partition(forced)) = single.map(|trouble| self.spec.troubles[trouble].value) {
            partition = forced;
        }
        if let Some(trouble) = self.schedule.pause(index) {
            block.counts[trouble] += 1;
        }
        let mut frame = Planned {
            user,
            ts: self.schedule.due(index) + self.partitions.shift(partition),
            is_wild: false,
            bytes: self.spec.frame_bytes,
            partition,
            form: Form::Plain,
        };
        match single {
            Some(trouble) => {
                block.counts[trouble] += 1;
                frame.single(self.spec.troubles[trouble].kind);
            }
            None => self.trouble(index, chance, dice, &mut frame, block),
        }
        if let Some(trouble) = place.diverted_by.filter(|_| single.is_none() && frame.form != Form::Duplicate) {
            block.counts[trouble] += 1;
        }
        self.write(&frame, dice, block);
    }

    fn user(&self, dice: &mut Dice, block: &mut GeneratedBlock) -> u32 {
        let user = self.users.draw(dice);
        match self.hot.iter().find(|trouble| dice.hits(self.spec.troubles[**trouble].share())) {
            Some(trouble) => {
                block.counts[*trouble] += 1;
                0
            }
            None => user,
        }
    }

    /// Draws the troubles that a share of all frames has.
    #[inline]
    fn trouble(&self, index: u64, chance: u64, dice: &mut Dice, frame: &mut Planned, block: &mut GeneratedBlock) {
        if let Some(choice) = draw(&self.forms, chance & 0xffff_ffff) {
            let is_possible = choice.what != Form::Duplicate || self.duplicate(index, dice, block);
            if is_possible {
                block.counts[choice.count] += 1;
                frame.form = choice.what;
            }
        }
        if !frame.form.is_frame() || !self.schedule.is_settled(index) {
            return;
        }
        if let Some(choice) = draw(&self.times, chance >> 32) {
            block.counts[choice.count] += 1;
            match choice.what {
                Time::Back(least, most) => frame.ts -= dice.between(least, most),
                Time::Edge(unit) => {
                    let (start, end) = calendar::window(unit, frame.ts);
                    let edge = if dice.below(2) == 0 { start } else { end - 1 };
                    frame.is_wild = edge > frame.ts + PLAUSIBLE;
                    frame.ts = edge;
                }
            }
        }
    }

    /// Copies an earlier line to the end of the block, unless there is none that may come twice.
    fn duplicate(&self, index: u64, dice: &mut Dice, block: &mut GeneratedBlock) -> bool {
        let Some(most) = u32::try_from(block.lines.len().min(DUPLICATE_WITHIN)).ok().filter(|most| *most > 0) else {
            return false;
        };
        let original = block.lines[block.lines.len() - 1 - dice.below(most) as usize];
        let is_plain = matches!(original.meant, Meant::Frame { is_wild: false, .. });
        let is_long = original.end - original.start > 4 * self.spec.frame_bytes as usize;
        let is_possible = self.schedule.is_settled(index) && self.partitions.speaks(original.partition, index);
        if !is_plain || is_long || !is_possible {
            return false;
        }
        let start = block.page.len();
        block.page.reserve(original.end - original.start + 2);
        block.page.repeat(original.start..original.end);
        block.lines.push(Place { start, end: block.page.len(), ..original });
        true
    }

    fn write(&self, frame: &Planned, dice: &mut Dice, block: &mut GeneratedBlock) {
        if frame.form != Form::Duplicate {
            let start = block.page.len();
            let (uid_form, ts_form) = frame.form.names();
            let names = Names { uid: self.users.uid(frame.user), ts: frame.ts, uid_form, ts_form };
            let reason = damage::put(&self.writer, &mut block.page, dice, frame.form, frame.bytes, &names);
            let meant = match reason {
                _ if frame.form == Form::Blank => Meant::Blank,
                Some(reason) => Meant::Malformed(reason),
                None => Meant::Frame { user: frame.user, ts: frame.ts, is_wild: frame.is_wild },
            };
            block.lines.push(Place { start, end: block.page.len(), partition: frame.partition, meant });
        }
        let partition = block.lines.last().map_or(0, |line| line.partition);
        for trouble in self.partitions.shifted_by(partition) {
            block.counts[*trouble] += 1;
        }
        if self.spec.crlf {
            block.page.byte(b'\r');
        }
        block.page.byte(b'\n');
    }
}

/// A frame that is to be written.
struct Planned {
    user: u32,
    ts: i64,
    is_wild: bool,
    bytes: u32,
    partition: u16,
    form: Form,
}

impl Planned {
    /// A trouble that a frame has for its place in the stream.
    fn single(&mut self, kind: Kind) {
        match kind {
            Kind::Big => self.bytes = 1_000_000,
            Kind::Huge => self.bytes = 1_200_000,
            _ => {
                self.ts += FIVE_YEARS;
                self.is_wild = true;
            }
        }
    }
}

/// The change of time that a trouble is.
fn time(spec: &Spec, kind: Kind) -> Option<Time> {
    let lateness = i64::from(spec.lateness);
    let (least, most) = match kind {
        Kind::LateWithin => (1, lateness.max(1)),
        Kind::LateBeyond => (lateness + 61, lateness + 600),
        Kind::LateRetention => spec.beyond_retention(),
        Kind::Past => YEARS_AGO,
        Kind::Edges => return spec.window.iter().min().map(|unit| Time::Edge(*unit)),
        _ => return None,
    };
    Some(Time::Back(least, most))
}

fn choices<T>(all: impl Iterator<Item = (Share, usize, T)>) -> Vec<Choice<T>> {
    let mut below = 0;
    let choice = |(share, count, what): (Share, usize, T)| {
        below += share.threshold();
        Choice { below, count, what }
    };
    all.map(choice).collect()
}

#[inline]
fn draw<T>(choices: &[Choice<T>], chance: u64) -> Option<&Choice<T>> {
    choices.iter().find(|choice| chance < choice.below)
}

/// The troubles that frames have for their place in the stream, by the number of the frame.
fn singles(spec: &Spec) -> BTreeMap<u64, usize> {
    let mut singles = BTreeMap::new();
    let mut put = |wanted: u64, trouble: usize| {
        // The next place that is free, or else the last one.
        let is_free = |at: &u64| !singles.contains_key(at);
        let free = (wanted..spec.frames).find(is_free).or_else(|| (0..wanted).rev().find(is_free));
        if let Some(free) = free {
            singles.insert(free, trouble);
        }
    };
    for (i, trouble) in spec.troubles.iter().enumerate() {
        match (trouble.kind, trouble.value) {
            (Kind::FutureFirst, _) => put(0, i),
            (Kind::FutureMiddle, _) => put(spec.frames / 2, i),
            (Kind::FutureLast, _) => put(spec.frames.saturating_sub(1), i),
            (_, Amount::Count(count)) => {
                let count = u64::from(count);
                let place = |n: u64| (u128::from(2 * n + 1) * u128::from(spec.frames) / u128::from(2 * count)) as u64;
                (0..count).for_each(|n| put(place(n), i));
            }
            _ => {}
        }
    }
    singles
}
