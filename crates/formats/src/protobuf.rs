//! Protocol Buffers:
//!
//! ```proto
//! message Frame {
//!   string uid = 1;
//!   int64 ts = 2;
//!   google.protobuf.Struct rest = 3;  // or: bytes rest = 3, which is JSON
//! }
//! ```

use crate::codec::{Codec, Take, Validation, only};
use crate::error::FormatError;
use crate::json;
use crate::original::Original;
use crate::tree::Tree;
use crate::walk;
use kuu_frame::{Parser, ParserKind};
use prost::Message;
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};
use prost_types::value::Kind;
use prost_types::{ListValue, Struct, Value};

#[derive(Clone, PartialEq, Message)]
struct StructFrame {
    #[prost(string, tag = "1")]
    uid: String,
    #[prost(int64, tag = "2")]
    ts: i64,
    #[prost(message, optional, tag = "3")]
    rest: Option<Struct>,
}

#[derive(Clone, PartialEq, Message)]
struct BytesFrame {
    #[prost(string, tag = "1")]
    uid: String,
    #[prost(int64, tag = "2")]
    ts: i64,
    #[prost(bytes = "vec", tag = "3")]
    rest: Vec<u8>,
}

/// Frames in Protocol Buffers.
pub struct Protobuf {
    /// Of what is JSON in a field; none if that is a struct.
    parser: Option<Parser>,
    json: Vec<u8>,
}

impl Protobuf {
    /// Frames whose other members are a struct.
    pub fn with_struct() -> Protobuf {
        Protobuf { parser: None, json: Vec::new() }
    }

    /// Frames whose other members are JSON in a field of bytes.
    pub fn with_bytes(parser: ParserKind) -> Protobuf {
        Protobuf { parser: Some(Parser::new(&parser.into())), json: Vec::new() }
    }
}

impl Codec for Protobuf {
    fn encode(&mut self, frames: &[Original], message: &mut Vec<u8>) -> Result<(), FormatError> {
        let Original { uid, ts, rest, .. } = only(frames)?;
        message.clear();
        if self.parser.is_none() {
            let frame = StructFrame { uid: uid.clone(), ts: *ts, rest: Some(members(rest)) };
            return frame.encode(message).map_err(FormatError::of);
        }
        json::write(rest, &mut self.json)?;
        let frame = BytesFrame { uid: uid.clone(), ts: *ts, rest: std::mem::take(&mut self.json) };
        let encoded = frame.encode(message).map_err(FormatError::of);
        self.json = frame.rest;
        encoded
    }

    fn read(&mut self, message: &[u8], validation: Validation, take: &mut Take<'_>) -> Result<(), FormatError> {
        match (validation, &mut self.parser) {
            (Validation::Skip, _) => {
                let (uid, ts) = fields(message)?;
                take(uid, ts);
            }
            (Validation::Whole, None) => {
                let frame = StructFrame::decode(message).map_err(FormatError::of)?;
                take(&frame.uid, frame.ts);
            }
            (Validation::Whole, Some(parser)) => {
                let frame = BytesFrame::decode(message).map_err(FormatError::of)?;
                check_object(parser, &frame.rest)?;
                take(&frame.uid, frame.ts);
            }
        }
        Ok(())
    }
}

/// Checks that bytes are one JSON object.
pub(crate) fn check_object(parser: &mut Parser, json: &[u8]) -> Result<(), FormatError> {
    parser.root(json).map(drop).map_err(FormatError::Malformed)
}

/// User id and event time of a frame; a field that is not there has its default.
fn fields(mut rest: &[u8]) -> Result<(&str, i64), FormatError> {
    let (mut uid, mut ts): (&[u8], i64) = (&[], 0);
    while !rest.is_empty() {
        let (tag, wire) = decode_key(&mut rest).map_err(FormatError::of)?;
        match (tag, wire) {
            (1, WireType::LengthDelimited) => {
                let len = decode_varint(&mut rest).map_err(FormatError::of)?;
                uid = walk::take(&mut rest, len)?;
            }
            (2, WireType::Varint) => ts = decode_varint(&mut rest).map_err(FormatError::of)? as i64,
            _ => skip_field(wire, tag, &mut rest, DecodeContext::default()).map_err(FormatError::of)?,
        }
    }
    Ok((std::str::from_utf8(uid).map_err(|_| FormatError::NotUtf8)?, ts))
}

/// The members of an object as a struct: of those with one name, the last.
fn members(tree: &Tree) -> Struct {
    let Tree::Object(entries) = tree else { return Struct::default() };
    Struct { fields: entries.iter().map(|(name, value)| (name.clone(), any(value))).collect() }
}

fn any(tree: &Tree) -> Value {
    let kind = match tree {
        Tree::Null => Kind::NullValue(0),
        Tree::Bool(value) => Kind::BoolValue(*value),
        Tree::Integer(value) => Kind::NumberValue(*value as f64),
        Tree::Unsigned(value) => Kind::NumberValue(*value as f64),
        Tree::Double(value) => Kind::NumberValue(*value),
        Tree::Text(text) => Kind::StringValue(text.clone()),
        Tree::Array(values) => Kind::ListValue(ListValue { values: values.iter().map(any).collect() }),
        Tree::Object(_) => Kind::StructValue(members(tree)),
    };
    Value { kind: Some(kind) }
}
