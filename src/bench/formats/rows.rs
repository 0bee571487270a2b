//! What was measured, as a record has it.

use crate::bench::figures::{ns_per_frame, per_second};
use crate::bench::formats::cell::{Cell, Times};
use crate::bench::timing::{Timing, seconds, turns};
use kuu_core::configuration::Compression;
use kuu_core::formats::{Compared, FormatRow};
use kuu_core::record::{Figure, Record};
use kuu_core::statistics::{median, share};
use kuu_formats::Encoding;

/// Adds a row for each cell, the figures with their samples, and when these were taken.
pub fn fill(record: &mut Record, cells: &[Cell<'_>]) {
    record.turns = turns(cells.iter().flat_map(timings));
    for cell in cells {
        let Some(json) = find(cells, Encoding::ALL[0], cell.compression) else { continue };
        let frames = cell.frames.len() as u64;
        let mut add = |what: &str, samples: Vec<f64>, of_json: Vec<f64>| {
            let compared = Compared { median: median(&samples), ratio_to_json: share(&samples, &of_json) };
            if samples.is_empty() {
                return None;
            }
            let name = FormatRow::figure_name(cell.encoding.name(), cell.compression, what);
            record.figures.insert(name, Figure { value: compared.median, samples, ceiling: None });
            Some(compared)
        };
        let per_frame = |bytes: u64| vec![bytes as f64 / frames.max(1) as f64];
        let values = |cell: &Cell<'_>| per_frame(value_bytes(cells, cell));
        let stored = |cell: &Cell<'_>| per_frame(cell.stored_bytes());
        let (mine, of_json) = (&cell.times, &json.times);
        let ns = |timings: &[Timing]| ns_per_frame(frames, &seconds(timings));
        let rate = |timings: &[Timing]| per_second(frames, &seconds(timings));
        let row = FormatRow {
            format: cell.encoding.name().into(),
            compression: cell.compression,
            frames,
            messages: cell.groups.len() as u64,
            batches: cell.batches.len() as u64,
            value_bytes_per_frame: add("value_bytes_per_frame", values(cell), values(json)).unwrap_or_default(),
            stored_bytes_per_frame: add("stored_bytes_per_frame", stored(cell), stored(json)).unwrap_or_default(),
            encode_ns_per_frame: add("encode_ns_per_frame", ns(&mine.encode), ns(&of_json.encode)),
            read_whole_ns_per_frame: add("read_whole_ns_per_frame", ns(&mine.read_whole), ns(&of_json.read_whole)),
            read_skip_ns_per_frame: add("read_skip_ns_per_frame", ns(&mine.read_skip), ns(&of_json.read_skip)),
            kafka_send_frames_per_s: add("kafka_send_frames_per_s", rate(&mine.send), rate(&of_json.send)),
            kafka_read_frames_per_s: add("kafka_read_frames_per_s", rate(&mine.receive), rate(&of_json.receive)),
            wrong_frames: cell.wrong_frames,
            loses: cell.encoding.loses().into(),
            validates: cell.encoding.validates().into(),
            skips: cell.encoding.skips().into(),
        };
        record.formats.push(row);
    }
}

/// The times of a cell, by the stages of a record.
fn timings(cell: &Cell<'_>) -> impl Iterator<Item = (String, Timing)> {
    let Times { encode, read_whole, read_skip, send, receive } = &cell.times;
    let stages = [
        ("encode", encode),
        ("read_whole", read_whole),
        ("read_skip", read_skip),
        ("kafka_send", send),
        ("kafka_read", receive),
    ];
    stages.into_iter().flat_map(|(what, timings)| {
        let stage = FormatRow::figure_name(cell.encoding.name(), cell.compression, what);
        timings.iter().map(move |timing| (stage.clone(), *timing))
    })
}

fn find<'c, 'i>(cells: &'c [Cell<'i>], encoding: Encoding, compression: Compression) -> Option<&'c Cell<'i>> {
    cells.iter().find(|cell| (cell.encoding, cell.compression) == (encoding, compression))
}

/// Bytes of the values of messages, which only batches without compression show.
fn value_bytes(cells: &[Cell<'_>], cell: &Cell<'_>) -> u64 {
    let mut bytes = 0;
    for batch in find(cells, cell.encoding, Compression::None).map_or(&[][..], |plain| &plain.batches) {
        let read = kuu_formats::values(&batch.packed, |value| {
            bytes += value.len() as u64;
            Ok(())
        });
        debug_assert!(read.is_ok());
    }
    bytes
}
