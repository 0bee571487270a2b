//! Change events of Debezium, as they withdraw and write rows. Flink's `debezium-json` writes an update as two events:
//! a deletion and a creation.

use crate::result::RowFormat;
use crate::verdict::fold::Message;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// The members of an event that count here (Debezium's documentation, "Change event values"). With the schema of Kafka
/// Connect's JsonConverter they are a level lower, in `payload`.
#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
    #[serde(borrow)]
    before: Option<&'a RawValue>,
    #[serde(borrow)]
    after: Option<&'a RawValue>,
    #[serde(borrow)]
    op: Option<Cow<'a, str>>,
}

/// What an event does with a row.
enum Change<'a> {
    Writes(&'a str),
    Withdraws(&'a str),
}

/// The message as a reader of rows by window expects it, with its key in `key`: a deletion has no value. None for a
/// message without a value, which follows a deletion and tells Kafka to forget the key. A message that is no event comes
/// back as it is.
pub(super) fn opened<'a>(format: &RowFormat, message: &Message<'a>, key: &'a mut String) -> Option<Message<'a>> {
    let change = change(message.value?);
    let Some(Change::Writes(row) | Change::Withdraws(row)) = change else { return Some(*message) };
    let value = Some(row.as_bytes());
    let Ok(parsed) = format.parse(row.as_bytes()) else { return Some(Message { value, ..*message }) };
    // Keys are as different as engines: rows of one window have one here.
    *key = parsed.window.key();
    let value = value.filter(|_| matches!(change, Some(Change::Writes(_))));
    Some(Message { key: key.as_bytes(), value, ..*message })
}

fn change(value: &[u8]) -> Option<Change<'_>> {
    let mut event: Event<'_> = serde_json::from_slice(value).ok()?;
    if let Some(payload) = event.payload {
        event = serde_json::from_str(payload.get()).ok()?;
    }
    match event.op?.as_ref() {
        "c" | "u" | "r" => event.after.map(|row| Change::Writes(row.get())),
        "d" => event.before.map(|row| Change::Withdraws(row.get())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: &str = r#"{"start":60,"users":7}"#;

    fn opened_value(value: Option<&str>) -> Option<(String, Option<String>)> {
        let mut key = String::new();
        let message = Message { partition: 0, offset: 3, key: b"{\"start\":60}", value: value.map(str::as_bytes) };
        let found = opened(&RowFormat::default(), &message, &mut key)?;
        assert_eq!((found.partition, found.offset), (0, 3));
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Some((text(found.key), found.value.map(text)))
    }

    #[test]
    fn events_write_and_withdraw() {
        let own = |value: Option<&str>| Some(("minute:60".to_owned(), value.map(str::to_owned)));
        for op in ["c", "u", "r"] {
            let event = format!(r#"{{"before":null,"after":{ROW},"op":"{op}","ts_ms":1}}"#);
            assert_eq!(opened_value(Some(&event)), own(Some(ROW)));
            let with_schema = format!(r#"{{"schema":{{"type":"struct"}},"payload":{event}}}"#);
            assert_eq!(opened_value(Some(&with_schema)), own(Some(ROW)));
        }
        let deletion = format!(r#"{{"before":{ROW},"after":null,"op":"d"}}"#);
        assert_eq!(opened_value(Some(&deletion)), own(None));
        assert_eq!(opened_value(None), None);
    }

    #[test]
    fn what_is_no_event_comes_back() {
        let deletion_of_nothing = r#"{"before":null,"after":null,"op":"d"}"#;
        let truncation = r#"{"source":{},"op":"t","ts_ms":1}"#;
        for text in [ROW, "rubbish", "7", deletion_of_nothing, truncation, r#"{"payload":7}"#] {
            let unchanged = Some((r#"{"start":60}"#.to_owned(), Some(text.to_owned())));
            assert_eq!(opened_value(Some(text)), unchanged, "{text}");
        }
        let no_row = opened_value(Some(r#"{"after":{"a":1},"op":"c"}"#));
        assert_eq!(no_row, Some((r#"{"start":60}"#.to_owned(), Some(r#"{"a":1}"#.to_owned()))));
    }
}
