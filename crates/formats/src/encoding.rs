//! The formats.

use crate::arrow::Arrow;
use crate::avro::Avro;
use crate::cbor::Cbor;
use crate::codec::Codec;
use crate::error::FormatError;
use crate::header::Header;
use crate::json::Json;
use crate::message_pack::MessagePack;
use crate::protobuf::Protobuf;
use kuu_frame::ParserOptions;
use strum::{Display, EnumString, IntoStaticStr, VariantArray};

/// The largest value of a message in bytes: what librdkafka sends by default is 1,000,000 with key and framing.
pub const MESSAGE_BYTES: usize = 900_000;

/// A format of frames.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Display, EnumString, IntoStaticStr, VariantArray,
)]
#[strum(serialize_all = "kebab-case")]
pub enum Encoding {
    /// The frame as it came.
    Json,
    /// The frame without white space between its tokens.
    JsonMinified,
    /// Event time and user id in bytes, then the frame as it came.
    HeaderJson,
    /// MessagePack, a map as the frame is.
    Messagepack,
    /// CBOR (RFC 8949), a map as the frame is.
    Cbor,
    /// Avro with the framing of a schema registry; what is not user or time is a map of a recursive record.
    Avro,
    /// Protocol Buffers; what is not user or time is a `google.protobuf.Struct`.
    ProtobufStruct,
    /// Protocol Buffers; what is not user or time is JSON in a field of bytes.
    ProtobufBytes,
    /// A stream of Arrow IPC with one batch of many frames; what is not user or time is JSON in a column.
    Arrow,
}

impl Encoding {
    /// Every format, in the order of tables: the first one is what the others are compared with.
    pub const ALL: &[Encoding] = Encoding::VARIANTS;

    /// The name in tables and records.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// What a frame loses, in words.
    pub fn loses(self) -> &'static str {
        match self {
            Encoding::Json | Encoding::HeaderJson => "nothing",
            Encoding::JsonMinified => "white space",
            Encoding::Messagepack | Encoding::Cbor => "number forms, lone surrogates",
            Encoding::Avro => "key order, repeated keys, number forms, lone surrogates, u64 beyond i64",
            Encoding::ProtobufStruct => "key order, repeated keys, number forms, lone surrogates, integers beyond 2^53",
            Encoding::ProtobufBytes => "where uid and ts stood, escapes, number forms, lone surrogates",
            Encoding::Arrow => {
                "a key of its own, as a message has many frames; where uid and ts stood, escapes, number forms, lone surrogates"
            }
        }
    }

    /// What reading with the whole frame validated means, in words.
    pub fn validates(self) -> &'static str {
        match self {
            Encoding::Json | Encoding::JsonMinified => "kuu's fast parser",
            Encoding::HeaderJson => "the header, then the JSON by kuu's fast parser; both agree",
            Encoding::Messagepack => "rmp-serde reads every value and builds none, then the root is walked",
            Encoding::Cbor => "ciborium reads every value and builds none, then the root is walked",
            Encoding::Avro => "apache-avro builds the value",
            Encoding::ProtobufStruct => "prost builds the message",
            Encoding::ProtobufBytes => "prost reads the message, kuu's fast parser its JSON",
            Encoding::Arrow => "arrow-ipc reads all columns, kuu's fast parser the JSON",
        }
    }

    /// What reading without validating means, in words.
    pub fn skips(self) -> &'static str {
        match self {
            Encoding::Json | Encoding::JsonMinified => "walks the root and skips other members, until it has both",
            Encoding::HeaderJson => "the header alone",
            Encoding::Messagepack | Encoding::Cbor => "walks the root and skips other members, until it has both",
            Encoding::Avro => "the first two fields alone",
            Encoding::ProtobufStruct | Encoding::ProtobufBytes => {
                "walks the fields of the root, skips the others by their length"
            }
            Encoding::Arrow => "arrow-ipc reads two of the three columns",
        }
    }

    /// Whether many frames share a message.
    pub fn is_columnar(self) -> bool {
        self == Encoding::Arrow
    }

    /// The codec of frames that are read with these options.
    ///
    /// # Errors
    /// If a library refuses its schema.
    pub fn codec(self, options: &ParserOptions) -> Result<Box<dyn Codec>, FormatError> {
        Ok(match self {
            Encoding::Json => Box::new(Json::as_it_came(options)),
            Encoding::JsonMinified => Box::new(Json::minified(options)),
            Encoding::HeaderJson => Box::new(Header::new(options)),
            Encoding::Messagepack => Box::new(MessagePack::new(&options.format)),
            Encoding::Cbor => Box::new(Cbor::new(&options.format)),
            Encoding::Avro => Box::new(Avro::new()?),
            Encoding::ProtobufStruct => Box::new(Protobuf::with_struct()),
            Encoding::ProtobufBytes => Box::new(Protobuf::with_bytes(options.kind)),
            Encoding::Arrow => Box::new(Arrow::new(options.kind)),
        })
    }
}
