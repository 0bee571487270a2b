//! What an export is made of, and why there is none.

use crate::comparison::Difference;
use crate::latency::RecordError;
use crate::record::Record;
use serde::Serialize;
use thiserror::Error;

/// A record, and the name by which an export calls it.
#[derive(Clone, Debug)]
pub struct NamedRecord {
    /// The path as the user gave it.
    pub name: String,
    /// The record.
    pub record: Record,
}

/// Why records are not exported.
#[derive(Debug, Error)]
pub enum ExportRefusal {
    /// The format cannot say anything of a record.
    #[error("{record} has {lacks}: name other records, or another format")]
    Nothing {
        /// The record.
        record: String,
        /// What the format needs, in words that begin with "no".
        lacks: &'static str,
    },
    /// A record was named twice.
    #[error("{record} is named twice: name it once")]
    Twice {
        /// The record.
        record: String,
    },
    /// A figure has one value, and its records cannot be compared.
    #[error("{figure} is in {first} and in {second}, but the {} was {}, and then {}: export them one by one",
        .difference.what, .difference.before, .difference.after)]
    Apart {
        /// The figure.
        figure: String,
        /// A record with it.
        first: String,
        /// Another one.
        second: String,
        /// What differs.
        difference: Box<Difference>,
    },
    /// A time is none.
    #[error("{record}: `{text}` is no RFC 3339 time; the record is damaged")]
    Time {
        /// The record.
        record: String,
        /// The text.
        text: String,
    },
    /// A histogram cannot be read.
    #[error("{record}: {error}")]
    Latency {
        /// The record.
        record: String,
        /// Why.
        error: RecordError,
    },
    /// The text cannot be made.
    #[error("the export cannot be written: {0}")]
    Json(#[from] serde_json::Error),
    /// The table cannot be made.
    #[error("the export cannot be written: {0}")]
    Csv(#[from] csv::Error),
}

/// A JSON document for people to read, with a line end.
pub(super) fn pretty(document: &impl Serialize) -> Result<String, ExportRefusal> {
    Ok(serde_json::to_string_pretty(document)? + "\n")
}
