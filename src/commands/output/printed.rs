//! Results as lines.

use crate::kafka::consume::whole_topic::ScannedMessage;
use crate::terminal::result_line::result_line;
use crate::terminal::{self, count, difference};
use kuu_core::result::{RowFormat, parse_key};
use kuu_core::verdict::Comparison;
use kuu_core::window::Unit;
use serde_json::json;

/// A table: one row a window, with its first answer beside the last.
pub fn table(found: &Comparison) -> String {
    let number = |n: Option<u64>| n.map_or_else(|| "-".into(), count);
    let mut rows = vec![["window", "users", "first answer", "change", "frames"].map(String::from).to_vec()];
    for line in &found.lines {
        let Some(answer) = line.answer else { continue };
        let change = line.first.map(|first| answer.users as i64 - first.users as i64);
        rows.push(vec![
            line.window.label(),
            count(answer.users),
            number(line.first.map(|first| first.users)),
            change.map_or_else(|| "-".into(), difference),
            number(answer.frames),
        ]);
    }
    if rows.len() == 1 {
        return "no results yet\n".into();
    }
    format!("{}\n", terminal::table(&rows))
}

/// JSON lines: one a window.
pub fn settled(found: &Comparison) -> String {
    let mut text = String::new();
    for line in &found.lines {
        let Some(answer) = line.answer else { continue };
        let window = line.window;
        let mut json = json!({"unit": window.unit, "start": window.start, "end": window.end, "users": answer.users});
        if let Some(frames) = answer.frames {
            json["frames"] = frames.into();
        }
        if let Some(first) = line.first {
            json["first_users"] = first.users.into();
        }
        text += &format!("{json}\n");
    }
    text
}

/// A row that came, as a line; none if its unit is not asked for.
pub fn followed(
    message: &ScannedMessage<'_>,
    format: &RowFormat,
    units: &[Unit],
    is_json: bool,
) -> Result<Option<String>, String> {
    let is_asked_for = |unit: Unit| units.is_empty() || units.contains(&unit);
    let Some(value) = message.value else {
        let window = parse_key(message.key)?;
        let line = match is_json {
            true => {
                format!("{}\n", json!({"unit": window.unit, "start": window.start, "end": window.end, "users": null}))
            }
            false => format!("{} withdrawn\n", window.label()),
        };
        return Ok(Some(line).filter(|_| is_asked_for(window.unit)));
    };
    let row = format.parse(value)?;
    if !is_asked_for(row.window.unit) {
        return Ok(None);
    }
    if !is_json {
        return Ok(Some(format!("{}\n", result_line(&row))));
    }
    let mut line = Vec::new();
    row.write_timeless(&mut line);
    line.push(b'\n');
    Ok(String::from_utf8(line).ok())
}
