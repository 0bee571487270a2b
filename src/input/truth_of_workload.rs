//! The truth about a workload's messages in a topic: its frames are made anew, and counted as those of a file are.

use kuu_core::lines;
use kuu_core::truth::{self, Blocks, Truth};
use kuu_core::window::Unit;
use kuu_core::workload::{GeneratedBlock, Generator, Workload, epilogue};
use kuu_frame::{Malformed, Parser, ParserOptions};
use std::convert::Infallible;

/// Counts the frames of a workload, its epilogue, and so many messages without a value.
///
/// # Errors
/// If frames cannot be made of its specification.
pub fn count(workload: &Workload, tombstones: u64, options: &ParserOptions, units: &[Unit]) -> Result<Truth, String> {
    let generator = Generator::new(&workload.frames)?;
    let mut made =
        Made { generator, number: 0, block: GeneratedBlock::default(), lines: 0, last: workload.frames.start };
    let (mut truth, _) = truth::count(&mut made, options, &Truth::new(units), None);
    if workload.epilogue {
        let mut text = String::new();
        epilogue(&workload.frames, made.last, |_, _, frame| {
            text.push_str(frame);
            text.push('\n');
        });
        truth.add_block(&mut Parser::new(options), &lines::Block::new(text.into_bytes(), 1));
    }
    (0..tombstones).for_each(|_| truth.add(Err(Malformed::NotJson)));
    Ok(truth)
}

/// The blocks of a workload.
struct Made {
    generator: Generator,
    number: u64,
    block: GeneratedBlock,
    lines: u64,
    /// The latest time of a frame that is plausible.
    last: i64,
}

impl Blocks for Made {
    type Error = Infallible;

    fn next_block(&mut self, lines: &mut lines::Block) -> Result<bool, Infallible> {
        if self.number == self.generator.blocks() {
            return Ok(false);
        }
        self.generator.fill(self.number, &mut self.block);
        self.number += 1;
        let bytes = self.block.bytes();
        lines.storage(bytes.len())[..bytes.len()].copy_from_slice(bytes);
        lines.fill(0, bytes.len(), self.lines + 1);
        for line in self.block.lines() {
            self.lines += 1;
            self.last = self.last.max(line.plausible_ts().unwrap_or(self.last));
        }
        Ok(true)
    }
}
