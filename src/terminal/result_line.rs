//! One result in one line, as it comes.

use super::count;
use kuu_core::counter::Timing;
use kuu_core::result::Row;

/// The result as a line of 60 columns: `2016-07-11 13:39     1,739 users     2,129 frames on time`; a correction is `late`
/// with its number.
pub fn result_line(row: &Row) -> String {
    let frames = row.count.frames.map_or_else(String::new, |frames| format!(" {:>9} frames", count(frames)));
    let timing = match (row.timing, row.revision) {
        (Some(Timing::Early), _) => "early".into(),
        (_, Some(0)) | (Some(Timing::OnTime), None) => "on time".into(),
        (_, Some(revision)) => format!("late {}", count(revision.into())),
        (Some(Timing::Late), None) => "late".into(),
        (None, None) => String::new(),
    };
    format!("{} {:>9} users{frames} {timing}", row.window.label(), count(row.count.users)).trim_end().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use kuu_core::result::Count;
    use kuu_core::window::Unit;

    #[test]
    fn lines() {
        let row = |frames, timing, revision| Row {
            window: Unit::Minute.window(1_468_244_345),
            count: Count { users: 1739, frames },
            revision,
            timing,
            is_approximate: false,
        };
        for (row, line) in [
            (
                row(Some(2129), Some(Timing::OnTime), Some(0)),
                "2016-07-11 13:39     1,739 users     2,129 frames on time",
            ),
            (
                row(Some(2130), Some(Timing::Late), Some(12)),
                "2016-07-11 13:39     1,739 users     2,130 frames late 12",
            ),
            (row(Some(9), Some(Timing::Early), None), "2016-07-11 13:39     1,739 users         9 frames early"),
            (row(None, None, None), "2016-07-11 13:39     1,739 users"),
        ] {
            assert_eq!(result_line(&row), line);
        }
    }
}
