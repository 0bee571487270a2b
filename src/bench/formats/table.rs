//! The formats as a table.

use crate::terminal::{plural, rate, table};
use kuu_core::configuration::Compression;
use kuu_core::formats::{Compared, FormatRow};

/// The table of one compression: each figure with its ratio to JSON.
pub fn text(rows: &[FormatRow], compression: Compression) -> String {
    let rows: Vec<&FormatRow> = rows.iter().filter(|row| row.compression == compression).collect();
    let kafka = rows.iter().any(|row| row.kafka_send_frames_per_s.is_some());
    let mut titles = vec!["compression".to_owned() + " " + &compression.to_string()];
    let mut figures = vec!["bytes/frame", "encode ns", "read, whole ns", "read, skip ns"];
    if kafka {
        figures.extend(["sent/s", "read/s"]);
    }
    titles.extend(figures.into_iter().flat_map(|title| [title.to_owned(), "x".into()]));
    let mut lines = vec![titles];
    lines.extend(rows.iter().map(|row| line(row, kafka)));
    table(&lines)
}

fn line(row: &FormatRow, kafka: bool) -> Vec<String> {
    let mut cells = vec![row.format.clone()];
    let mut add = |figure: Option<Compared>| {
        cells.push(figure.map_or_else(|| "-".into(), |figure| rate(figure.median)));
        cells.push(figure.map_or_else(|| "-".into(), |figure| format!("{:.2}", figure.ratio_to_json)));
    };
    add(Some(row.stored_bytes_per_frame));
    add(row.encode_ns_per_frame);
    add(row.read_whole_ns_per_frame);
    add(row.read_skip_ns_per_frame);
    if kafka {
        add(row.kafka_send_frames_per_s);
        add(row.kafka_read_frames_per_s);
    }
    if row.wrong_frames > 0 {
        cells.push(changed(row));
    }
    cells
}

/// That a format changes answers, in words.
pub fn changed(row: &FormatRow) -> String {
    format!("CHANGES the answer of {}", plural(row.wrong_frames, "frame"))
}

/// What each format loses: a line each.
pub fn losses(rows: &[FormatRow]) -> String {
    let first = rows.first().map(|row| row.compression);
    let mut lines = vec![vec!["format".to_owned(), "loses".into()]];
    let once = rows.iter().filter(|row| Some(row.compression) == first);
    lines.extend(once.map(|row| vec![row.format.clone(), row.loses.clone()]));
    let width = lines.iter().map(|line| line[0].chars().count()).max().unwrap_or(0);
    lines.iter().map(|line| format!("{:<width$}  {}", line[0], line[1])).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(format: &str, wrong_frames: u64) -> FormatRow {
        let compared = |median, ratio_to_json| Some(Compared { median, ratio_to_json });
        FormatRow {
            format: format.into(),
            compression: Compression::Lz4,
            stored_bytes_per_frame: Compared { median: 1_234.4, ratio_to_json: 0.5 },
            encode_ns_per_frame: compared(800.0, 1.25).filter(|_| wrong_frames == 0),
            loses: "nothing".into(),
            wrong_frames,
            ..FormatRow::default()
        }
    }

    #[test]
    fn a_row_has_its_ratios_and_what_is_wrong() {
        let rows = [row("json", 0), row("cbor", 2)];
        let printed = text(&rows, Compression::Lz4);
        let lines: Vec<Vec<&str>> = printed.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(lines[1], ["json", "1,234", "0.50", "800", "1.25", "-", "-", "-", "-"]);
        let cbor =
            ["cbor", "1,234", "0.50", "-", "-", "-", "-", "-", "-", "CHANGES", "the", "answer", "of", "2", "frames"];
        assert_eq!(lines[2], cbor);
        assert_eq!(text(&rows, Compression::Zstd).lines().count(), 1);
        assert_eq!(losses(&rows), "format  loses\njson    nothing\ncbor    nothing");
    }
}
