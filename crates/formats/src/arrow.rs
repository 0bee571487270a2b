//! Arrow IPC: a stream of a schema and one batch with the columns `uid`, `ts` and `rest`, which is JSON.

use crate::codec::{Codec, Take, Validation};
use crate::error::FormatError;
use crate::json;
use crate::original::Original;
use crate::protobuf::check_object;
use arrow_array::builder::StringBuilder;
use arrow_array::cast::AsArray as _;
use arrow_array::types::Int64Type;
use arrow_array::{Array as _, Int64Array, RecordBatch};
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;
use arrow_schema::{DataType, Field, Schema};
use kuu_frame::{Parser, ParserKind};
use std::sync::Arc;

/// Batches of frames in Arrow.
pub struct Arrow {
    schema: Arc<Schema>,
    parser: Parser,
    json: Vec<u8>,
}

impl Arrow {
    /// Batches of user id, event time and JSON.
    pub fn new(parser: ParserKind) -> Arrow {
        let field = |name, kind| Field::new(name, kind, false);
        let fields = vec![field("uid", DataType::Utf8), field("ts", DataType::Int64), field("rest", DataType::Utf8)];
        let parser = Parser::new(&parser.into());
        Arrow { schema: Arc::new(Schema::new(fields)), parser, json: Vec::new() }
    }

    fn batch(&mut self, frames: &[Original]) -> Result<RecordBatch, FormatError> {
        let (mut uids, mut rests) = (StringBuilder::new(), StringBuilder::new());
        for frame in frames {
            uids.append_value(&frame.uid);
            json::write(&frame.rest, &mut self.json)?;
            rests.append_value(std::str::from_utf8(&self.json).map_err(|_| FormatError::NotUtf8)?);
        }
        let times = Int64Array::from_iter_values(frames.iter().map(|frame| frame.ts));
        let columns = vec![Arc::new(uids.finish()) as _, Arc::new(times) as _, Arc::new(rests.finish()) as _];
        RecordBatch::try_new(self.schema.clone(), columns).map_err(FormatError::of)
    }
}

impl Codec for Arrow {
    fn encode(&mut self, frames: &[Original], message: &mut Vec<u8>) -> Result<(), FormatError> {
        let batch = self.batch(frames)?;
        message.clear();
        let mut writer = StreamWriter::try_new(message, &self.schema).map_err(FormatError::of)?;
        writer.write(&batch).and_then(|()| writer.finish()).map_err(FormatError::of)
    }

    fn read(&mut self, message: &[u8], validation: Validation, take: &mut Take<'_>) -> Result<(), FormatError> {
        let columns = (validation == Validation::Skip).then(|| vec![0, 1]);
        for batch in StreamReader::try_new(message, columns).map_err(FormatError::of)? {
            let batch = batch.map_err(FormatError::of)?;
            let missing = || FormatError::NoMember("column");
            let uids = batch.column(0).as_string_opt::<i32>().ok_or_else(missing)?;
            let times = batch.column(1).as_primitive_opt::<Int64Type>().ok_or_else(missing)?;
            if validation == Validation::Whole {
                let rests = batch.column(2).as_string_opt::<i32>().ok_or_else(missing)?;
                rests.iter().flatten().try_for_each(|json| check_object(&mut self.parser, json.as_bytes()))?;
            }
            if uids.null_count() + times.null_count() > 0 {
                return Err(missing());
            }
            for row in 0..batch.num_rows() {
                take(uids.value(row), times.value(row));
            }
        }
        Ok(())
    }
}
