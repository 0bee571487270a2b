//! Runs without readers: frames go in, and the tests check what the sink has at each commit.

use crate::engine::run::feeding::Run;
use crate::engine::sink::{Commit, Output, Sink};
use crate::engine::start::{RunOptions, Start};
use anyhow::Result;
use kuu_core::counter::{Config, Counter};
use kuu_core::frame_batch::Frames;
use kuu_core::ordered::Held;
use kuu_frame::Frame;

/// Stores all that it takes.
#[derive(Default)]
struct Recorder {
    ordered: Vec<i64>,
    dead_letters: Vec<(i64, &'static str)>,
    /// For each commit: the number of dead letters until then, and the state of the ordered output.
    commits: Vec<(usize, Held)>,
}

impl Sink for Recorder {
    fn take(&mut self, output: Output) -> Result<()> {
        match output {
            Output::Result(..) => {}
            Output::DeadLetter(letter, reason) => self.dead_letters.push((letter.offset, reason)),
            Output::Ordered(letter) => self.ordered.push(letter.offset),
        }
        Ok(())
    }

    fn commit(&mut self, commit: Commit<'_>) -> Result<()> {
        self.commits.push((self.dead_letters.len(), commit.held.expect("there is an ordered output")));
        Ok(())
    }
}

fn frames(partition: usize, first: i64, times: impl Iterator<Item = i64>) -> Frames {
    let mut frames = Frames::default();
    frames.restart(partition);
    for (offset, ts) in (first..).zip(times) {
        frames.push(offset, Ok(Frame { uid: "a", ts }));
        frames.keep(b"a");
    }
    frames
}

/// A frame that is refused while another partition is read again is sent before the commit that marks it as done: no
/// run reads the frame a second time.
#[test]
fn what_is_refused_while_a_partition_is_read_again_is_in_the_next_commit() {
    const NOW: i64 = 1_468_244_340;
    let mut counter = Counter::new(Config::default(), 2);
    for partition in 0..2 {
        for _ in 0..8 {
            counter.observe(partition, Ok(Frame { uid: "a", ts: NOW }));
        }
    }
    // Partition 0 has counted offsets up to 100, of which those from 8 on waited; partition 1 has nothing to read
    // again.
    let held = Held { released: NOW, from: vec![8, 8], passed: Default::default() };
    let start = Start { positions: vec![100, 8], held: Some(held) };
    let options = RunOptions { dead_letters: true, ordered: true, resumes: true, ..RunOptions::default() };
    let mut sink = Recorder::default();
    let mut run = Run::new(&mut counter, start, &mut sink, options).unwrap();
    run.frames(&frames(0, 8, (0..50).map(|_| NOW + 60))).unwrap();
    // One frame after its turn, one far ahead, and as many more frames as that one waits for.
    run.frames(&frames(1, 8, [NOW - 1, NOW + 1_000_000].into_iter().chain((0..33).map(|_| NOW)))).unwrap();
    run.commit(false).unwrap();
    let [(letters, held)] = &sink.commits[..] else { panic!("one commit") };
    assert_eq!(sink.dead_letters, [(8, "out_of_order"), (9, "far_ahead")]);
    assert_eq!(*letters, 2);
    assert_eq!((held.released, &held.from[..]), (NOW, &[8, 10][..]));
    assert_eq!(sink.ordered, Vec::<i64>::new());
    assert_eq!(counter.ledger().out_of_order, 2);
}
