//! An input without an end: the frames of a file again and again, each time later, so that windows follow each other.

use crate::engine::stop::Stop;
use crate::input::{is_blank, several};
use crate::kafka::admin::Cluster;
use crate::kafka::produce::fitting::sender_for;
use crate::race::descriptor::Descriptor;
use crate::race::feeding::all_of;
use crate::race::input::make_topic;
use crate::race::question::RaceWorkload;
use anyhow::{Context as _, Result, bail};
use kuu_core::configuration::Compression;
use kuu_core::window::{Unit, Window};
use kuu_core::workload::Spec;
use kuu_frame::{FrameFormat, Later, Root, fast::FastParser};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// Above so many bytes the frames are compressed, so that the topic fits into the memory of the machine.
const PLAIN_BYTES: u64 = 4 << 30;

/// The frames of a file, several times.
pub struct Stream<'a> {
    base: &'a RaceWorkload,
    unit: Unit,
    /// How much later each time is than the one before, in seconds.
    shift_s: i64,
    times: u64,
    /// Bytes of a frame, about.
    frame_bytes: u64,
}

impl<'a> Stream<'a> {
    /// At least so many frames; each has about so many bytes.
    ///
    /// # Errors
    /// If the windows have no fixed length.
    pub fn new(base: &'a RaceWorkload, frames: u64, frame_bytes: u64) -> Result<Stream<'a>> {
        let unit = base.question.unit();
        if matches!(unit, Unit::Month | Unit::Year) {
            bail!(
                "windows of a {unit} have no fixed length, so that frames cannot be repeated: race with shorter ones"
            );
        }
        let windows = base.question.frames();
        let (first, last) = windows.keys().next().zip(windows.keys().next_back()).context("no frame")?;
        let shift_s = last.end - first.start;
        let once: u64 = windows.values().sum();
        Ok(Stream { base, unit, shift_s, times: frames.div_ceil(once.max(1)).max(1), frame_bytes })
    }

    /// How much later each time is than the one before, in seconds.
    pub fn shift_s(&self) -> i64 {
        self.shift_s
    }

    /// The number of frames that count.
    pub fn len(&self) -> u64 {
        self.times * self.base.question.frames().values().sum::<u64>()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The partitions, and the windows.
    pub fn spec(&self) -> &Spec {
        &self.base.workload.frames
    }

    /// The unit of the windows.
    pub fn unit(&self) -> Unit {
        self.unit
    }

    /// How its frames are compressed.
    pub fn compression(&self) -> Compression {
        if self.len() * self.frame_bytes > PLAIN_BYTES { Compression::Zstd } else { Compression::None }
    }

    /// The frames of each window.
    pub fn frames(&self) -> BTreeMap<Window, u64> {
        self.repeated(self.base.question.frames())
    }

    /// The users of each window.
    pub fn truth(&self) -> BTreeMap<Window, u64> {
        self.repeated(self.base.question.truth())
    }

    /// The users that each window may have in the end, by what an engine claims.
    pub fn accepted(&self, engine: &Descriptor) -> BTreeMap<Window, RangeInclusive<u64>> {
        self.repeated(&self.base.question.accepted(engine))
    }

    fn repeated<T: Clone>(&self, windows: &BTreeMap<Window, T>) -> BTreeMap<Window, T> {
        let shifts = (0..self.times).map(|time| time as i64 * self.shift_s);
        let at =
            |shift: i64| windows.iter().map(move |(window, of)| (self.unit.window(window.start + shift), of.clone()));
        shifts.flat_map(at).collect()
    }

    /// Makes the topic, and sends all frames.
    ///
    /// # Errors
    /// If the broker refuses, a frame is lost, or the file cannot be read again.
    pub fn fill(&self, cluster: &Cluster, topic: &str, stop: &Stop, tell: impl Fn(u64)) -> Result<()> {
        make_topic(cluster, topic, self.base.workload.frames.partitions)?;
        let mut sender = sender_for(cluster, topic, self.compression(), &[])?.until(stop);
        let (mut parser, mut later) = (FastParser::new(&FrameFormat::default()), Later::new(&FrameFormat::default()));
        let mut sent = 0;
        for time in 0..self.times {
            let shift = (time as i64 * self.shift_s) as u64;
            let mut reading = several::read(
                std::slice::from_ref(&self.base.given),
                None,
                stop,
                |_| {},
                |_, block| {
                    for (_, line) in block.lines().filter(|(_, line)| !is_blank(line)) {
                        let key = parser.root(line).ok().and_then(Root::key);
                        let moved = if shift > 0 { later.by_seconds(line, shift) } else { None };
                        sender.lend(key, moved.unwrap_or(line), Some(block), 0);
                        sent += 1;
                    }
                    tell(sent);
                    !stop.interrupted()
                },
            );
            if let Some(error) = reading.error.take() {
                return Err(error.into());
            }
            if stop.interrupted() {
                bail!("interrupted");
            }
        }
        all_of(sender, topic, sent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::race::input::Task;
    use kuu_core::workload::FilePart;

    #[test]
    fn windows_follow_each_other() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("frames").display().to_string();
        std::fs::write(&file, "{\"uid\":\"a\",\"ts\":70}\n{\"uid\":\"b\",\"ts\":100}\n{\"uid\":\"a\",\"ts\":130}\n")
            .unwrap();
        let task = Task { file, unit: Unit::Minute, partitions: 1, lateness: 5 };
        let base = task.input("all", FilePart::default(), &Stop::default()).unwrap();
        let stream = Stream::new(&base, 4, 25).unwrap();
        let at = |starts: [i64; 4], of: [u64; 4]| -> BTreeMap<Window, u64> {
            starts.into_iter().map(|start| Unit::Minute.window(start)).zip(of).collect()
        };
        assert_eq!((stream.len(), stream.compression()), (6, Compression::None));
        assert_eq!(stream.frames(), at([60, 120, 180, 240], [2, 1, 2, 1]));
        assert_eq!(stream.truth(), at([60, 120, 180, 240], [2, 1, 2, 1]));
        assert_eq!(Stream::new(&base, 200_000_000, 25).unwrap().compression(), Compression::Zstd);
    }
}
