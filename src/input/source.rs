//! Files and standard input as a source of the counter: one partition, in the order of the lines.

use crate::engine::queue::{Event, Feed};
use crate::engine::stop::Stop;
use crate::input::progress::Progress;
use crate::input::several::{self, Reading};
use crate::system::fault::planted;
use kuu_core::frame_batch::Frames;
use kuu_core::lines::is_blank;
use kuu_frame::{Parser, ParserOptions};

/// A run of frames is handed over when it has this many bytes, and at the end of each block.
const RUN_BYTES: usize = 32 * 1024;

/// Reads the files `names` and sends their frames to the counter, as partition 0, with line numbers as offsets. Returns
/// when all files are read. After an error in an input, the partition ends with the frames before that place, which
/// count. After the death of a thread, that place is unknown, and the partition does not end.
pub fn feed(
    names: &[String],
    options: &ParserOptions,
    keep_values: bool,
    feed: &Feed,
    stop: &Stop,
    tell: impl Fn(&Progress) + Send + 'static,
) -> Reading {
    let mut parser = Parser::new(options);
    let mut run = Frames::default();
    let hand_over = |run: &mut Frames| {
        feed.send(Event::Frames(std::mem::replace(run, feed.spare())));
        run.restart(0);
    };
    let mut reading = several::read(names, None, stop, tell, |_, block| {
        for (number, line) in block.lines() {
            if is_blank(line) {
                run.blank += 1;
                continue;
            }
            run.push(number as i64, parser.parse(line));
            run.read_bytes += line.len() as u64;
            if keep_values {
                run.keep(line);
            }
            if run.bytes() >= RUN_BYTES {
                hand_over(&mut run);
            }
        }
        hand_over(&mut run);
        planted("parser");
        !stop.interrupted()
    });
    feed.send(match reading.error.take_if(|error| error.is_death()) {
        Some(death) => Event::Failed(death.into()),
        None => Event::Ended(0, -1),
    });
    reading
}
