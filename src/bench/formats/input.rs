//! The frames that are written in other formats.

use crate::bench::load::Load;
use kuu_core::ledger::Ledger;
use kuu_formats::Original;
use kuu_frame::FrameFormat;

/// The first frames of an input, and what else was read with them.
pub struct Input {
    /// The frames, in order.
    pub frames: Vec<Original>,
    /// How many values were read up to the last of them; `counted` are those frames. Malformed ones are left out.
    pub ledger: Ledger,
}

impl Input {
    /// The first `limit` frames of a load.
    pub fn of(load: &Load, limit: u64, format: &FrameFormat) -> Input {
        let mut input = Input { frames: Vec::new(), ledger: Ledger::default() };
        for (_, value) in load.iter() {
            if input.ledger.counted == limit {
                break;
            }
            match Original::read(value, format) {
                Ok(frame) => {
                    input.ledger.read += 1;
                    input.ledger.counted += 1;
                    input.frames.push(frame);
                }
                Err(reason) => input.ledger.malformed(reason),
            }
        }
        input
    }

    /// Bytes of the frames as they came.
    pub fn bytes(&self) -> u64 {
        self.frames.iter().map(|frame| frame.json.len() as u64).sum()
    }

    /// How many frames have objects with repeated names: some formats lose all but one of these members.
    pub fn with_repeated_names(&self) -> u64 {
        self.frames.iter().filter(|frame| frame.tree.repeated_names() > 0).count() as u64
    }
}
