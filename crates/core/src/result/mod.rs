//! One row of a topic of results: kuu writes its own rows, and reads the rows of any engine.

mod format;
mod guess;
mod row;
mod start;
#[cfg(test)]
mod tests;

pub use format::RowFormat;
pub use guess::Guess;
pub use row::{Count, Row, parse_key};
