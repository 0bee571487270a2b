//! The truth about files.

use super::input::{Input, InputError};
use crate::core::batch::{self, Truth};
use crate::core::frame::Kind;
use crate::core::record::Source;
use crate::core::window::Unit;

/// Counts the files `names`, of each the first `limit` frames at most; gives the truth, what was read of each file, and
/// why reading ended early, if it did: then everything before that place is counted.
pub fn count<'a>(
    names: impl IntoIterator<Item = (&'a str, Option<u64>)>,
    parser: Kind,
    units: &[Unit],
) -> (Truth, Vec<Source>, Option<InputError>) {
    let mut truth = Truth::new(units);
    let mut sources = Vec::new();
    for (name, limit) in names {
        match one(name, limit, parser, units) {
            Ok((part, source, error)) => {
                truth = truth.merge(part);
                sources.push(source);
                if error.is_some() {
                    return (truth, sources, error);
                }
            }
            Err(error) => return (truth, sources, Some(error)),
        }
    }
    (truth, sources, None)
}

fn one(
    name: &str,
    limit: Option<u64>,
    parser: Kind,
    units: &[Unit],
) -> Result<(Truth, Source, Option<InputError>), InputError> {
    let mut input = Input::open(name)?;
    let (truth, error) = batch::count(&mut input, parser, units, limit);
    let digest = input.finish()?;
    let source = Source {
        name: name.to_owned(),
        bytes: digest.bytes,
        sha256: digest.sha256,
        frames: truth.ledger().read,
        frame_bytes: 0,
    };
    Ok((truth, source, error))
}
