//! What `kuu generate` has of the speed that gzip allows: time to deflate blocks that lie ready in memory, beside the time
//! to make them, deflate them and know their truth. One thread; every round does each in turn, and medians are shown.
//! `cargo bench -p kuu-core --bench gzip_share`.

use flate2::{Compression, write::GzEncoder};
use kuu_core::workload::{GeneratedBlock, Generator, Oracle, Spec};
use std::io::{self, Write};
use std::time::Instant;

const ROUNDS: usize = 9;
const STREAM_BYTES: u64 = 40_000_000;

fn main() -> io::Result<()> {
    [Spec::default().frame_bytes, 200].into_iter().try_for_each(table)
}

fn table(frame_bytes: u32) -> io::Result<()> {
    let frames = STREAM_BYTES / u64::from(frame_bytes);
    let spec = Spec { frames, frame_bytes, rate: 1_000.0, users: 100_000, ..Spec::default() };
    let generator = Generator::new(&spec).map_err(io::Error::other)?;
    let mut ready: Vec<GeneratedBlock> = (0..generator.blocks()).map(|_| GeneratedBlock::default()).collect();
    (0..).zip(&mut ready).for_each(|(number, block)| generator.fill(number, block));
    let bytes: usize = ready.iter().map(|block| block.bytes().len()).sum();
    let mut out = io::stdout().lock();
    writeln!(out, "{frames} frames of {frame_bytes} bytes; us a frame\nlevel   gzip  whole  share  ratio")?;
    for level in [1, 2, 3, 4, 6] {
        let (mut alone, mut whole, mut packed) = (Vec::new(), Vec::new(), 0);
        for _ in 0..ROUNDS {
            packed = 0;
            alone.push(seconds(|| ready.iter().for_each(|block| packed += pack(block.bytes(), level))));
            whole.push(seconds(|| {
                let (mut oracle, mut block) = (Oracle::new(&spec), GeneratedBlock::default());
                for number in 0..generator.blocks() {
                    generator.fill(number, &mut block);
                    pack(block.bytes(), level);
                    oracle.take(&block);
                }
                assert_eq!(oracle.finish().header.totals.counted, frames);
            }));
        }
        let (alone, whole) = (median(alone), median(whole));
        let a_frame = 1e6 / frames as f64;
        let ratio = bytes as f64 / packed as f64;
        let (gzip, all) = (alone * a_frame, whole * a_frame);
        writeln!(out, "{level:>5}  {gzip:>5.2}  {all:>5.2}   {:.2}  {ratio:>5.2}", alone / whole)?;
    }
    Ok(())
}

/// Length of the member that these bytes become.
fn pack(bytes: &[u8], level: u32) -> usize {
    let mut encoder = GzEncoder::new(Vec::with_capacity(1 << 20), Compression::new(level));
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("a vector takes everything").len()
}

fn seconds(what: impl FnOnce()) -> f64 {
    let started = Instant::now();
    what();
    started.elapsed().as_secs_f64()
}

fn median(mut of: Vec<f64>) -> f64 {
    of.sort_by(f64::total_cmp);
    of[of.len() / 2]
}
