//! What came of the frames: the record's part, the words, the exit status.

use crate::cli::ProduceArgs;
use crate::commands::exit_status::ExitStatus;
use crate::commands::produce::pacing;
use crate::commands::session::{Session, figure};
use crate::engine::schedule::Schedule;
use crate::kafka::produce::frame_sender::SendReport;
use crate::kafka::produce::replay::{self, Replayed};
use crate::terminal::{complain, count, megabytes, plural, rate, size, time};
use anyhow::Result;
use kuu_core::record::Record;
use std::time::Duration;

/// What was read, sent and acknowledged.
pub struct Produced {
    /// The files.
    pub replayed: Replayed,
    /// The answers of the brokers.
    pub outcome: SendReport,
    /// How the schedule was held, if there was one.
    pub schedule: Option<Schedule>,
    /// From the first file to the last answer.
    pub elapsed: Duration,
}

impl Produced {
    /// Adds sources and figures to the record.
    ///
    /// # Errors
    /// If the histogram of the schedule cannot be encoded.
    pub fn fill(&self, record: &mut Record) -> Result<()> {
        let Produced { replayed, outcome, .. } = self;
        let seconds = self.seconds();
        record.input = replayed.sources.clone();
        record.figures = [
            ("read_frames", replayed.frames as f64),
            ("delivered_frames", outcome.delivered as f64),
            ("delivered_bytes", outcome.delivered_bytes as f64),
            ("elapsed_us", seconds * 1e6),
            ("produce_frames_per_s", outcome.delivered as f64 / seconds),
            ("produce_bytes_per_s", outcome.delivered_bytes as f64 / seconds),
        ]
        .map(|(name, value)| (name.to_owned(), figure(value)))
        .into();
        self.schedule.as_ref().map_or(Ok(()), |schedule| pacing::fill(record, schedule))
    }

    fn seconds(&self) -> f64 {
        self.elapsed.as_secs_f64().max(1e-9)
    }

    /// What a reader of the record must know. Of a run that is not complete, the first one says why.
    pub fn remarks(&self, arguments: &ProduceArgs, session: &Session) -> Vec<String> {
        let Produced { replayed, outcome, schedule, .. } = self;
        let mut remarks = Vec::new();
        let topic = &arguments.topic;
        if outcome.unknown > 0 {
            let frames = plural(outcome.unknown, "frame");
            remarks.push(format!(
                "topic {topic} may have {frames} or not, which it did not acknowledge in time: fill it anew with `kuu produce \
                 --recreate FILE`"
            ));
        }
        if session.stop.interrupted() && arguments.pacing.repeats() {
            remarks.push(format!(
                "it was interrupted after {}, {}: fill topic {topic} anew with `kuu produce --recreate FILE`",
                plural(replayed.frames, "frame"),
                repeats(replayed)
            ));
        } else if !session.stop.interrupted()
            && let Some(schedule) = schedule
            && schedule.is_behind()
        {
            remarks.extend(pacing::words(schedule));
        }
        remarks
    }

    /// Says what came of the frames.
    pub fn report(&self, arguments: &ProduceArgs, session: &Session) {
        let Produced { replayed, outcome, schedule, elapsed } = self;
        let seconds = self.seconds();
        let screen = session.screen;
        screen.say(format!(
            "produced {} ({}) to {} in {}: {} frames/s, {} MB/s",
            plural(outcome.delivered, "frame"),
            size(outcome.delivered_bytes),
            arguments.topic,
            time(*elapsed),
            rate(outcome.delivered as f64 / seconds),
            megabytes(outcome.delivered_bytes as f64 / seconds),
        ));
        if arguments.pacing.repeats() {
            let days = plural(replayed.span.days_apart().into(), "day");
            screen.say(format!("repeats: {}, each {days} later in event time", repeats(replayed)));
        }
        if let Some(schedule) = schedule
            && let Some(words) = pacing::words(schedule)
        {
            if schedule.is_behind() { complain(words) } else { screen.say(words) }
        }
        if let Some(error) = &replayed.error {
            complain(format!("{error:#}"));
        }
        for (tag, why) in &outcome.failures {
            let (file, line) = replay::place(*tag);
            let file = arguments.files.get(file).map_or("?", String::as_str);
            complain(format!("{file}, line {line} was not delivered: {why}"));
        }
        if outcome.unsent + outcome.unanswered > 0 {
            complain(format!(
                "interrupted, and no broker answers any more: {} acknowledged; {} not sent; topic {} may have the other {} or \
                 not",
                plural(outcome.delivered, "frame"),
                count(outcome.unsent),
                arguments.topic,
                count(outcome.unanswered),
            ));
        }
        if outcome.delivered != replayed.frames || replayed.error.is_some() {
            complain(format!("{} frames read, {} delivered", count(replayed.frames), count(outcome.delivered)));
        }
    }

    /// The exit status; `is_replaced` if the topic is another one than at the start.
    pub fn status(&self, arguments: &ProduceArgs, session: &Session, is_replaced: bool) -> ExitStatus {
        let Produced { replayed, outcome, schedule, .. } = self;
        if replayed.error.is_some() || is_replaced {
            return ExitStatus::Incomplete;
        }
        // The frames that were given up after an interrupt are printed already, and expected.
        if outcome.failed == 0 && session.stop.interrupted() {
            return ExitStatus::Interrupted;
        }
        if outcome.delivered != replayed.frames {
            return ExitStatus::Incomplete;
        }
        if arguments.pacing.speed.is_some() && replayed.frames > 0 && replayed.span.is_empty() {
            complain("--speed needs event time, and no frame has one: all were sent at once");
            return ExitStatus::Incomplete;
        }
        match schedule {
            Some(schedule) if schedule.is_behind() => ExitStatus::Behind,
            _ => ExitStatus::Fine,
        }
    }
}

/// How often the input was sent: `3 whole`, or `2 whole and 120 frames of the next`.
fn repeats(replayed: &Replayed) -> String {
    match (replayed.whole, replayed.part) {
        (0, part) => format!("{} of the first", plural(part, "frame")),
        (whole, 0) => format!("{} whole", count(whole)),
        (whole, part) => format!("{} whole and {} of the next", count(whole), plural(part, "frame")),
    }
}
