//! Frames of files to a topic.

use crate::engine::stop::Stop;
use crate::input::several::{self, Reading};
use crate::input::{Progress, is_blank};
use crate::kafka::produce::frame_sender::Sender;
use kuu_frame::{Parser, ParserKind};

/// Bits of a tag that hold the line; the file's index is above them.
const LINE_BITS: u32 = 48;

/// Which file and line a tag given to [`Sender::send`] stands for.
pub fn place(tag: usize) -> (usize, u64) {
    (tag >> LINE_BITS, tag as u64 & ((1 << LINE_BITS) - 1))
}

/// Sends the frames of `names`, `limit` at most: key = uid, or none where no uid can be read. Blank lines are passed over.
pub fn replay(
    names: &[String],
    limit: Option<u64>,
    parser: ParserKind,
    sender: &mut Sender,
    stop: &Stop,
    tell: impl Fn(&Progress) + Send + 'static,
) -> Reading {
    let mut parser = Parser::new(parser);
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
