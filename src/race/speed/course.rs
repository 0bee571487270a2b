//! The course of a race for speed: which engine runs on what, and when.

use crate::race::input::{Task, fill};
use crate::race::question::RaceWorkload;
use crate::race::samples::RaceSamples;
use crate::race::speed::cold::{self, SpeedSetup, TopicInput};
use crate::race::speed::field::{Field, Starter};
use crate::race::speed::quiet::{make_internal_topics, read_through};
use crate::race::speed::steady;
use crate::race::speed::stream::Stream;
use anyhow::{Context as _, Result};
use kuu_core::speed::{SampleKey, SpeedPhase, SpeedSample};
use kuu_core::workload::FilePart;
use std::time::Duration;

/// The parts of the file on which engines race: a sixteenth, a quarter, and the whole.
const SIZES: [u64; 3] = [16, 4, 1];
/// A steady input has more frames than the fastest engine takes by its cold rate: warm, it is faster.
const SPARE: f64 = 1.6;

/// What happens in a race.
pub enum Happening<'a> {
    /// An engine has run.
    Sample(&'a SpeedSample),
    /// The steady input is about to be sent.
    Filling(&'a Stream<'a>),
    /// So many frames of it are sent.
    Filled(u64),
}

/// A race that runs.
pub struct Course<'a> {
    /// What all runs share.
    pub speed: &'a SpeedSetup<'a>,
    /// The file, and what is asked of it.
    pub task: &'a Task,
    /// The engines.
    pub field: &'a Field<'a>,
    /// What was measured so far.
    pub samples: RaceSamples<SpeedSample>,
    /// How often everything is measured.
    pub rounds: u32,
    /// In how many of the first rounds there are steady runs.
    pub steady_rounds: u32,
    /// How long a steady run takes from its first row on.
    pub steady: Duration,
}

/// The topics of a race, each made when it is needed.
struct Topics<'a> {
    sizes: Vec<(u64, Option<TopicInput>)>,
    stream: Option<Stream<'a>>,
    stream_topic: String,
    is_streamed: bool,
}

impl Course<'_> {
    /// All rounds: in each every engine runs on every size, and then, in the first of them, on the steady input. `whole` has all frames of the
    /// file, each about so many bytes.
    ///
    /// # Errors
    /// If the broker fails, or the race is interrupted.
    pub fn run(&mut self, whole: &RaceWorkload, frame_bytes: u64, tell: impl Fn(Happening<'_>)) -> Result<()> {
        make_internal_topics(self.speed.race.cluster, &self.speed.race.id)?;
        let frames = whole.question.source().map_or(0, |source| source.frames);
        let mut sizes: Vec<(u64, Option<TopicInput>)> = SIZES.iter().map(|part| (frames / part, None)).collect();
        sizes.retain(|(frames, _)| *frames > 0);
        sizes.dedup_by_key(|(frames, _)| *frames);
        let stream_topic = format!("{}-steady-messages", self.speed.race.id);
        let mut topics = Topics { sizes, stream: None, stream_topic, is_streamed: false };
        let done = (1..=self.rounds).try_for_each(|round| {
            topics.sizes.iter_mut().try_for_each(|(frames, input)| self.cold_round(round, *frames, input, &tell))?;
            if round > self.steady_rounds {
                return Ok(());
            }
            let stream = match &mut topics.stream {
                Some(stream) => stream,
                none => none.insert(self.stream(whole, frame_bytes)?),
            };
            self.steady_round(round, stream, &topics.stream_topic, &mut topics.is_streamed, &tell)
        });
        let filled = topics.sizes.iter().filter_map(|(_, input)| Some(input.as_ref()?.topic.as_str()));
        let all: Vec<&str> = filled.chain(topics.is_streamed.then_some(topics.stream_topic.as_str())).collect();
        let deleted = self.speed.race.cluster.delete(&all);
        done.and(deleted)
    }

    /// An input that no engine should come to the end of, by what the fastest did in the first round.
    fn stream<'a>(&self, whole: &'a RaceWorkload, frame_bytes: u64) -> Result<Stream<'a>> {
        let is_first = |key: &SampleKey| key.phase == SpeedPhase::Cold && key.round == 1;
        let cold = self.samples.all().iter().filter(|sample| is_first(&sample.key));
        let fastest = cold.filter_map(SpeedSample::speed).fold(0.0, f64::max);
        Stream::new(whole, (fastest * SPARE * self.steady.as_secs_f64()) as u64, frame_bytes)
    }

    fn cold_round(
        &mut self,
        round: u32,
        frames: u64,
        input: &mut Option<TopicInput>,
        tell: &impl Fn(Happening<'_>),
    ) -> Result<()> {
        let mut is_read = false;
        for (turn, starter) in self.field.turns(round) {
            let key = SampleKey { phase: SpeedPhase::Cold, frames, round, turn, engine: starter.name.clone() };
            if self.is_over(starter, &key) {
                continue;
            }
            let input = match input {
                Some(input) => input,
                None => input.insert(self.topic_input(frames)?),
            };
            if !is_read {
                read_through(self.speed.race.cluster, &input.topic)?;
                is_read = true;
            }
            let sample = cold::run(self.speed, input, starter, key);
            self.add(sample.with_context(|| format!("engine {}", starter.name))?, tell)?;
        }
        Ok(())
    }

    /// A topic with the first frames of the file.
    fn topic_input(&self, frames: u64) -> Result<TopicInput> {
        let race = self.speed.race;
        let part = FilePart { frames: Some(frames), last_users: true };
        let of = self.task.input(&frames.to_string(), part, &race.stop)?;
        let topic = format!("{}-{frames}-messages", race.id);
        fill(race.cluster, &topic, &of, &race.stop)?;
        Ok(TopicInput { topic, of })
    }

    fn steady_round(
        &mut self,
        round: u32,
        stream: &Stream<'_>,
        topic: &str,
        is_there: &mut bool,
        tell: &impl Fn(Happening<'_>),
    ) -> Result<()> {
        for (turn, starter) in self.field.turns(round) {
            let engine = starter.name.clone();
            let key = SampleKey { phase: SpeedPhase::Steady, frames: stream.len(), round, turn, engine };
            if self.is_over(starter, &key) {
                continue;
            }
            if !*is_there {
                tell(Happening::Filling(stream));
                *is_there = true;
                let race = self.speed.race;
                stream.fill(race.cluster, topic, &race.stop, |sent| tell(Happening::Filled(sent)))?;
                tell(Happening::Filled(stream.len()));
            }
            let sample = steady::run(self.speed, stream, topic, starter, key, self.steady);
            self.add(sample.with_context(|| format!("engine {}", starter.name))?, tell)?;
        }
        Ok(())
    }

    /// Whether the engine does not run: it cannot, it was wrong before, or the sample is there.
    fn is_over(&self, starter: &Starter<'_>, key: &SampleKey) -> bool {
        starter.obstacle.is_some() || self.samples.wrong(&starter.name).is_some() || self.samples.has(key)
    }

    fn add(&mut self, sample: SpeedSample, tell: &impl Fn(Happening<'_>)) -> Result<()> {
        tell(Happening::Sample(&sample));
        self.samples.add(sample)
    }
}
