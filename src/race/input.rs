//! The frames of a file on which engines race for speed: every engine that is right has one answer to them.

use crate::engine::stop::Stop;
use crate::kafka::admin::Cluster;
use crate::race::feeding::{FeedPace, deliver};
use crate::race::question::{Question, RaceWorkload};
use anyhow::{Result, bail};
use kuu_core::window::Unit;
use kuu_core::workload::{DeliveryPlan, Expected, FilePart, Spec, Tier, Workload};

/// What engines are asked to do with a file.
#[derive(Clone, Debug)]
pub struct Task {
    /// The file with the frames.
    pub file: String,
    /// The unit of the windows.
    pub unit: Unit,
    /// The partitions of the topic.
    pub partitions: u16,
    /// How long a window waits for frames that are out of order, in seconds.
    pub lateness: u32,
}

impl Task {
    /// A part of the file, and the answer to it. Each frame goes to the partition of its key.
    ///
    /// # Errors
    /// If the file cannot be read, has no frame, or has more than one right answer.
    pub fn input(&self, name: &str, part: FilePart, stop: &Stop) -> Result<RaceWorkload> {
        let spec =
            Spec { partitions: self.partitions, lateness: self.lateness, window: vec![self.unit], ..Spec::default() };
        let workload = Workload {
            why: "A race for speed.".into(),
            tier: Tier::Contract,
            targets: Vec::new(),
            accepts: Vec::new(),
            epilogue: false,
            file: Some(self.file.clone()),
            part,
            frames: spec,
            delivery: DeliveryPlan::default(),
            meanwhile: Vec::new(),
            expect: Expected::default(),
        };
        let question = Question::new(&workload, stop)?;
        if question.frames().is_empty() {
            bail!("{} has no frame: there is nothing to race on", self.file);
        }
        if let Some(doubt) = question.doubt() {
            bail!(
                "{}: {doubt}. A race for speed needs one right answer: race with a greater --lateness than {} s, or on \
                 frames without such trouble (kuu generate)",
                self.file,
                self.lateness
            );
        }
        Ok(RaceWorkload { name: name.to_owned(), given: self.file.clone(), workload, question: question.into() })
    }
}

/// Makes a topic that keeps what it gets.
///
/// # Errors
/// If the broker refuses.
pub fn make_topic(cluster: &Cluster, topic: &str, partitions: u16) -> Result<()> {
    cluster.create(topic, partitions.into(), 1, &[("retention.ms", "-1"), ("retention.bytes", "-1")])
}

/// Makes the topic of an input, and sends its frames.
///
/// # Errors
/// If the broker refuses, or a frame is lost.
pub fn fill(cluster: &Cluster, topic: &str, input: &RaceWorkload, stop: &Stop) -> Result<()> {
    make_topic(cluster, topic, input.workload.frames.partitions)?;
    deliver(cluster, topic, &input.workload, FeedPace::default(), stop)
}
