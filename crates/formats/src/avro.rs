//! Avro in the framing of a schema registry: a zero byte, the id of the schema in four bytes (big-endian), the datum.

use crate::batches::read_varint;
use crate::codec::{Codec, Take, Validation, only};
use crate::error::FormatError;
use crate::original::Original;
use crate::tree::Tree;
use crate::walk;
use apache_avro::Schema;
use apache_avro::reader::datum::GenericDatumReader;
use apache_avro::types::Value;
use apache_avro::writer::datum::GenericDatumWriter;
use std::sync::OnceLock;

/// The schema: user id, event time, and all else, as the members of these frames have no fixed names and types.
const SCHEMA: &str = r#"{"type": "record", "name": "Frame", "fields": [
    {"name": "uid", "type": "string"},
    {"name": "ts", "type": "long"},
    {"name": "rest", "type": {"type": "map", "values": {"type": "record", "name": "Any", "fields": [
        {"name": "value", "type": ["null", "boolean", "long", "double", "string",
            {"type": "array", "items": "Any"}, {"type": "map", "values": "Any"}]}
    ]}}}
]}"#;

/// The framing: magic byte, and an id as a registry gives it.
const FRAMING: [u8; 5] = [0, 0, 0, 0, 1];

/// Frames in Avro.
pub struct Avro {
    reader: GenericDatumReader<'static>,
    writer: GenericDatumWriter<'static>,
}

impl Avro {
    /// A reader and a writer of the schema.
    ///
    /// # Errors
    /// If the library refuses it.
    pub fn new() -> Result<Avro, FormatError> {
        static PARSED: OnceLock<Schema> = OnceLock::new();
        let schema = match PARSED.get() {
            Some(schema) => schema,
            None => {
                let parsed = Schema::parse_str(SCHEMA).map_err(FormatError::of)?;
                PARSED.get_or_init(|| parsed)
            }
        };
        let reader = GenericDatumReader::builder(schema).build().map_err(FormatError::of)?;
        // What is written here fits the schema by its type.
        let writer = GenericDatumWriter::builder(schema).validate(false).build().map_err(FormatError::of)?;
        Ok(Avro { reader, writer })
    }
}

impl Codec for Avro {
    fn encode(&mut self, frames: &[Original], message: &mut Vec<u8>) -> Result<(), FormatError> {
        let frame = only(frames)?;
        let value = Value::Record(vec![
            ("uid".into(), Value::String(frame.uid.clone())),
            ("ts".into(), Value::Long(frame.ts)),
            ("rest".into(), members(&frame.rest)),
        ]);
        message.clear();
        message.extend_from_slice(&FRAMING);
        self.writer.write_value_ref(message, &value).map(drop).map_err(FormatError::of)
    }

    fn read(&mut self, message: &[u8], validation: Validation, take: &mut Take<'_>) -> Result<(), FormatError> {
        let mut datum = message.strip_prefix(&FRAMING).ok_or(FormatError::NoMember("known schema"))?;
        if validation == Validation::Skip {
            let len = u64::try_from(read_varint(&mut datum)?).map_err(|_| FormatError::TooShort)?;
            let uid = walk::text(walk::take(&mut datum, len)?)?;
            take(&uid, read_varint(&mut datum)?);
            return Ok(());
        }
        let Value::Record(fields) = self.reader.read_value(&mut datum).map_err(FormatError::of)? else {
            return Err(FormatError::NoMember("record"));
        };
        if !datum.is_empty() {
            return Err(FormatError::TooLong(datum.len()));
        }
        match fields.as_slice() {
            [(_, Value::String(uid)), (_, Value::Long(ts)), _] => take(uid, *ts),
            _ => return Err(FormatError::NoMember("user id")),
        }
        Ok(())
    }
}

/// The members of an object as a map: of those with one name, the last.
fn members(tree: &Tree) -> Value {
    let Tree::Object(entries) = tree else { return Value::Map([].into()) };
    Value::Map(entries.iter().map(|(name, value)| (name.clone(), any(value))).collect())
}

fn any(tree: &Tree) -> Value {
    let (branch, value) = match tree {
        Tree::Null => (0, Value::Null),
        Tree::Bool(value) => (1, Value::Boolean(*value)),
        Tree::Integer(value) => (2, Value::Long(*value)),
        Tree::Unsigned(value) => (3, Value::Double(*value as f64)),
        Tree::Double(value) => (3, Value::Double(*value)),
        Tree::Text(text) => (4, Value::String(text.clone())),
        Tree::Array(values) => (5, Value::Array(values.iter().map(any).collect())),
        Tree::Object(_) => (6, members(tree)),
    };
    Value::Record(vec![("value".into(), Value::Union(branch, value.into()))])
}
