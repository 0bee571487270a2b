//! Where and how a record was made: machine, program, input, configuration, command line.

use super::table::{Column, table};
use super::words::{count, plural, size};
use crate::record::{Record, Source};
use maud::{Markup, html};
use serde_json::Value;

const SETTINGS: [Column; 2] = [Column::Words("setting"), Column::Words("value")];

/// The part of a record that says where it comes from.
pub(super) fn section(record: &Record) -> Markup {
    let input: Vec<Vec<String>> = record.input.iter().map(source).collect();
    let columns = [
        Column::Words("input"),
        Column::Number("frames"),
        Column::Number("size of the frames"),
        Column::Number("on disk"),
        Column::Words("SHA-256"),
    ];
    html! {
        h3 { "Machine, configuration, command line" }
        h4 { "Command line" }
        pre { code { (record.command_line.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")) } }
        (table("Where it ran", &SETTINGS, &place(record)))
        @if !input.is_empty() { (table("Input", &columns, &input)) }
        (table("Configuration in effect", &SETTINGS, &configuration(record)))
    }
}

fn place(record: &Record) -> Vec<Vec<String>> {
    let Record { machine, program, broker, topic, .. } = record;
    let mut rows = vec![
        ("began", record.written.clone()),
        ("processor", machine.cpu.clone()),
        ("cores", machine.cores.to_string()),
        ("memory", size(machine.memory_bytes as f64)),
        ("kernel", machine.kernel.clone()),
        ("kuu", format!("{} ({})", program.version, program.git)),
        ("rustc", program.rustc.clone()),
        ("librdkafka", program.librdkafka.clone()),
    ];
    if let Some(broker) = broker {
        let kind = if broker.kind == "embedded" { "embedded (not Apache Kafka)" } else { broker.kind.as_str() };
        let version = broker.version.as_deref().unwrap_or("version unknown");
        rows.push(("broker", format!("{kind}, {version}, at {}", broker.address)));
    }
    if let Some(topic) = topic {
        rows.push(("topic", format!("{}, {}", topic.name, plural(topic.partitions as u64, "partition"))));
    }
    rows.into_iter().map(|(name, value)| vec![name.to_owned(), value]).collect()
}

fn source(of: &Source) -> Vec<String> {
    let name = of.repeats.map_or_else(|| of.name.clone(), |repeats| format!("{}, {} times", of.name, repeats.count));
    vec![name, count(of.frames), size(of.frame_bytes as f64), size(of.bytes as f64), of.sha256.clone()]
}

/// Every setting, `outer.inner` where one holds others.
fn configuration(record: &Record) -> Vec<Vec<String>> {
    let mut rows = vec![vec!["command".to_owned(), format!("kuu {}", record.configuration.command())]];
    let json = serde_json::to_value(&record.configuration).unwrap_or_default();
    if let Some(Value::Object(members)) = json.get("config") {
        for (name, value) in members {
            add(&mut rows, name, value);
        }
    }
    rows
}

fn add(rows: &mut Vec<Vec<String>>, name: &str, value: &Value) {
    let text = match value {
        Value::Object(members) => {
            for (inner, value) in members {
                add(rows, &format!("{name}.{inner}"), value);
            }
            return;
        }
        Value::String(text) if !text.is_empty() => text.clone(),
        Value::String(_) => "none".into(),
        Value::Null => "none".into(),
        Value::Array(all) if all.is_empty() => "none".into(),
        Value::Array(all) if all.iter().all(Value::is_string) => {
            all.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    };
    rows.push(vec![name.to_owned(), text]);
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./=:,@%+".contains(&byte);
    if !word.is_empty() && word.bytes().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_as_a_shell_wants_them() {
        let words = ["--rate", "a b", "it's", "", "<script>"].map(quoted);
        assert_eq!(words, ["--rate", "'a b'", r"'it'\''s'", "''", "'<script>'"]);
    }

    #[test]
    fn settings_within_settings() {
        let mut rows = Vec::new();
        add(
            &mut rows,
            "a",
            &serde_json::json!({ "b": { "c": [1, 2] }, "d": ["x", "y"], "e": null, "f": true, "g": "", "h": [] }),
        );
        let lines: Vec<String> = rows.iter().map(|row| row.join("=")).collect();
        assert_eq!(lines, ["a.b.c=[1,2]", "a.d=x, y", "a.e=none", "a.f=true", "a.g=none", "a.h=none"]);
    }
}
