//! Sends the frames of files to a topic.

use crate::engine::stop::Stop;
use crate::input::several::{self, Reading};
use crate::input::{Progress, is_blank};
use crate::kafka::produce::frame_sender::Sender;
use kuu_frame::{Parser, ParserOptions};

/// Number of bits of a tag that hold the line; the higher bits hold the index of the file.
const LINE_BITS: u32 = 48;

/// The file and the line that a tag stands for.
pub fn place(tag: usize) -> (usize, u64) {
    (tag >> LINE_BITS, tag as u64 & ((1 << LINE_BITS) - 1))
}

/// Sends the frames of `names`, up to `limit`. The key is the uid, none without a readable uid. Blank lines are
/// skipped.
pub fn replay(
    names: &[String],
    limit: Option<u64>,
    options: &ParserOptions,
    sender: &mut Sender,
    stop: &Stop,
    tell: impl Fn(&Progress) + Send + 'static,
) -> Reading {
    let mut parser = Parser::new(options);
    several::read(names, limit, stop, tell, |file, block| {
        for (number, line) in block.lines() {
            if !is_blank(line) {
                let key = parser.root(line).ok().and_then(kuu_frame::Root::key);
                sender.send(key, line, file << LINE_BITS | number as usize);
            }
        }
        true
    })
}
